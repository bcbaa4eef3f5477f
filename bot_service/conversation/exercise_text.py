"""A session's exercises in words: the short list of a prompt, and each one step by step."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, time, timedelta
from itertools import takewhile
from string import Template

from plans.exercises import SLOW_LOWERING, amounts, seconds_of
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
            _listed([item for item in plan.for_day(other.number, weekday) if item.exercise.id not in left_out], words, easier, shown),
        )
        for other in _named_here(plan, slot, weekday)
    ]
    return main, extras


def describe_steps(
    plan: Prescription, slot: int, day: date, words: Mapping[str, str], *, easier: Collection[str] = (), left_out: Collection[str] = ()
) -> list[str]:
    """Each exercise of the slot and of those named with it: how to do it, and its easier version, which is all there is while `easier`."""
    weekday, slot = WEEKDAYS[day.weekday()], _known(plan, slot)
    if slot == RUN_SLOT and plan.return_to_run:
        return [run_now(plan, easier=bool(easier)), plan.return_to_run.rule]
    items = [
        *plan.for_day(slot, weekday),
        *(item for other in _named_here(plan, slot, weekday) for item in plan.for_day(other.number, weekday)),
    ]
    return describe_named(plan, dict.fromkeys(item.exercise.id for item in items), words, easier=easier, left_out=left_out)


def describe_named(
    plan: Prescription,
    exercises: Collection[str],
    words: Mapping[str, str],
    *,
    easier: Collection[str] = (),
    left_out: Collection[str] = (),
) -> list[str]:
    """How to do these exercises, by their ids, but for those that are left out."""
    return [_steps(plan.exercise(each), words, easier=each in easier) for each in exercises if each not in left_out]


def run_now(plan: Prescription, *, easier: bool) -> str:
    """The run at the present step; at the one before while easier versions apply."""
    step = plan.run_step or 1
    return run_text(plan, step - 1 if easier and step > 1 else step)


def prompted_slots(plan: Prescription) -> list[PrescribedSlot]:
    """The slots with a message of their own, by time of day; runs go with the first."""
    return sorted((slot for slot in plan.slots if slot.prompted and slot.number != RUN_SLOT), key=lambda slot: slot.at)


def optional_on(plan: Prescription, day: date) -> list[PrescribedSlot]:
    """The slots of a day that no message of that day names, since none is sent for exercises: they are as the patient likes."""
    weekday = WEEKDAYS[day.weekday()]
    if any(weekday in slot.days for slot in prompted_slots(plan)):
        return []
    return [slot for slot in plan.slots if not slot.prompted and weekday in slot.days]


def coming_optional(plan: Prescription, slot: int, day: date) -> list[tuple[date, PrescribedSlot]]:
    """What the day's last message names of the days until the next one with exercises."""
    today = [each for each in prompted_slots(plan) if WEEKDAYS[day.weekday()] in each.days]
    if not today or today[-1].number != slot:
        return []
    ahead = [day + timedelta(days=number) for number in range(1, 7)]
    free = takewhile(lambda each: not any(WEEKDAYS[each.weekday()] in slot.days for slot in prompted_slots(plan)), ahead)
    return [(each, other) for each in free for other in optional_on(plan, each)]


def describe_slot(
    plan: Prescription,
    slot: PrescribedSlot,
    day: date,
    words: Mapping[str, str],
    *,
    easier: Collection[str] = (),
    left_out: Collection[str] = (),
) -> str:
    """The exercises of a slot on a day, without numbers; empty where all are left out."""
    shown = [item for item in plan.for_day(slot.number, WEEKDAYS[day.weekday()]) if item.exercise.id not in left_out]
    return _listed(shown, words, easier)


def slots_on(plan: Prescription, day: date) -> list[int]:
    """The slots with a message of their own on a day."""
    return [slot.number for slot in plan.slots if slot.prompted and WEEKDAYS[day.weekday()] in slot.days]


