"""Promises that something else must not break: the question after a red flag, the message that is read, the step that begins tomorrow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.actions.histories import local_today, prescription_on
from bot_service.storage import prescriptions
from tests.actions.test_escalating import flagged, seen_questions
from tests.actions.test_offers import offered, rung_of
from tests.actions.told import DAY2, DAY3, DAY4, open_cases
from tests.running_clinic import Person, RunningClinic

HOUR = timedelta(hours=1)


def decided(person: Person, reason: str = "") -> Decision:
    return Decision(person.clinic.physio, person.episode().id, reason)


async def test_a_red_flag_after_one_that_was_cleared_is_asked_about_too(clinic: RunningClinic) -> None:
    jo = await flagged(clinic)
    review.close_case(clinic.db, decided(jo, "rang, all fine"), open_cases(jo)["D1"].id, clinic.clock.now())
    await clinic.service.move_clock(clinic.clock.now() + HOUR)
    await jo.say("I can't feel my legs and I wet myself")
    await clinic.service.move_clock(DAY2 + HOUR)
    assert len(seen_questions(jo)) == 1
    await clinic.service.move_clock(DAY4 + HOUR)
    assert len(seen_questions(jo)) == 2, "one a day, for two days"


async def test_it_is_asked_the_day_after_the_new_one(clinic: RunningClinic) -> None:
    jo = await flagged(clinic)
    review.close_case(clinic.db, decided(jo, "rang, all fine"), open_cases(jo)["D1"].id, clinic.clock.now())
    await clinic.service.move_clock(DAY2 + HOUR)
    await jo.say("I can't feel my legs and I wet myself")
    await clinic.service.move_clock(DAY3 + HOUR)
    assert len(seen_questions(jo)) == 1


async def test_a_message_to_the_physio_stays_unread_whatever_else_joins_its_case(clinic: RunningClinic) -> None:
    jo = Person(clinic, clinic.enrol(), f"sim:{next(clinic.numbers)}")
    await jo.say("hi", code=jo.invitation.code)
    await jo.tap("Yes")
    await jo.say("please tell my physio I want to talk to her")
    await jo.say("8")
    review.acknowledge_case(clinic.db, decided(jo), open_cases(jo)["X3"].id, clinic.clock.now())
    await clinic.service.tick()
    assert jo.messages(kind="message_read")


async def test_a_step_that_begins_tomorrow_does_not_begin_with_another_time_of_day(clinic: RunningClinic) -> None:
    jo = await offered(clinic)
    await jo.tap("Yes")
    await jo.say("can you send it at 7pm")
    await jo.tap("Yes")
    with clinic.db.read() as tx:
        episode = jo.episode()
        today = prescription_on(tx, episode, local_today(clinic.clock.now(), episode.zone))
        assert rung_of(prescriptions.load(tx, today)) == "I1_1"


async def test_done_and_another_time_in_one_message_are_both_heard(clinic: RunningClinic) -> None:
    jo = clinic.in_care(stage="intermediate")
    await clinic.service.move_clock(datetime(2026, 9, 23, 8, tzinfo=UTC))
    await jo.say("done 3. can you send it at 7pm")
    assert "Recorded: 3 out of 10." in jo.texts[-1] and "What time suits you?" in jo.texts[-1]


async def test_start_after_a_stop_ends_the_patients_own_pause(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    await jo.say("pause 5 days")
    await jo.tap("Yes")
    await jo.say("stop")
    await jo.say("start")
    await clinic.service.move_clock(datetime(2026, 9, 23, 12, tzinfo=UTC))
    assert "sent" in {message.status for message in jo.messages(kind="prompt")}


FRIDAY = datetime(2026, 9, 25, tzinfo=UTC)
TODAYS, ANY_DAYS = "Can I go for a run today?", "Is it normal that my calf is sore?"


@pytest.mark.parametrize(
    ("words", "at", "zone", "said", "due"),
    [
        (TODAYS, FRIDAY + 9 * HOUR, "Europe/London", "no later than today at 18:00", FRIDAY + 17 * HOUR),
        (TODAYS, FRIDAY + 18 * HOUR, "Europe/London", "no later than Monday 28 September at 18:00", FRIDAY + timedelta(days=3, hours=17)),
        (TODAYS, FRIDAY + 9 * HOUR, "Australia/Sydney", "no later than Saturday 26 September at 03:00", FRIDAY + 17 * HOUR),
        (
            ANY_DAYS,
            FRIDAY + 9 * HOUR,
            "Europe/London",
            "no later than Wednesday 30 September at 18:00",
            FRIDAY + timedelta(days=5, hours=17),
        ),
        ("3. " + TODAYS, FRIDAY + 9 * HOUR, "Europe/London", "no later than today at 18:00", FRIDAY + 17 * HOUR),
    ],
)
async def test_a_question_for_today_is_read_the_same_working_day_and_the_patient_hears_by_when(
    clinic: RunningClinic, words: str, at: datetime, zone: str, said: str, due: datetime
) -> None:
    jo = clinic.in_care(zone=zone, at=None)
    await clinic.service.move_clock(at)
    await jo.say(words)
    assert said in jo.texts[-1] and "call 111" in jo.texts[-1]
    case = open_cases(jo)["X3"]
    assert (case.words, case.due_at, case.urgency) == (words, due, "three_days" if words == ANY_DAYS else "same_day")
