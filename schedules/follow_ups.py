"""When to ask again: the 24-hour question, the nudge, and the arithmetic of the daily message cap (clinical.md 0.4 and 0.12)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from schedules.occurrences import Occurrence
from schedules.quiet import is_quiet, out_of_quiet, quiet_period
from schedules.rhythm import Rhythm
from schedules.wall_time import day_exists, instant, local_day

__all__ = ["check_in_time", "daily_cap", "is_quiet", "local_day", "next_chance", "nudge_time", "out_of_quiet", "within_cap"]

_DAY = timedelta(days=1)
_ROOM = timedelta(hours=1)  # what is sent by itself needs time to be sent before it lapses
MOST_A_DAY = 2


def check_in_time(done_at: datetime, rhythm: Rhythm, window_h: tuple[int, int] = (16, 36)) -> datetime:
    """When to ask about the day after a session that was done at `done_at`, as UTC.

    The next day's prompt time when it lies `window_h` hours after, else 24 hours after, moved earlier rather than later around quiet
    hours. Inside the window and outside quiet hours whenever both can be had; a prompt that the patient has that day at a quiet time
    of their own counts as outside. When no such time exists, the first moment after the window opens that is not quiet.
    """
    low, high = (done_at + timedelta(hours=hours) for hours in window_h)
    own = set(_prompt_times(done_at, rhythm, own_day_only=True))
    for moment in (*_prompt_times(done_at, rhythm), *_around_a_day_after(done_at, low, rhythm)):
        if low <= moment <= high and (moment in own or not is_quiet(moment, rhythm)):
            return moment.astimezone(UTC)
    return out_of_quiet(low, rhythm, earlier=False).astimezone(UTC)


def next_chance(day: date, opens: datetime, closes: datetime, rhythm: Rhythm, messages_a_day: int) -> datetime | None:
    """On which later day than `day`, and when, a question may still be put from `opens` until before `closes`, as UTC; None when on none.

    With the first prompt in that time, else by itself on a day that has room for one more message: at a time the patient is used to, or
    an hour before it is too late.
    """
    while instant(day := day + _DAY, time(0), rhythm.zone) < closes:
        prompts = sorted(instant(day, slot.at, rhythm.zone) for slot in rhythm.slots_on(day))
        if riding := next((at for at in prompts if opens <= at < closes), None):
            return riding.astimezone(UTC)
        usual = sorted(instant(day, slot.at, rhythm.zone) for slot in rhythm.slots) if not prompts else []
        for at in (*usual, out_of_quiet(closes - _ROOM, rhythm, earlier=True)):
            fits = max(opens, instant(day, time(0), rhythm.zone)) <= at < closes and local_day(at, rhythm.zone) == day
            if fits and within_cap(messages_a_day, len(prompts)) and not is_quiet(at, rhythm):
                return at.astimezone(UTC)
    return None


def nudge_time(prompt: Occurrence, rhythm: Rhythm, nudge_after: timedelta, messages_a_day: int, sent_that_day: int) -> datetime | None:
    """When to nudge about an unanswered prompt, or None when there is no decent moment.

    The same local day when the cap leaves room for it (`sent_that_day` counts the prompt itself; prompts still to come that day keep
    their places) and it is not quiet, else the next day at the prompt's time if that day has no prompt of its own.
    """
    at = prompt.due_at + nudge_after
    to_come = sum(instant(prompt.day, slot.at, rhythm.zone) > prompt.due_at for slot in rhythm.slots_on(prompt.day))
    if local_day(at, rhythm.zone) == prompt.day and within_cap(messages_a_day, sent_that_day + to_come) and not is_quiet(at, rhythm):
        return at
    return _nudge_next_day(prompt, rhythm)


def daily_cap(rhythm: Rhythm) -> int:
    """Unsolicited messages a local day: one, or two when the patient chose to be prompted twice on some day."""
    busiest = max(
        (sum(day in slot.days for slot in rhythm.slots) for day in {day for slot in rhythm.slots for day in slot.days}), default=1
    )
    return min(MOST_A_DAY, busiest)


def within_cap(messages_a_day: int, sent_that_day: int) -> bool:
    """Whether one more unsolicited message fits into the day."""
    return sent_that_day < messages_a_day


def _nudge_next_day(prompt: Occurrence, rhythm: Rhythm) -> datetime | None:
    day = prompt.day + _DAY
    slot = next((slot for slot in rhythm.slots if slot.number == prompt.slot), None)
    if slot is None or rhythm.slots_on(day):
        return None
    at = out_of_quiet(instant(day, slot.at, rhythm.zone), rhythm, earlier=False)
    return at if local_day(at, rhythm.zone) == day else None


def _prompt_times(done_at: datetime, rhythm: Rhythm, own_day_only: bool = False) -> list[datetime]:
    day = local_day(done_at, rhythm.zone) + _DAY
    if not day_exists(day, rhythm.zone):
        return []
    slots = rhythm.slots_on(day)
    if not slots and not own_day_only:  # a rest day: the question comes alone, at the time the patient is used to
        slots = rhythm.slots
    return sorted(instant(day, slot.at, rhythm.zone) for slot in slots)


def _around_a_day_after(done_at: datetime, low: datetime, rhythm: Rhythm) -> Iterator[datetime]:
    """24 hours after; if quiet, room before those hours; the opening of the window; the first quiet end after that."""
    wanted = done_at + _DAY
    yield wanted
    period = quiet_period(wanted, rhythm)
    if period:
        yield out_of_quiet(wanted, rhythm, earlier=True)
        yield low
        yield out_of_quiet(low, rhythm, earlier=False)
