"""What a patient is prescribed, as the page shows it: exercises by time of day, and how the prescription came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot_service.clinical.rungs import agreed_beforehand
from bot_service.conversation.choices import offer_line
from bot_service.conversation.exercise_text import WEEKDAYS, describe, prompted_slots
from bot_service.conversation.wording import load_catalogue
from bot_service.storage.prescriptions import Prescribed
from bot_service.web.times import long_day
from plans.model import CarePlan, PrescribedExercise, PrescribedSlot, Prescription
from plans.running import RUN_SLOT, run_text

SHORT = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class ExerciseLine:
    """One exercise: name, dose in words, and where it stands on its ladder."""

    name: str
    dose: str
    step: str


@dataclass(frozen=True)
class SlotView:
    """One time of the day."""

    title: str
    days: str
    note: str
    exercises: tuple[ExerciseLine, ...]


@dataclass(frozen=True)
class PrescriptionView:
    """The prescription in force and how it came about. `next_steps` are the offers agreed beforehand, as the patient will read them."""

    stage: str
    slots: tuple[SlotView, ...]
    later: tuple[str, ...]
    flare_plan: str
    rungs_preauthorised: bool
    next_steps: tuple[str, ...]
    history: tuple[str, ...]


def prescription_view(plan: Prescription, past: Sequence[Prescribed], names: Mapping[object, str]) -> PrescriptionView:
    """`past` are all prescriptions of the episode, `names` the staff by id."""
    return PrescriptionView(
        stage=plan.stage_title,
        slots=tuple(_slot(slot, plan) for slot in plan.slots),
        later=tuple(item.exercise.name for item in plan.exercises if not item.started),
        flare_plan=plan.flare_plan or "",
        rungs_preauthorised=plan.rungs_preauthorised,
        next_steps=tuple(_offer(item, plan) for item in plan.exercises if agreed_beforehand(item, plan) and item.next_rung),
        history=tuple(_came_about(item, before, names) for item, before in zip(reversed(past), (*reversed(past[:-1]), None), strict=True)),
    )


def version_words(plan: Prescription, library: Mapping[str, CarePlan]) -> str:
    """The version of the plan that was prescribed, and the one that new patients get."""
    there = library.get(plan.plan_id)
    if there is None:
        return f"plan version {plan.plan_version}"
    if there.version == plan.plan_version:
        return f"plan version {plan.plan_version} (the newest)"
    now = "newest" if _order(there.version) > _order(plan.plan_version) else "the library has"
    return f"plan version {plan.plan_version} ({now}: {there.version})"


@dataclass(frozen=True)
class RunningView:
    """The plan's return to running, and how far it is open for this patient; `now` is empty when it is closed."""

    steps: tuple[str, ...]
    rule: str
    now: str
    opened: tuple[int, int] | None


def running_view(plan: Prescription, care_plan: CarePlan) -> RunningView | None:
    """None when the plan has no return to running."""
    course = plan.return_to_run or care_plan.return_to_run
    if course is None:
        return None
    now = f"step {plan.run_step}: {run_text(plan)}" if plan.run_step else ""
    return RunningView(course.steps, course.rule, now, plan.run_steps_open)


def days_words(days: Sequence[str]) -> str:
    """every day; Mon, Wed, Fri"""
    return "every day" if len(set(days)) == 7 else ", ".join(SHORT[WEEKDAYS.index(day)] for day in WEEKDAYS if day in days)


def _came_about(item: Prescribed, before: Prescribed | None, names: Mapping[object, str]) -> str:
    other = before is None or before.document.plan_version != item.document.plan_version
    version = f", plan version {item.document.plan_version}" if other else ""
    since = f"{long_day(item.starts_on)}: {item.document.stage_title}{version}, by"
    if item.by_patient:
        return f"{since} the patient (another time of day)"
    return f"{since} {names.get(item.staff_id, 'staff')}" + (f" ({item.reason})" if item.reason else "")


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _slot(slot: PrescribedSlot, plan: Prescription) -> SlotView:
    wanted = [plan.exercise(name) for name in slot.exercises]
    lines = [_exercise(item, "") for item in wanted if item.started]
    if slot.extra:
        on = f" ({days_words(slot.extra.days)} only)"
        lines += [_exercise(item, on) for item in map(plan.exercise, slot.extra.exercises) if item.started]
    lines += [ExerciseLine("Run", run_text(plan), f"step {plan.run_step}")] if slot.number == RUN_SLOT else []
    notes = ["optional"] if slot.optional else []
    notes += [] if slot.prompted else [_named_in(slot, plan)]
    notes += [f"at least {slot.min_gap_h} h after the last {'run' if slot.number == RUN_SLOT else 'session'}"] if slot.min_gap_h else []
    at = f"{slot.at:%H:%M}" if slot.prompted else "no message of its own"
    return SlotView(f"{slot.label.capitalize()}, {at}", days_words(slot.days), "; ".join(notes), tuple(lines))


def _named_in(slot: PrescribedSlot, plan: Prescription) -> str:
    """Which message names a slot that has none of its own."""
    with_message = {day for each in prompted_slots(plan) for day in each.days}
    if with_message >= set(slot.days):
        return "named in the day's first message"
    before = "named in the last message before it"
    return f"named in the day's first message; where the day has none, {before}" if with_message & set(slot.days) else before


def _offer(item: PrescribedExercise, plan: Prescription) -> str:
    line = offer_line(item, item.next_rung, plan.rules) if item.next_rung else None
    return load_catalogue("en").text(line.key, line.values) if line else ""


def _exercise(item: PrescribedExercise, on: str) -> ExerciseLine:
    words = load_catalogue("en").words
    text = describe(item, words).removeprefix(f"{item.exercise.name}: ")
    rungs = [rung.id for rung in item.exercise.rungs]
    step = f"step {rungs.index(item.rung) + 1} of {len(rungs)}" if item.rung in rungs else ""
    return ExerciseLine(item.exercise.name + on, text, step)
