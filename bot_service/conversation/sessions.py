"""Whether the patient exercised: yes, partly, no, or not said, in many words, with pain given as a reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from bot_service.conversation.amounts import tag
from bot_service.conversation.items import Item
from bot_service.conversation.language import Language

Session = Literal["yes", "partly", "no"]

_TAPS: dict[str, Session] = {
    "👍": "yes",
    "✅": "yes",
    "✔": "yes",
    "☑": "yes",
    "💪": "yes",
    "👌": "yes",
    "🏋": "yes",
    "👎": "no",
    "❌": "no",
    "✖": "no",
    "🚫": "no",
}


class Exercised(NamedTuple):
    """`session` None when not said or contradictory; `refused` when it is a plain "no" that could mean anything; `excuse_only` when a
    reason was given and nothing was said of the exercises themselves; `later` when the "no" is an intention to do them still today;
    `reported` when words of doing say that all or part of a session was done."""

    session: Session | None
    refused: bool = False
    pain_mentioned: bool = False
    excuse_only: bool = False
    later: bool = False
    reported: bool = False


def exercised(clauses: Sequence[str], items: Sequence[Item], language: Language) -> Exercised:
    """What the clauses of a message say about doing the exercises today."""
    whole = " , ".join(clauses)
    pain = language.pattern("pain_reason").search(whole) is not None
    kinds = [kind for clause in clauses for kind in _kinds(clause, language)]
    counted = _counted(items)
    if "partly" in kinds or counted == "partly":
        return Exercised("partly", pain_mentioned=pain, reported=_reported(clauses, language))
    said = {"no" if kind == "later" else kind for kind in kinds} & {"yes", "no"}
    if not said and "excuse" in kinds and "bare_yes" not in kinds:
        return Exercised("no", pain_mentioned=pain, excuse_only=True)
    if len(said) == 1:
        only: Session = "yes" if "yes" in said else "no"
        return Exercised(only, pain_mentioned=pain, later="later" in kinds, reported=only == "yes" and _reported(clauses, language))
    if said:
        return Exercised(None, pain_mentioned=pain)
    if counted:
        return Exercised(counted, pain_mentioned=pain)
    return Exercised(None, refused="bare_no" in kinds and "bare_yes" not in kinds, pain_mentioned=pain)


def of_the_day_before(clauses: Sequence[str], language: Language) -> Session | None:
    """ "Did it last night", "i didnt do them yesterday": what is said of that session; None when nothing or two things are."""
    day, said = language.pattern("day_before"), set()
    late = any(language.pattern("told_late").search(clause) for clause in clauses)  # "did it but forgot to tell you yesterday"
    for part in (part.strip() for clause in clauses for part in language.pattern("joiner").split(clause)):
        kind = _kind(" ".join(day.sub(" ", part).split()), language) if late or day.search(part) else None
        if kind == "no" or (kind in {"yes", "partly"} and language.pattern("did_session").search(part)):
            said.add(kind)
    only: Session | None = said.pop() if len(said) == 1 else None  # type: ignore[assignment]  # one of the three above
    return only


def tapped(items: Sequence[Item]) -> Session | None:
    """The meaning of a message of emoji only, as an answer to "did you exercise?"."""
    meanings = {_TAPS.get(item.text) for item in items if item.tag == "emoji"}
    return meanings.pop() if len(meanings) == 1 else None


def bare_answer(clauses: Sequence[str], language: Language) -> Session | None:
    """A "yes" or a "no" and nothing about the exercises: an answer only to "did you exercise?"."""
    kinds = {kind for clause in clauses for kind in _kinds(clause, language)} & {"bare_yes", "bare_no"}
    return None if len(kinds) != 1 else ("yes" if "bare_yes" in kinds else "no")


def _reported(clauses: Sequence[str], language: Language) -> bool:
    """Whether a clause that says "all of it" or "part of it" has a word for doing: "not bad" and "as usual" have none."""
    did = language.pattern("did_session")
    return any(did.search(clause) is not None and {"yes", "partly"} & set(_kinds(clause, language)) for clause in clauses)


def _kinds(clause: str, language: Language) -> list[str]:
    """What a clause says, or else what its parts say ("no pain today so yes")."""
    whole = _kind(clause, language)
    if whole is not None:
        return [whole]
    parts = [part.strip() for part in language.pattern("joiner").split(clause)]
    return [kind for part in parts if part and (kind := _kind(part, language)) is not None]


def _kind(clause: str, language: Language) -> str | None:
    if language.pattern("not_about_today").search(clause):
        return None
    for kind in ("partly", "yes_after_all", "not_yet", "no_session", "later", "excuse", "done", "bare_yes", "bare_no"):
        found = language.pattern(kind).search(clause)
        if found and kind in {"not_yet", "later"}:  # on another day is not today
            return "no" if language.pattern("another_day").search(clause) else "later"
        if found:
            return {"yes_after_all": "yes", "no_session": "no", "done": "yes"}.get(kind, kind)
    return None


def _counted(items: Sequence[Item]) -> Session | None:
    """ "2 out of 3 sets", "done 2/3", "80%": all of it or part of it."""
    for at, item in enumerate(items):
        if item.tag != "num":
            continue
        things = tag(items, at + 3) in {"unit", "exercise", "things", "preunit"} or tag(items, at - 1) in {"done", "activity"}
        if things and tag(items, at + 1) in {"scale_of", "/"} and tag(items, at + 2) == "num":
            return _share(item.value, items[at + 2].value)
        if tag(items, at + 1) == "%":
            return _share(item.value, 100)
    return None


def _share(part: float, whole: float) -> Session | None:
    if part == 0:
        return "no"
    return "partly" if part < whole else "yes" if part == whole else None
