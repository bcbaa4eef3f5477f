"""Outcome measures: what each counts, when it is due, and how large a change must be before it may be called one. Pure.

Item texts of licensed questionnaires are not here: a clinician enters the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

EARLY_BY = 14
"""Days before its week from which a measure taken counts for that week (default)."""


LATE_BY = 28
"""Days after its week until which a measure is asked for; later it is missed, not due (default)."""


@dataclass(frozen=True)
class Measure:
    """One measure; more is better in all of them.

    `weeks` since the start of care; `important`: the least change that is more than chance, None where none is published; `source`: whence.
    `marks` are values with a meaning of their own, from the same source, the highest first.
    """

    id: str
    title: str
    low: int
    high: int
    weeks: tuple[int, ...]
    important: int | None
    source: str
    has_activity: bool = False
    marks: tuple[tuple[int, str], ...] = ()


_BRIDGES = "Under 20 is poor, 25 average, over 30 good (Freckleton 2014)."
_COUNTS = ((30, "good above 30"), (20, "poor under 20"))
_VISA_H = "No minimal important change is confirmed for this tendon; the 13 points of VISA-P belong to another. Scale: Cacchio 2014."
_PSFS = "Minimal detectable change of a single activity: 3 points (Stratford 1995)."
_CHANGE = "The patient's own word for it; there is nothing to compare it with."
_ALL = (
    Measure("visa_h", "VISA-H total", 0, 100, (0, 12, 26), None, _VISA_H),
    Measure("psfs", "Patient-specific function", 0, 10, (0, 6, 12, 26), 3, _PSFS, has_activity=True),
    Measure("change", "Global change", -3, 3, (12, 26), None, _CHANGE),
    Measure("bridges_left", "Single-leg bridges, left", 0, 100, (), None, _BRIDGES, marks=_COUNTS),
    Measure("bridges_right", "Single-leg bridges, right", 0, 100, (), None, _BRIDGES, marks=_COUNTS),
)
MEASURES = MappingProxyType({item.id: item for item in _ALL})
"""When each is due: the product's clinical decisions (default)."""
MOST_ACTIVITIES = 5
MOST_NAMED = 3
"""Activities that a patient is asked to name in chat; a clinician may add more (default)."""
LONGEST_ACTIVITY = 80
FIRST_ASKED_AFTER = timedelta(days=2)
"""How long after the start of care nothing is asked in chat but what the plan needs (default)."""
ONCE_MORE_AFTER = timedelta(days=7)
"""What was put off or not answered is asked once more after that long, and never again for that week (default)."""
MOST_ASKED = 2


@dataclass(frozen=True)
class Value:
    """One value on a day."""

    day: date
    value: int


def change_words(measure: Measure, values: Sequence[Value]) -> str:
    """What became of it since the first value, `values` oldest first: better or worse only past the important change."""
    if len(values) < 2:
        return ""
    difference = values[-1].value - values[0].value
    since = f"{difference:+d} since the first" if difference else "as at first"
    if measure.important is None or abs(difference) < measure.important:
        return since.replace("-", "−") + (", not more than chance explains" if measure.important is not None and difference else "")
    word = "better" if difference > 0 else "worse"
    return f"{since.replace('-', '−')}: {word}"


def due(start: date, today: date, taken: Iterable[tuple[str, date]]) -> list[tuple[Measure, int]]:
    """The measures that are due, each with the week that it is due for: the latest week reached that has no value yet."""
    days: dict[str, list[date]] = {}
    for measure, day in taken:
        days.setdefault(measure, []).append(day)
    found = []
    for item in MEASURES.values():
        week = round_of(item, start, today)
        if week is not None and not any(counts_for(start, week, day) for day in days.get(item.id, ())):
            found.append((item, week))
    return found


def round_of(measure: Measure, start: date, today: date) -> int | None:
    """The week that the measure is asked for on that day: the latest one reached that is not long over."""
    reached = [week for week in measure.weeks if timedelta(0) <= today - (start + timedelta(weeks=week)) <= timedelta(days=LATE_BY)]
    return reached[-1] if reached else None


def counts_for(start: date, week: int, day: date) -> bool:
    """Whether a value of that day is one for that week, or for a later one."""
    return day >= start + timedelta(weeks=week) - timedelta(days=EARLY_BY)


def may_ask(asked_on: Iterable[date], today: date) -> bool:
    """Whether a measure that was asked for on those days may be asked for today: twice at most, and not soon after the first."""
    days = set(asked_on)
    return not days or (len(days) < MOST_ASKED and today - max(days) >= ONCE_MORE_AFTER)