def time_of_several(plan: Prescription, slot: int, day: date) -> str | None:
    """The time that tells a slot's exercises from the others of a day with several messages; None where there is only one."""
    times = {each.number: f"{each.at:%H:%M}" for each in prompted_slots(plan) if WEEKDAYS[day.weekday()] in each.days}
    return times.get(slot) if len(times) > 1 else None


def next_day_with_slots(plan: Prescription, after: date) -> date | None:
    """The first day after a day on which there are exercises."""
    coming = (after + timedelta(days=ahead) for ahead in range(1, 8))
    return next((day for day in coming if slots_on(plan, day)), None)


def describe(item: PrescribedExercise, words: Mapping[str, str], *, easier: bool = False) -> str:
    """One exercise in one line: name, dose, load, side, rest, tempo; what makes it easier stands in the next one."""
    line = f"{item.exercise.name}: {words['comma'].join(dose_words(item, words, easier=easier))}"
    told = easier_words(item) if easier else ""
    return f"{line}\n{told}" if told else line


def easier_words(item: PrescribedExercise) -> str:
    """What makes it easier; empty where a clinician's own smaller dose has made its numbers untrue."""
    untrue = amounts(item.eased) != amounts(item.exercise.easier_dose) and any(sign.isdigit() for sign in item.exercise.easier)
    return "" if untrue else item.exercise.easier


def dose_words(item: PrescribedExercise, words: Mapping[str, str], *, easier: bool = False) -> list[str]:
    """How much, in parts: sets and repetitions, effort, load, side, rest, tempo."""
    dose = item.eased if easier else item.dose
    parts = [_amount(dose, words)]
    if dose.effort_pct:
        parts.append(Template(words["effort"]).substitute(effort=dose.effort_pct))
    if dose.load:
        parts.append(dose.load)
    side = {"each": "each_side", "each_when_single": "each_when_single", "treated": "treated_side"}.get(item.exercise.side)
    if side:
        parts.append(words[side])
    if dose.rest_s:
        parts.append(Template(words["rest"]).substitute(rest=dose.rest_s))
    return [*parts, *_tempo(dose, words)]


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
    if rung is None or (amounts(rung.dose) != amounts(item.dose) and any(sign.isdigit() for sign in rung.text)):
        return ""
    return rung.text


def _tells_legs(item: PrescribedExercise) -> bool:
    """Whether the steps of an exercise that goes from two legs to one differ in more than numbers: then each says on how many."""
    return item.exercise.side == "each_when_single" and len({re.sub(r"\d", "", each.text) for each in item.exercise.rungs}) > 1


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


def _listed(
    items: Sequence[PrescribedExercise], words: Mapping[str, str], easier: Collection[str], above: Sequence[PrescribedExercise] = ()
) -> str:
    """One line and its words for each; of those that stand `above` already, the line is enough."""
    told = [(item, describe_now(item, words, easier=item.exercise.id in easier)) for item in items]
    return "\n".join(f"• {text.partition(chr(10))[0] if item in above else text}" for item, text in told)


def _tempo(dose: Dose, words: Mapping[str, str]) -> list[str]:
    if dose.tempo == SLOW_LOWERING:
        return [words["tempo_slow"]]
    if (seconds := seconds_of(dose.tempo or "")) is None:
        return []
    up, hold, down = seconds
    return [Template(words["tempo_held" if hold else "tempo"]).substitute(up=up, hold=hold, down=down)]


def _steps(item: PrescribedExercise, words: Mapping[str, str], *, easier: bool) -> str:
    if easier:
        return "\n".join([describe(item, words, easier=True), item.exercise.how])
    told = easier_words(item) or words["comma"].join(dose_words(item, words, easier=True))
    return "\n".join([describe_now(item, words), item.exercise.how, Template(words["easier"]).substitute(easier=told)])


def _named_here(plan: Prescription, slot: int, weekday: Weekday) -> list[PrescribedSlot]:
    """Slots without a message of their own are named in the day's first one."""
    first = min((other.number for other in plan.slots if other.prompted and weekday in other.days), default=slot)
    if slot != first or slot == RUN_SLOT:
        return []
    return [other for other in plan.slots if not other.prompted and weekday in other.days and other.number != slot]
