"""Mistakes in where things come from: every number of the rules and every exercise names a source that the plan lists."""

from __future__ import annotations

from collections.abc import Iterator

from plans.mistakes import Finding, Spot, shown
from plans.model import Part, ProgressionRule, Rules
from plans.translation import part_in

_STAGE_NUMBERS = ("hip_flexion_limit_deg", "expected_weeks", "overdue_days")


def source_findings(plan: Spot) -> Iterator[Finding]:
    """Everything about sources and references."""
    references = plan.child("references").value
    if not isinstance(references, dict) or not references:
        yield plan.finding("has no references. List every source it uses, with its citation, under [references].", "references")
        return
    for table, field, text in plan.strings():
        if field == "source" and text.partition(":")[0].strip() not in references:
            yield table.finding(f"names the source {shown(text)}, which is not under [references]. Add it there or correct it.", "source")
    yield from _of_numbers(plan, references)


def _of_numbers(plan: Spot, references: dict[str, object]) -> Iterator[Finding]:
    rules = plan.child("rules")
    given = rules.child("sources").value
    sources = given if isinstance(given, dict) else {}
    wanted, possible = list(_numbers(plan)), set(_numbers(plan, absent_too=True))
    for name in wanted:
        if name not in sources:
            advice = 'Add a line under [rules.sources]: a source, or "default" if the number is ours.'
            yield rules.finding(f"gives no source for {name}. {advice}", f"sources.{name}")
    for name, text in sources.items():
        if name not in possible:
            yield rules.finding(
                f"gives a source for {shown(name)}, which is no number of this plan. Correct it or remove it.", f"sources.{name}"
            )
        for source in text.split(",") if isinstance(text, str) else ():
            if source.strip() != "default" and source.strip() not in references:
                yield rules.finding(
                    f"names the source {shown(source.strip())} for {name}, which is not under [references].", f"sources.{name}"
                )


def _numbers(plan: Spot, *, absent_too: bool = False) -> Iterator[str]:
    """The name under [rules.sources] of every number in the file: below [rules] without that word, in a stage with its whole key.

    With `absent_too` also of those that the file could have, so that a missing table is one mistake and not one for each source.
    """
    yield from _leaves(Rules, plan.child("rules"), "", absent_too)
    for stage in plan.rows("stages"):
        yield from (f"{stage.key}.{name}" for name in _STAGE_NUMBERS if absent_too or stage.has(name))
        for slot in stage.rows("slots"):
            if absent_too or slot.number("min_gap_h"):
                yield f"{slot.key}.min_gap_h"
        for name in ("progression", "plyometric_unlock"):
            yield from _leaves(ProgressionRule, stage.child(name), f"{stage.key}.{name}.", absent_too)


def _leaves(part: type[Part], table: Spot, prefix: str, absent_too: bool) -> Iterator[str]:
    for name, field in part.model_fields.items():
        inner = part_in(field.annotation)
        if inner:
            yield from _leaves(inner, table.child(name), f"{prefix}{name}.", absent_too)
        elif name not in {"sources", "checklist"} and (absent_too or table.has(name)):
            yield prefix + name
