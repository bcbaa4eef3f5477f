"""The red-flag screen: words in a patient's message that a clinician must see, over-sensitive by design (clinical.md, section 4)."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Any, Literal, NamedTuple, cast

from bot_service.clinical.words import BREAKS, PhraseBook, is_symbol, languages_in, phrase_words, tokens

Tier = Literal["EMERGENCY", "URGENT", "PROMPT"]

TIERS: tuple[Tier, ...] = ("EMERGENCY", "URGENT", "PROMPT")
_FILES = files("bot_service.clinical") / "red_flag_words"
LANGUAGES = languages_in(_FILES, "rules")
"""Languages whose words are screened: a file is all that one needs."""
_IGNORED, _NEGATOR, _NEGATED_BEFORE, _BRIDGE, _EXCEPTION = "(ignored)", "(negator)", "(negator after)", "(bridge)", "(exception)"
_SENTENCE_ENDS = BREAKS - {","}
_LONGEST_PHRASE = 8
_EXCEPTION_REACH = 4
_NEGATOR_AFTER_REACH = 3
_NEGATOR_REACH = 15
_EXCUSE_REACH = 6
_DENIED_REACH = 3
_BODY = ("limb", "saddle")
_TORN = re.compile(r"\s*(?:…|\.{2,}|[\r\n])\s*")  # a pause for breath: "I don't want to... live"


@dataclass(frozen=True)
class RedFlag:
    """Words that may mean something serious: how soon they must be seen, the family of trouble, and the words themselves (folded)."""

    tier: Tier
    family: str
    words: str


class _Span(NamedTuple):
    start: int
    end: int


class _Rule(NamedTuple):
    tier: Tier
    family: str
    sets: tuple[str, ...]
    names: frozenset[str]
    window: int
    across: bool
    alone: int
    unless: tuple[str, ...]
    unless_of: tuple[str, ...]


class _Screen(NamedTuple):
    book: PhraseBook[str]
    same: Mapping[str, str]
    first_person: frozenset[str]
    third_person: frozenset[str]
    turns: frozenset[str]
    rules: tuple[_Rule, ...]
    regions: frozenset[str]
    plain: frozenset[str]
    lists: frozenset[str]
    alternatives: frozenset[str]


class _Text(NamedTuple):
    words: Sequence[str]
    typed: Sequence[str]
    found: Mapping[str, list[_Span]]
    covered: Mapping[int, _Span]
    negated_from: frozenset[int]
    negated_to: frozenset[int]
    bridges: frozenset[int]
    exceptions: frozenset[int]
    symptom_starts: frozenset[int]


def find_red_flag(text: str, language: str) -> RedFlag | None:
    """The most serious red flag in a message, or None. Total for any text.

    Every shipped language is looked through whatever the patient's own is, because people mix languages when they are
    frightened; the patient's own comes first and decides between equals.
    """
    words = [token.text for token in tokens(text)]
    own = language.lower().replace("_", "-").split("-")[0]
    hits = []
    judged: frozenset[_Span] = frozenset()
    for code in sorted(LANGUAGES, key=lambda code: code != own):
        screen = _screen(code)
        said = [screen.same.get(word, word) for word in words]
        named = _named_in(said, screen)
        read = _look_up(said, words, named, screen)
        hit = _find_in(words, read, screen, judged) if read is not None else None
        if hit is not None:
            hits.append(hit)
        elif code == own:
            judged = frozenset(_judged(named, screen))
    whole = _TORN.sub(" ", text)
    if whole != text and (torn := find_red_flag(whole, language)) and torn.tier == "EMERGENCY":
        hits.append(torn)
    return min(hits, key=lambda hit: TIERS.index(hit.tier), default=None)


def _find_in(words: Sequence[str], read: _Text, screen: _Screen, judged: frozenset[_Span]) -> RedFlag | None:
    """The first rule that holds; words that the patient's own language has read as no symptom (`judged`: "never had cancer") are none."""
    named = read.found.keys()
    for rule in screen.rules:
        span = _first_match(rule, read, screen) if rule.names <= named else None
        if span is not None and span not in judged:
            return RedFlag(rule.tier, rule.family, " ".join(words[span.start : span.end]))
    return None


def _judged(named: Mapping[str, list[_Span]], screen: _Screen) -> Iterator[_Span]:
    """What would be a flag by itself but for a "no" or an excuse, and all that lies in a figure of speech ("música pop")."""
    for rule in screen.rules:
        if len(rule.sets) == 1:
            yield from named.get(rule.sets[0], ())
    for figure in named.get(_IGNORED, ()):
        yield from (_Span(*ends) for ends in combinations(range(figure.start, figure.end + 1), 2))


