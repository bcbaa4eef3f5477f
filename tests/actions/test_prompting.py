"""What the planner puts in line, and when: outages, pauses, holds, zone moves, and never the same local day twice."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from bot_service.actions import care_record, review
from bot_service.actions.deciding import Decision
from bot_service.actions.histories import load_record
from bot_service.actions.prompt import queue_due_prompts
from bot_service.clock import MovableClock
from bot_service.storage import clinics, episodes
from bot_service.storage.database import Database
from tests.crowds import a_crowd
from tests.kept_database import KeptDatabase
from tests.patience import PATIENT_S
from tests.running_clinic import START, Person, RunningClinic, open_clinic, open_quickly

LONDON = ZoneInfo("Europe/London")
NOT_RUNNING = "not sent in time: the service was not running"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A local time in London in September 2026; the 21st is a Monday."""
    return datetime(2026, 9, day, hour, minute, tzinfo=LONDON)


def states(person: Person) -> dict[int, str]:
    """The state of each prompt, by day of the month."""
    return {row.day.day: row.status for row in person.messages(kind="prompt") if row.day}


def decision(person: Person) -> Decision:
    return Decision(person.clinic.physio, person.invitation.episode_id, "because")


def days_as_ruled(person: Person) -> dict[int, str]:
    """What the rules are told of each scheduled day."""
    with person.clinic.db.read() as tx:
        record = load_record(tx, person.episode(), person.clinic.clock.now())
    return {item.day.day: item.status for item in record.scheduled}


@pytest.mark.parametrize(
    ("down", "expected"),
    [
        (timedelta(seconds=10), {22: "sent"}),
        (timedelta(hours=1), {22: "sent"}),
        (timedelta(hours=3) - timedelta(seconds=1), {22: "sent"}),
        (timedelta(hours=3), {22: "expired"}),
        (timedelta(hours=9), {22: "expired"}),
        (timedelta(hours=26), {22: "expired", 23: "sent"}),
        (timedelta(hours=50), {22: "expired", 23: "expired", 24: "sent"}),
    ],
    ids=["10 s", "1 h", "just under 3 h", "3 h", "9 h", "26 h", "50 h"],
)
async def test_after_an_outage_what_is_still_of_use_comes_once_and_the_rest_is_visible(
    clinic: RunningClinic, down: timedelta, expected: dict[int, str]
) -> None:
    jo = clinic.in_care(at=time(9, 30))
    await clinic.service.move_clock(at(22, 9, 29))
    clinic.clock.move_to(at(22, 9, 30) + down)  # nothing runs meanwhile
    for _ in range(3):
        await clinic.service.tick()
    assert states(jo) == expected
    assert len(jo.received) == list(expected.values()).count("sent") <= 1
    lost = jo.messages(kind="prompt", status="expired")
    assert all(row.reason == NOT_RUNNING and row.status_at == clinic.clock.now() for row in lost)
    ruled = days_as_ruled(jo)
    assert {ruled[day] for day, state in expected.items() if state == "expired"} <= {"not_sent"}


