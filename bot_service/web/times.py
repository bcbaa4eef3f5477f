"""Instants and spans in the words of the pages; every wall time says or implies its zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot_service.clinical.in_words import plural

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_words(day: date) -> str:
    """Tue 22 Sep"""
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"


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
    return plural(hours, "hour") if hours < 48 else plural(hours // 24, "day")


def ago(now: datetime, at: datetime) -> str:
    """2 days ago; just now"""
    return "just now" if now - at < timedelta(minutes=2) else f"{span(now - at)} ago"


def zone_words(zone: str) -> str:
    """London time"""
    return f"{zone.rpartition('/')[2].replace('_', ' ')} time"