def _named_in(words: Sequence[str], screen: _Screen) -> dict[str, list[_Span]]:
    """Where each word set of one language occurs."""
    found: dict[str, list[_Span]] = {}
    for at in range(len(words)):
        for length, name in screen.book.matches(words, at):
            found.setdefault(name, []).append(_Span(at, at + length))
    return found


def _look_up(words: Sequence[str], typed: Sequence[str], found: Mapping[str, list[_Span]], screen: _Screen) -> _Text | None:
    """What is named, without what lies inside a figure of speech; None when no symptom is named at all."""
    figures = {at: span for span in sorted(found.get(_IGNORED, []), key=_length) for at in range(span.start, span.end)}
    kept: dict[str, list[_Span]] = {}
    for name, spans in found.items():
        outside = [span for span in spans if not _inside_figure(span, figures)]
        if outside and name != _IGNORED:
            kept[name] = outside
    if all(name.startswith("(") for name in kept):
        return None
    reached_over = [spans for name, spans in kept.items() if not name.startswith("(") and name not in screen.plain]
    covered = {at: span for spans in reached_over for span in spans for at in range(span.start, span.end)}
    return _Text(
        words,
        typed,
        kept,
        covered,
        negated_from=frozenset(span.end - 1 for span in kept.get(_NEGATOR, ())),
        negated_to=frozenset(span.start for span in kept.get(_NEGATED_BEFORE, ())),
        bridges=frozenset(at for span in kept.get(_BRIDGE, ()) for at in range(span.start, span.end)),
        exceptions=frozenset(span.start for span in kept.get(_EXCEPTION, ())),
        symptom_starts=frozenset(span.start for name, spans in kept.items() if _is_symptom(name, screen) for span in spans),
    )


def _length(span: _Span) -> int:
    return span.end - span.start


def _inside_figure(span: _Span, figures: Mapping[int, _Span]) -> bool:
    figure = figures.get(span.start)
    return figure is not None and span.end <= figure.end


def _first_match(rule: _Rule, read: _Text, screen: _Screen) -> _Span | None:
    for core in read.found[rule.sets[0]]:
        whole = core
        for name in rule.sets[1:]:
            near = _nearest(core, read.found[name], read.words, rule)
            if near is None:
                break
            whole = _Span(min(whole.start, near.start), max(whole.end, near.end))
        else:
            if not _is_negated(core, whole, read, screen) and not _is_excused(rule, core, read, screen):
                return whole
    return None


def _nearest(core: _Span, spans: Sequence[_Span], words: Sequence[str], rule: _Rule) -> _Span | None:
    first = bisect_left(spans, _Span(core.start - rule.window - _LONGEST_PHRASE, 0))
    for span in spans[first:]:
        if span.start > core.end + rule.window:
            return None
        gap = words[core.end : span.start] if span.start >= core.end else words[span.end : core.start]
        if len(gap) <= rule.window and (rule.across or not _SENTENCE_ENDS.intersection(gap)):
            return span
    return None


def _is_excused(rule: _Rule, core: _Span, read: _Text, screen: _Screen) -> bool:
    """Whether words beside the symptom say that it is a thing's, a child's or meant: "the band snapped", "lost weight on purpose".

    A rule of one set is not excused beside a part of the body, unless it is the other's own: "the band snapped and so did my
    hamstring", "my mate tore his hamstring".
    """
    beside = {*read.words[max(0, core.start - rule.alone) : core.start], *read.words[core.end : core.end + rule.alone]} - screen.turns
    if not all(is_symbol(word) for word in beside):
        return True
    parts = [part for name in _BODY if (part := _beside(core, read, name)) is not None] if len(rule.sets) == 1 else []
    theirs = all(part.start > 0 and read.typed[part.start - 1] in screen.third_person for part in parts)
    return (not parts and _is_a_things(rule, core, read, screen)) or (theirs and _is_anothers(rule, core, read, screen))


def _is_a_things(rule: _Rule, core: _Span, read: _Text, screen: _Screen) -> bool:
    things = (span for name in rule.unless if (span := _beside(core, read, name)) is not None)
    return any(not screen.turns.intersection(_between(core, span, read)) and not _denied(core, span, read) for span in things)


def _is_anothers(rule: _Rule, core: _Span, read: _Text, screen: _Screen) -> bool:
    own = screen.first_person | screen.turns
    subjects = (span for name in rule.unless_of if (span := _beside(core, read, name)) is not None)
    return any(span.end <= core.start and not own.intersection(_between(core, span, read)) for span in subjects)


def _denied(core: _Span, span: _Span, read: _Text) -> bool:
    """ "bladder not normal", "not on a diet": the words that would excuse it are taken away."""
    denials = (each for each in read.found.get(_NEGATOR, ()) if not core.start <= each.start < core.end)
    return any(span.start - _DENIED_REACH < each.end <= span.start for each in denials)


