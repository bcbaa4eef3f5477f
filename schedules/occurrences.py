"""When prompts fall due and when they lapse: the schedule as a function of the rhythm and the last day and slot that came up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from schedules.quiet import is_quiet, quiet_start_after
from schedules.rhythm import Rhythm
from schedules.wall_time import day_exists, instant, local_day

__all__ = ["MIN_APART", "Occurrence", "expires_at", "instant", "next_occurrence"]

MIN_APART = timedelta(hours=12)  # between two prompts of one slot when the patient has travelled
_DAY = timedelta(days=1)
_HORIZON = 15  # days: a weekly slot whose day was skipped (12 h rule, or a date its zone left out) comes up two weeks later


@dataclass(frozen=True)
class Occurrence:
    """One prompt that is to come: its local `day` and `slot` (together its key, for ever), when, and the zone that was used."""

    day: date
    slot: int
    due_at: datetime
    zone: str

    @property
    def key(self) -> tuple[date, int]:
        return self.day, self.slot


def next_occurrence(
    rhythm: Rhythm,
    after: tuple[date, int] | None,
    not_before: datetime | None = None,
    last_due: Mapping[int, datetime] | None = None,
) -> Occurrence | None:
    """The first occurrence later than the key `after`, in the order (day, instant, slot number), from `rhythm.start` on.

    `not_before` is the earliest allowed instant. `last_due` tells when each slot last came up: pass it for every prompt of the two days
    after a zone change (or always), so that a traveller is not asked twice within 12 hours. A day never comes back: travelling west
    gives a longer pause, not the same date again.
    None when no slot has a weekday. Raises ValueError for a naive `not_before`.
    """
    if not any(slot.days for slot in rhythm.slots):
        return None
    day = max(rhythm.start, after[0]) if after else rhythm.start
    if not_before is not None:
        day = max(day, local_day(not_before, rhythm.zone))
    for _ in range(_HORIZON):
        for due_at, number in _due_on(day, rhythm, after):
            if not_before is not None and due_at < not_before:
                continue
            if last_due and number in last_due and due_at - last_due[number] < MIN_APART:
                continue
            return Occurrence(day, number, due_at, rhythm.zone)
        day += _DAY
    return None


def expires_at(occurrence: Occurrence, rhythm: Rhythm) -> datetime:
    """The instant from which a prompt is no longer sent: so long after it was due, or when quiet hours begin if that is sooner.

    A time that the patient chose wins: due inside quiet hours, it has its full time.
    """
    late = occurrence.due_at + rhythm.expires_after
    if is_quiet(occurrence.due_at, rhythm):
        return late
    quiet = quiet_start_after(occurrence.due_at, rhythm)
    return late if quiet is None else min(late, quiet)


def _due_on(day: date, rhythm: Rhythm, after: tuple[date, int] | None) -> list[tuple[datetime, int]]:
    if not day_exists(day, rhythm.zone):
        return []
    due = [(instant(day, slot.at, rhythm.zone), slot.number) for slot in rhythm.slots_on(day)]
    if after and day <= after[0]:
        done = _moment_of(after, rhythm)
        # A slot that is gone from the rhythm has no time to compare with; its number decides, which can skip but never repeat.
        due = [item for item in due if (item > done if done else item[1] > after[1])]
    return sorted(due)


def _moment_of(key: tuple[date, int], rhythm: Rhythm) -> tuple[datetime, int] | None:
    return next(((instant(key[0], slot.at, rhythm.zone), slot.number) for slot in rhythm.slots if slot.number == key[1]), None)
