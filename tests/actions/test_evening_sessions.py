"""Two messages a day in the first stage: a day is done when either session is, and its pain is that of the worse one."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

from bot_service.actions.histories import load_record
from bot_service.clinical.adherence import done_share
from bot_service.clinical.record import Record
from tests.actions.told import open_cases
from tests.running_clinic import START, Person, RunningClinic

EVENING = timedelta(hours=9)
"""From the hour of enrolment to the evening, past the second message of the day."""


def record_of(person: Person) -> Record:
    with person.clinic.db.read() as tx:
        return load_record(tx, person.episode(), person.clinic.clock.now())


async def test_whoever_answers_once_each_evening_has_done_each_day(clinic: RunningClinic) -> None:
    jo = clinic.in_care(own_prompt=frozenset({2}))
    for day in range(1, 6):
        await clinic.service.move_clock(START + timedelta(days=day) + EVENING)
        await jo.say("done, 3")
        assert "3 out of 10." in jo.texts[-1].splitlines()[0]
        if day > 1:
            assert jo.texts[-2].startswith("One question about yesterday's 18:30 session.")
            assert "Your 18:30 exercises follow your answer." in jo.texts[-2], "those of the morning came without"
    record = record_of(jo)
    assert {session.slot for session in record.sessions} == {2}, "the question that came last was answered"
    assert [record.status(day) for day in record.days_back(5)] == ["done"] * 5 and done_share(record, 5) == Fraction(1)
    assert [day.pain for day in record.loading_days] == [3] * 5


async def test_pain_in_the_extra_session_is_the_days_whatever_was_said_of_the_other(clinic: RunningClinic) -> None:
    jo = clinic.in_care(own_prompt=frozenset({2}))
    await clinic.service.move_clock(START + timedelta(days=1))
    await jo.say("not today")
    await clinic.service.move_clock(START + timedelta(days=1) + EVENING)
    await jo.say("done, 8")
    record = record_of(jo)
    assert (record.status(record.today), [day.pain for day in record.loading_days]) == ("done", [8])
    assert set(open_cases(jo)) == {"A4"}, "the rules read it, so that it is no message to the physio too"


async def test_not_this_evening_after_a_session_in_the_morning_is_no_few_in_a_row(sqlite_clinic: RunningClinic) -> None:
    jo = sqlite_clinic.in_care(own_prompt=frozenset({2}))
    for day in range(1, 4):
        await sqlite_clinic.service.move_clock(START + timedelta(days=day))
        await jo.say("done, 3" if day == 3 else "not today")
        await sqlite_clinic.service.move_clock(START + timedelta(days=day) + EVENING)
        await jo.say("not today")
    assert jo.texts[-1].startswith("Recorded: not today.") and "few in a row" not in jo.texts[-1]
