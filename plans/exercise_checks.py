"""Mistakes in stages, slots, exercises and doses that each look right alone but contradict one another."""

from __future__ import annotations

from collections.abc import Iterator

from plans.exercises import SLOW_LOWERING, seconds_of
from plans.mistakes import Finding, Spot, either, shown

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAIN_ITEMS = 4
_AMOUNTS = ("reps", "hold_s", "dist_m")
_AMOUNT_OF = {"isometric": ("hold_s",), "isotonic": ("reps",), "balance": ("hold_s", "reps"), "plyometric": ("reps", "dist_m")}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MINUTES_A_WEEK = 7 * 24 * 60


def exercise_findings(plan: Spot) -> Iterator[Finding]:
    """Everything about stages, slots and exercises."""
    yield from _repeated_ids(plan)
    homes = _homes(plan)
    used: set[str] = set()
    for place, stage in enumerate(plan.rows("stages")):
        used.update(item for slot in stage.rows("slots") for item in _items(slot))
        yield from _stage(stage)
        for slot in stage.rows("slots"):
            yield from _slot(slot, place, homes)
        for exercise in stage.rows("exercises"):
            yield from _exercise(exercise)
            yield from _too_often(stage, exercise)
    for _, exercise in homes.values():
        if exercise.text("id") not in used:
            yield exercise.finding("is in no slot. Name it in a slot, or remove it.", "id")


def _homes(plan: Spot) -> dict[str, tuple[int, Spot]]:
    """Where each exercise is defined: the place of its stage, and the exercise."""
    found: dict[str, tuple[int, Spot]] = {}
    for place, stage in enumerate(plan.rows("stages")):
        for exercise in stage.rows("exercises"):
            found.setdefault(exercise.text("id") or "", (place, exercise))
    found.pop("", None)
    return found


def _items(slot: Spot) -> list[str]:
    return slot.texts("exercises") + slot.child("extra").texts("exercises")


def _repeated_ids(plan: Spot) -> Iterator[Finding]:
    stages = plan.rows("stages")
    exercises = [each for stage in stages for each in stage.rows("exercises")]
    rungs = [rung for each in exercises for rung in each.rows("rungs")]
    for rows in (stages, exercises, rungs, plan.rows("tips"), plan.rows("eligibility")):
        yield from _repeated(rows, "id")
    for stage in stages:
        yield from _repeated(stage.rows("slots"), "number")


def _repeated(rows: list[Spot], field: str) -> Iterator[Finding]:
    seen: set[object] = set()
    for row in rows:
        name = row.text(field) or row.number(field)
        if name is not None and name in seen:
            yield row.finding(f"has the {field} {name}, which is already taken. Give it another one.", field)
        seen.add(name)


def _stage(stage: Spot) -> Iterator[Finding]:
    slots = stage.rows("slots")
    prompted = [slot for slot in slots if slot.yes("prompted", otherwise=True)]
    if slots and not any(not slot.yes("optional") and not slot.yes("locked") for slot in prompted):
        yield stage.finding(
            "has no slot that every patient is messaged about. One slot must be prompted, not optional and not locked.", "slots"
        )
    weeks = stage.numbers("expected_weeks")
    if len(weeks) == 2:
        overdue = stage.number("overdue_days")
        if not 1 <= weeks[0] <= weeks[1]:
            yield stage.finding(f"expects {weeks[0]} to {weeks[1]} weeks. Write at least 1, the shorter time first.", "expected_weeks")
        elif overdue is not None and overdue <= weeks[1] * 7:
            yield stage.finding(
                f"is overdue after {overdue} days, but is expected to take up to {weeks[1]} weeks. Choose a later day.", "overdue_days"
            )
    locked = any(slot.yes("locked") for slot in slots)
    if locked and not stage.has("plyometric_unlock"):
        yield stage.finding(
            "has a locked slot, but no plyometric_unlock that says when opening it may be suggested. Add it.", "plyometric_unlock"
        )
    if stage.has("plyometric_unlock") and not locked:
        yield stage.finding("has a plyometric_unlock, but no locked slot that it could open. Remove it.", "plyometric_unlock")
    yield from _gaps(slots)


