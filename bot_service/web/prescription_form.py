"""The form in which a clinician writes a prescription: its fields as text, from a prescription and back to choices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Literal, cast

from bot_service.conversation.exercise_text import WEEKDAYS
from bot_service.web.prescribed import SHORT
from plans.editing import THRESHOLDS, Choices, SlotChoice, Unfit, open_slots, side_of, threshold
from plans.mistakes import Finding
from plans.model import CarePlan, Dose, Exercise, Prescription, Weekday

Fields = Mapping[str, str]
AMOUNTS = {"reps": "Repetitions", "hold_s": "Hold, seconds", "dist_m": "Metres"}
LABELS = {
    "pain_ceiling": "Pain ceiling in a session, 0 to 10",
    "session_pain.green_max": "Comfortable up to, 0 to 10",
    "session_pain.severe_min": "Severe from, 0 to 10",
    "session_pain.jump_asks_safety": "A rise that asks the safety question, points",
    "after_24h.worse_delta": "Worse after 24 hours: points above usual",
    "adherence_target_pct": "Adherence aimed at, %",
    "review.low_adherence_pct": "Low adherence below, %",
    "review.missed_in_a_row": "Missed sessions in a row that raise a flag",
    "review.silent_days": "Silent days that raise a flag",
    "review.planned_review_days": "Planned review after, days",
    "deload.gap_days_easier": "A gap after which exercises restart easier, days",
    "deload.gap_days_physio_first": "A gap after which you are asked first, days",
    "deload.settled_days_to_return": "Settled exercise days until the usual version",
    "deload.rung_settled_days": "Settled days before the next step is due",
    "progression.min_days": "Least days in this stage",
    "progression.session_max": "To progress: session pain at most",
    "progression.next_max": "To progress: pain after 24 hours at most",
}
_OTHER_LABELS = {
    "session_pain.amber_max": "the ceiling",
    "after_24h.settled_max": "the settled limit",
    "adherence_soft_pct": "the soft limit",
}
_APART = (
    "Choose days or times that lie further apart: move the day that is too close, or take it out. "
    "The hours between sessions are the plan's, and cannot be lowered for one patient."
)
_DIGITS = re.compile(r"[0-9]{1,4}")
_RULE = re.compile(r"The \[rules\.?([a-z_0-9.]*)\] table has (\w+) (\d+), but ([\w.]+) is (\d+)")


@dataclass(frozen=True)
class SlotRow:
    """One time of the day: its name, days, and the days of what joins on some days only."""

    number: int
    title: str
    days: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ExerciseRow:
    """One exercise of the plan's library: its steps, what it is counted in, and the dose of a step where none is written."""

    id: str
    name: str
    prescribed: bool
    steps: tuple[tuple[str, str], ...]
    amount: str
    has_effort: bool
    hint: str
    harder: str
    source: str


@dataclass(frozen=True)
class ThresholdRow:
    """One number: what the plan says, where that comes from, and what may be written."""

    key: str
    label: str
    plan_says: int
    source: str
    low: int
    high: int


def fields_of(document: Prescription, plan: CarePlan) -> dict[str, str]:
    """The form as it stands before anything is changed."""
    fields = {
        "side": side_of(document),
        "flare": "on" if document.flare_plan else "",
        "rungs": "on" if document.rungs_preauthorised else "",
    }
    for slot in open_slots(document, plan):
        there = slot in document.slots
        fields[f"at-{slot.number}"] = f"{slot.at:%H:%M}"
        fields |= {f"day-{slot.number}-{day}": "on" for day in slot.days}
        if there:
            fields |= {f"in-{slot.number}-{name}": "yes" for name in slot.exercises}
        if there and slot.extra:
            fields |= {f"in-{slot.number}-{name}": "some" for name in slot.extra.exercises}
            fields |= {f"some-{slot.number}-{day}": "on" for day in slot.extra.days}
    for item in document.exercises:
        fields[f"rung-{item.exercise.id}"] = (item.rung or "") if item.started else ""
        fields |= _dose_fields(item.exercise.id, item.dose)
    for key in THRESHOLDS:
        fields[f"own-{key}"] = str(document.thresholds.get(key, threshold(plan, document.stage, key)))
    return fields


