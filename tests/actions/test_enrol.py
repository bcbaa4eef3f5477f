"""Enrolment: who fits, who may, and what is made of it; nothing is sent before the patient's own first message."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.actions.enrol import ANEW, INVITATION_LIFE, Enrolment, enrol, find_made, invite_again
from bot_service.errors import AlreadyEnrolled, Conflict, NotFound, NotPermitted
from bot_service.storage import clinics, episodes, patients, staff
from tests.actions.told import audited, prescription
from tests.running_clinic import Person, RunningClinic


def answers(clinic: RunningClinic, **changes: bool) -> dict[str, bool]:
    return {question.id: question.must_be for question in clinic.plan.eligibility} | changes


def test_an_enrolment_prescribes_under_the_clinicians_name_and_sends_nothing(clinic: RunningClinic) -> None:
    invitation = clinic.enrol("  Jo Park ", at=time(7, 30), treated_side="left", baseline=4)
    person = Person(clinic, invitation, "sim:1")
    document = prescription(person)
    assert {slot.at for slot in document.slots if slot.prompted} == {time(7, 30)}
    assert {item.treated_side for item in document.exercises} == {"left"}
    assert (person.episode().stage, person.episode().baseline, person.episode().patient_status) == ("early", 4, "invited")
    assert audited(person) == ["enrolled"] and clinic.messages() == []
    assert invitation.expires_at == clinic.clock.now() + INVITATION_LIFE
    with clinic.db.read() as tx:
        assert patients.load(tx, person.id).name == "Jo Park"


def test_every_reference_and_code_is_its_own(sqlite_clinic: RunningClinic) -> None:
    made = [sqlite_clinic.enrol(f"Patient {number}") for number in range(12)]
    assert len({each.ref for each in made}) == len({each.code for each in made}) == 12
    assert all(len(each.code) >= 22 for each in made), "128 bits"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "  "}, "needs a name"),
        ({"zone": "Europe/Atlantis"}, "Atlantis"),
        ({"stage": "expert"}, "no stage expert"),
        ({"baseline": 6}, "see the patient first"),
        ({"baseline": -1}, "between 0 and 10"),
        ({"at": time(18, 30), "own_prompt": frozenset({1, 2})}, "message of its own at 18:30"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(sqlite_clinic: RunningClinic, fields: dict[str, object], sentence: str) -> None:
    values: dict[str, object] = {"name": "Jo Park", "zone": "Europe/London", "answers": answers(sqlite_clinic)} | fields
    with pytest.raises(Conflict, match=sentence):
        enrol(sqlite_clinic.db, sqlite_clinic.plan, sqlite_clinic.physio, Enrolment(**values), sqlite_clinic.clock.now())  # type: ignore[arg-type]  # fields
    assert sqlite_clinic.messages() == []


def test_every_eligibility_question_is_asked_and_each_can_say_no(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    assert len(clinic.plan.eligibility) >= 6
    for question in clinic.plan.eligibility:
        unanswered = {key: value for key, value in answers(clinic).items() if key != question.id}
        for given, sentence in (
            (unanswered, "answer this first"),
            (answers(clinic, **{question.id: not question.must_be}), "not for this patient"),
        ):
            with pytest.raises(Conflict, match=sentence):
                enrol(clinic.db, clinic.plan, clinic.physio, Enrolment("Jo", "Europe/London", answers=given), clinic.clock.now())


def test_a_viewer_enrols_nobody(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    with clinic.db.begin() as tx:
        viewer = staff.add(tx, clinic.clock.now(), clinic.clinic.id, "vic@example.org", "Vic", "viewer")
    with pytest.raises(NotPermitted):
        enrol(clinic.db, clinic.plan, viewer, Enrolment("Jo", "Europe/London", answers=answers(clinic)), clinic.clock.now())


async def test_the_patient_reads_the_name_of_a_physiotherapist_whoever_enrols(clinic: RunningClinic) -> None:
    given = Enrolment("Jo Park", "Europe/London", answers=answers(clinic))
    person = Person(clinic, enrol(clinic.db, clinic.plan, clinic.admin, given, clinic.clock.now()), "sim:1")
    await person.say("hi", code=person.invitation.code)
    assert f"Your physiotherapist {clinic.physio.name} would like" in person.texts[-1]
    with clinic.db.begin() as tx:
        staff.add(tx, clinic.clock.now(), clinic.clinic.id, "ben@example.org", "Ben Ode", "physio")
    with pytest.raises(Conflict, match="name the physiotherapist who treats this patient"):
        enrol(clinic.db, clinic.plan, clinic.admin, given, clinic.clock.now())


async def test_a_second_invitation_revokes_the_first_and_works_once(clinic: RunningClinic) -> None:
    first = clinic.enrol()
    again = invite_again(clinic.db, clinic.admin, first.patient_id, clinic.clock.now())
    assert (again.ref, again.episode_id, again.expires_at) == (first.ref, first.episode_id, clinic.clock.now() + INVITATION_LIFE)
    with clinic.db.read() as tx:
        assert patients.find_invited(tx, clinic.clock.now(), first.code) is None
        assert patients.find_invited(tx, clinic.clock.now(), again.code) == first.patient_id
    person, stranger = Person(clinic, again, "sim:1"), Person(clinic, again, "sim:2")
    await person.say("hi", code=first.code)
    assert person.episode().patient_status == "invited"
    await person.say("hi", code=again.code)
    await stranger.say("hi", code=again.code)
    assert person.episode().patient_status == "asked" and "Do you agree?" in person.texts[-1] and "Do you agree?" not in stranger.texts[-1]
    assert audited(person) == ["enrolled", "invited_again", "chat_linked"]


def test_only_staff_of_the_clinic_invite_again_and_only_while_in_care(sqlite_clinic: RunningClinic) -> None:
    clinic, now = sqlite_clinic, sqlite_clinic.clock.now()
    patient_id = clinic.enrol().patient_id
    with clinic.db.begin() as tx:
        viewer = staff.add(tx, now, clinic.clinic.id, "vic@example.org", "Vic", "viewer")
        there = clinics.add_clinic(tx, now, "other", "Other", "Europe/London")
        stranger = staff.add(tx, now, there.id, "eve@example.org", "Eve", "physio")
    with pytest.raises(NotPermitted):
        invite_again(clinic.db, viewer, patient_id, now)
    with pytest.raises(NotFound):
        invite_again(clinic.db, stranger, patient_id, now)
    with clinic.db.begin() as tx:
        episode = episodes.find_of_patient(tx, patient_id)
        assert episode is not None
        episodes.end(tx, now, episode, "discharged", "moved")
    with pytest.raises(Conflict, match="has ended"):
        invite_again(clinic.db, clinic.physio, patient_id, now)


def test_a_link_whose_time_is_over_is_handed_out_no_more(clinic: RunningClinic) -> None:
    made, now = clinic.enrol(), clinic.clock.now()
    with clinic.db.read() as tx:
        assert find_made(tx, clinic.clinic.id, made.code, now + INVITATION_LIFE - timedelta(seconds=1)) == made
        assert find_made(tx, clinic.clinic.id, made.code, now + INVITATION_LIFE) is None
    late = now + INVITATION_LIFE
    with pytest.raises(Conflict, match="was sent before"):
        invite_again(clinic.db, clinic.physio, made.patient_id, late, made.code)
    given = Enrolment("Jo Park", "Europe/London", answers=answers(clinic))
    with pytest.raises(Conflict, match="was sent before"):
        enrol(clinic.db, clinic.plan, clinic.physio, given, late, lambda: made.code)


async def test_a_patient_whose_care_has_ended_is_taken_in_again_the_way_the_sentence_says(clinic: RunningClinic) -> None:
    person = Person(clinic, clinic.enrol("Jo Park", phone="+447700900001", record_number="7"), "sim:1")
    await person.say("hi", code=person.invitation.code)
    review.discharge(clinic.db, Decision(clinic.physio, person.episode().id, "better"), clinic.clock.now())
    with pytest.raises(AlreadyEnrolled, match=f"number of P.*, whose care has ended; {ANEW}"):
        clinic.enrol("Jo Park", record_number="7")
    with pytest.raises(AlreadyEnrolled, match=f"telephone of P.*, whose care has ended; {ANEW}"):
        clinic.enrol("Jo Park", phone="+447700900001")
    with pytest.raises(Conflict, match=ANEW):
        invite_again(clinic.db, clinic.physio, person.id, clinic.clock.now())
    again = Person(clinic, clinic.enrol("Jo Park"), "sim:1")
    await again.say("hi", code=again.invitation.code)
    assert again.episode().patient_status == "asked" and "Do you agree?" in again.texts[-1]


async def test_an_enrolled_patient_who_never_writes_gets_nothing(sqlite_clinic: RunningClinic) -> None:
    sqlite_clinic.enrol()
    await sqlite_clinic.service.move_clock(sqlite_clinic.clock.now() + timedelta(days=20))
    assert sqlite_clinic.messages() == [] and sqlite_clinic.phones.received == []
