"""Which numbers in a message can be a pain score, and which belong to sets, minutes, kilos, dates or another scale."""

from __future__ import annotations

from collections.abc import Sequence

from bot_service.conversation.amounts import PASSED, Amount, Standing, number_at, tag
from bot_service.conversation.items import BIG, UNKNOWN, Item

_BOTH_SIDES = frozenset(
    "break paren conj then emoji mark - → * cue desc pos severe peak low now during after before past usual side home elsewhere"
    " thanks greeting yes no done correct meant withdraw not hurt_word okay start".split()
)
_RIGHT = _BOTH_SIDES | {"filler", "scope", "lead", "only", "perhaps", "nearly"}
_LEFT = _BOTH_SIDES | {"between", "~", "better", "worse"}
_HEDGES = PASSED | {"copula"}
_SUBJECTS = _LEFT | {"filler", "preunit", "unit_one", "lead", "copula", "det", "scope", "exercise", "things", "num"}
_UNDOING = frozenset({"almost", "nearly", "ineq", "not", "%", "to"})
_CLAUSE_ENDS = frozenset({"", "break", "paren", "conj", "conj_and", "then", "num"})
_CLAUSE_MARKS = frozenset({"", "break", "paren", "mark", "emoji", "conj", "conj_and", "then"})
_BESIDE_ONE = frozenset(
    "lead article filler cue copula perhaps nearly okay pos yes greeting thanks correct meant withdraw now after past usual"
    " ~ * or better worse →".split()
)
_HURTING = frozenset({"hurt_word", "desc", "severe"})
_PLACED = frozenset({"side", "elsewhere"})
_LIMITING = _PLACED | {"spoil", "ineq", "not", "nearly", "start", "preunit"}
_PLACES = frozenset({"home", "elsewhere"})


def amounts_of(items: Sequence[Item]) -> list[Amount]:
    """Every number of the message in order, with "no pain" as the number nought."""
    found: list[Amount] = []
    at = 0
    while at < len(items):
        amount = _amount_at(items, at)
        if amount is None:
            at += 1
            continue
        found.append(amount)
        at = amount.end
    return found


def _amount_at(items: Sequence[Item], at: int) -> Amount | None:
    kind = tag(items, at)
    if kind == "no_pain":
        return Amount(0, at, at + 1, "bad" if _spoilt(items, at) else "explicit")
    if kind == "odd":
        return Amount(BIG, at, at + 1, "bad")
    if kind != "num":
        return None
    amount = number_at(items, at)
    if tag(items, at - 1) == "scale_intro" or (tag(items, at - 1) == "scale_of" and amount.value == 10):
        amount.standing = "other" if items[amount.end - 1].value == 10 else "bad"
    if amount.standing in {"plain", "explicit"}:
        _judge(amount, items)
    return amount


def _spoilt(items: Sequence[Item], at: int) -> bool:
    """ "no pain except ...", "didn't hurt much": not nought after all."""
    if any(item.tag == "gain" for item in items) or _among_strangers(items, at, at + 1):
        return True
    following = at + 1
    while tag(items, following) in {"filler", "cue"}:
        following += 1
    a_time = tag(items, at - 1) == "unit" and at == 2  # "3 days pain free"
    if tag(items, following) == "scope" or tag(items, at - 1) in _PLACED or a_time:
        return True
    while tag(items, following) not in _CLAUSE_ENDS:
        if tag(items, following) in _LIMITING:
            return True
        following += 1
    before = at - 1
    while tag(items, before) not in _CLAUSE_ENDS:
        if tag(items, before) in _UNDOING:
            return True
        before -= 1
    return False


def _judge(amount: Amount, items: Sequence[Item]) -> None:
    """Decide from its neighbours what a number counts."""
    explicit = amount.standing == "explicit"
    if _counts_something(items, amount, explicit):
        amount.standing = "other"
    elif _unreadable(items, amount):
        amount.standing = "bad"
    elif amount.value > 10:
        amount.standing = "bad" if explicit or _from_the_left(items, amount.start) != "unsure" else "unsure"
    elif _stuck(items, amount) or _compared(items, amount) or _counted_out_of_ten(items, amount):
        amount.standing = "unsure"
    elif not explicit:
        amount.standing = _plain_standing(items, amount)


def _counts_something(items: Sequence[Item], amount: Amount, explicit: bool) -> bool:
    left, right = tag(items, amount.start - 1), tag(items, amount.end)
    beyond = amount.end
    while tag(items, beyond) == "filler":
        beyond += 1
    if (
        tag(items, beyond) == "unit"
        or (right == "done" and tag(items, amount.end + 1) == "scale_of")
        or right in {"unit", "oclock", "unit_one", "%", "°", "times"}
        or left in {"preunit", "unit_one", "@", "£", "$", "€", "times"}
    ):
        return True
    return "other_scale" in {right, tag(items, _unhedged(items, amount.start))} or (
        not explicit and right in {"scale_of", "exercise", "things"}
    )


def _unreadable(items: Sequence[Item], amount: Amount) -> bool:
    """ "less than 3", "5+", "-2": no certain value."""
    before, after = tag(items, _unhedged(items, amount.start)), tag(items, amount.end)
    if after == "lead":  # "6ish plus"
        after = tag(items, amount.end + 1)
    if before in {"ineq", "<", ">", "trend", "shift"} or after in {"+", "ineq_after", "ineq"} or _negative(items, amount.start):
        return True
    return amount.value == 0 and tag(items, amount.start - 1) == "nearly"