def choices_of(fields: Fields, document: Prescription, plan: CarePlan) -> Choices:
    """What was chosen. Raises Unfit for what is no number or no time."""
    wrong: list[Finding] = []
    slots = {slot.number: _slot(fields, slot.number, plan, wrong) for slot in open_slots(document, plan)}
    doses = {exercise.id: _dose(fields, exercise, wrong) for exercise in library(document, plan)}
    own = {key: value for key in THRESHOLDS if (value := _number(fields, f"own-{key}", LABELS[key], wrong)) is not None}
    if wrong:
        raise Unfit(wrong)
    side = fields.get("side", "")
    return Choices(
        slots={number: slot for number, slot in slots.items() if slot is not None},
        rungs={exercise.id: rung for exercise in library(document, plan) if (rung := fields.get(f"rung-{exercise.id}", ""))},
        doses=doses,
        thresholds=own,
        flare_plan_signed=fields.get("flare") == "on",
        rungs_preauthorised=fields.get("rungs") == "on",
        treated_side=cast(Literal["left", "right", "both"], side if side in ("left", "right") else "both"),
    )


def library(document: Prescription, plan: CarePlan) -> list[Exercise]:
    """The exercises that can be prescribed: the plan's, without those that only a decision about the faster ones opens."""
    return [
        exercise
        for stage in plan.stages
        for exercise in stage.exercises
        if exercise.type != "plyometric" or any(item.exercise.id == exercise.id for item in document.exercises)
    ]


def slot_rows(document: Prescription, plan: CarePlan) -> list[SlotRow]:
    """The times of the day, in order."""
    return [SlotRow(slot.number, slot.label.capitalize(), tuple(zip(WEEKDAYS, SHORT, strict=True))) for slot in open_slots(document, plan)]


def exercise_rows(document: Prescription, plan: CarePlan) -> list[ExerciseRow]:
    """The plan's library, each exercise with its ladder."""
    prescribed = {item.exercise.id: item for item in document.exercises}
    rows = []
    for exercise in library(document, plan):
        item = prescribed.get(exercise.id)
        steps = [(rung.id, f"{number}. {rung.text}") for number, rung in enumerate(exercise.rungs, 1)]
        if item is not None and not item.started:
            steps.insert(0, ("", "Not started yet"))
        rows.append(
            ExerciseRow(
                exercise.id, exercise.name, item is not None, tuple(steps), _amount(exercise), exercise.dose.effort_pct is not None,
                "" if item else "empty: the dose of the step", exercise.harder, ", ".join(exercise.source),
            )
        )  # fmt: skip
    return rows


def stage_facts(document: Prescription, plan: CarePlan) -> str:
    """What the plan says of the stage as a whole."""
    stage = plan.stage(document.stage)
    low, high = stage.expected_weeks
    run = plan.return_to_run
    more = f" Running: at most {run.weekly_change_max_pct} % more from week to week." if run and document.run_step else ""
    return (
        f"The plan expects {low} to {high} weeks in this stage, with at most {stage.hip_flexion_limit_deg}° of hip bend "
        f"(source: {', '.join(stage.source)}).{more}"
    )


def threshold_rows(document: Prescription, plan: CarePlan) -> list[ThresholdRow]:
    """The numbers that can be set for one patient."""
    return [
        ThresholdRow(
            key, LABELS[key], threshold(plan, document.stage, key), _source(key, document.stage, plan), *limits
        )
        for key, limits in THRESHOLDS.items()
    ]  # fmt: skip


def _source(key: str, stage: str, plan: CarePlan) -> str:
    """Where the plan's number comes from; that of a stage stands under the stage."""
    return plan.rules.sources.get(f"stages.{stage}.{key}") or plan.rules.sources.get(key, "default")


