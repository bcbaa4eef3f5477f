"""Quiet hours as intervals of time: whether an instant is in them, where they begin and end, and how to step out of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from schedules.rhythm import Rhythm
from schedules.wall_time import instant, latest_instant, local_day

_DAY = timedelta(days=1)
_ROOM = timedelta(hours=1)  # a message moved to just before quiet hours still needs time to be sent before it expires at their start


def is_quiet(at: datetime, rhythm: Rhythm) -> bool:
    """Whether an instant is in the patient's quiet hours; when a clock change makes that doubtful, it is."""
    return quiet_period(at, rhythm) is not None


def quiet_period(at: datetime, rhythm: Rhythm) -> tuple[datetime, datetime] | None:
    """The quiet hours (UTC, end not included) that `at` lies in, or None."""
    if rhythm.quiet.start == rhythm.quiet.end:
        return None
    day = local_day(at, rhythm.zone)
    for back in (0, 1, -1):  # -1: hours that begin in a gap at midnight are clamped into the day before
        start, end = _period(day - back * _DAY, rhythm)
        if start <= at < end:
            return start, end
    return None


def quiet_start_after(at: datetime, rhythm: Rhythm) -> datetime | None:
    """When the next quiet hours begin, strictly after an instant; None when there are none."""
    if rhythm.quiet.start == rhythm.quiet.end:
        return None
    day = local_day(at, rhythm.zone)
    starts = (instant(day + ahead * _DAY, rhythm.quiet.start, rhythm.zone) for ahead in range(3))
    return next((start for start in starts if start > at), None)


def out_of_quiet(at: datetime, rhythm: Rhythm, earlier: bool) -> datetime:
    """`at` itself when it is not quiet, else the end of those hours, or with `earlier` an hour before they begin.

    When less than an hour lies between two stretches of quiet, earlier means where that gap begins.
    """
    period = quiet_period(at, rhythm)
    if period is None:
        return at
    if not earlier:
        return period[1]
    wanted = period[0] - _ROOM
    before = quiet_period(wanted, rhythm)
    return before[1] if before else wanted


def _period(day: date, rhythm: Rhythm) -> tuple[datetime, datetime]:
    quiet = rhythm.quiet
    last_day = day if quiet.start < quiet.end else day + _DAY
    return instant(day, quiet.start, rhythm.zone), latest_instant(last_day, quiet.end, rhythm.zone)
