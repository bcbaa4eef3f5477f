"""When a clinic is in: the next opening in words, and when a flag of some urgency should have been looked at."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot_service.clinical.catalogue import Urgency

Hours = Mapping[str, Sequence[str]]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT_HOURS: Hours = dict.fromkeys(WEEKDAYS[:5], ("08:00", "18:00"))
"""Monday to Friday, 8 to 18 (default)."""
WORKING_DAYS: Mapping[Urgency, int] = {"now": 0, "same_day": 0, "three_days": 3, "routine": 5}
"""Working days until a flag is due (`clinical.md` 5.2; routine: default)."""


def next_open(now: datetime, hours: Hours, zone: str) -> tuple[datetime, bool]:
    """When the team is next in (UTC), and whether that is now."""
    local = now.astimezone(ZoneInfo(zone))
    for ahead in range(15):
        day = local.date() + timedelta(days=ahead)
        opening = _opening(day, hours, zone)
        if opening is None or opening[1] <= now:
            continue
        return (now, True) if opening[0] <= now else (opening[0], False)
    return now, False


def due_by(now: datetime, urgency: Urgency, hours: Hours, zone: str) -> datetime:
    """By when a clinician should have looked: at once, by the end of this working day, or of the third or fifth after it."""
    opens, _ = next_open(now, hours, zone)
    if urgency == "now":
        return opens
    day, left = opens.astimezone(ZoneInfo(zone)).date(), WORKING_DAYS[urgency]
    for _ in range(40):
        opening = _opening(day, hours, zone)
        if opening is not None:
            if left == 0:
                return opening[1]
            left -= 1
        day += timedelta(days=1)
    return now + timedelta(days=1 + WORKING_DAYS[urgency])


def a_working_day_after(at: datetime, hours: Hours, zone: str) -> datetime:
    """The same time of the next working day, inside its opening hours; what came while nobody was in counts from the next opening."""
    opens, _ = next_open(at, hours, zone)
    local = opens.astimezone(ZoneInfo(zone))
    for ahead in range(1, 15):
        day = local.date() + timedelta(days=ahead)
        opening = _opening(day, hours, zone)
        if opening is not None:
            same_time = datetime.combine(day, local.time(), ZoneInfo(zone)).astimezone(UTC)
            return min(max(same_time, opening[0]), opening[1])
    return at + timedelta(days=1)


def after_working(at: datetime, length: timedelta, hours: Hours, zone: str) -> datetime:
    """When the clinic has been open for `length` since `at`; time while nobody is in does not count."""
    left, day = length, at.astimezone(ZoneInfo(zone)).date()
    for _ in range(60):
        opening = _opening(day, hours, zone)
        if opening is not None and opening[1] > at:
            begin = max(opening[0], at)
            if opening[1] - begin >= left:
                return begin + left
            left -= opening[1] - begin
        day += timedelta(days=1)
    return at + length


def a_month_after(day: date) -> date:
    """The same day of the next month, or its last one: within when the law wants a request about personal data answered."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1]))


def next_opening(after: datetime, hours: Hours, zone: str) -> datetime | None:
    """The first opening later than `after`; None when the clinic never opens."""
    day = after.astimezone(ZoneInfo(zone)).date()
    for ahead in range(15):
        opening = _opening(day + timedelta(days=ahead), hours, zone)
        if opening is not None and opening[0] > after:
            return opening[0]
    return None


def _opening(day: date, hours: Hours, zone: str) -> tuple[datetime, datetime] | None:
    span = hours.get(WEEKDAYS[day.weekday()])
    if not span:
        return None
    return _instant(day, span[0], zone), _instant(day, span[1], zone)


def _instant(day: date, at: str, zone: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(at), ZoneInfo(zone)).astimezone(UTC)
