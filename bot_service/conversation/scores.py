"""Which of the numbers in a message answers the pain question, or none of them when that is not certain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bot_service.conversation.amounts import Amount, tag
from bot_service.conversation.items import Item
from bot_service.conversation.numbers import amounts_of

_LABELS = frozenset({"during", "after", "before", "past", "now", "usual", "start", "peak", "low", "side", "home", "elsewhere"})
_BESIDE_LABELS = _LABELS | {"copula", "filler", "lead", "article", "det", "emoji", "mark", "scope", "exercise", "things", "thanks", "okay"}
_SEPARATORS = frozenset({"break", "paren", "conj", "conj_and", "then", "→", "-"})
_AFTER_WHAT = frozenset(
    {"", "break", "conj", "conj_and", "then", "→", "exercise", "things", "filler", "num", "mark", "emoji", "-", "thanks", "copula"}
)
_PASSED = frozenset({"lead", "article", "filler", "break", "paren", "mark", "copula", "only", "emoji", "scope"})
_TAKING_BACK = ("retract", "withdraw")
_CORRECTING = ("correct", "meant", *_TAKING_BACK)
_HEDGED = frozenset({"lead", "article", "filler", "copula"})
_A_BREAK = frozenset({"break"})
_NOT_ASKED = frozenset({"before", "past", "usual", "elsewhere"})
_NOT_NEXT_DAY = _NOT_ASKED | {"during", "after"}
_BESIDE_NONE = frozenset(
    {"cue", "break", "paren", "mark", "emoji", "thanks", "greeting", "okay", "filler", "now", "lead", "during", "after", "-"}
)
_MOST_AMOUNTS = 8
_PRAISE_FROM, _FULL_MARKS, _AGONY_TO = 7, 10, 1
_SUFFERING = frozenset({"cue", "severe", "worse", "desc", "hurt_word", "peak"})


class Score(NamedTuple):
    """`value` 0-10, or None when it must be asked again. `both` holds the labelled values where there are several."""

    value: int | None
    correction: bool = False
    both: tuple[tuple[str, int], ...] = ()


def score_of(items: Sequence[Item], next_day: bool, usual: bool = False) -> Score:
    """The worst score of what was asked ("during or straight after", "this morning, now" when `next_day`, what is said to be `usual`)."""
    if _only_none(items):
        return Score(0)
    amounts = _certain([amount for amount in amounts_of(items) if amount.standing != "other"])
    if not amounts or len(amounts) > _MOST_AMOUNTS:
        return Score(None)
    if any(item.tag == "forgotten" for item in items) or any(item.tag in _TAKING_BACK for item in items[amounts[-1].end :]):
        return Score(None)
    _label(items, amounts)
    if usual:
        named = any("usual" in amount.labels for amount in amounts)
        amounts = _usual(amounts)
        if not named and any(amount.labels for amount in amounts) and len({amount.value for amount in amounts}) > 1:
            return Score(None)  # "about a 4, 6 when i sit": which of them is usual?
    corrected = [amount for amount in amounts if _follows(items, amount, *_CORRECTING) or _starred(items, amount)]
    corrected = corrected or [amount for amount in amounts[-1:] if _is_what_was_meant(items, amount)]
    refused = [amount for amount in amounts if _follows(items, amount, "not", passed=_HEDGED)]
    if len(corrected) > 1 or any(_follows(items, amount, "no", passed=_A_BREAK) for amount in amounts):
        return Score(None)
    if corrected and corrected[0] is amounts[-1]:
        if any(amount.labels and corrected[0].labels and amount.labels != corrected[0].labels for amount in amounts):
            return Score(None)  # "7 during, no wait, 3 after": one value or two?
        return _score([corrected[0]], items, next_day, correction=True)
    if not corrected and any(item.tag in _CORRECTING for item in items[amounts[0].end : amounts[-1].start]):
        return Score(None)  # "6, sorry, today 5": which?
    left = [amount for amount in amounts if not any(amount is other for other in refused)]
    return _score(left, items, next_day, correction=bool(corrected) or (bool(refused) and bool(left)))


def names_several(items: Sequence[Item]) -> bool:
    """Whether more than one number in it may be a score, and they differ."""
    return len({amount.value for amount in amounts_of(items) if amount.standing != "other" and amount.value <= _FULL_MARKS}) > 1


def _usual(amounts: list[Amount]) -> list[Amount]:
    """The numbers that are said to be usual, or else all of them."""
    named = [amount for amount in amounts if "usual" in amount.labels]
    for amount in named:
        amount.labels.discard("usual")
    return named or amounts


def _only_none(items: Sequence[Item]) -> bool:
    """ "none", "nothing today": nought when nothing else is said."""
    said = [item.tag for item in items if item.tag not in _BESIDE_NONE]
    return said == ["no_pain_alone"]


def _certain(amounts: list[Amount]) -> list[Amount] | None:
    """The numbers to choose from; None when one of them is on a scale or in a sense that we cannot read."""
    zeros_with_limits = [amount for amount in amounts if amount.standing == "bad" and amount.value == 0]
    others = [amount for amount in amounts if amount not in zeros_with_limits]
    if not others:
        return None
    explicit = [amount for amount in others if amount.standing == "explicit"]
    if any(amount.standing == "bad" for amount in others):
        return None
    if any(amount.standing == "unsure" for amount in others):
        return explicit or None
    return others


def _score(amounts: list[Amount], items: Sequence[Item], next_day: bool, correction: bool) -> Score:
    both = tuple((label, int(amount.value)) for amount in amounts for label in sorted(amount.labels))
    value = _next_day(amounts) if next_day else _session(amounts)
    if value is not None and _contradicted(value, items):
        value = None
    return Score(value, correction and value is not None, both if len(amounts) > 1 else ())


def _session(amounts: Sequence[Amount]) -> int | None:
    asked = [amount for amount in amounts if not amount.labels & _NOT_ASKED]
    during = [amount.value for amount in asked if amount.labels & {"during", "after"}]
    later = [amount.value for amount in asked if "now" in amount.labels]
    if during and later and max(later) > max(during):
        return None
    return _worst(asked)


def _next_day(amounts: Sequence[Amount]) -> int | None:
    asked = [amount for amount in amounts if not amount.labels & _NOT_NEXT_DAY]
    today = [amount for amount in asked if "now" in amount.labels]
    if today and all(amount.value <= max(one.value for one in today) for amount in asked):
        return _worst(today)
    if today or any("then" in amount.labels for amount in asked):
        return None
    return _worst(asked)


def _worst(amounts: Sequence[Amount]) -> int | None:
    if len({amount.value for amount in amounts}) > 1 and sum(not amount.labels for amount in amounts) > 1:
        return None
    return int(max((amount.value for amount in amounts), default=-1)) if amounts else None


def _contradicted(value: int, items: Sequence[Item]) -> bool:
    """ "10/10 felt great" is praise, "0 but agony" is no nought."""
    tags = {item.tag for item in items}
    if value >= _PRAISE_FROM and not tags & _SUFFERING:
        return "pos" in tags or (value == _FULL_MARKS and bool(tags & {"done", "exercise", "things"}))
    return value <= _AGONY_TO and "severe" in tags


def _label(items: Sequence[Item], amounts: Sequence[Amount]) -> None:
    """Give each number the words that say when or where it was."""
    start = 0
    loose: set[str] = set()
    last: Amount | None = None
    for end in range(len(items) + 1):
        if end < len(items) and (items[end].tag not in _SEPARATORS or _inside(amounts, end)):
            continue
        inside = [amount for amount in amounts if start <= amount.start < end]
        if inside:
            _label_segment(items, inside, start, end)
            if loose and not inside[0].labels:
                inside[0].labels |= loose
            loose, last = set(), inside[-1]
            if tag(items, start - 1) in {"then", "→"}:
                inside[0].labels.add("then")
        else:
            labels = _labels(items, start, end)
            if labels and _speaks_of_a_number(items, start, end):
                if last is not None and not last.labels:
                    last.labels |= labels
                else:
                    loose = labels
        start = end + 1


def _inside(amounts: Sequence[Amount], at: int) -> bool:
    return any(amount.start <= at < amount.end for amount in amounts)


def _label_segment(items: Sequence[Item], inside: Sequence[Amount], start: int, end: int) -> None:
    if len(inside) == 1:
        inside[0].labels |= _labels(items, start, end)
        return
    leading = bool(_labels(items, start, inside[0].start))
    trailing = bool(_labels(items, inside[-1].end, end))
    if not leading and not trailing and "elsewhere" in _labels(items, start, end):  # "5 foot 6"
        for amount in inside:
            amount.labels.add("elsewhere")
        return
    if leading and trailing and not {"peak", "start"} & _labels(items, start, inside[-1].start):
        return
    falls = inside[0].value > inside[-1].value and not trailing
    now_second = falls and _labels(items, inside[0].end, inside[-1].start) == {"now"}  # "8 now 2"
    edges = [start, *(amount.end for amount in inside)] if leading or now_second else [*(amount.start for amount in inside), end]
    for amount, first, beyond in zip(inside, edges, edges[1:], strict=False):
        amount.labels |= _labels(items, first, beyond)
    if leading and trailing:
        inside[-1].labels |= _labels(items, inside[-1].end, end)


def _labels(items: Sequence[Item], start: int, end: int) -> set[str]:
    labels = {_label_of(items, at) for at in range(start, end) if not _is_denied(items, at)} - {""}
    return labels - {"elsewhere"} if "home" in labels else labels


def _is_denied(items: Sequence[Item], at: int) -> bool:
    """ "My back, not the leg": the leg is not where it was."""
    return items[at].tag == "home" and "not" in {tag(items, at - 1), tag(items, at - 2)}


def _label_of(items: Sequence[Item], at: int) -> str:
    kind = items[at].tag
    if kind not in _LABELS or (kind in {"past", "before", "usual"} and tag(items, at - 1) == "than"):
        return ""
    if kind == "after" and tag(items, at + 1) not in _AFTER_WHAT:
        return "side"
    return kind


def _speaks_of_a_number(items: Sequence[Item], start: int, end: int) -> bool:
    """ "during", "but that was yesterday": words without a number that say when or where the number beside them was."""
    if tag(items, start - 1) == "conj" and tag(items, start) in {"lead", "copula", "det", "scope"}:
        return True
    return all(items[at].tag in _BESIDE_LABELS for at in range(start, end))


def _follows(items: Sequence[Item], amount: Amount, *wanted: str, passed: frozenset[str] = _PASSED) -> bool:
    at = amount.start - 1
    while tag(items, at) in passed:
        at -= 1
    return tag(items, at) in wanted


def _starred(items: Sequence[Item], amount: Amount) -> bool:
    return "*" in {tag(items, amount.start - 1), tag(items, amount.end)}


def _is_what_was_meant(items: Sequence[Item], amount: Amount) -> bool:
    """ "3 i mean": the last words of the message."""
    said = [item.tag for item in items[amount.end :] if item.tag not in _PASSED]
    return said == ["meant"]
