"""Finds every mistake in the text of a plan file at once; reads no files and decides nothing about patients."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import time
from typing import Any

from pydantic import ValidationError

from plans.exercise_checks import exercise_findings
from plans.mistakes import Finding, PlanError, PlanErrors, Spot, shown
from plans.model import CarePlan
from plans.rule_checks import rule_findings
from plans.source_checks import source_findings
from plans.translation import blank, translate

__all__ = ["IN_BRACES", "PLACEHOLDERS", "PlanError", "PlanErrors", "examine", "examine_tables", "filled", "parse"]

# What may stand in {braces} in any text of a plan, and the number under [rules] that is written there when the plan is loaded.
PLACEHOLDERS = {
    "ceiling": ("pain_ceiling",),
    "green_max": ("session_pain", "green_max"),
    "severe_min": ("session_pain", "severe_min"),
    "gap_days": ("deload", "gap_days_easier"),
    "settled_days": ("deload", "settled_days_to_return"),
}
TOLD = {"flare_plan", "stages", "exercises", "loads", "return_to_run"}
"""The tables and texts of which [earlier] may keep what they were in a version."""
_HOW_TO_MAX = 1000
_TEXT_MAX = {
    "checklist": 200,
    "easier": 300,
    "goal": 300,
    "harder": 300,
    "label": 30,
    "load": 90,
    "name": 70,
    "start_after": 200,
    "steps": 200,
    "tempo": 30,
    "title": 60,
}
IN_BRACES = re.compile(r"\{([^{}]*)\}")
_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)")
# How the TOML reader begins, and what that means for the author.
_TOML_WORDS = {
    "Illegal character '\\n'": "a text is not closed. Put a quotation mark at its end.",
    "Illegal character": "it holds a character that is not allowed there. Remove it; inside a text, write it again by hand.",
    "Unterminated": "a text is not closed. Put the closing quotation marks.",
    "Cannot overwrite": "this key was already given above. Remove one of the two.",
    "Cannot declare": "this [heading] was already given above. Write [[heading]] for a further one, or remove it.",
    "Expected '=' after": "an equals sign is missing, or a key with dots or blanks is not in quotes.",
    "Unclosed array": "a list is not closed. Look for a missing ] or comma there or just above.",
    "Unclosed inline table": "a { } table is not closed. Look for a missing bracket or comma; it must stand on one line.",
    "Unescaped '\\'": "a backslash in a text means something special. Write two of them.",
}
_TOML_OTHERWISE = "it is not written as TOML. Look for a missing quotation mark, bracket or equals sign there or just above."


def examine(text: str, file: str) -> CarePlan:
    """The plan that a TOML text describes. Raises PlanErrors with every mistake in it."""
    return examine_tables(parse(text, file), file)


def examine_tables(raw: dict[str, Any], file: str) -> CarePlan:
    """The same for tables that are already parsed from TOML."""
    plan = Spot(raw)
    findings: list[Finding] = []
    care_plan = None
    try:
        present = {name: value for name, value in raw.items() if name != "earlier"}
        care_plan = CarePlan.model_validate_json(json.dumps(filled(present, plan.child("rules")), default=_as_json), strict=True)
    except ValidationError as problem:
        findings += translate(problem, plan)
    findings += [*exercise_findings(plan), *rule_findings(plan), *source_findings(plan), *_other_findings(plan)]
    if care_plan is None or findings:
        raise PlanErrors([PlanError(file, *each) for each in dict.fromkeys(findings)])
    return care_plan.model_copy(update={"flare_plan_written": raw["flare_plan"]})


def parse(text: str, file: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises PlanErrors with the line that cannot be read."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as problem:
        found = _AT_LINE.search(str(problem))
        line = found[1] if found and found[1] else str(text.count("\n") + 1)
        said = _AT_LINE.sub("", str(problem)) if isinstance(problem, tomllib.TOMLDecodeError) else ""
        what = next((words for beginning, words in _TOML_WORDS.items() if said.startswith(beginning)), _TOML_OTHERWISE)
        sentence = f"Line {line} cannot be read: {what}"
        raise PlanErrors([PlanError(file, f"line {line}", sentence)]) from None


def _as_json(value: object) -> object:
    # A date has no place in a plan: as a table it is refused wherever it stands, and the sentence shows the date itself.
    return value.isoformat() if isinstance(value, time) else {"date": str(value)}


def filled(value: Any, rules: Spot) -> Any:
    """The same, with the known placeholders in every text replaced by their numbers."""
    if isinstance(value, dict):
        return {name: filled(each, rules) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, rules) for each in value]
    return IN_BRACES.sub(lambda found: _number_for(found, rules), value) if isinstance(value, str) else value


def _number_for(found: re.Match[str], rules: Spot) -> str:
    *tables, field = PLACEHOLDERS.get(found[1], ("",))
    for name in tables:
        rules = rules.child(name)
    number = rules.number(field)
    return found[0] if number is None else str(number)


def _other_findings(plan: Spot) -> Iterator[Finding]:
    for table, field, text in plan.strings():
        yield from _text(table, field, text)
    for stage in plan.rows("stages"):
        for exercise in stage.rows("exercises"):
            length = sum(len(exercise.text(field) or "") for field in ("name", "how", "easier", "harder"))
            if length > _HOW_TO_MAX:
                problem = f"has {length} characters of instructions; {_HOW_TO_MAX} fit into one message. Shorten how, easier or harder."
                yield exercise.finding(problem, "how")
    if plan.has("flare_plan_written"):
        yield plan.finding('has a key "flare_plan_written" that is not known there. Write the text as flare_plan.', "flare_plan_written")
    yield from _earlier_findings(plan)
    if not plan.rows("eligibility"):
        yield plan.finding(
            "asks nothing at enrolment. Add at least one [[eligibility]] question, such as whether a clinician made the diagnosis.",
            "eligibility",
        )
    exercises = [each for stage in plan.rows("stages") for each in stage.rows("exercises")]
    if any(each.text("type") == "plyometric" for each in exercises) and not plan.has("return_to_run"):
        yield plan.finding(
            "has plyometric exercises, but no [return_to_run] with its steps. Add it: jumping and running are opened together.",
            "return_to_run",
        )
    yield from _repeated_steps(plan.child("return_to_run"))


def _earlier_findings(plan: Spot) -> Iterator[Finding]:
    earlier = plan.value.get("earlier", {}) if isinstance(plan.value, dict) else {}
    for version, texts in earlier.items() if isinstance(earlier, dict) else [("", earlier)]:
        if not isinstance(texts, dict) or not texts.keys() <= TOLD:
            sentence = f"holds something else than texts. Write the version as a table with keys of {', '.join(sorted(TOLD))}."
            yield plan.finding(sentence, f"earlier.{version}".rstrip("."))


def _text(table: Spot, field: str, text: str) -> Iterator[Finding]:
    if not text.strip():
        yield table.finding(blank(field), field)
    most = _TEXT_MAX.get(field)
    if most and len(text) > most:
        yield table.finding(f"has {len(text)} characters in {field}; at most {most} are easy to read on a phone. Make it shorter.", field)
    for name in IN_BRACES.findall(text):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            yield table.finding(f"has {shown('{' + name + '}')} in {field}, which nothing fills in. Known are {known}.", field)
    if set("{}") & set(IN_BRACES.sub("", text)):
        yield table.finding(f"has a lone curly bracket in {field}. Remove it, or close it.", field)


def _repeated_steps(running: Spot) -> Iterator[Finding]:
    steps = running.texts("steps")
    for step in dict.fromkeys(each for each in steps if steps.count(each) > 1):
        yield running.finding(f"has the step {shown(step)} twice. Remove one.", "steps")
