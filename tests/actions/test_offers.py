"""The next rung in the patient's hands: offered with an answer, carried out as agreed, and withdrawn when the record no longer bears it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.storage import entries, prescriptions
from plans.model import Prescription
from tests.actions.told import DAY1, audited, everything, open_questions, prescription, proposals, transcript
from tests.running_clinic import Person, RunningClinic

OFFER = "Would you like to try it from your next exercise day?"
LAST = DAY1 + timedelta(days=13)
"""Monday 5 October, 08:00 in London: the fifteenth day in the stage."""


async def settled_fortnight(clinic: RunningClinic, *, preauthorised: bool = True) -> Person:
    """Two settled weeks in Intermediate, every session at 2 and every day after at 1, up to the morning of the fifteenth day."""
    person = clinic.in_care(stage="intermediate", rungs_preauthorised=preauthorised)
    for day in range(1, 13):
        await clinic.service.move_clock(DAY1 + timedelta(days=day))
        asked = {question.kind for question in open_questions(person)}
        await person.say("1" if "pain_24h" in asked else "2" if "session" in asked else "plan")
    await clinic.service.move_clock(LAST)
    return person


async def offered(clinic: RunningClinic) -> Person:
    person = await settled_fortnight(clinic)
    await person.say("2")
    return person


def rung_of(document: Prescription, exercise: str = "I1") -> str | None:
    return document.exercise(exercise).rung


def states(person: Person) -> list[str]:
    """What became of the offers, the latest first."""
    return [each.status for each in proposals(person) if each.offered]


async def test_the_offer_comes_with_the_answer_and_costs_no_message(clinic: RunningClinic) -> None:
    person = await settled_fortnight(clinic)
    before = len(person.received)
    assert not any(OFFER in text for text in person.texts)
    await person.say("2")
    assert len(person.received) == before + 1
    assert person.texts[-1].startswith("Recorded: 2 out of 10.") and OFFER in person.texts[-1]
    assert "Bridge, two legs to single leg" in person.texts[-1] and "Two legs, 15 at a time." in person.texts[-1]
    assert "Keep the same" not in person.texts[-1]
    assert person.received[-1].labels == ["Yes", "Not yet", "Change"]
    assert (states(person), rung_of(prescription(person))) == (["offered"], "I1_1")
    assert all(each.status != "pending" for each in proposals(person)), "the physio is not asked"


async def test_without_the_agreement_the_physio_is_asked_and_the_patient_is_not(clinic: RunningClinic) -> None:
    person = await settled_fortnight(clinic, preauthorised=False)
    await person.say("2")
    assert OFFER not in person.texts[-1]
    assert [(each.rule, each.status) for each in proposals(person)] == [("C0", "pending")]


async def test_yes_writes_a_new_prescription_of_the_agreeing_clinician_from_the_next_day_on(clinic: RunningClinic) -> None:
    person = await offered(clinic)
    await person.tap("Yes")
    assert person.texts[-1].startswith("Good. From your next exercise day on")
    with clinic.db.read() as tx:
        past = prescriptions.list_of_episode(tx, person.id, person.episode().id)
    old, new = past[-2:]
    assert (rung_of(old.document), rung_of(new.document)) == ("I1_1", "I1_2")
    assert new.document.model_copy(update={"exercises": old.document.exercises}) == old.document, "nothing else changed"
    assert (new.staff_id, new.starts_on) == (clinic.physio.id, date(2026, 10, 6))
    assert new.reason and "taken by the patient as agreed beforehand" in new.reason
    assert audited(person)[-1] == "rung_accepted"
    assert states(person) == ["accepted"]


async def test_what_is_still_said_about_today_belongs_to_what_was_done_today(clinic: RunningClinic) -> None:
    person = await offered(clinic)
    with clinic.db.read() as tx:
        before = entries.list_current(tx, person.episode())[-1].prescription_id
    await person.tap("Yes")
    await person.say("sorry, 1")
    about_today = [each for each in everything(person) if each.day == date(2026, 10, 5) and each.kind == "pain_during"]
    assert [(each.score, each.prescription_id) for each in about_today] == [(2, before), (1, before)]
    await person.say("plan")
    assert "single leg: 3 × 12" in person.texts[-1], "today's exercises stay as they were"
    await clinic.service.move_clock(LAST + timedelta(days=1))
    await person.say("1")
    await clinic.service.move_clock(LAST + timedelta(days=2))
    assert "single leg: 3 × 15" in person.texts[-1]
    await person.say("2")
    assert everything(person)[-1].prescription_id == person.episode().prescription_id != before


async def test_not_yet_changes_nothing_but_the_record(clinic: RunningClinic) -> None:
    person = await offered(clinic)
    before = person.episode().prescription_id
    await person.tap("Not yet")
    assert person.texts[-1].startswith("That is fine.")
    assert (states(person), person.episode().prescription_id) == (["declined"], before)
    assert audited(person)[-1] == "rung_declined"
    await person.tap("Yes")
    assert person.texts[-1].startswith("This step is not open at present")
    assert person.episode().prescription_id == before


async def test_a_correction_that_breaks_the_evidence_withdraws_the_offer(clinic: RunningClinic) -> None:
    person = await offered(clinic)
    before = person.episode().prescription_id
    await person.say("sorry, 4")
    assert states(person) == ["withdrawn"]
    await person.tap("Yes")
    assert person.texts[-1].startswith("This step is not open at present")
    assert person.episode().prescription_id == before


async def test_a_correction_that_changes_nothing_that_matters_leaves_the_offer(clinic: RunningClinic) -> None:
    person = await offered(clinic)
    await person.say("sorry, 1")
    await person.tap("Yes")
    assert states(person) == ["accepted"]


@pytest.mark.parametrize("how", ["pause", "words"])
async def test_an_offer_does_not_hold_while_exercises_are_held_back(clinic: RunningClinic, how: str) -> None:
    person = await offered(clinic)
    if how == "pause":
        decision = Decision(clinic.physio, person.episode().id, "away")
        review.pause(clinic.db, decision, None, clinic.clock.now())
    else:
        await person.say("I can't feel my legs")
    await person.tap("Yes")
    assert person.texts[-1].startswith("This step is not open at present")
    assert rung_of(prescription(person)) == "I1_1"


async def test_an_offer_lapses_with_time_when_the_weeks_are_settled_no_more(clinic: RunningClinic) -> None:
    person = await offered(clinic)
    await clinic.service.move_clock(LAST + timedelta(days=9))
    await person.tap("Yes")
    assert person.texts[-1].endswith("We will ask again when the time is right.")
    assert rung_of(prescription(person)) == "I1_1"


async def test_a_clinicians_decision_withdraws_the_offer(clinic: RunningClinic) -> None:
    person = await offered(clinic)
    review.step_back(clinic.db, Decision(clinic.physio, person.episode().id, "saw them"), clinic.clock.now())
    assert states(person) == ["withdrawn"]
    await person.tap("Yes")
    assert person.episode().stage == "early"


async def test_the_second_tap_on_yes_does_nothing_more(clinic: RunningClinic) -> None:
    person = await offered(clinic)
    await person.tap("Yes")
    after = person.episode().prescription_id
    await person.tap("Yes")
    assert person.episode().prescription_id == after
    assert audited(person).count("rung_accepted") == 1
    assert transcript(person).count("Yes") == 2