def in_plain_words(finding: Finding, document: Prescription, plan: CarePlan) -> tuple[str, str]:
    """The id of the field that a finding is about, and its sentence in the words of the form."""
    key = finding.key.removeprefix("rules.")
    words = _RULE.sub(
        lambda found: f"{_label(found[1], found[2])} is {found[3]}, but {_label('', found[4])} is {found[5]}", finding.sentence
    )
    for slot in open_slots(document, plan):
        words = words.replace(f"Stage {document.stage}, slot {slot.number} ", f"The {slot.label} session ")
    for exercise in library(document, plan):
        words = re.sub(rf"\bexercise {exercise.id}\b", f"“{exercise.name}”", words)
        words = words.replace(f"Stage {document.stage}, “{exercise.name}” ", f"“{exercise.name}” ")
    if key in THRESHOLDS:
        return f"own-{key}", f"{LABELS[key]}: {words}" if LABELS[key] not in words else words
    words = words.replace("Move a day or a time, or ask less.", _APART)
    parts = finding.key.split(".")
    if parts[0] == "exercises" and len(parts) == 4:
        name = "amount" if parts[3] in AMOUNTS else parts[3].partition("_")[0]
        return f"{name}-{parts[1]}", words
    return key if key.startswith(("at-", "sets-", "amount-", "rest-", "effort-")) else "sessions", words[:1].upper() + words[1:]


def _label(table: str, name: str) -> str:
    dotted = f"{table}.{name}".strip(".")
    return LABELS.get(dotted) or _OTHER_LABELS.get(dotted, name.replace("_", " "))


def _slot(fields: Fields, number: int, plan: CarePlan, wrong: list[Finding]) -> SlotChoice | None:
    chosen = {exercise.id: fields.get(f"in-{number}-{exercise.id}", "") for stage in plan.stages for exercise in stage.exercises}
    always = tuple(name for name, when in chosen.items() if when == "yes")
    some = tuple(name for name, when in chosen.items() if when == "some")
    days, some_days = _days(fields, f"day-{number}"), _days(fields, f"some-{number}")
    if not always and not some:
        return None
    if not days:
        wrong.append(Finding(f"day-{number}-mon", "Choose at least one day, or take the exercises out of this session."))
    if some and not some_days:
        wrong.append(Finding(f"some-{number}-mon", "Choose the days for what is done on some days only."))
    if some and not always:
        wrong.append(Finding(f"in-{number}-{some[0]}", "A session needs an exercise that is done every time."))
    try:
        at = time.fromisoformat(fields.get(f"at-{number}", ""))
    except ValueError:
        wrong.append(Finding(f"at-{number}", "Write the time as hours and minutes, for example 08:30."))
        return None
    return SlotChoice(days, at.replace(second=0, microsecond=0, tzinfo=None), always, some, some_days)


def _days(fields: Fields, name: str) -> tuple[Weekday, ...]:
    return tuple(day for day in WEEKDAYS if fields.get(f"{name}-{day}") == "on")


def _amount(exercise: Exercise) -> str:
    return next(name for name in AMOUNTS if getattr(exercise.dose, name) is not None)


def _dose_fields(name: str, dose: Dose) -> Iterator[tuple[str, str]]:
    amount = next(each for each in AMOUNTS if getattr(dose, each) is not None)
    values = {"sets": dose.sets, "amount": getattr(dose, amount), "rest": dose.rest_s, "effort": dose.effort_pct, "load": dose.load}
    return ((f"{field}-{name}", "" if value is None else str(value)) for field, value in values.items())


def _dose(fields: Fields, exercise: Exercise, wrong: list[Finding]) -> dict[str, int | str | None]:
    names = {"sets": "sets", "amount": _amount(exercise), "rest": "rest_s"}
    names |= {"effort": "effort_pct"} if exercise.dose.effort_pct is not None else {}
    dose: dict[str, int | str | None] = {
        field: _number(fields, f"{name}-{exercise.id}", exercise.name, wrong) for name, field in names.items()
    }
    load = " ".join(fields.get(f"load-{exercise.id}", "").split())
    if len(load) > 90:
        wrong.append(Finding(f"load-{exercise.id}", f"{exercise.name}: describe the load in at most 90 characters."))
    return dose | {"load": load or None}


def _number(fields: Fields, name: str, label: str, wrong: list[Finding]) -> int | None:
    text = fields.get(name, "").strip()
    if text and not _DIGITS.fullmatch(text):
        wrong.append(Finding(name, f"{label}: write a whole number."))
        return None
    return int(text) if text else None
