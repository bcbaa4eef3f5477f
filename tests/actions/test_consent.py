"""Linking a chat and agreeing: the code works once, for the person it was made for, and the words agreed to are kept."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.storage import tables
from tests.actions.told import DAY1, DAY2, DAY3, audited, open_cases, scores, status
from tests.running_clinic import Person, RunningClinic


async def test_a_code_works_once(clinic: RunningClinic) -> None:
    first = Person(clinic, clinic.enrol(), "sim:1")
    await first.say("hi", code=first.invitation.code)
    thief = Person(clinic, first.invitation, "sim:666")
    await thief.say("hi", code=first.invitation.code)
    assert "That link does not work any more." in thief.texts[-1] and len(thief.received) == 1
    await first.say("yes")
    assert status(first) == "opted_in"


async def test_the_same_code_again_from_the_same_phone_is_no_harm(clinic: RunningClinic) -> None:
    person = await clinic.opted_in()
    await person.say("/start", code=person.invitation.code)
    assert status(person) == "opted_in" and audited(person).count("chat_linked") == 1


async def test_a_code_expires(clinic: RunningClinic) -> None:
    person = Person(clinic, clinic.enrol(), "sim:1")
    await clinic.service.move_clock(clinic.clock.now() + timedelta(days=15))
    await person.say("hi", code=person.invitation.code)
    assert "does not work any more" in person.texts[-1] and status(person) == "invited"


async def test_a_group_is_refused_once_for_ever_and_nothing_said_there_is_kept(clinic: RunningClinic) -> None:
    invitation = clinic.enrol()
    group = Person(clinic, invitation, "-100200")
    for days in (0, 1, 2):
        clinic.clock.move_to(clinic.clock.now() + timedelta(days=days))
        await group.say("secret words", kind="group", code=invitation.code)
    assert len(group.received) == 1 and "Others can read along" in group.texts[-1]
    with clinic.db.read() as tx:
        rows = tx.all(tables.inbox.select())
    assert {(row.status, row.raw, row.text, row.patient_id) for row in rows} == {("handled", None, None, None)}
    person = Person(clinic, invitation, "sim:1")
    await person.say("hi", code=invitation.code)
    assert "Do you agree?" in person.texts[-1], "the code was not used up there"


async def test_a_stranger_gets_one_sentence_a_day(clinic: RunningClinic) -> None:
    stranger = Person(clinic, clinic.enrol(), "sim:9")
    for words in ("hello", "3", "who is this"):
        await stranger.say(words)
    assert len(stranger.received) == 1 and "not linked to a patient" in stranger.texts[-1]
    assert scores(stranger) == []


async def test_a_phone_that_is_somebodys_is_not_given_to_another(clinic: RunningClinic) -> None:
    first = await clinic.opted_in()
    second = Person(clinic, clinic.enrol("Sam Lee"), first.address)
    await second.say("hi", code=second.invitation.code)
    assert status(second) == "invited" and status(first) == "opted_in"
    await clinic.service.move_clock(DAY1)
    assert {message.patient_id for message in clinic.messages(kind="prompt", status="sent")} == {first.id}


async def test_the_words_agreed_to_are_kept_sealed(clinic: RunningClinic) -> None:
    person = await clinic.opted_in()
    with clinic.db.read() as tx:
        row = tx.first(tables.patients.select().where(tables.patients.c.id == person.id))
        assert row is not None
        kept = tx.unseal(person.id, f"patients.consent:{person.id}", row.consent) or ""
    assert kept in person.texts[0] or person.texts[0] in kept
    assert "Riverside Physio" in kept and "STOP" in kept and b"Riverside" not in bytes(row.consent)


async def test_declining_is_respected_and_the_clinic_is_told(clinic: RunningClinic) -> None:
    person = Person(clinic, clinic.enrol(), "sim:1")
    await person.say("hi", code=person.invitation.code)
    await person.tap("No")
    assert status(person) == "opted_out" and person.texts[-1].startswith("That is fine.")
    assert open_cases(person)["X1"].sentence == "The patient declined the reminders."
    sent = len(person.received)
    await clinic.service.move_clock(DAY1)
    assert len(person.received) == sent


async def test_a_question_is_no_refusal_and_is_answered_whatever_was_asked_before(clinic: RunningClinic) -> None:
    person = Person(clinic, clinic.enrol(), "sim:1")
    await person.say("hi", code=person.invitation.code)
    for written in ("how did you get my number", "how long does this take?"):
        await person.say(written)
        assert person.texts[-1].startswith("This is an automatic message") and person.received[-1].labels == ["Yes", "No"], written
    await person.say("who reads this?")
    assert person.texts[-1].startswith("This is an automatic message") and person.texts[-1].endswith("write START at any time.")
    assert person.received[-1].labels == [] and status(person) == "asked", "asked twice, then left in peace"


@pytest.mark.parametrize("begins", ["ok go on then", "START"])
async def test_maybe_later_is_no_refusal(clinic: RunningClinic, begins: str) -> None:
    person = Person(clinic, clinic.enrol(), "sim:1")
    await person.say("hi", code=person.invitation.code)
    await person.say("maybe later")
    assert person.texts[-1].startswith("That is fine, there is no hurry.") and status(person) == "asked" and not open_cases(person)
    await person.say(begins)
    if begins == "START":
        assert person.texts[-1].endswith("Do you agree?")
        await person.say("yes")
    assert status(person) == "opted_in"


async def test_after_a_refusal_words_are_told_how_to_begin_and_nothing_is_sent_unasked(clinic: RunningClinic) -> None:
    person = Person(clinic, clinic.enrol(), "sim:1")
    await person.say("hi", code=person.invitation.code)
    await person.say("no thanks")
    assert status(person) == "opted_out"
    for written in ("ok go on then", "hello?"):
        await person.say(written)
        assert person.texts[-1] == "We send you nothing unless you ask for it. If you would like to begin after all, write START.", written
    sent = len(person.received)
    await person.say("thanks")
    await clinic.service.move_clock(DAY1)
    assert len(person.received) == sent and status(person) == "opted_out"
    await person.say("START")
    await person.say("yes")
    assert status(person) == "opted_in"


async def test_consent_is_shown_before_anything_else_whatever_the_first_words_are(clinic: RunningClinic) -> None:
    for number, words in enumerate(("hi", "3", "yes", "plan")):
        person = Person(clinic, clinic.enrol(f"P {number}"), f"sim:{number}")
        await person.say(words, code=person.invitation.code)
        assert "Do you agree?" in person.texts[0] and status(person) == "asked", words


async def test_no_on_the_first_message_stops_even_weeks_later(clinic: RunningClinic) -> None:
    person = await clinic.opted_in()
    await person.tap("No")
    assert status(person) == "opted_out" and person.texts[-1].startswith("You will get no more messages")


async def test_a_phone_whose_patient_was_discharged_can_be_the_next_patients(clinic: RunningClinic) -> None:
    first = await clinic.opted_in()
    review.discharge(clinic.db, Decision(clinic.physio, first.episode().id, "finished"), clinic.clock.now())
    second = Person(clinic, clinic.enrol("Sam Lee"), first.address)
    await second.say("hi", code=second.invitation.code)
    await second.say("yes")
    assert status(second) == "opted_in" and status(first) == "discharged"
    await clinic.service.move_clock(DAY1)
    assert {message.patient_id for message in clinic.messages(kind="reply", status="sent")} >= {second.id}


@pytest.mark.parametrize("first_what", ["stop", "discharge"])
async def test_who_stopped_and_was_discharged_may_come_back_in_the_same_chat_and_gets_nothing_before_consent(
    clinic: RunningClinic, first_what: str
) -> None:
    first = await clinic.opted_in()
    if first_what == "stop":
        await first.say("stop")
    review.discharge(clinic.db, Decision(clinic.physio, first.episode().id, "finished"), clinic.clock.now())
    if first_what == "discharge":
        await first.say("stop")
    assert status(first) == "opted_out"
    again = Person(clinic, clinic.enrol("Jo Park", baseline=2), first.address)
    heard = len(first.received)
    await clinic.service.move_clock(DAY1)
    assert len(first.received) == heard, "an invitation alone sends nothing to a chat that was stopped"
    await again.say("hi", code=again.invitation.code)
    assert (status(again), len(first.received)) == ("asked", heard + 1), "the question whether they agree, and nothing else"
    await clinic.service.move_clock(DAY2)
    assert len(first.received) == heard + 1
    await again.say("yes")
    await clinic.service.move_clock(DAY3)
    assert status(again) == "opted_in" and again.messages(kind="prompt", status="sent")
    assert status(first) == "opted_out" and not first.messages(status="due")


async def test_a_code_that_was_refused_on_the_wrong_phone_still_works_on_the_right_one(clinic: RunningClinic) -> None:
    first = await clinic.opted_in()
    second = Person(clinic, clinic.enrol("Sam Lee"), first.address)
    await second.say("hi", code=second.invitation.code)
    own = Person(clinic, second.invitation, "sim:77")
    await own.say("hi", code=second.invitation.code)
    await own.say("yes")
    assert status(own) == "opted_in" and status(first) == "opted_in"


async def test_care_begins_with_the_agreement_and_not_with_the_invitation(clinic: RunningClinic) -> None:
    person = Person(clinic, clinic.enrol(), "sim:1")
    invited = person.episode().start_date
    await clinic.service.move_clock(clinic.clock.now() + timedelta(days=4))
    await person.say("hi", code=person.invitation.code)
    await person.say("yes")
    assert (person.episode().start_date, person.episode().stage_start) == (invited + timedelta(days=4),) * 2
    await person.say("2")
    await clinic.service.move_clock(clinic.clock.now() + timedelta(days=3))
    await person.say("STOP")
    await person.say("START")
    assert person.episode().start_date == invited + timedelta(days=4)


async def has_agreed(clinic: RunningClinic, *, baseline_at: timedelta, at: time = time(8)) -> Person:
    """Somebody who agreed on Monday and says how their usual pain is so long after eight on Tuesday."""
    person = Person(clinic, clinic.enrol(at=at), "sim:1")
    await person.say("hi", code=person.invitation.code)
    await person.tap("Yes")
    await clinic.service.move_clock(DAY1 + baseline_at)
    await person.say("2")
    return person


@pytest.mark.parametrize("after", [timedelta(minutes=5), timedelta(hours=2, minutes=55)])
async def test_the_usual_pain_said_just_after_the_time_of_the_exercises_brings_todays(clinic: RunningClinic, after: timedelta) -> None:
    person = await has_agreed(clinic, baseline_at=after)
    assert "That is the level we will compare with." in person.texts[-2]
    assert "Your exercises for today are ready." in person.texts[-1]
    await person.say("3")
    await clinic.service.move_clock(DAY2 + timedelta(minutes=1))
    assert ("pain_during", DAY1.date(), 3) in scores(person)
    assert [(each.day, each.status) for each in person.messages(kind="prompt")] == [(DAY1.date(), "sent"), (DAY2.date(), "sent")]


@pytest.mark.parametrize(
    ("at", "after"),
    [(time(8), timedelta(hours=3, minutes=5)), (time(20), timedelta(hours=13, minutes=30))],
    ids=["too late for a prompt", "in quiet hours"],
)
async def test_the_usual_pain_said_later_than_that_brings_tomorrows(clinic: RunningClinic, at: time, after: timedelta) -> None:
    person = await has_agreed(clinic, baseline_at=after, at=at)
    await clinic.service.move_clock(DAY1 + timedelta(hours=16))
    assert person.messages(kind="prompt") == [] and "exercises come at" in person.texts[-1]


async def test_a_wish_to_be_erased_is_a_case_with_the_laws_month_and_the_goodbye_says_that_it_was_told(clinic: RunningClinic) -> None:
    person = await clinic.opted_in()
    await clinic.service.move_clock(DAY1)
    await person.say("Please delete all my data")
    assert "no more messages" in person.texts[-1] and "told that you want your data erased" in person.texts[-1]
    case, sent = open_cases(person)["X7"], len(person.texts)
    assert case.words == "Please delete all my data" and case.due_at is not None and case.due_at > clinic.clock.now()
    assert case.sentence.endswith("By law the clinic answers within one month: by Thursday 22 Oct.")
    assert case.reasons["X7"]["basis"] == "UK GDPR and EU GDPR, Article 12(3)" and "X1" in open_cases(person)
    await clinic.service.move_clock(DAY3)
    await person.say("did you delete it? I said erase everything you have on me")
    await person.say("delete my data")
    assert len(person.texts) == sent, "nothing is sent after a STOP"
    again = open_cases(person)["X7"]
    assert again.id == case.id and again.sentence == case.sentence, "the month counts from the first time"
    assert status(person) == "opted_out"
