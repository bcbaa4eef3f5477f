"""What differs between two prescriptions, in the words of the page: one line for each thing that a clinician would check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot_service.conversation.exercise_text import describe
from bot_service.conversation.wording import load_catalogue
from bot_service.web.prescribed import days_words
from bot_service.web.prescription_form import LABELS
from plans.editing import side_of, threshold
from plans.model import CarePlan, PrescribedExercise, PrescribedSlot, Prescription
from plans.running import RUN_SLOT


@dataclass(frozen=True)
class Change:
    """One thing: what it is, how it was and how it will be."""

    what: str
    before: str
    after: str


def changes(old: Prescription, new: Prescription, plan: CarePlan) -> list[Change]:
    """Everything that differs, exercises first."""
    found = [*_exercises(old, new), *_slots(old, new), *_thresholds(old, new, plan), *_agreements(old, new)]
    return [each for each in found if each.before != each.after]


def _exercises(old: Prescription, new: Prescription) -> Iterator[Change]:
    before = {item.exercise.id: item for item in old.exercises}
    after = {item.exercise.id: item for item in new.exercises}
    for name in dict.fromkeys((*before, *after)):
        item = before.get(name) or after[name]
        yield Change(item.exercise.name, _dose(before.get(name)), _dose(after.get(name)))


def _dose(item: PrescribedExercise | None) -> str:
    if item is None:
        return "not prescribed"
    if not item.started:
        return "not started yet"
    words = describe(item, load_catalogue("en").words).removeprefix(f"{item.exercise.name}: ")
    rungs = [rung.id for rung in item.exercise.rungs]
    return f"{words} (step {rungs.index(item.rung) + 1} of {len(rungs)})" if item.rung in rungs else words


def _slots(old: Prescription, new: Prescription) -> Iterator[Change]:
    before = {slot.number: slot for slot in old.slots}
    after = {slot.number: slot for slot in new.slots}
    for number in sorted(before.keys() | after.keys()):
        was, will = before.get(number), after.get(number)
        slot = was or will
        assert slot is not None
        title = slot.label.capitalize()
        yield Change(f"{title}: days", days_words(was.days) if was else "none", days_words(will.days) if will else "none")
        if number != RUN_SLOT:
            yield Change(f"{title}: time", f"{was.at:%H:%M}" if was else "none", f"{will.at:%H:%M}" if will else "none")
            yield Change(f"{title}: exercises", _names(was, old), _names(will, new))


def _names(slot: PrescribedSlot | None, document: Prescription) -> str:
    if slot is None:
        return "none"
    names = ", ".join(document.exercise(name).exercise.name for name in slot.exercises)
    if slot.extra is None:
        return names
    extra = ", ".join(document.exercise(name).exercise.name for name in slot.extra.exercises)
    return f"{names}; on {days_words(slot.extra.days)} also {extra}"


def _thresholds(old: Prescription, new: Prescription, plan: CarePlan) -> Iterator[Change]:
    if old.plan_version != new.plan_version:
        return  # all numbers of the two versions are told apart in `version_changes`
    for key, label in LABELS.items():
        usual = threshold(plan, new.stage, key)
        was, will = old.thresholds.get(key, usual), new.thresholds.get(key, usual)
        yield Change(f"{label} (the plan says {usual})", str(was), str(will))


def _agreements(old: Prescription, new: Prescription) -> Iterator[Change]:
    yield Change("Treated side", side_of(old), side_of(new))
    yield Change("Flare plan", *("signed" if each.flare_plan else "not signed" for each in (old, new)))
    yield Change(
        "Next steps within the stage", *("agreed in advance" if each.rungs_preauthorised else "each needs approval" for each in (old, new))
    )
