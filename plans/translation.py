"""Turns what the validation library says about a file into sentences for a physiotherapist."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, NamedTuple, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from plans.mistakes import Finding, Spot, either, shown
from plans.model import CarePlan, Part

MEANINGS = {
    "dist_m": "distance in metres",
    "dose": "how many sets and repetitions",
    "easier": "how to make it easier, in words",
    "easier_dose": "the dose of the easier version",
    "effort_pct": "effort in percent",
    "harder": "how to make it harder, in words",
    "hold_s": "how long to hold, in seconds",
    "how": "how to do it, in words for the patient",
    "min_gap_h": "the shortest time between two sessions, in hours",
    "must_be": "the answer that lets a patient start",
    "next_max": "the highest pain after 24 hours that counts towards the next stage",
    "rest_s": "rest between sets, in seconds",
    "session_max": "the highest pain in a session that counts towards the next stage",
    "source": "where this comes from",
    "sources": "where each number comes from",
    "slots": "when in the week the exercises are done",
    "suggested_time": "the time of day that is suggested",
}
_KEY_SHAPE = "must begin with a letter and hold at most 48 letters, digits and underscores"
_VERSION_SHAPE = "must be three numbers with dots between them, such as 1.0.0"


class _Problem(NamedTuple):
    """What the library found: the field, what stands there, its own details, and where."""

    field: str
    value: object
    ctx: dict[str, Any]
    loc: tuple[int | str, ...]


Say = Callable[[_Problem], str]


def translate(problem: ValidationError, plan: Spot) -> list[Finding]:
    """Each thing the library found, with a key that uses ids and a sentence that says what to do."""
    errors = problem.errors(include_url=False, include_input=False)
    return [_finding(error, plan) for error in errors if not _said_elsewhere(error, plan)]


def _said_elsewhere(error: ErrorDetails, plan: Spot) -> bool:
    # Times are checked by plans.rule_checks, which knows what a person would write.
    if error["type"].startswith("time_"):
        return True
    # A list in which entries are wrong is called too short as well, because the library counts only the right ones.
    entries = _at(plan, error["loc"]).value
    return error["type"] == "too_short" and isinstance(entries, list) and len(entries) >= (error.get("ctx") or {})["min_length"]


def _finding(error: ErrorDetails, plan: Spot) -> Finding:
    loc = error["loc"]
    if not loc:
        return plan.finding("is not a table of keys.")
    named = len(loc) - (2 if isinstance(loc[-1], int) and len(loc) > 1 else 1)
    table, field = _at(plan, loc[:named]), str(loc[named])
    say = _SENTENCES.get(error["type"], _does_not_fit)
    return table.finding(say(_Problem(field, _at(plan, loc).value, error.get("ctx") or {}, loc)), field)


def _at(plan: Spot, loc: tuple[int | str, ...]) -> Spot:
    spot = plan
    for step in loc:
        spot = spot.child(step) if isinstance(step, str) else spot.item(step)
    return spot


def _fields_at(loc: tuple[int | str, ...]) -> list[str]:
    part: type[Part] | None = CarePlan
    for step in loc:
        if isinstance(step, str) and part is not None:
            known = part.model_fields.get(step)
            part = part_in(known.annotation) if known else None
    return list(part.model_fields) if part else []


def part_in(annotation: Any) -> type[Part] | None:
    """The kind of table that a field of this type holds, alone or in a list; None when it holds plain values."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((found for each in get_args(annotation) if (found := part_in(each))), None)


def _missing(what: _Problem) -> str:
    if isinstance(what.loc[-1], int):
        return f"has too few numbers in {what.field}. Write two, such as [2, 4]."
    meaning = f" ({MEANINGS[what.field]})" if what.field in MEANINGS else ""
    return f"has no {what.field}{meaning}. Add it."


def _unknown(what: _Problem) -> str:
    close = get_close_matches(what.field, _fields_at(what.loc[:-1]), n=1)
    advice = f'Did you mean "{close[0]}"?' if close else "Remove it, or correct its spelling."
    return f'has a key "{what.field}" that is not known there. {advice}'


def _wrong_type(wanted: str) -> Say:
    return lambda what: f"has {shown(what.value)} for {what.field}, which must be {wanted}."


def _limit(side: str, name: str) -> Say:
    return lambda what: f"has {shown(what.value)} for {what.field}, which must be {side} {what.ctx[name]}."


def _not_listed(what: _Problem) -> str:
    choices = re.findall(r"'([^']*)'", what.ctx["expected"]) or [what.ctx["expected"].lower()]
    return f"has {shown(what.value)} for {what.field}, which must be {either(choices)}."


def _too_long(what: _Problem) -> str:
    return (
        f"has {len(str(what.value))} characters in {what.field}; at most {what.ctx['max_length']} fit into a chat message. Make it shorter."
    )


def _shape(what: _Problem) -> str:
    return f"has {shown(what.value)} for {what.field}, which {_VERSION_SHAPE if what.field == 'version' else _KEY_SHAPE}."


def _few(what: _Problem) -> str:
    return f"lists {what.ctx['actual_length']} in {what.field}; it needs at least {what.ctx['min_length']}."


def _many(what: _Problem) -> str:
    return f"lists more in {what.field} than the {what.ctx['max_length']} that are allowed."


def blank(field: str) -> str:
    """What is said of a text with nothing in it."""
    return f"has nothing in {field}. Write it, or remove the key if it is not needed."


def _does_not_fit(what: _Problem) -> str:
    return f"has {shown(what.value)} for {what.field}, which does not fit. See docs/plans.md for what it may be."


_WHOLE = _wrong_type("a whole number without quotes")
_TABLE = _wrong_type("a table of keys")
_LIST = _wrong_type("a list in square brackets")
_SENTENCES: dict[str, Say] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _wrong_type("a much smaller number"),
    "string_type": _wrong_type("text in quotes"),
    "bool_type": _wrong_type("true or false, without quotes"),
    "tuple_type": _LIST,
    "list_type": _LIST,
    "model_type": _TABLE,
    "model_attributes_type": _TABLE,
    "dict_type": _TABLE,
    "literal_error": _not_listed,
    "greater_than_equal": _limit("at least", "ge"),
    "less_than_equal": _limit("at most", "le"),
    "string_too_short": lambda what: blank(what.field),
    "string_too_long": _too_long,
    "string_pattern_mismatch": _shape,
    "too_short": _few,
    "too_long": _many,
}
