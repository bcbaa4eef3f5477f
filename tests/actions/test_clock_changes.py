"""Both clock changes of a year in twelve zones, through planner and outbox: one prompt for each patient and local day, on that day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from bot_service.clock import MovableClock
from bot_service.storage.database import Database
from bot_service.storage.outbox import Message
from tests.crowds import a_crowd, dismiss
from tests.kept_database import KeptDatabase
from tests.running_clinic import Person, RunningClinic, open_clinic, open_quickly

ZONES = (
    "Europe/London", "Europe/Helsinki", "America/New_York", "America/Los_Angeles", "America/St_Johns", "America/Santiago",
    "America/Havana", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham", "Africa/Cairo",
)  # fmt: skip
WALL_TIMES = [time(hour, minute) for hour in range(24) for minute in (0, 30)]
YEAR = 2026
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Change:
    """A zone, and the local date on which its offset changes."""

    zone: str
    day: date


@cache
def changes(zone: str) -> tuple[date, ...]:
    """The local dates of the year on which the zone's offset changes; found by looking, not by asking the schedule."""
    hours = [datetime(YEAR, 1, 2, tzinfo=UTC) + timedelta(hours=hour) for hour in range(363 * 24)]
    offsets = [hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours]
    return tuple(hours[at].astimezone(ZoneInfo(zone)).date() for at in range(1, len(hours)) if offsets[at] != offsets[at - 1])


@cache
def wall_clock(zone: str, day: date) -> list[tuple[datetime, time]]:
    """Every quarter of an hour of a local day, with what a clock on the wall shows then."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - DAY
    moments = (start + step * QUARTER for step in range(3 * 96))
    shown = ((moment, moment.astimezone(ZoneInfo(zone))) for moment in moments)
    return [(moment, local.time()) for moment, local in shown if local.date() == day]


def expected(zone: str, day: date, at: time) -> datetime:
    """The first moment of that day at which the wall shows `at` or, when it skips it, more."""
    return next(moment for moment, shown in wall_clock(zone, day) if shown >= at)


def seasons(zones: tuple[str, ...]) -> list[list[Change]]:
    """The changes of the year in order, those within two days of each other together."""
    found: list[list[Change]] = []
    for day, zone in sorted((day, name) for name in zones for day in changes(name)):
        if not found or day - found[-1][0].day > 2 * DAY:
            found.append([])
        found[-1].append(Change(zone, day))
    return found


async def live_through(clinic: RunningClinic, season: list[Change], wall_times: list[time]) -> list[tuple[Change, time, Person]]:
    """A patient for each change and wall time: the day before is caught up with late, the day itself minute by minute, the next late."""
    before, start = (min(wall_clock(each.zone, each.day - back * DAY)[0][0] for each in season) for back in (1, 0))
    end, after = (max(wall_clock(each.zone, each.day + ahead * DAY)[-1][0] for each in season) + QUARTER for ahead in (0, 1))
    clinic.clock.move_to(before)
    people = [(change, at) for change in season for at in wall_times]
    crowd = a_crowd(clinic, [(change.zone, at) for change, at in people])
    clinic.clock.move_to(start)
    await clinic.service.move_clock(end)
    clinic.clock.move_to(after)
    await clinic.service.tick()
    dismiss(clinic, crowd)
    return [(*wish, person) for wish, person in zip(people, crowd, strict=True)]


def wrong_ones(clinic: RunningClinic, crowd: list[tuple[Change, time, Person]]) -> list[str]:
    """Whoever has not exactly one prompt planned for each of three days, at its moment, and exactly one received on the day itself."""
    planned: dict[object, dict[date, list[Message]]] = {}
    for row in clinic.messages(kind="prompt"):
        planned.setdefault(row.patient_id, {}).setdefault(row.day or date.min, []).append(row)
    wrong = []
    for change, at, person in crowd:
        for day in (change.day - DAY, change.day, change.day + DAY):
            due = expected(change.zone, day, at)
            rows = planned[person.id].get(day, [])
            arrived = [each.at for each in person.received if rows and each.outbound.id == str(rows[0].id)]
            if [row.due_at for row in rows] != [due] or (day == change.day and (arrived != [due] or rows[0].status != "sent")):
                wrong.append(f"{change.zone} {at:%H:%M} on {day}: {rows}, received {arrived}, expected {due}")
    return wrong


async def play(clinic: RunningClinic, zones: tuple[str, ...], wall_times: list[time] = WALL_TIMES) -> int:
    """All changes of those zones; how many patients there were. Raises AssertionError naming the first that are wrong."""
    total = 0
    for season in seasons(zones):
        crowd = await live_through(clinic, season, wall_times)
        wrong = wrong_ones(clinic, crowd)
        assert not wrong, wrong[:10]
        total += len(crowd)
    sent = clinic.messages(status="sent")
    assert {row.kind for row in clinic.messages()} == {"prompt"}
    assert sorted(each.outbound.id for each in clinic.phones.received) == sorted(str(row.id) for row in sent), "each was received once"
    return total


def test_the_zones_change_their_clocks_twice() -> None:
    assert {zone: len(changes(zone)) for zone in ZONES} == dict.fromkeys(ZONES, 2)


def test_a_time_that_does_not_exist_moves_by_an_hour_at_most() -> None:
    for zone in ZONES:
        for day in changes(zone):
            for at in WALL_TIMES:
                shown = expected(zone, day, at).astimezone(ZoneInfo(zone)).time()
                shift = datetime.combine(day, shown) - datetime.combine(day, at)
                assert timedelta(0) <= shift <= timedelta(hours=1)


async def test_nobody_is_missed_or_asked_twice_in_twelve_zones(sqlite_db: Database) -> None:
    clinic = open_clinic(sqlite_db, MovableClock(frozen=datetime(YEAR, 1, 1, tzinfo=UTC)))
    assert await play(clinic, ZONES) == 12 * 2 * 48


@pytest.mark.parametrize("zone", ["Australia/Lord_Howe", "Africa/Cairo"])
async def test_nor_on_postgresql(kept_postgres: KeptDatabase, zone: str) -> None:
    db = open_quickly(kept_postgres.emptied())
    clinic = open_clinic(db, MovableClock(frozen=datetime(YEAR, 1, 1, tzinfo=UTC)))
    around_changes = [time(23, 30), *WALL_TIMES[:6], time(12)]
    assert await play(clinic, (zone,), around_changes) == 2 * len(around_changes)
    db.close()
