"""The whole episode as a calendar by month: what each day was, when a stage began, and the next appointment."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot_service.clinical.record import Record
from bot_service.web.strips import WORDS, shown_status
from bot_service.web.times import MONTHS, day_words

AHEAD = timedelta(days=92)
"""How far ahead an appointment may stretch the calendar (default)."""


@dataclass(frozen=True)
class CalendarDay:
    """A day: its number, its status as a class (empty outside the episode), the sign in it, all of it in words, and marks beneath."""

    number: int
    status: str
    sign: str
    words: str
    marks: tuple[str, ...]


@dataclass(frozen=True)
class Month:
    """A month: its title and its weeks from Monday on; None where a day belongs to another month."""

    title: str
    weeks: tuple[tuple[CalendarDay | None, ...], ...]


def calendar_of(record: Record, stages: Sequence[tuple[date, str]], appointment: date | None, ahead: str = "") -> tuple[Month, ...]:
    """The months of an episode, the latest first; with the month of the next appointment when that is not far off.

    `ahead`: see `strips.still_ahead`.
    """
    last = appointment if appointment and record.today < appointment <= record.today + AHEAD else record.today
    pains = {day.day: day.pain for day in record.rated_days if day.pain is not None}
    marks: dict[date, tuple[str, ...]] = {}
    for day, title in stages:
        marks[day] = (*marks.get(day, ()), f"{title} began")
    if appointment:
        marks[appointment] = (*marks.get(appointment, ()), "appointment")
    months, year, month = list[Month](), record.episode_start.year, record.episode_start.month
    while (year, month) <= (last.year, last.month):
        weeks = Calendar().monthdatescalendar(year, month)
        rows = tuple(tuple(_day(day, record, pains, marks, ahead) if day.month == month else None for day in week) for week in weeks)
        months.append(Month(f"{MONTHS[month - 1]} {year}", rows))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return tuple(reversed(months))


def _day(day: date, record: Record, pains: Mapping[date, int], marks: Mapping[date, tuple[str, ...]], ahead: str) -> CalendarDay:
    noted = marks.get(day, ())
    if not record.episode_start <= day <= record.today:
        return CalendarDay(day.day, "", "", ", ".join((day_words(day), *noted)) if noted else "", noted)
    status = shown_status(day, record.status(day), record, ahead)
    sign, name = WORDS[status]
    pain = (f"worst pain {pains[day]}",) if day in pains else ()
    return CalendarDay(day.day, status, sign, ", ".join((f"{day_words(day)}: {name}", *pain, *noted)), noted)
