"""When a patient wants to be asked: the values that the rest of this package computes with, checked once when they are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class SlotTime:
    """A prompted slot: its number, the local wall time `at`, and the weekdays ("mon".."sun") on which it comes up."""

    number: int
    at: time
    days: frozenset[str]

    def __post_init__(self) -> None:
        unknown = sorted(self.days.difference(WEEKDAYS))
        if unknown:
            raise ValueError(f"Weekdays are written mon, tue, wed, thu, fri, sat or sun, not {', '.join(unknown)}.")
        if self.at.tzinfo is not None:
            raise ValueError("A slot's time is a wall time in the patient's own zone and carries no zone itself.")


@dataclass(frozen=True)
class QuietHours:
    """Local hours in which nothing unsolicited is sent, `start` included and `end` not; equal ends mean never quiet."""

    start: time
    end: time

    def covers(self, local: time) -> bool:
        """Whether a wall time lies inside; the hours may cross midnight."""
        if self.start <= self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


@dataclass(frozen=True)
class Rhythm:
    """One patient's rhythm: IANA zone, slots, first day, quiet hours, and how late a prompt may still be sent.

    Raises ValueError, with a sentence for the person who typed it, when the zone is unknown or a value makes no sense.
    """

    zone: str
    slots: tuple[SlotTime, ...]
    start: date
    quiet: QuietHours
    expires_after: timedelta

    def __post_init__(self) -> None:
        zone_named(self.zone)
        if len({slot.number for slot in self.slots}) < len(self.slots):
            raise ValueError("Two slots have the same number; give each slot of the day its own.")
        if self.expires_after <= timedelta(0):
            raise ValueError("The time after which a prompt expires must be longer than nothing.")
        if not 1970 <= self.start.year < 9000:
            raise ValueError(f"The start date {self.start.isoformat()} is not a date in living memory or in sight.")

    def slots_on(self, day: date) -> tuple[SlotTime, ...]:
        """The slots whose weekdays include that of `day`, in the order given."""
        name = WEEKDAYS[day.weekday()]
        return tuple(slot for slot in self.slots if name in slot.days)


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises ValueError with a sentence when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not a relative path; a folder such as "Europe"
        raise ValueError(f"There is no time zone called {name!r}; use a name such as Europe/London.") from None
