"""A session's exercises in words: the short list of a prompt, and each one step by step."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, time, timedelta
from string import Template

from plans.model import Dose, PrescribedExercise, PrescribedSlot, Prescription, Weekday
from plans.running import RUN_SLOT, run_text

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def describe_session(
    plan: Prescription, slot: int, day: date, words: Mapping[str, str], *, easier: Collection[str] = (), left_out: Collection[str] = ()
) -> tuple[str, Sequence[tuple[bool, str]]]:
    """The numbered exercises of a slot, and for each slot that is only named in it whether it is still to come, and its own.

    It is not once the patient has chosen a later time for this message.
    """
    weekday, slot = WEEKDAYS[day.weekday()], _known(plan, slot)
    shown = [item for item in plan.for_day(slot, weekday) if item.exercise.id not in left_out]
    main = "\n".join(f"{number}. {describe_now(item, words, easier=item.exercise.id in easier)}" for number, item in enumerate(shown, 1))
    extras = [
        (
            other.at > _at(plan, slot),
            _listed([item for item in plan.for_day(other.number, weekday) if item.exercise.id not in left_out], words, easier),
        )
        for other in _named_here(plan, slot, weekday)
    ]
    return main, extras


def describe_steps(plan: Prescription, slot: int, day: date, words: Mapping[str, str]) -> list[str]:
    """Each exercise of the slot and of those named with it: how to do it, and its easier version."""
    weekday, slot = WEEKDAYS[day.weekday()], _known(plan, slot)
    if slot == RUN_SLOT and plan.return_to_run:
        return [run_text(plan), plan.return_to_run.rule]
    items = [
        *plan.for_day(slot, weekday),
        *(item for other in _named_here(plan, slot, weekday) for item in plan.for_day(other.number, weekday)),
    ]
    unique = {item.exercise.id: item for item in items}
    return [_steps(item, words) for item in unique.values()]


def describe_named(plan: Prescription, exercises: Collection[str], words: Mapping[str, str]) -> list[str]:
    """How to do these exercises, by their ids."""
    return [_steps(plan.exercise(each), words) for each in exercises]


def prompted_slots(plan: Prescription) -> list[PrescribedSlot]:
    """The slots with a message of their own, by time of day; runs go with the first."""
    return sorted((slot for slot in plan.slots if slot.prompted and slot.number != RUN_SLOT), key=lambda slot: slot.at)


def slots_on(plan: Prescription, day: date) -> list[int]:
    """The slots with a message of their own on a day."""
    return [slot.number for slot in plan.slots if slot.prompted and WEEKDAYS[day.weekday()] in slot.days]


def next_day_with_slots(plan: Prescription, after: date) -> date | None:
    """The first day after a day on which there are exercises."""
    coming = (after + timedelta(days=ahead) for ahead in range(1, 8))
    return next((day for day in coming if slots_on(plan, day)), None)


def describe(item: PrescribedExercise, words: Mapping[str, str], *, easier: bool = False) -> str:
    """One exercise in one line: name, dose, side, load."""
    exercise = item.exercise
    if easier:
        return f"{exercise.name}: {exercise.easier}"
    return f"{exercise.name}: {words['comma'].join(dose_words(item, words))}"


def dose_words(item: PrescribedExercise, words: Mapping[str, str]) -> list[str]:
    """How much, in parts: sets and repetitions, effort, load, side, rest."""
    parts = [_amount(item.dose, words)]
    if item.dose.effort_pct:
        parts.append(Template(words["effort"]).substitute(effort=item.dose.effort_pct))
    if item.dose.load:
        parts.append(item.dose.load)
    side = {"each": "each_side", "each_when_single": "each_when_single", "treated": "treated_side"}.get(item.exercise.side)
    if side:
        parts.append(words[side])
    if item.dose.rest_s:
        parts.append(Template(words["rest"]).substitute(rest=item.dose.rest_s))
    return parts


def describe_now(item: PrescribedExercise, words: Mapping[str, str], *, easier: bool = False) -> str:
    """The same as the patient is to do it now: with the words of the step, which the exercise's own do not tell, and none against them."""
    step = step_words(item)
    if easier or not step:
        return describe(item, words, easier=easier)
    unsure = words["each_when_single"] if _tells_legs(item) else ""
    dose = words["comma"].join(part for part in dose_words(item, words) if part != unsure)
    return f"{item.exercise.name}: {dose}\n{Template(words['step_now']).substitute(step=step)}"


def step_words(item: PrescribedExercise) -> str:
    """What the present step asks; empty at the first one, unless it says on how many legs, and where a clinician's own dose has made its
    numbers untrue."""
    rung = next((each for each in item.exercise.rungs[0 if _tells_legs(item) else 1 :] if each.id == item.rung), None)
    if rung is None or (_numbers(rung.dose) != _numbers(item.dose) and any(sign.isdigit() for sign in rung.text)):
        return ""
    return rung.text


def _tells_legs(item: PrescribedExercise) -> bool:
    """Whether the steps of an exercise that goes from two legs to one differ in more than numbers: then each says on how many."""
    return item.exercise.side == "each_when_single" and len({re.sub(r"\d", "", each.text) for each in item.exercise.rungs}) > 1


def _numbers(dose: Dose) -> tuple[int | None, ...]:
    return dose.sets, dose.reps, dose.hold_s, dose.dist_m, dose.effort_pct


def _at(plan: Prescription, slot: int) -> time:
    return next(each.at for each in plan.slots if each.number == slot)


def _known(plan: Prescription, slot: int) -> int:
    """The slot, or the first one when the question is older than the prescription and it has none of that number."""
    numbers = [other.number for other in plan.slots]
    return slot if slot in numbers else numbers[0]


def _amount(dose: Dose, words: Mapping[str, str]) -> str:
    if dose.reps is not None:
        return Template(words["sets_reps"]).substitute(sets=dose.sets, reps=dose.reps)
    if dose.hold_s is not None:
        return Template(words["sets_hold"]).substitute(sets=dose.sets, hold=dose.hold_s)
    return Template(words["sets_dist"]).substitute(sets=dose.sets, dist=dose.dist_m)


def _listed(items: Sequence[PrescribedExercise], words: Mapping[str, str], easier: Collection[str]) -> str:
    return "\n".join(f"• {describe_now(item, words, easier=item.exercise.id in easier)}" for item in items)


def _steps(item: PrescribedExercise, words: Mapping[str, str]) -> str:
    lines = [describe_now(item, words), item.exercise.how]
    parts = (item.dose.tempo or "").split("-")
    if len(parts) == 3:
        lines.append(Template(words["tempo"]).substitute(up=parts[0], hold=parts[1], down=parts[2]))
    elif item.dose.tempo == "slow_lower":
        lines.append(words["tempo_slow"])
    lines.append(Template(words["easier"]).substitute(easier=item.exercise.easier))
    return "\n".join(lines)


def _named_here(plan: Prescription, slot: int, weekday: Weekday) -> list[PrescribedSlot]:
    """Slots without a message of their own are named in the day's first one."""
    first = min((other.number for other in plan.slots if other.prompted and weekday in other.days), default=slot)
    if slot != first or slot == RUN_SLOT:
        return []
    return [other for other in plan.slots if not other.prompted and weekday in other.days and other.number != slot]