def _unhedged(items: Sequence[Item], start: int) -> int:
    """The place of the last item before a number that is not a hedge."""
    at = start - 1
    while tag(items, at) in _HEDGES:
        at -= 1
    return at


def _compared(items: Sequence[Item], amount: Amount) -> bool:
    """ "2 better", "2/10 up": how far from another score."""
    beyond = amount.end + 1 if tag(items, amount.end) == "filler" else amount.end
    return tag(items, beyond) in {"better", "worse", "shift"}


def _counted_out_of_ten(items: Sequence[Item], amount: Amount) -> bool:
    """ "did 8/10" may be a share of the exercises and "the film was 8/10" is praise; "had 8/10 pain" and "8/10 horrific" are neither."""
    if tag(items, amount.end) == "cue":
        return False
    return tag(items, amount.start - 1) in {"activity", "exercise", "things"} or tag(items, _unhedged(items, amount.start)) == UNKNOWN


def _plain_standing(items: Sequence[Item], amount: Amount) -> Standing:
    right = tag(items, amount.end)
    if right and right not in _RIGHT and right != "conj_and":
        return "unsure"
    tags = {item.tag for item in items}
    if right == "scope" and _scale_beyond(items, amount.end):
        return "unsure"
    if any(item.typo for item in items[amount.start : amount.end]) and UNKNOWN in tags:
        return "unsure"
    if "between" in tags and amount.end - amount.start == 1:
        return "unsure"
    if tags & {"oclock", "clock"} and tag(items, amount.start - 1) in {"start", "then"}:
        return "unsure"
    if _counts_a_thing(items, amount):
        return "unsure"
    standing = _from_the_left(items, amount.start)
    return "unsure" if standing == "plain" and _among_strangers(items, amount.start, amount.end) else standing


def _among_strangers(items: Sequence[Item], start: int, end: int) -> bool:
    """Whether the clause has words that we do not know: they may say what a number counts, or that it is not so."""
    clause = _clause(items, start, end)
    return any(
        item.tag == UNKNOWN and tag(clause, at - 1) != "after" for at, item in enumerate(clause)
    )  # "3 after breakfast" is no other 3


def _counts_a_thing(items: Sequence[Item], amount: Amount) -> bool:
    """ "the single leg one", "one leg hurts", "two legs": a number word that stands for a thing, or beside the one that it counts."""
    if items[amount.start].text[0].isdigit():
        return False
    clause = {item.tag for item in _clause(items, amount.start, amount.end)}
    after = tag(items, amount.end)
    return (amount.value == 1 and (after == "during" or not clause <= _BESIDE_ONE)) or after in _PLACES


def _clause(items: Sequence[Item], start: int, end: int) -> Sequence[Item]:
    """The words on either side of some items, up to a mark or a "but"."""
    first, beyond = start, end
    while tag(items, first - 1) not in _CLAUSE_MARKS:
        first -= 1
    while tag(items, beyond) not in _CLAUSE_MARKS:
        beyond += 1
    return [*items[first:start], *items[end:beyond]]


def _scale_beyond(items: Sequence[Item], at: int) -> bool:
    """ "9 on that other questionnaire": the same clause names another scale."""
    while tag(items, at) not in _CLAUSE_ENDS:
        if tag(items, at) == "other_scale":
            return True
        at += 1
    return False


def _from_the_left(items: Sequence[Item], start: int) -> Standing:
    """Walk left over hedges: "I'd say about a 4" stands at the start of its clause, "walked about 5" does not."""
    article = False
    at = start - 1
    while tag(items, at) in PASSED:
        article = article or tag(items, at) == "article"
        at -= 1
    before = tag(items, at)
    if before == "copula":
        subject = tag(items, at - 1)
        return "plain" if not subject or subject in _SUBJECTS or subject == "conj_and" else "unsure"
    if before == "after" and any(item.tag in _HURTING for item in _clause(items, start, start + 1)):
        return "unsure"  # "hurts after 10", "after 6 it hurts"
    if before in {"cue", "hurt_word"}:
        return "explicit"
    if before == "num" and any(item.tag == "scale_intro" for item in items[:at]):
        return "plain"
    if not before or before in _LEFT or before in {"conj_and", "or"}:
        return "plain"
    return "plain" if article and before not in {"det", "activity", "preunit"} else "unsure"


def _negative(items: Sequence[Item], start: int) -> bool:
    return tag(items, start - 1) == "-" and items[start].glued and not items[start - 1].glued


def _stuck(items: Sequence[Item], amount: Amount) -> bool:
    """Whether letters or strange signs are written against the number with no space ("L5", "5abc", "5²")."""
    after = items[amount.end] if amount.end < len(items) else None
    if after is not None and after.glued and after.tag in {UNKNOWN, "\ufffd", "_", "/", "num"}:
        return True
    before = items[amount.start - 1] if amount.start else None
    if before is None or not items[amount.start].glued:
        return before is not None and before.tag in {"num", "/"}
    return before.tag in {"\ufffd", "_", "/"} or (before.text[-1].isalpha() and before.tag != "cue")
