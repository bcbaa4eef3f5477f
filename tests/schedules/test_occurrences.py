"""Tables: clock changes, gaps at midnight, expiry; checked against an oracle that walks through the day minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from schedules.occurrences import Occurrence, expires_at, instant, next_occurrence
from schedules.rhythm import WEEKDAYS, QuietHours, Rhythm, SlotTime
from schedules.wall_time import local, local_day

A1_ZONES = [
    "Europe/London",
    "Europe/Helsinki",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Santiago",
    "America/Havana",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Africa/Cairo",
]
HALF_HOURS = [time(half // 2, half % 2 * 30) for half in range(48)]
DAY = timedelta(days=1)
EVERY_DAY = frozenset(WEEKDAYS)


def a_rhythm(zone: str = "Europe/London", at: time = time(9), days: frozenset[str] = EVERY_DAY, **other: object) -> Rhythm:
    given: dict[str, object] = {"start": date(2026, 1, 1), "quiet": QuietHours(time(21), time(8)), "expires_after": timedelta(hours=3)}
    return Rhythm(zone=zone, slots=(SlotTime(1, at, days),), **(given | other))  # type: ignore[arg-type]


def change_days(zone: str, year: int = 2026) -> list[date]:
    """The local dates on which the clock of a zone changes in a year."""
    named = ZoneInfo(zone)
    days = [date(year, 1, 1) + DAY * n for n in range(365)]
    offset = {day: datetime.combine(day, time(0), named).utcoffset() for day in [*days, date(year + 1, 1, 1)]}
    return [day for day in days if offset[day] != offset[day + DAY]]


def minutes_of(day: date, zone: str) -> list[datetime]:
    """Every whole minute (UTC) whose date on the wall is `day`: the slow truth that `instant` is compared with."""
    named = ZoneInfo(zone)
    noon = datetime.combine(day, time(12), UTC)
    minutes = (noon + timedelta(minutes=n) for n in range(-28 * 60, 28 * 60))
    return [minute for minute in minutes if minute.astimezone(named).date() == day]


def expected(minutes: list[datetime], zone: str, at: time) -> datetime:
    named = ZoneInfo(zone)
    return next((minute for minute in minutes if minute.astimezone(named).time() >= at), minutes[-1])


@pytest.mark.parametrize("zone", A1_ZONES)
def test_both_clock_changes_give_every_half_hour_its_one_instant(zone: str) -> None:
    days = change_days(zone)
    assert len(days) == 2, "the zone changes its clock twice a year, or this table proves nothing"
    for day in days:
        minutes = minutes_of(day, zone)
        for at in HALF_HOURS:
            assert instant(day, at, zone) == expected(minutes, zone, at), f"{day} {at}"


@pytest.mark.parametrize("zone", A1_ZONES)
def test_the_week_around_a_change_has_one_prompt_a_local_day_none_missed_none_doubled(zone: str) -> None:
    for change in change_days(zone):
        for at in HALF_HOURS:
            rhythm = a_rhythm(zone, at, start=change - 3 * DAY)
            key, seen, last = None, [], None
            while (occurrence := next_occurrence(rhythm, key)) and occurrence.day <= change + 3 * DAY:
                wall = local(occurrence.due_at, zone)
                assert wall.date() == occurrence.day
                assert (
                    timedelta(0)
                    <= datetime.combine(occurrence.day, wall.time()) - datetime.combine(occurrence.day, at)
                    <= timedelta(hours=1)
                )
                assert last is None or occurrence.due_at > last
                key, last = occurrence.key, occurrence.due_at
                seen.append(occurrence.day)
            assert seen == [change + DAY * n for n in range(-3, 4)]


def test_every_zone_of_the_world_keeps_every_quarter_of_an_hour_on_its_own_date() -> None:
    """Reliability A2: the plain rule (fold=0, then to UTC) leaves the day 24 times, all in Greenland."""
    changes = [(zone, day) for zone in sorted(available_timezones()) for day in change_days(zone)]
    assert len(changes) > 200
    for zone, day in changes:
        for quarter in range(96):
            at = instant(day, time(quarter // 4, quarter % 4 * 15), zone)
            assert local_day(at, zone) == day, f"{zone} {day} {quarter}"


@pytest.mark.parametrize("zone", ["America/Nuuk", "America/Godthab", "America/Scoresbysund"])
def test_a_gap_that_runs_to_midnight_gives_the_last_minute_that_the_day_has(zone: str) -> None:
    spring = change_days(zone)[0]
    due = instant(spring, time(23, 30), zone)
    assert local(due, zone).time() == time(22, 59)
    assert due == minutes_of(spring, zone)[-1]
    assert local_day(due + timedelta(minutes=1), zone) == spring + DAY


def test_a_date_that_a_zone_left_out_has_no_prompt_and_the_next_one_has() -> None:
    rhythm = a_rhythm("Pacific/Apia", start=date(2011, 12, 29))
    first = next_occurrence(rhythm, None)
    assert first is not None
    assert first.day == date(2011, 12, 29)
    second = next_occurrence(rhythm, first.key)
    assert second is not None
    assert second.day == date(2011, 12, 31)
    friday = a_rhythm("Pacific/Apia", days=frozenset({"fri"}), start=date(2011, 12, 24))
    assert next_occurrence(friday, None) == Occurrence(date(2012, 1, 6), 1, datetime(2012, 1, 5, 19, tzinfo=UTC), "Pacific/Apia")


def test_seconds_and_a_stray_fold_change_nothing() -> None:
    assert instant(date(2026, 3, 29), time(1, 30, 17), "Europe/London") == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert instant(date(2026, 10, 25), time(1, 30, fold=1), "Europe/London") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_two_slots_come_in_the_order_of_the_day_and_a_tie_in_a_gap_by_number() -> None:
    slots = (SlotTime(1, time(18), EVERY_DAY), SlotTime(2, time(1, 45), EVERY_DAY), SlotTime(3, time(1, 15), EVERY_DAY))
    rhythm = Rhythm("Europe/London", slots, date(2026, 3, 28), QuietHours(time(0), time(0)), timedelta(hours=3))
    keys, key = [], None
    for _ in range(7):
        occurrence = next_occurrence(rhythm, key)
        assert occurrence is not None
        key = occurrence.key
        keys.append((key[0].day, key[1]))
    assert keys == [(28, 3), (28, 2), (28, 1), (29, 2), (29, 3), (29, 1), (30, 3)]


def test_a_start_far_ahead_is_found_directly_and_only_days_of_the_slot_count() -> None:
    rhythm = a_rhythm(days=frozenset({"tue"}), start=date(2999, 1, 2))
    occurrence = next_occurrence(rhythm, (date(2026, 1, 1), 1), datetime(2026, 1, 1, tzinfo=UTC))
    assert occurrence is not None
    assert occurrence.day.weekday() == 1
    assert timedelta(0) <= occurrence.day - rhythm.start < 7 * DAY


def test_not_before_is_kept_to_the_second() -> None:
    due = datetime(2026, 6, 1, 8, tzinfo=UTC)
    on_time = next_occurrence(a_rhythm(), None, due)
    late = next_occurrence(a_rhythm(), None, due + timedelta(seconds=1))
    assert on_time is not None
    assert on_time.due_at == due
    assert late is not None
    assert late.due_at == due + DAY


def test_no_weekday_means_no_prompt() -> None:
    assert next_occurrence(a_rhythm(days=frozenset()), None) is None


def test_a_slot_that_is_gone_never_makes_the_same_day_repeat() -> None:
    assert next_occurrence(a_rhythm(), (date(2026, 5, 5), 7)) == next_occurrence(a_rhythm(), (date(2026, 5, 5), 1))


@pytest.mark.parametrize(
    ("at", "hours_until_expiry"),
    [(time(9), 3), (time(18), 3), (time(19, 30), 1.5), (time(20, 59), 1 / 60), (time(21), 3), (time(6), 3), (time(7, 59), 3)],
)
def test_a_prompt_expires_after_three_hours_or_at_quiet_hours_unless_its_own_time_is_quiet(at: time, hours_until_expiry: float) -> None:
    rhythm = a_rhythm(at=at)
    occurrence = next_occurrence(rhythm, None)
    assert occurrence is not None
    assert expires_at(occurrence, rhythm) - occurrence.due_at == timedelta(hours=hours_until_expiry)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"zone": "Mars/Olympus"}, "no time zone"),
        ({"zone": "../etc/passwd"}, "no time zone"),
        ({"zone": "Europe"}, "no time zone"),
        ({"zone": ""}, "no time zone"),
        ({"days": frozenset({"Monday"})}, "Weekdays are written"),
        ({"at": time(9, tzinfo=UTC)}, "wall time"),
        ({"start": date(9999, 12, 31)}, "start date"),
        ({"expires_after": timedelta(0)}, "expires"),
    ],
)
def test_a_rhythm_that_makes_no_sense_is_refused_with_a_sentence(changed: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        a_rhythm(**changed)  # type: ignore[arg-type]


def test_two_slots_with_one_number_and_naive_instants_are_refused() -> None:
    twice = (SlotTime(1, time(9), EVERY_DAY), SlotTime(1, time(18), EVERY_DAY))
    with pytest.raises(ValueError, match="same number"):
        Rhythm("Europe/London", twice, date(2026, 1, 1), QuietHours(time(21), time(8)), timedelta(hours=3))
    with pytest.raises(ValueError, match="must say its zone"):
        next_occurrence(a_rhythm(), None, datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None))
