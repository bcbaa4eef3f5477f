"""One stage as another version of a plan has it, with all that was made different for one patient carried over. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from plans.editing import side_of
from plans.exercises import Dose
from plans.model import CarePlan, Exercise, Extra, PrescribedExercise, PrescribedSlot, Prescription, prescribe

_COUNTED = ("reps", "hold_s", "dist_m")


def moved(old: Prescription, was: CarePlan, plan: CarePlan, times: Mapping[int, time], own_prompt: frozenset[int]) -> Prescription:
    """The stage of `old`, which was prescribed from `was`, as `plan` has it; numbers that judge answers are the plan's own.

    Times, days, side and agreements stay, and so do each exercise's place on its ladder, other exercises than the plan had, and doses
    that were written for this patient. Both versions have the stage.
    """
    fresh = prescribe(
        plan,
        old.stage,
        dict(times),
        own_prompt=own_prompt,
        flare_plan_signed=old.flare_plan is not None,
        rungs_preauthorised=old.rungs_preauthorised,
        plyometrics_unlocked=old.plyometrics_unlocked,
        treated_side=side_of(old),
    )
    usual = {slot.number: slot for slot in prescribe(was, old.stage, plyometrics_unlocked=old.plyometrics_unlocked).slots}
    own = {slot.number: slot for slot in old.slots}
    known = {exercise.id: exercise for stage in plan.stages for exercise in stage.exercises}
    slots = tuple(
        _slot(slot, own.get(slot.number), usual.get(slot.number), known)
        for slot in fresh.slots
        if slot.number in own or slot.number not in usual  # one that was left out for this patient stays out
    )
    return fresh.model_copy(update={"slots": slots, "exercises": _exercises(slots, fresh, old, known)})


def _slot(slot: PrescribedSlot, own: PrescribedSlot | None, usual: PrescribedSlot | None, known: Mapping[str, Exercise]) -> PrescribedSlot:
    """The version's slot, with the days and exercises that the patient had instead of the usual ones."""
    if own is None or usual is None:
        return slot
    days = own.days if own.days != usual.days else slot.days
    exercises, extra = slot.exercises, slot.extra
    if (own.exercises, own.extra) != (usual.exercises, usual.extra):
        exercises = tuple(name for name in own.exercises if name in known) or slot.exercises
        joins = tuple(name for name in own.extra.exercises if name in known) if own.extra else ()
        extra = Extra(days=own.extra.days, exercises=joins) if own.extra and joins else None
    return slot.model_copy(update={"days": days, "exercises": exercises, "extra": extra})


def _exercises(
    slots: tuple[PrescribedSlot, ...], fresh: Prescription, old: Prescription, known: Mapping[str, Exercise]
) -> tuple[PrescribedExercise, ...]:
    wanted = {name for slot in slots for name in (*slot.exercises, *(slot.extra.exercises if slot.extra else ()))}
    new, before = ({item.exercise.id: item for item in document.exercises} for document in (fresh, old))
    return tuple(
        _placed(exercise, before[name], side_of(old)) if name in before else new[name] for name, exercise in known.items() if name in wanted
    )


def _placed(exercise: Exercise, before: PrescribedExercise, side: str) -> PrescribedExercise:
    """At the place on the ladder where the patient stood; on the last rung of a ladder that is shorter now."""
    item = before.model_copy(update={"exercise": exercise, "rung": None, "dose": exercise.dose, "treated_side": side})
    if not before.started and exercise.start_after:
        return item
    ladder = [rung.id for rung in before.exercise.rungs]
    place = ladder.index(before.rung) if before.rung in ladder else 0
    if exercise.rungs:
        rung = exercise.rungs[min(place, len(exercise.rungs) - 1)]
        item = item.model_copy(update={"rung": rung.id, "dose": rung.dose})
    return item.model_copy(update={"started": True, "dose": _own_dose(before, item.dose)})


def _own_dose(before: PrescribedExercise, dose: Dose) -> Dose:
    """What a clinician wrote for this patient in the place of the plan's dose, as far as the exercise is still counted in the same."""
    usual = next((rung.dose for rung in before.exercise.rungs if rung.id == before.rung), before.exercise.dose)
    own = {name: getattr(before.dose, name) for name in Dose.model_fields if getattr(before.dose, name) != getattr(usual, name)}
    counted = [name for name in _COUNTED if getattr(dose, name) is not None]
    own = {name: value for name, value in own.items() if name not in _COUNTED or name in counted}
    return Dose.model_validate(dose.model_dump() | own) if own else dose
