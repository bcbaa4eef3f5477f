"""From a date and a wall time in a zone to the instant that is meant, through both clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from schedules.rhythm import zone_named

_NOON = time(12)
_MINUTE = timedelta(minutes=1)


@lru_cache(maxsize=16384)  # thousands of patients share a date, a time and a zone; a zone's rules do not change in a process
def instant(day: date, at: time, zone: str) -> datetime:
    """The UTC instant of wall time `at` on `day`, always on that local day.

    A time that occurs twice means the first. One that does not exist means the next that does on that day; when the missing hour
    runs past midnight (Nuuk, 23:30), the last minute that the day has. A day that does not exist at all (Apia, 30 December 2011)
    gives the instant at which it was left out, which is on another local date: see `day_exists`.
    """
    wall, before, after = _offsets(day, at, zone)
    if before >= after:
        return (wall - before).replace(tzinfo=UTC)
    change = _transition(wall - after, wall - before, zone)
    if local_day(change, zone) == day:
        return change
    return change - _MINUTE if local_day(change - _MINUTE, zone) == day else change


@lru_cache(maxsize=4096)
def latest_instant(day: date, at: time, zone: str) -> datetime:
    """The last UTC instant that `at` on `day` can mean: the second of two, or the end of the gap even if that is the next day."""
    wall, before, after = _offsets(day, at, zone)
    if before >= after:
        return (wall - after).replace(tzinfo=UTC)
    return _transition(wall - after, wall - before, zone)


@lru_cache(maxsize=4096)
def day_exists(day: date, zone: str) -> bool:
    """Whether the zone has that date at all: Apia went from 29 to 31 December 2011."""
    return local_day(instant(day, _NOON, zone), zone) == day


def local_day(at: datetime, zone: str) -> date:
    """The date on the wall in `zone` at an aware instant. Raises ValueError for a naive one."""
    return local(at, zone).date()


def local(at: datetime, zone: str) -> datetime:
    """An aware instant as wall time in `zone`. Raises ValueError for a naive one: guessing its zone is how hours get lost."""
    if at.tzinfo is None:
        raise ValueError("An instant must say its zone.")
    return at.astimezone(zone_named(zone))


def _offsets(day: date, at: time, zone: str) -> tuple[datetime, timedelta, timedelta]:
    # PEP 495: fold=0 uses the offset before a change and fold=1 the one after, so comparing them finds gaps (<) and overlaps (>)
    # without a round trip through UTC.
    aware = datetime.combine(day, at, zone_named(zone)).replace(fold=0)
    before, after = aware.utcoffset(), aware.replace(fold=1).utcoffset()
    assert before is not None  # ZoneInfo always knows its offset at a given date
    assert after is not None
    return aware.replace(tzinfo=None), before, after


def _transition(low: datetime, high: datetime, zone: str) -> datetime:
    """The first whole second after `low` (naive UTC) at which the offset is no longer the one at `low`; it is at `high`'s latest."""
    named = zone_named(zone)
    old = low.replace(tzinfo=UTC).astimezone(named).utcoffset()
    seconds_low, seconds_high = 0, int((high - low).total_seconds()) + 1
    while seconds_high - seconds_low > 1:
        middle = (seconds_low + seconds_high) // 2
        there = (low + timedelta(seconds=middle)).replace(tzinfo=UTC).astimezone(named)
        if there.utcoffset() == old:
            seconds_low = middle
        else:
            seconds_high = middle
    return (low + timedelta(seconds=seconds_high)).replace(tzinfo=UTC, microsecond=0)
