"""Instants and spans in the words of the pages; every wall time says or implies its zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot_service.clinical.in_words import plural

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def day_words(day: date) -> str:
    """Tue 22 Sep"""
    return f"{_DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1][:3]}"


def long_day(day: date) -> str:
    """Tue 22 Sep 2026"""
    return f"{day_words(day)} {day.year}"


def moment(at: datetime, zone: str) -> str:
    """Tue 22 Sep, 08:00, in that zone"""
    local = at.astimezone(ZoneInfo(zone))
    return f"{day_words(local.date())}, {local:%H:%M}"


def clock_time(at: datetime, zone: str) -> str:
    """08:00, in that zone"""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"


def local_day(at: datetime, zone: str) -> date:
    """The local date."""
    return at.astimezone(ZoneInfo(zone)).date()


def span(length: timedelta) -> str:
    """2 days; 3 hours; under an hour"""
    hours = int(abs(length).total_seconds() // 3600)
    if hours < 1:
        return "under an hour"
    return plural(hours, "hour") if hours < 24 else plural(hours // 24, "day")


def waited(now: datetime, since: datetime, zone: str) -> str:
    """under an hour; 23 hours; 2 days: days as the calendar of that zone counts them, as `ago` does"""
    return span(now - since) if now - since < timedelta(days=1) else plural(_days_back(now, since, zone), "day")


def ago(now: datetime, at: datetime, zone: str) -> str:
    """just now; 3 hours ago; yesterday 14:10; 2 days ago: days as the calendar of that zone counts them"""
    return f"yesterday {clock_time(at, zone)}" if _days_back(now, at, zone) == 1 else _ago(now, at, zone)


def moment_ago(now: datetime, at: datetime, zone: str) -> str:
    """Tue 22 Sep, 08:00 (yesterday)"""
    return f"{moment(at, zone)} ({_ago(now, at, zone)})"


def zone_words(zone: str) -> str:
    """London time"""
    return f"{zone.rpartition('/')[2].replace('_', ' ')} time"


def _ago(now: datetime, at: datetime, zone: str) -> str:
    days = _days_back(now, at, zone)
    if days < 1:
        return "just now" if now - at < timedelta(minutes=2) else f"{span(now - at)} ago"
    return "yesterday" if days == 1 else f"{days} days ago"


def _days_back(now: datetime, at: datetime, zone: str) -> int:
    return (local_day(now, zone) - local_day(at, zone)).days