def _between(core: _Span, span: _Span, read: _Text) -> Sequence[str]:
    return read.words[core.end : span.start] if span.start >= core.end else read.words[span.end : core.start]


def _beside(core: _Span, read: _Text, name: str) -> _Span | None:
    """The first words of a set within a few words of the symptom, in the same clause."""
    spans = read.found.get(name, [])
    for span in spans[bisect_left(spans, _Span(core.start - _EXCUSE_REACH - _LONGEST_PHRASE, 0)) :]:
        if span.start > core.end + _EXCUSE_REACH:
            return None
        between = _between(core, span, read)
        if len(between) <= _EXCUSE_REACH and not BREAKS.intersection(between):
            return span
    return None


def _is_negated(core: _Span, whole: _Span, read: _Text, screen: _Screen) -> bool:
    if any(at in read.exceptions for at in range(core.end, core.end + _EXCEPTION_REACH)):
        return False
    if any(at in read.negated_to for at in range(whole.end, whole.end + _NEGATOR_AFTER_REACH)):
        return not BREAKS.intersection(read.words[core.end : whole.end + 1])
    return _negator_before(core, read, screen)


def _negator_before(core: _Span, read: _Text, screen: _Screen) -> bool:
    """Walk back from the symptom over words that may stand between it and its "no": other symptoms, "any", "or"."""
    at = core.start - 1
    while at >= max(0, core.start - _NEGATOR_REACH):
        if at in read.negated_from:
            return True
        if read.words[at] == "," or read.words[at] in screen.lists:
            if at + 1 not in read.symptom_starts or (read.words[at] == "," and not _ends_list(core, read, screen)):
                return False
            at -= 1
        elif at in read.covered:
            at = min(read.covered[at].start, at) - 1
        elif at in read.bridges:
            at -= 1
        else:
            return False
    return False


def _is_symptom(name: str, screen: _Screen) -> bool:
    return not name.startswith("(") and name not in screen.regions and name not in screen.plain


def _ends_list(core: _Span, read: _Text, screen: _Screen) -> bool:
    after = read.words[core.end] if core.end < len(read.words) else "."
    return after in BREAKS or after in screen.lists or after in screen.alternatives


@cache
def _screen(code: str) -> _Screen:
    written = _written(code)
    entries = [(phrase, name) for name, phrases in written["sets"].items() for phrase in phrases]
    marks = {"figures_of_speech": _IGNORED, "negators": _NEGATOR, "negators_after": _NEGATED_BEFORE}
    for key, name in (marks | {"bridges": _BRIDGE, "exceptions": _EXCEPTION}).items():
        entries += [(phrase, name) for phrase in written.get(key, ())]
    table = _written("rules")
    rules = sorted((_rule(row) for row in table["rules"]), key=lambda rule: TIERS.index(rule.tier))
    lists, alternatives = (
        frozenset(word for phrase in written[key] for word in phrase_words(phrase)) for key in ("list_words", "alternatives")
    )
    same = {word: one for one, others in written.get("same_words", {}).items() for word in others}
    book = PhraseBook(((_with_same_words(phrase, same), name) for phrase, name in entries), written.get("optional_prefixes", ()))
    spoken = tuple(rule for rule in rules if written["sets"].keys() >= set(rule.sets))
    first_person, third_person, turns = (
        frozenset(word for phrase in written.get(key, ()) for word in phrase_words(phrase))
        for key in ("first_person", "third_person", "turns")
    )
    return _Screen(
        book, same, first_person, third_person, turns, spoken, frozenset(written["regions"]), frozenset(table["plain"]), lists, alternatives
    )


def _with_same_words(phrase: str, same: Mapping[str, str]) -> str:
    """A phrase in the words that stand for all that mean the same here: "her" is "my", for who writes for another."""
    return " ".join(same.get(word, word) for word in phrase_words(phrase))


def _written(name: str) -> dict[str, Any]:
    return tomllib.loads(files("bot_service.clinical").joinpath(f"red_flag_words/{name}.toml").read_text(encoding="utf-8"))


def _rule(row: Mapping[str, Any]) -> _Rule:
    if row["tier"] not in TIERS:
        raise ValueError(f"{row['tier']!r} is not a tier of red flags.")
    others = (tuple(row.get(key, ())) for key in ("unless", "unless_of"))
    sets, borders = tuple(row["sets"]), (row.get("across", False), row.get("alone", 0))
    return _Rule(cast(Tier, row["tier"]), row["family"], sets, frozenset(sets), row.get("window", 6), *borders, *others)
