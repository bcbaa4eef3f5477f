"""The 24-hour question and the nudge: tables from clinical.md section 0, and properties over zones, hours and clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.follow_ups import check_in_time, daily_cap, next_chance, nudge_time, out_of_quiet, within_cap
from schedules.occurrences import instant, next_occurrence
from schedules.quiet import is_quiet
from schedules.rhythm import WEEKDAYS, QuietHours, Rhythm, SlotTime
from schedules.wall_time import local, local_day
from tests.schedules.test_occurrences_properties import INSTANTS, rhythms

HOUR = timedelta(hours=1)
EVERY_DAY = frozenset(WEEKDAYS)
NIGHT = QuietHours(time(21), time(8))


def a_rhythm(*times: time, days: frozenset[str] = EVERY_DAY, quiet: QuietHours = NIGHT, zone: str = "Europe/London") -> Rhythm:
    slots = tuple(SlotTime(number, at, days) for number, at in enumerate(times or (time(9),), start=1))
    return Rhythm(zone, slots, date(2026, 1, 1), quiet, 3 * HOUR)


@pytest.mark.parametrize(
    ("done", "prompts", "asked"),
    [
        (time(10), [time(9)], "Tue 09:00"),  # 23 h later, with the prompt
        (time(17), [time(9)], "Tue 09:00"),  # 16 h to the minute still counts
        (time(17, 1), [time(9)], "Tue 17:01"),  # prompt too early: 24 h
        (time(20), [time(8), time(18)], "Tue 18:00"),  # the second prompt of the day is inside the window: no message of its own
        (time(23), [time(9)], "Tue 20:00"),  # 24 h is quiet: earlier, with an hour in hand
        (time(2), [time(9)], "Tue 09:00"),  # 31 h
        (time(0, 30), [time(20)], "Mon 20:00"),  # 43 h is too late, 00:30 is quiet: the evening before, 19 and a half hours after
        (time(6), [time(6)], "Tue 06:00"),  # a quiet time of the patient's own, on a day with a prompt, wins
    ],
)
def test_the_24_hour_question_rides_with_the_prompt_when_it_can(done: time, prompts: list[time], asked: str) -> None:
    monday = date(2026, 1, 5)
    at = check_in_time(instant(monday, done, "Europe/London"), a_rhythm(*prompts))
    assert local(at, "Europe/London").strftime("%a %H:%M") == asked


def test_on_a_rest_day_the_question_comes_alone_at_the_usual_time_but_never_at_a_quiet_one() -> None:
    mondays = frozenset({"mon"})
    done = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert check_in_time(done, a_rhythm(days=mondays)) == datetime(2026, 1, 6, 9, tzinfo=UTC)
    assert check_in_time(done, a_rhythm(time(6), days=mondays)) == datetime(2026, 1, 6, 12, tzinfo=UTC)


@given(rhythms(), INSTANTS)
def test_the_question_is_in_its_window_and_not_quiet_whenever_such_a_minute_exists(rhythm: Rhythm, done: datetime) -> None:
    at = check_in_time(done, rhythm)
    own = {instant(day, slot.at, rhythm.zone) for day in [local_day(at, rhythm.zone)] for slot in rhythm.slots_on(day)}
    in_window = 16 * HOUR <= at - done <= 36 * HOUR
    free = [moment for n in range(20 * 60 + 1) if not is_quiet(moment := done + 16 * HOUR + timedelta(minutes=n), rhythm)]
    if free:
        assert in_window
        assert at in own or not rhythm.quiet.covers(local(at, rhythm.zone).time())
    else:
        assert at in own or not is_quiet(at, rhythm)


@given(rhythms(), INSTANTS, st.integers(1, 2))
def test_a_question_moved_to_a_later_day_finds_a_prompt_or_room_inside_its_hours(rhythm: Rhythm, done: datetime, cap: int) -> None:
    day, opens, closes = local_day(done, rhythm.zone), done + 16 * HOUR, done + 36 * HOUR
    at = next_chance(day, opens, closes, rhythm, cap)
    prompts = [instant(each, slot.at, rhythm.zone) for n in (1, 2) for each in [day + timedelta(days=n)] for slot in rhythm.slots_on(each)]
    rides = {moment for moment in prompts if opens <= moment < closes and local_day(moment, rhythm.zone) > day}
    if at is None:
        assert not rides
    else:
        assert opens <= at < closes and local_day(at, rhythm.zone) > day
        alone = not is_quiet(at, rhythm) and len(rhythm.slots_on(local_day(at, rhythm.zone))) < cap
        assert at in rides or alone


@given(rhythms(), INSTANTS, st.booleans())
def test_stepping_out_of_quiet_hours_ends_outside_and_on_the_side_asked_for(rhythm: Rhythm, at: datetime, earlier: bool) -> None:
    moved = out_of_quiet(at, rhythm, earlier)
    assert not rhythm.quiet.covers(local(moved, rhythm.zone).time())
    assert (moved == at) is (not is_quiet(at, rhythm))
    assert moved <= at if earlier else moved >= at


@pytest.mark.parametrize(
    ("prompts", "days", "after_h", "cap", "sent", "nudged"),
    [
        ([time(9)], EVERY_DAY, 4, 1, 1, None),  # cap one, tomorrow has its own prompt: no nudge
        ([time(9)], EVERY_DAY, 4, 2, 1, "Mon 13:00"),
        ([time(9)], frozenset({"mon", "wed"}), 4, 1, 1, "Tue 09:00"),
        ([time(19)], frozenset({"mon", "wed"}), 4, 2, 1, "Tue 19:00"),  # 23:00 is quiet
        ([time(6)], frozenset({"mon", "wed"}), 4, 1, 1, "Tue 08:00"),  # no prompt that day, so the quiet hours bind
        ([time(9), time(18)], EVERY_DAY, 4, 2, 1, None),  # the evening's prompt has the second place
        ([time(18), time(9)], EVERY_DAY, 2, 3, 2, "Mon 20:00"),
        ([time(22)], frozenset({"mon"}), 4, 2, 1, None),  # past midnight is another day; tomorrow 22:00 is quiet until the day after
    ],
)
def test_a_nudge_keeps_to_the_cap_and_leaves_tomorrows_prompt_alone(
    prompts: list[time], days: frozenset[str], after_h: int, cap: int, sent: int, nudged: str | None
) -> None:
    rhythm = a_rhythm(*prompts, days=days)
    prompt = next_occurrence(rhythm, (date(2026, 1, 4), 9))
    while prompt and prompt.slot != 1:
        prompt = next_occurrence(rhythm, prompt.key)
    assert prompt is not None
    assert prompt.day == date(2026, 1, 5)
    at = nudge_time(prompt, rhythm, after_h * HOUR, cap, sent)
    assert (local(at, rhythm.zone).strftime("%a %H:%M") if at else None) == nudged


@given(rhythms(), st.integers(30, 1440), st.integers(1, 4), st.integers(1, 4))
def test_a_nudge_is_never_quiet_never_over_the_cap_and_never_on_a_day_with_its_own_prompt(
    rhythm: Rhythm, after_min: int, cap: int, sent: int
) -> None:
    prompt = next_occurrence(rhythm, None)
    assert prompt is not None
    at = nudge_time(prompt, rhythm, timedelta(minutes=after_min), cap, sent)
    if at is None:
        return
    assert at > prompt.due_at
    assert not rhythm.quiet.covers(local(at, rhythm.zone).time())
    if local_day(at, rhythm.zone) == prompt.day:
        assert sent < cap
    else:
        assert not rhythm.slots_on(local_day(at, rhythm.zone))


def test_the_cap_is_one_a_day_and_two_only_for_two_chosen_slots() -> None:
    assert daily_cap(a_rhythm(time(9))) == 1
    assert daily_cap(a_rhythm(time(9), time(18))) == 2
    assert daily_cap(a_rhythm(time(9), time(13), time(18))) == 2
    assert daily_cap(a_rhythm(days=frozenset())) == 1
    assert within_cap(1, 0)
    assert not within_cap(1, 1)
