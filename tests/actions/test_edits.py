"""A message that we could not read and that the patient then edits is an answer to what was asked when it was written."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from tests.actions.told import DAY1, DAY2, open_cases, scores
from tests.running_clinic import Person, RunningClinic

TUESDAY, WEDNESDAY = date(2026, 9, 22), date(2026, 9, 23)
HOUR = timedelta(hours=1)


async def mistyped(clinic: RunningClinic) -> Person:
    """Somebody who answered Tuesday's exercises at ten past eight, and nobody could read it."""
    person = await clinic.opted_in()
    await clinic.service.move_clock(DAY1 + timedelta(minutes=10))
    await person.say("dnoe", message_id="m1")
    assert "could not read" in person.texts[-1] and not [row for row in scores(person) if row[1] == TUESDAY]
    return person


@pytest.mark.parametrize("edited_at", [DAY1 + timedelta(minutes=11), DAY1 + 5 * HOUR, DAY2 + HOUR], ids=str)
async def test_an_unread_message_edited_into_an_answer_is_the_answer_of_its_own_day(clinic: RunningClinic, edited_at: datetime) -> None:
    person = await mistyped(clinic)
    await clinic.service.move_clock(edited_at)
    await person.say("done, 6", kind="edit", message_id="m1")
    assert [row for row in scores(person) if row[0] == "pain_during"] == [("pain_during", TUESDAY, 6)]
    assert "6 out of 10" in person.texts[-1]
    await person.say("done, 3", kind="edit", message_id="m1")
    assert [row for row in scores(person) if row[0] == "pain_during"] == [("pain_during", TUESDAY, 3)]


async def test_one_whose_question_was_answered_meanwhile_changes_nothing(sqlite_clinic: RunningClinic) -> None:
    person = await mistyped(sqlite_clinic)
    await person.say("done, 4")
    await sqlite_clinic.service.move_clock(DAY2 + HOUR)
    await person.say("done, 6", kind="edit", message_id="m1")
    assert [row for row in scores(person) if row[0].startswith("pain")] == [("pain_during", TUESDAY, 4)]


async def test_alarming_words_in_an_edit_are_heard_whatever_was_asked(sqlite_clinic: RunningClinic) -> None:
    person = await mistyped(sqlite_clinic)
    await sqlite_clinic.service.move_clock(DAY2 + HOUR)
    await person.say("I can't feel my legs", kind="edit", message_id="m1")
    assert "D1" in open_cases(person)
