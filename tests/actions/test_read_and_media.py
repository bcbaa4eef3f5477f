"""What is not an answer: messages to the physio, whose reading the patient hears of, and photos and the like, which nobody loses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.storage.cases import Case
from tests.actions.told import DAY1, open_cases, status, transcript
from tests.running_clinic import Person, RunningClinic

HOUR = timedelta(hours=1)
READ = "Your message has been read."


async def prompted(clinic: RunningClinic) -> Person:
    person = await clinic.opted_in()
    await clinic.service.move_clock(DAY1)
    return person


def decision(person: Person) -> Decision:
    return Decision(person.clinic.physio, person.episode().id, "read it")


async def acknowledged(person: Person, case: Case) -> None:
    review.acknowledge_case(person.clinic.db, decision(person), case.id, person.clinic.clock.now())
    await person.clinic.service.tick()


async def closed(person: Person, case: Case) -> None:
    review.close_case(person.clinic.db, decision(person), case.id, person.clinic.clock.now())
    await person.clinic.service.tick()


def told(person: Person) -> int:
    return sum(text.startswith(READ) for text in person.texts)


async def test_the_patient_hears_once_that_a_message_to_the_physio_was_read(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say("talk to my physio")
    assert told(person) == 0
    await acknowledged(person, open_cases(person)["X3"])
    assert told(person) == 1
    await closed(person, open_cases(person)["X3"])
    assert told(person) == 1


async def test_the_next_message_waits_to_be_read_again(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("talk to my physio")
    await acknowledged(person, open_cases(person)["X3"])
    await sqlite_clinic.service.move_clock(DAY1 + HOUR)
    await person.tap("Something's wrong")
    await person.say("it creaks when I sit")
    assert open_cases(person)["X3"].status == "open"
    await closed(person, open_cases(person)["X3"])
    assert told(person) == 2


async def test_what_was_no_message_to_the_physio_is_not_said_to_be_read(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("no, too sore")
    await closed(person, open_cases(person)["X3"])
    assert told(person) == 0


async def test_at_night_and_after_stop_nobody_is_told(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("talk to my physio")
    await sqlite_clinic.service.move_clock(DAY1 + 14 * HOUR)  # 22:00
    await acknowledged(person, open_cases(person)["X3"])
    assert told(person) == 0
    await sqlite_clinic.service.move_clock(DAY1 + 24 * HOUR)
    assert told(person) == 1
    await person.say("talk to my physio")
    await person.say("stop")
    await closed(person, open_cases(person)["X3"])
    assert told(person) == 1


async def test_an_album_gets_one_answer_a_row_each_and_one_case(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    sent = len(person.received)
    for _ in range(10):
        await person.say("", kind="media", media="photo", tick=False)
    await clinic.service.tick()
    assert len(person.received) == sent + 1
    assert transcript(person)[-10:] == ["photo"] * 10
    (case,) = [case for case in open_cases(person).values() if case.case_key == "media"]
    assert (case.urgency, case.sentence) == ("routine", "The patient sent a photo. It is not kept here: ask them about it.")
    await clinic.service.move_clock(DAY1 + HOUR)
    await person.say("", kind="media", media="voice")
    assert len(person.received) == sent + 2, "what comes later is thanked for again"


async def test_the_words_under_a_photo_are_read_and_kept(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("I can't feel my legs", kind="media", media="photo")
    assert "D1" in open_cases(person) and "A&E" in person.texts[-1]
    assert transcript(person)[-1] == "photo: I can't feel my legs"


@pytest.mark.parametrize("kind", ["sticker", "animation"])
async def test_a_sticker_is_in_the_transcript_and_no_case(sqlite_clinic: RunningClinic, kind: str) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("", kind="media", media=kind)
    assert transcript(person)[-1] == kind and open_cases(person) == {}


async def test_start_after_a_stop_before_any_consent_shows_the_consent_wording_and_asks(clinic: RunningClinic) -> None:
    person = Person(clinic, clinic.enrol(), "sim:1")
    await person.say("hi", code=person.invitation.code)
    await person.say("stop")
    assert status(person) == "opted_out"
    await person.say("START")
    assert status(person) == "asked" and "Do you agree?" in person.texts[-1] and "You can stop at any time" in person.texts[-1]
    await clinic.service.move_clock(DAY1 + HOUR)
    assert not person.messages(kind="prompt")
    await person.tap("Yes")
    assert status(person) == "opted_in" and "X1" not in open_cases(person)
    await person.say("stop")
    await person.say("start")
    assert status(person) == "opted_in", "who had agreed is back at once"
