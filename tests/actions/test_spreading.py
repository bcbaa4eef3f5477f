"""More prompts for one minute than the sender can send in it: spread, only then, and said when even that is not enough."""

from __future__ import annotations

from datetime import time, timedelta

from bot_service.actions import prompt
from bot_service.actions.crowding import find_crowded
from bot_service.storage.outbox import Message
from tests.actions.test_delivering import EIGHT
from tests.crowds import a_crowd
from tests.running_clinic import RunningClinic
from tests.simulated_time import rated

MINUTE = timedelta(minutes=1)


def planned(clinic: RunningClinic, number: int, per_s: float, at: time = time(8)) -> list[Message]:
    """The prompts of a crowd that wants them at one time, planned a few at a time."""
    a_crowd(clinic, [("Europe/London", at)] * number)
    rated(clinic, per_s)
    clinic.clock.move_to(EIGHT + timedelta(hours=at.hour - 8, minutes=at.minute))
    while prompt.queue_due_prompts(clinic.db, clinic.clock.now(), 7):
        pass
    return clinic.messages(kind="prompt", status="due")


def test_a_crowd_is_spread_over_the_minutes_it_needs_and_each_patient_keeps_theirs(clinic: RunningClinic) -> None:
    today = planned(clinic, 60, per_s=0.4)  # 21.6 a minute
    late = {row.patient_id: (row.due_at - EIGHT) / MINUTE for row in today}
    assert {int(minutes) for minutes in late.values()} == {0, 1, 2} and len(set(late.values())) == 60
    clinic.clock.move_to(EIGHT + timedelta(days=1))
    while prompt.queue_due_prompts(clinic.db, clinic.clock.now(), 11):
        pass
    tomorrow = [row for row in clinic.messages(kind="prompt", status="due") if row.day != today[0].day]
    assert {row.patient_id: (row.due_at - EIGHT - timedelta(days=1)) / MINUTE for row in tomorrow} == late


def test_nobody_waits_when_all_can_leave_within_the_minute(sqlite_clinic: RunningClinic) -> None:
    assert {row.due_at for row in planned(sqlite_clinic, 60, per_s=25.0)} == {EIGHT}


def test_the_end_of_the_day_leaves_less_room(sqlite_clinic: RunningClinic) -> None:
    rows = planned(sqlite_clinic, 60, per_s=0.1, at=time(20, 50))
    assert max(row.due_at for row in rows) < EIGHT + timedelta(hours=12, minutes=55), "quiet hours begin at nine"
    assert min(row.due_at for row in rows) >= EIGHT + timedelta(hours=12, minutes=50)


def test_a_crowd_that_cannot_leave_in_time_is_named_with_what_to_do(clinic: RunningClinic) -> None:
    a_crowd(clinic, [("Europe/London", time(8))] * 100)
    a_crowd(clinic, [("Europe/London", time(9))] * 30)
    with clinic.db.read() as tx:
        assert find_crowded(tx) == [], "a sender without a limit"
    rated(clinic, 1.0)
    with clinic.db.read() as tx:
        assert find_crowded(tx) == []
    rated(clinic, 0.01)
    with clinic.db.read() as tx:
        [problem] = find_crowded(tx)
    assert problem.startswith("100 prompts fall due at 07:00 UTC through riverside") and "another time of day" in problem
