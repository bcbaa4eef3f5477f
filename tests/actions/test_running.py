"""Opening and closing running: a clinician alone, as a new prescription, and what it means for the prompts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.errors import Conflict, NotPermitted
from bot_service.storage import prescriptions, reviews, staff
from plans.running import RUN_SLOT
from tests.actions.told import DAY1, audited, prescription, proposals
from tests.running_clinic import Person, RunningClinic


def set_running(person: Person, steps: tuple[int, int] | None, by: staff.Member | None = None) -> None:
    clinic = person.clinic
    review.set_running(clinic.db, Decision(by or clinic.physio, person.episode().id, "walks well"), steps, clinic.clock.now())


async def test_opening_is_a_new_prescription_with_its_author_and_the_patient_is_told(clinic: RunningClinic) -> None:
    person = clinic.in_care(stage="advanced")
    before = prescription(person)
    set_running(person, (2, 4))
    await clinic.service.move_clock(DAY1)
    document = prescription(person)
    assert (document.run_steps_open, document.run_step) == ((2, 4), 2) and before.run_steps_open is None
    with clinic.db.read() as tx:
        last = prescriptions.list_of_episode(tx, person.id, person.episode().id)[-1]
    assert (last.staff_id, last.reason) == (clinic.physio.id, "walks well")
    assert "running_opened" in audited(person)
    assert any("has opened running for you. You start with: 8 times: 1 minute" in text for text in person.texts)
    assert "Your run for today, if you like: 8 times: 1 minute" in person.texts[-1]


async def test_a_prompt_that_waits_when_running_is_closed_is_not_sent(clinic: RunningClinic) -> None:
    person = clinic.in_care(stage="advanced")
    set_running(person, (1, 3))
    set_running(person, None)
    await clinic.service.move_clock(DAY1 + timedelta(days=1))
    assert prescription(person).run_step is None and "running_closed" in audited(person)
    assert not any("Your run for today" in text for text in person.texts)


def test_only_a_physiotherapist_opens_running(clinic: RunningClinic) -> None:
    person = clinic.in_care(stage="advanced")
    with clinic.db.begin() as tx:
        admin = staff.add(tx, clinic.clock.now(), clinic.physio.clinic_id, "desk@example.org", "Desk", "admin")
    with pytest.raises(NotPermitted):
        set_running(person, (1, 3), by=admin)
    assert prescription(person).run_step is None


@pytest.mark.parametrize(
    ("stage", "steps", "says"), [("advanced", (0, 3), "1 to 10"), ("early", (1, 3), "free day"), ("advanced", None, "not open")]
)
def test_what_cannot_be_opened_or_closed_is_refused(clinic: RunningClinic, stage: str, steps: tuple[int, int] | None, says: str) -> None:
    person = clinic.in_care(stage=stage)
    with pytest.raises(Conflict, match=says):
        set_running(person, steps)


async def run_and_settle(clinic: RunningClinic, person: Person, days: int) -> None:
    """Answer whatever comes each morning with a 1."""
    for day in range(days):
        await clinic.service.move_clock(DAY1 + timedelta(days=day))
        for _ in range(2):
            if any(each.labels and "0" in each.labels for each in person.received[-1:]):
                await person.say("1")


async def test_a_step_is_offered_once_and_a_tap_on_an_old_offer_changes_nothing(clinic: RunningClinic) -> None:
    person = clinic.in_care(stage="advanced")
    set_running(person, (1, 3))
    await run_and_settle(clinic, person, 4)
    assert [item.status for item in proposals(person) if item.offered] == ["offered"]
    assert "The next step is: 8 times: 1 minute" in person.texts[-1]
    set_running(person, (1, 2))
    assert [item.status for item in proposals(person) if item.offered] == ["withdrawn"]
    await person.tap("Yes")
    latest = person.texts[-2:]  # the news of what is open now is due at the same moment
    assert any("not open at present" in text for text in latest) and prescription(person).run_step == 1


async def test_not_yet_leaves_the_step_as_it_is(clinic: RunningClinic) -> None:
    person = clinic.in_care(stage="advanced")
    set_running(person, (1, 3))
    await run_and_settle(clinic, person, 4)
    await person.tap("Not yet")
    assert [item.status for item in proposals(person) if item.offered] == ["declined"]
    assert prescription(person).run_step == 1


async def test_another_time_of_day_moves_the_runs_too_and_a_new_stage_closes_running(clinic: RunningClinic) -> None:
    person = clinic.in_care(stage="advanced")
    set_running(person, (1, 3))
    await person.say("send it at 18:00")
    await person.say("yes")
    assert {slot.at.hour for slot in prescription(person).slots if slot.number in (1, RUN_SLOT)} == {18}
    review.step_back(clinic.db, Decision(clinic.physio, person.episode().id, "sore"), clinic.clock.now())
    assert prescription(person).run_steps_open is None
    with clinic.db.read() as tx:
        assert reviews.list_offered(tx, person.episode()) == []
