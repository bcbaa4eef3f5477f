"""What another version of the plan changes besides the prescription itself: texts that patients read, ladders, numbers that judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot_service.conversation.exercise_text import describe
from bot_service.conversation.wording import load_catalogue
from bot_service.web.prescription_changes import Change
from bot_service.web.prescription_form import LABELS
from plans.model import PrescribedExercise, Prescription
from plans.running import run_text

_TEXTS = {"name": "name", "how": "how to do it", "easier": "easier version", "harder": "harder version", "start_after": "joins later"}
_SAID = {
    "stage_title": "Name of the stage",
    "advice_green": "Said after a comfortable session",
    "advice_amber": "Said after a session up to the ceiling",
    "advice_red": "Said after a session above the ceiling",
    "overdue_days": "You are asked to look after so many days in the stage",
}
_NONE = "none"


def version_changes(old: Prescription, new: Prescription) -> list[Change]:
    """Everything of that kind that differs; nothing between two prescriptions of one version."""
    if old.plan_version == new.plan_version:
        return []
    found = [Change("Plan version", old.plan_version, new.plan_version), *_exercises(old, new), *_slots(old, new)]
    found += [Change(label, _text(getattr(old, name)), _text(getattr(new, name))) for name, label in _SAID.items()]
    if old.flare_plan and new.flare_plan:
        found.append(Change("The words of the flare plan", old.flare_plan, new.flare_plan))
    found += [*_running(old, new), *_numbers(old, new)]
    return [each for each in found if each.before != each.after]


def _exercises(old: Prescription, new: Prescription) -> Iterator[Change]:
    before = {item.exercise.id: item for item in old.exercises}
    for item in new.exercises:
        if was := before.get(item.exercise.id):
            for name, label in _TEXTS.items():
                what = f"{item.exercise.name}: {label}"
                yield Change(what, _text(getattr(was.exercise, name)), _text(getattr(item.exercise, name)))
            yield Change(f"{item.exercise.name}: dose of the easier version", _easier(was), _easier(item))
            yield Change(f"{item.exercise.name}: steps", _steps(was), _steps(item))


def _easier(item: PrescribedExercise) -> str:
    eased = item.model_copy(update={"dose": item.eased})
    return describe(eased, load_catalogue("en").words).removeprefix(f"{item.exercise.name}: ")


def _steps(item: PrescribedExercise) -> str:
    return " ".join(f"{number}. {rung.text}" for number, rung in enumerate(item.exercise.rungs, 1)) or _NONE


def _slots(old: Prescription, new: Prescription) -> Iterator[Change]:
    before = {slot.number: slot for slot in old.slots}
    for slot in new.slots:
        if was := before.get(slot.number):
            yield Change(f"{slot.label.capitalize()}: name of the session", was.label, slot.label)
            yield Change(f"{slot.label.capitalize()}: least hours from the session before", str(was.min_gap_h), str(slot.min_gap_h))
            for name, label in (("optional", "optional"), ("prompted", "with a message of its own")):
                yield Change(f"{slot.label.capitalize()}: {label}", _text(getattr(was, name)), _text(getattr(slot, name)))


def _running(old: Prescription, new: Prescription) -> Iterator[Change]:
    yield Change("Running", *(run_text(each) if each.run_step else "closed" for each in (old, new)))
    yield Change("The rule of running", *(each.return_to_run.rule if each.return_to_run else _NONE for each in (old, new)))


def _numbers(old: Prescription, new: Prescription) -> Iterator[Change]:
    """Those that the form shows stand with the plan's own beside them; all others by their place in the plan file."""
    before, after = _flat(_tables(old)), _flat(_tables(new))
    for key in dict.fromkeys((*before, *after)):
        yield Change(LABELS.get(key, key.replace(".", ": ").replace("_", " ")), _text(before.get(key)), _text(after.get(key)))


def _tables(document: Prescription) -> dict[str, Any]:
    tables = document.rules.model_dump(mode="json", exclude={"sources"}) | {"progression": document.progression.model_dump(mode="json")}
    return tables | ({"plyometric_unlock": document.plyometric_unlock.model_dump(mode="json")} if document.plyometric_unlock else {})


def _flat(tables: Mapping[str, Any], before: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in tables.items():
        flat |= _flat(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": value}
    return flat


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value) or _NONE
    return _NONE if value is None else str(value)