def _slot(slot: Spot, place: int, homes: dict[str, tuple[int, Spot]]) -> Iterator[Finding]:
    items, extra = _items(slot), slot.child("extra")
    for name in items:
        field = "exercises" if name in slot.texts("exercises") else "extra.exercises"
        if name not in homes:
            yield slot.finding(f"names exercise {name}, which this plan does not define. Define it or remove it.", field)
            continue
        home, exercise = homes[name]
        if home > place:
            yield slot.finding(
                f"names exercise {name}, which belongs to a later stage. Move the exercise to this stage or remove it.", field
            )
        plyometric, locked = exercise.text("type") == "plyometric", slot.yes("locked")
        if plyometric and not locked:
            yield slot.finding(
                f"names the plyometric exercise {name}, but is not locked. Only a clinician opens these: set locked = true.", field
            )
        if locked and not plyometric:
            yield slot.finding(f"is locked, but exercise {name} is not plyometric. Locked slots hold plyometric exercises only.", field)
    if len(items) > MAIN_ITEMS:
        yield slot.finding(f"has {len(items)} exercises; people manage {MAIN_ITEMS} at most. Take some out.", "exercises")
    for name in _twice(items):
        yield slot.finding(f"names exercise {name} twice. Remove one.", "exercises")
    for day in _twice(slot.texts("days")) + _twice(extra.texts("days")):
        yield slot.finding(f"names the day {day} twice. Remove one.", "days")
    for day in extra.texts("days"):
        if day in DAYS and day not in slot.texts("days"):
            yield slot.finding(
                f"has an extra on {day}, but is not done on that day. Add the day to the slot or remove it here.", "extra.days"
            )


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _gaps(slots: list[Spot]) -> Iterator[Finding]:
    """Days that lie closer together than the slot's own rest between sessions allows, through the end of the week."""
    resting = [slot for slot in slots if (slot.number("min_gap_h") or 0) > 0]
    for slot in resting:
        gap = slot.number("min_gap_h") or 0
        others = [each for each in resting if each.value is slot.value or not each.yes("optional")]
        moments = sorted(moment for each in others for moment in _moments(each))
        ours = set(_moments(slot))
        between = [
            (((later - earlier) % _MINUTES_A_WEEK or (_MINUTES_A_WEEK if len(moments) == 1 else 0)) / 60, earlier, later)
            for earlier, later in zip(moments, moments[1:] + moments[:1], strict=True)
            if later in ours
        ]
        if between and min(between)[0] < gap:
            hours, earlier, later = min(between)
            days = f"{_WEEKDAYS[earlier // 1440]} and {_WEEKDAYS[later // 1440]}"
            yield slot.finding(
                f"asks for {gap} hours between sessions, but leaves {_in_words(hours)} between {days}. Move a day or a time, or ask less.",
                "min_gap_h",
            )


def _in_words(hours: float) -> str:
    """24 hours; 47 hours and 15 minutes"""
    whole, minutes = divmod(round(hours * 60), 60)
    return f"{whole} hours and {minutes} minutes" if minutes else f"{whole} hours"


def _moments(slot: Spot) -> list[int]:
    """Minutes since Monday 00:00 of each session of this slot."""
    hour, _, minute = (slot.text("suggested_time") or "12:00").partition(":")
    clock = int(hour) * 60 + int(minute) if hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60 else 720
    return [DAYS.index(day) * 1440 + clock for day in dict.fromkeys(slot.texts("days")) if day in DAYS]


def _exercise(exercise: Spot) -> Iterator[Finding]:
    kind, rungs = exercise.text("type") or "", exercise.rows("rungs")
    for place in (exercise, *rungs):
        yield from _dose(place, "dose", kind)
    yield from _dose(exercise, "easier_dose", kind)
    if exercise.has("start_after") and not rungs:
        yield exercise.finding("starts later (start_after), but has no rungs. Give it at least the rung that it starts on.", "rungs")
    if rungs and rungs[0].has("dose") and exercise.has("dose") and rungs[0].child("dose").value != exercise.child("dose").value:
        yield rungs[0].finding("is the first rung, so it must have the same dose as the exercise itself.", "dose")
    for place_number, rung in enumerate(rungs, start=1):
        expected = f"{exercise.text('id')}_{place_number}"
        if rung.text("id") and exercise.text("id") and rung.text("id") != expected:
            yield rung.finding(
                f"is number {place_number} of the ladder, so its id must be {expected}. Rename it or put it in its place.", "id"
            )


def _dose(place: Spot, field: str, kind: str) -> Iterator[Finding]:
    dose = place.child(field)
    if not isinstance(dose.value, dict):
        return
    given = [name for name in _AMOUNTS if dose.has(name)]
    if len(given) != 1:
        found = f"has {' and '.join(given)}" if given else "has none of them"
        yield dose.finding(f"must have exactly one of reps, hold_s and dist_m, but {found}.")
    elif kind in _AMOUNT_OF and given[0] not in _AMOUNT_OF[kind]:
        yield dose.finding(f"has {given[0]}, but an exercise of type {kind} is counted in {either(list(_AMOUNT_OF[kind]))}.", given[0])
    tempo = dose.text("tempo")
    if tempo is not None and tempo != SLOW_LOWERING and seconds_of(tempo) is None:
        yield dose.finding(
            f"has the tempo {shown(tempo)}, which no message can say. "
            f'Write the seconds up, held and down, such as "3-0-3", or "{SLOW_LOWERING}".',
            "tempo",
        )


def _too_often(stage: Spot, exercise: Spot) -> Iterator[Finding]:
    most, name = exercise.number("max_per_week"), exercise.text("id")
    if most is None:
        return
    for slot in stage.rows("slots"):
        extra = slot.child("extra")
        days = slot.texts("days") if name in slot.texts("exercises") else extra.texts("days") if name in extra.texts("exercises") else []
        if len(days) > most:
            yield exercise.finding(
                f"may be done {most} times a week, but slot {slot.number('number')} has it on {len(days)} days.", "max_per_week"
            )
