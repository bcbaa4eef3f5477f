"""What is different in a patient's plan, in short lines for the patient: exercises, doses, days and times. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot_service.conversation.exercise_text import WEEKDAYS, dose_words, step_words
from bot_service.conversation.wording import Catalogue, plan_words
from plans.model import PrescribedExercise, PrescribedSlot, Prescription
from plans.running import RUN_SLOT
from plans.tongues import in_words

_NUMBERS = re.compile(r"(\d+)")
MOST = 6
"""Lines that a tired person still reads (default); the exercises themselves are one word away."""


def what_changed(old: Prescription, new: Prescription, catalogue: Catalogue) -> str:
    """A heading and one line for each thing that the patient would notice, what limits them first; empty when there is none."""
    old, new = (in_words(each, plan_words(each, catalogue)) for each in (old, new))
    lines = [*_agreements(old, new, catalogue), *_exercises(old, new, catalogue), *_week(old, new, catalogue)]
    if not lines:
        return ""
    more = [catalogue.text("news_more", {"plan": catalogue.says["plan"]})] if len(lines) > MOST else []
    return "\n".join([catalogue.text("what_changed", {}), *(f"• {line}" for line in lines[:MOST]), *more])


def _exercises(old: Prescription, new: Prescription, catalogue: Catalogue) -> Iterator[str]:
    before, after = _seen(old), _seen(new)
    for name, item in after.items():
        if name not in before:
            yield catalogue.text("news_new", {"exercise": item.exercise.name, "dose": dose_words(item, catalogue.words)[0]})
        elif line := _other_dose(before[name], item, catalogue):
            yield line
    yield from _moved(old, new, catalogue)
    if gone := [item.exercise.name for name, item in before.items() if name not in after]:
        yield catalogue.text("news_gone", {"exercises": catalogue.words["semicolon"].join(gone)})


def _moved(old: Prescription, new: Prescription, catalogue: Catalogue) -> Iterator[str]:
    """Exercises of the same stage that are now in other sessions of it."""
    before, after = _sessions(old), _sessions(new)
    for name, item in _seen(new).items() if old.stage == new.stage else ():
        if name in before and set(before[name]) != set(after[name]):
            sessions = catalogue.words["comma"].join(after[name].values())
            yield catalogue.text("news_moved", {"exercise": item.exercise.name, "sessions": sessions})


def _other_dose(before: PrescribedExercise, after: PrescribedExercise, catalogue: Catalogue) -> str:
    """Only the parts of the dose that differ; the words of the step where no number does."""
    name, comma = after.exercise.name, catalogue.words["comma"]
    was, will = dose_words(before, catalogue.words), dose_words(after, catalogue.words)
    lost, won = ([part for part in these if part not in those] for these, those in ((was, will), (will, was)))
    if lost and won:
        return catalogue.text("news_other", {"exercise": name, "after": comma.join(won), "before": comma.join(lost)})
    if lost or won:
        return catalogue.text("news_now", {"exercise": name, "dose": comma.join(will)})
    step = step_words(after)
    return catalogue.text("news_now", {"exercise": name, "dose": step}) if step and step != step_words(before) else ""


def _week(old: Prescription, new: Prescription, catalogue: Catalogue) -> Iterator[str]:
    """Days and times of the sessions with a message, other days of one without; its name stands there when the day has more than one."""
    before = {slot.number: slot for slot in old.slots}
    shown = [slot for slot in new.slots if slot.prompted and slot.number != RUN_SLOT]
    for slot in shown:
        session = f" ({slot.label.lower()})" if len(shown) > 1 else ""
        was = before.get(slot.number)
        if was is None or not was.prompted or set(was.days) != set(slot.days):
            yield catalogue.text("news_days", {"session": session, "days": _days(slot, catalogue)})
        if was is not None and was.prompted and was.at != slot.at:
            yield catalogue.text("news_time", {"session": session, "after": f"{slot.at:%H:%M}", "before": f"{was.at:%H:%M}"})
    for slot in new.slots:
        was = before.get(slot.number)
        if was is not None and not slot.prompted and slot.number != RUN_SLOT and set(was.days) != set(slot.days):
            yield catalogue.text("news_days", {"session": f" ({slot.label.lower()})", "days": _days(slot, catalogue)})


def _days(slot: PrescribedSlot, catalogue: Catalogue) -> str:
    if len(slot.days) == len(WEEKDAYS):
        return catalogue.words["every_day"]
    return catalogue.words["comma"].join(catalogue.weekdays[number] for number, day in enumerate(WEEKDAYS) if day in slot.days)


def _agreements(old: Prescription, new: Prescription, catalogue: Catalogue) -> Iterator[str]:
    was, will = old.rules.pain_ceiling, new.rules.pain_ceiling
    if was != will:
        yield catalogue.text("news_ceiling", {"after": will, "before": was})
    if not _same_advice(old.flare_plan or "", new.flare_plan or "", str(was), str(will)):
        yield catalogue.text("news_flare_now", {"advice": new.flare_plan}) if new.flare_plan else catalogue.text("news_flare", {})


def _same_advice(old: str, new: str, was: str, will: str) -> bool:
    """Whether two texts are the same but for the ceiling, which stands in their words and has a line of its own."""
    parts, others = _NUMBERS.split(old), _NUMBERS.split(new)
    return len(parts) == len(others) and all(a == b or (a, b) == (was, will) for a, b in zip(parts, others, strict=True))


def _sessions(document: Prescription) -> dict[str, dict[int, str]]:
    """For each exercise the number and name of the sessions that show it."""
    found: dict[str, dict[int, str]] = {}
    for slot in document.slots:
        for name in (*slot.exercises, *(slot.extra.exercises if slot.extra else ())):
            found.setdefault(name, {})[slot.number] = slot.label.lower()
    return found


def _seen(document: Prescription) -> dict[str, PrescribedExercise]:
    """The exercises that some message shows, in the order of the plan."""
    slots = [slot for slot in document.slots if slot.number != RUN_SLOT]
    names = {name for slot in slots for name in (*slot.exercises, *(slot.extra.exercises if slot.extra else ()))}
    return {item.exercise.id: item for item in document.exercises if item.started and item.exercise.id in names}