async def test_after_a_long_outage_the_schedule_goes_on_as_if_nothing_had_been(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    clinic.clock.move_to(at(28, 12))
    await clinic.service.tick()
    await clinic.service.move_clock(at(30, 12))
    assert states(jo) == dict.fromkeys(range(22, 29), "expired") | {29: "sent", 30: "sent"}


async def test_a_year_of_downtime_is_caught_up_with_and_nothing_of_it_is_sent(sqlite_clinic: RunningClinic) -> None:
    jo = sqlite_clinic.in_care()
    sqlite_clinic.clock.move_to(START + timedelta(days=450, hours=6))
    await sqlite_clinic.service.tick()
    rows = jo.messages(kind="prompt")
    assert Counter(row.status for row in rows) == {"expired": 450} and jo.received == []
    assert len({row.day for row in rows}) == 450


async def test_an_evening_prompt_does_not_come_in_quiet_hours_after_an_outage(clinic: RunningClinic) -> None:
    jo = clinic.in_care(at=time(20))
    clinic.clock.move_to(at(21, 21, 30))  # an hour and a half late, but quiet since nine
    await clinic.service.tick()
    assert states(jo) == {21: "expired"} and jo.received == []


async def test_a_time_in_quiet_hours_that_the_patient_chose_wins(clinic: RunningClinic) -> None:
    early, late = clinic.in_care(at=time(5, 30)), clinic.in_care(at=time(22, 30))
    await clinic.service.move_clock(at(22, 6))
    assert [each.at for each in early.received] == [at(22, 5, 30)]
    assert [each.at for each in late.received] == [at(21, 22, 30)]


async def test_planning_twice_plans_nothing_twice(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    await clinic.service.move_clock(at(22, 8))
    cursor = jo.episode()
    with clinic.db.begin() as tx:  # a crash after the rows and before the cursor cannot be, but a restored cursor can
        episodes.change(tx, cursor.id, next_prompt_at=at(22, 8), next_prompt_day=date(2026, 9, 22), last_prompt_day=date(2026, 9, 21))
    await clinic.service.move_clock(at(22, 12))
    assert states(jo) == {22: "sent"} and len(jo.received) == 1
    assert jo.episode().next_prompt_day == date(2026, 9, 23)


class TestHolds:
    async def test_a_pause_cancels_and_counts_as_paused(self, clinic: RunningClinic) -> None:
        jo = clinic.in_care()
        await clinic.service.move_clock(at(22, 12))
        review.pause(clinic.db, decision(jo), date(2026, 9, 25), clinic.clock.now())
        await clinic.service.move_clock(at(26, 12))
        assert states(jo) == {22: "sent", 23: "cancelled", 24: "cancelled", 25: "sent", 26: "sent"}
        prompts = {str(row.id) for row in jo.messages(kind="prompt")}
        assert {row.reason for row in jo.messages(kind="prompt", status="cancelled")} == {"on hold: pause"}
        assert days_as_ruled(jo) == {22: "sent", 23: "paused", 24: "paused", 25: "sent", 26: "waiting"}
        assert [each.at.day for each in jo.received if each.outbound.id in prompts] == [22, 25, 26]

    async def test_resuming_early_brings_the_next_prompt(self, clinic: RunningClinic) -> None:
        jo = clinic.in_care()
        review.pause(clinic.db, decision(jo), None, clinic.clock.now())
        await clinic.service.move_clock(at(23, 12))
        review.resume(clinic.db, decision(jo), clinic.clock.now())
        await clinic.service.move_clock(at(24, 12))
        assert states(jo) == {22: "cancelled", 23: "cancelled", 24: "sent"}

    @pytest.mark.parametrize("kind", ["red_flag", "physio_first", "lost_contact"])
    async def test_every_kind_of_hold_stops_prompts_and_counts_as_paused(self, clinic: RunningClinic, kind: str) -> None:
        jo = clinic.in_care()
        with clinic.db.begin() as tx:
            episodes.place_hold(tx, START, jo.episode(), kind, why="a test", by="a test", from_day=date(2026, 9, 21))
        await clinic.service.move_clock(at(23, 12))
        assert states(jo) == {22: "cancelled", 23: "cancelled"} and jo.received == []
        assert set(days_as_ruled(jo).values()) == {"paused"}

    async def test_an_outage_during_a_pause_is_a_pause(self, clinic: RunningClinic) -> None:
        jo = clinic.in_care()
        review.pause(clinic.db, decision(jo), date(2026, 9, 25), clinic.clock.now())
        clinic.clock.move_to(at(24, 20))
        await clinic.service.tick()
        assert set(days_as_ruled(jo).values()) == {"paused"} and len(days_as_ruled(jo)) == 3


class TestZoneMoves:
    async def test_a_traveller_is_asked_once_a_local_day(self, clinic: RunningClinic) -> None:
        jo = clinic.in_care(at=time(9))
        await clinic.service.move_clock(at(22, 12))
        care_record.move_zone(clinic.db, decision(jo), "Pacific/Auckland", clinic.clock.now())  # it is 23:00 on the 22nd there
        await clinic.service.move_clock(at(24, 12))
        arrived = [each.at.astimezone(ZoneInfo("Pacific/Auckland")) for each in jo.received]
        assert [(local.day, local.hour) for local in arrived[1:]] == [(23, 9), (24, 9)]
        care_record.move_zone(clinic.db, decision(jo), "America/Los_Angeles", clinic.clock.now())  # it is 04:00 on the 24th there
        await clinic.service.move_clock(at(26, 12))
        arrived = [each.at.astimezone(ZoneInfo("America/Los_Angeles")) for each in jo.received]
        assert [(local.day, local.hour) for local in arrived[3:]] == [(25, 9)], "the 24th has come up before, in Auckland"

    async def test_a_move_never_brings_two_prompts_within_twelve_hours(self, clinic: RunningClinic) -> None:
        jo = clinic.in_care(at=time(20))
        await clinic.service.move_clock(at(22, 20))
        care_record.move_zone(clinic.db, decision(jo), "Pacific/Kiritimati", clinic.clock.now())  # 20:00 on the 23rd is 11 hours away there
        await clinic.service.move_clock(at(24, 12))
        assert [after.at - before.at for before, after in pairwise(jo.received)] == [timedelta(hours=24), timedelta(hours=35)]


class TestFollowUps:
    async def test_the_24_hour_question_comes_with_the_next_prompt_and_not_by_itself(self, clinic: RunningClinic) -> None:
        jo = clinic.in_care()
        await clinic.service.move_clock(at(22, 8))
        await jo.say("done 3")
        await clinic.service.move_clock(at(23, 8))
        assert len([each for each in jo.received if each.at == at(23, 8)]) == 1
        [merged] = jo.messages(kind="check_in")
        [prompt] = [row for row in jo.messages(kind="prompt") if row.day == date(2026, 9, 23)]
        assert (merged.status, merged.reason) == ("cancelled", f"merged into {prompt.id}")
        assert (prompt.content["ask"]["kind"], prompt.content["ask"]["day"]) == ("pain_24h", "2026-09-22")

    async def test_on_a_rest_day_the_24_hour_question_comes_alone_at_the_usual_time(self, clinic: RunningClinic) -> None:
        jo = clinic.in_care(stage="intermediate", at=time(17, 30))  # mon, wed, fri
        await clinic.service.move_clock(at(21, 17, 30))
        await jo.say("done 3")
        await clinic.service.move_clock(at(22, 23))
        [asked] = jo.messages(kind="check_in")
        assert (asked.status, asked.sent_at) == ("sent", at(22, 17, 30))

    async def test_a_session_answered_is_not_nudged_about(self, clinic: RunningClinic) -> None:
        jo = clinic.in_care(stage="intermediate", at=time(9))
        await clinic.service.move_clock(at(23, 9))
        await jo.say("done 3")
        await clinic.service.move_clock(at(25, 8, 59))
        assert [row.status for row in jo.messages(kind="nudge")] == ["cancelled"]

    async def test_an_unanswered_session_is_nudged_about_once_the_day_after(self, clinic: RunningClinic) -> None:
        jo = clinic.in_care(stage="intermediate", at=time(9))
        await clinic.service.move_clock(at(25, 8, 59))
        assert [(row.status, row.sent_at) for row in jo.messages(kind="nudge")] == [("sent", at(24, 9))]

    async def test_with_a_prompt_every_day_there_is_no_room_for_a_nudge(self, clinic: RunningClinic) -> None:
        jo = clinic.in_care()
        await clinic.service.move_clock(at(26, 12))
        assert jo.messages(kind="nudge") == []

    async def test_nobody_is_nudged_about_a_prompt_that_never_came(self, clinic: RunningClinic) -> None:
        jo = clinic.in_care(stage="intermediate", at=time(9))
        await clinic.service.move_clock(at(23, 8))
        with clinic.db.begin() as tx:
            clinics.mark_sender(tx, clinic.sender.id, "broken", "a test")
        await clinic.service.move_clock(at(23, 20))
        clinic.service.add_channel(clinic.clinic.id, clinic.sender.name, clinic.service.channels[clinic.sender.id], None)
        await clinic.service.move_clock(at(24, 20))
        assert states(jo)[23] == "expired"
        assert [(row.status, row.reason) for row in jo.messages(kind="nudge")] == [("cancelled", "its prompt did not go out")]


class TestTwoPlanners:
    def test_each_occurrence_is_planned_once_when_two_race(self, kept_postgres: KeptDatabase) -> None:
        url = kept_postgres.emptied()
        first, second = open_quickly(url, 1), open_quickly(url, 2)
        clinic = open_clinic(first, MovableClock(frozen=START))
        a_crowd(clinic, [("Europe/London", time(8)) for _ in range(120)])
        planned: list[int] = []
        start = threading.Barrier(2, timeout=PATIENT_S)

        def plan(db: Database) -> None:
            start.wait()
            while done := queue_due_prompts(db, at(24, 12), limit=7):
                planned.append(done)

        threads = [threading.Thread(target=plan, args=(db,)) for db in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rows = clinic.messages(kind="prompt")
        assert len(rows) == 120 * 3 == len({(row.patient_id, row.day) for row in rows})
        assert sum(planned) == 120, "no episode was planned by both"
        first.close()
        second.close()
