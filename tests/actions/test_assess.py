"""After every change the rules look again: proposals come and go, cases open once, and quiet days are looked at too."""

from __future__ import annotations

from datetime import timedelta

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from tests.actions.told import DAY1, audited, open_cases, proposals
from tests.running_clinic import Person, RunningClinic


async def test_two_settled_weeks_propose_the_next_stage_with_every_criterion_shown(ready: Person) -> None:
    (proposal,) = proposals(ready)
    assert (proposal.rule, proposal.from_stage, proposal.to_stage, proposal.status) == ("C1", "early", "intermediate", "pending")
    assert proposal.detail["criteria"] and all(item["met"] is not False for item in proposal.detail["criteria"])
    assert proposal.detail["evidence"] and proposal.evidence_version == ready.episode().evidence_version
    assert ready.episode().stage == "early", "only a clinician moves the stage"


async def test_a_session_above_the_ceiling_withdraws_it(ready: Person) -> None:
    await ready.say("sorry, 6")
    assert [each.status for each in proposals(ready)] == ["withdrawn"]


async def test_new_evidence_that_changes_nothing_refreshes_what_is_shown(ready: Person) -> None:
    await ready.say("sorry, 1")
    (proposal,) = proposals(ready)
    assert proposal.status == "pending" and proposal.evidence_version == ready.episode().evidence_version


async def test_a_held_step_is_proposed_again_after_a_week_of_the_same(ready: Person) -> None:
    clinic = ready.clinic
    held = Decision(clinic.physio, ready.episode().id, "let us wait")
    review.hold(clinic.db, held, proposals(ready)[0].id, None, clinic.clock.now())
    for day in range(1, 9):
        await clinic.service.move_clock(clinic.clock.now() + timedelta(days=1))
        await ready.say("1")
        await ready.say("2")
        made = {each.status for each in proposals(ready)}
        assert ("pending" in made) is (day >= 7), day
    assert audited(ready).count("held") == 1


async def test_one_open_case_per_rule_however_often_it_fires(clinic: RunningClinic) -> None:
    person = await clinic.opted_in()
    for day in range(3):
        await clinic.service.move_clock(DAY1 + timedelta(days=day))
        if day:
            await person.say("6")
            await person.tap("None")
        await person.say("9")
        await person.tap("None")
    severe = [case for case in open_cases(person).values() if "A4" in case.reasons]
    assert len(severe) == 1 and severe[0].due_at is not None


async def test_a_silent_week_is_noticed_without_any_message(clinic: RunningClinic) -> None:
    person = await clinic.opted_in()
    await clinic.service.move_clock(DAY1 + timedelta(days=9))
    assert any("D5" in case.reasons for case in open_cases(person).values())
    silences = person.messages(kind="silence", status="sent")
    assert len(silences) == 1
    sent = len(person.received)
    await clinic.service.move_clock(DAY1 + timedelta(days=25))
    assert len(person.received) == sent, "no prompts into silence, and no second farewell"
