"""What a clinician decides: approve, hold, step back, close, pause, discharge; who may, what follows, and what is written down."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.errors import AlreadyDecided, Conflict, NotFound, NotPermitted
from bot_service.storage import audit, clinics, prescriptions, reviews, staff, tables
from bot_service.storage.staff import Member
from bot_service.web.prescribed import prescription_view
from tests.actions.told import DAY1, audited, holds, open_cases, open_questions, prescription, proposals, settled_weeks, status
from tests.running_clinic import Person, RunningClinic
from tests.source_tree import parsed, python_files


def decision(person: Person, reason: str = "looks good", *, member: Member | None = None, shown: int | None = None) -> Decision:
    return Decision(member or person.clinic.physio, person.episode().id, reason, shown)


def pending(person: Person) -> Any:
    return next(each for each in proposals(person) if each.status == "pending")


def approve(person: Person, **more: Any) -> None:
    clinic = person.clinic
    review.approve(clinic.db, decision(person, **more), pending(person).id, clinic.clock.now())


async def test_approving_moves_the_stage_tells_the_patient_and_changes_the_next_prompt(clinic: RunningClinic) -> None:
    person = await settled_weeks(clinic)
    before = prescription(person)
    assert person.episode().stage == "early"
    approve(person, shown=person.episode().evidence_version)
    await clinic.service.tick()
    episode = person.episode()
    assert (episode.stage, prescription(person).stage) == ("intermediate", "intermediate")
    assert episode.stage_start == date(2026, 10, 6), "the new stage counts its own days"
    assert "moved you on to the Intermediate Plan" in person.texts[-1]
    assert person.texts[-1].startswith("Good news about your plan.\n"), "the first line may show on a locked phone"
    assert "What is different:\n• New: Bridge, two legs to single leg (3 × 12)\n" in person.texts[-1]
    assert [each.status for each in proposals(person)] == ["approved"]
    for _ in range(4):  # it starts on a Wednesday or later, with the gap that heavy work wants
        await clinic.service.move_clock(clinic.clock.now() + timedelta(days=1))
        await person.say("1")
    shown = {item.exercise.name for item in prescription(person).exercises} - {item.exercise.name for item in before.exercises}
    assert any(name in text for name in shown for text in person.texts[-6:])
    with clinic.db.read() as tx:
        starts = prescriptions.list_starts(tx, episode.id)
    assert [document.stage for _, document in starts] == ["early", "intermediate"], "the old prescription stays as it was"


async def test_the_patients_time_side_and_agreements_go_with_them(ready: Person) -> None:
    old = prescription(ready)
    approve(ready)
    new = prescription(ready)
    assert {slot.at for slot in new.slots if slot.prompted} == {slot.at for slot in old.slots if slot.prompted}
    assert (new.flare_plan, new.rungs_preauthorised) == (old.flare_plan, old.rungs_preauthorised)
    assert new.rules == old.rules


async def test_holding_keeps_the_plan_and_is_not_asked_again_at_once(ready: Person) -> None:
    clinic, now = ready.clinic, ready.clinic.clock.now()
    review.hold(clinic.db, decision(ready, "not yet"), pending(ready).id, None, now)
    await clinic.service.tick()
    assert ready.episode().stage == "early" and "keep to your present exercises" in ready.texts[-1]
    await clinic.service.move_clock(now + timedelta(days=2))
    assert [each.status for each in proposals(ready)] == ["held"]


async def test_a_hold_without_a_proposal_keeps_every_step_back_until_its_day_or_its_release(ready: Person) -> None:
    clinic, now = ready.clinic, ready.clinic.clock.now()
    today = now.date()
    for until in (today, today - timedelta(days=1)):
        with pytest.raises(Conflict, match="must lie ahead"):
            review.hold(clinic.db, decision(ready), None, until, now)
    review.hold(clinic.db, decision(ready, "race on Sunday"), None, today + timedelta(days=3), now)
    await clinic.service.tick()
    assert "keep to your present exercises" in ready.texts[-1]
    assert [(each.rule, each.status) for each in proposals(ready)] == [("own", "held"), ("C1", "withdrawn")]
    await ready.say("sorry, 1")
    assert not [each for each in proposals(ready) if each.status == "pending"]
    review.hold(clinic.db, decision(ready, "and the week after"), None, today + timedelta(days=30), now + timedelta(minutes=1))
    assert [each.status for each in proposals(ready)] == ["held", "released", "withdrawn"], "a new hold takes the place of the old"
    review.release_hold(clinic.db, decision(ready), now + timedelta(minutes=2))
    assert pending(ready).rule == "C1"
    with pytest.raises(Conflict, match="nothing is held"):
        review.release_hold(clinic.db, decision(ready), now)


async def test_a_hold_ends_with_its_day_and_with_the_stage_it_was_about(ready: Person) -> None:
    clinic, now = ready.clinic, ready.clinic.clock.now()
    review.hold(clinic.db, decision(ready), None, None, now)
    for day in range(1, 9):
        await clinic.service.move_clock(now + timedelta(days=day))
        await ready.say("1")
        await ready.say("2")
        assert any(each.status == "pending" for each in proposals(ready)) is (day >= 7), day
    approve(ready)
    assert [each.status for each in proposals(ready)][-2:] == ["released", "withdrawn"]


async def test_a_step_back_is_a_decision_even_if_nothing_was_proposed(ready: Person) -> None:
    clinic = ready.clinic
    approve(ready)
    review.step_back(clinic.db, decision(ready, "too soon"), clinic.clock.now() + timedelta(minutes=1))
    latest = proposals(ready)[0]
    assert (latest.rule, latest.status, latest.to_stage, latest.reason) == ("own", "stepped_back", "early", "too soon")
    with clinic.db.read() as tx:
        assert reviews.count_proposals(tx) == {("C1", "approved"): 1}, "nothing was proposed, so nothing is counted as proposed"


async def test_stepping_back_says_so_kindly_and_decides_what_was_pending(ready: Person) -> None:
    clinic = ready.clinic
    approve(ready)
    await clinic.service.tick()
    review.step_back(clinic.db, decision(ready, "too soon"), clinic.clock.now())
    await clinic.service.tick()
    assert ready.episode().stage == "early" and prescription(ready).stage == "early"
    assert "Going back a step for a while is part of getting better." in ready.texts[-1]
    with pytest.raises(Conflict, match="first stage"):
        review.step_back(clinic.db, decision(ready), clinic.clock.now())


async def test_stepping_back_in_the_first_stage_leaves_a_pending_proposal_alone(ready: Person) -> None:
    with pytest.raises(Conflict):
        review.step_back(ready.clinic.db, decision(ready), ready.clinic.clock.now())
    assert [each.status for each in proposals(ready)] == ["pending"]


async def test_what_was_shown_before_the_record_changed_cannot_be_approved(ready: Person) -> None:
    shown = ready.episode().evidence_version
    await ready.say("sorry, 3")
    assert ready.episode().evidence_version > shown
    with pytest.raises(AlreadyDecided):
        approve(ready, shown=shown)
    assert ready.episode().stage == "early"
    approve(ready, shown=ready.episode().evidence_version)


async def test_a_correction_that_breaks_a_criterion_withdraws_the_proposal(ready: Person) -> None:
    proposal = pending(ready)
    await ready.say("sorry, 7")
    assert [each.status for each in proposals(ready)] == ["withdrawn"]
    with pytest.raises(AlreadyDecided):
        review.approve(ready.clinic.db, decision(ready), proposal.id, ready.clinic.clock.now())


async def test_nothing_is_decided_twice(ready: Person) -> None:
    proposal, clinic = pending(ready), ready.clinic
    approve(ready)
    with pytest.raises(AlreadyDecided):
        review.approve(clinic.db, decision(ready), proposal.id, clinic.clock.now())
    with pytest.raises(AlreadyDecided):
        review.hold(clinic.db, decision(ready), proposal.id, None, clinic.clock.now())
    assert audited(ready).count("approved") == 1


def everything_a_clinician_does(person: Person) -> dict[str, Callable[[Member], None]]:
    """Each decision there is, by what the audit trail calls it."""
    clinic = person.clinic
    db, now = clinic.db, clinic.clock.now()
    proposal = next((each.id for each in proposals(person) if each.status == "pending"), uuid4())
    case = next((case.id for case in open_cases(person).values()), uuid4())
    return {
        "wrote_to_patient": lambda member: review.write_to_patient(db, decision(person, member=member), "Well done", now),
        "case_acknowledged": lambda member: review.acknowledge_case(db, decision(person, member=member), case, now),
        "case_closed": lambda member: review.close_case(db, decision(person, member=member), case, now),
        "held": lambda member: review.hold(db, decision(person, member=member), proposal, None, now),
        "hold_released": lambda member: review.release_hold(db, decision(person, member=member), now),
        "approved": lambda member: review.approve(db, decision(person, member=member), proposal, now),
        "stepped_back": lambda member: review.step_back(db, decision(person, member=member), now),
        "paused": lambda member: review.pause(db, decision(person, member=member), None, now),
        "resumed": lambda member: review.resume(db, decision(person, member=member), now),
        "discharged": lambda member: review.discharge(db, decision(person, member=member), now),
    }


async def test_only_a_physio_of_the_same_clinic_decides_anything(ready: Person) -> None:
    clinic, now = ready.clinic, ready.clinic.clock.now()
    await ready.say("can I talk to my physio")
    with clinic.db.begin() as tx:
        other = clinics.add_clinic(tx, now, "other", "Other Clinic", "Europe/London")
        stranger = staff.add(tx, now, other.id, "eve@example.org", "Eve Stone", "physio")
        viewer = staff.add(tx, now, clinic.clinic.id, "vic@example.org", "Vic Fox", "viewer")
    before = audited(ready), ready.episode(), proposals(ready)
    for what, act in everything_a_clinician_does(ready).items():
        with pytest.raises(NotFound):
            act(stranger)
        looks_after_it = what == "case_acknowledged"  # so may an admin, while nobody is on duty
        for member in (viewer,) if looks_after_it else (viewer, clinic.admin):
            with pytest.raises(NotPermitted):
                act(member)
    assert (audited(ready), ready.episode(), proposals(ready)) == before


@pytest.mark.parametrize("what", ["wrote_to_patient", "case_acknowledged", "case_closed", "held", "approved", "paused", "discharged"])
async def test_every_decision_is_in_the_audit_trail_under_the_clinicians_name(ready: Person, what: str) -> None:
    await ready.say("can I talk to my physio")
    everything_a_clinician_does(ready)[what](ready.clinic.physio)
    assert audited(ready)[-1] == what
    with ready.clinic.db.read() as tx:
        assert audit.verify(tx) is None


async def test_of_an_ended_episode_the_cases_can_be_seen_to_and_nothing_can_be_decided(ready: Person) -> None:
    clinic, now = ready.clinic, ready.clinic.clock.now()
    await ready.say("I can't feel my legs")
    acts = everything_a_clinician_does(ready)
    acts.pop("discharged")(clinic.physio)
    sees_to = [acts.pop(what) for what in ("case_acknowledged", "case_closed")]
    before = audited(ready), ready.episode(), proposals(ready)
    for act in acts.values():
        with pytest.raises(Conflict, match="care has ended"):
            act(clinic.physio)
    with pytest.raises(Conflict, match="care has ended"):
        review.discharge(clinic.db, decision(ready, "once more"), now)
    assert (audited(ready), ready.episode(), proposals(ready)) == before
    for act in sees_to:
        act(clinic.physio)
    assert audited(ready)[-2:] == ["case_acknowledged", "case_closed"] and list(open_cases(ready)) == []


async def test_closing_a_red_flag_releases_the_hold_and_closing_another_case_does_not(ready: Person) -> None:
    clinic, now = ready.clinic, ready.clinic.clock.now()
    await ready.say("can I talk to my physio")
    await ready.say("I can't feel my legs")
    assert [each.status for each in proposals(ready)] == ["withdrawn"], "no progression over an open red flag"
    review.close_case(clinic.db, decision(ready), open_cases(ready)["X3"].id, now)
    assert holds(ready) == ["red_flag"]
    red_flag = open_cases(ready)["D1"].id
    review.acknowledge_case(clinic.db, decision(ready), red_flag, now)
    assert holds(ready) == ["red_flag"], "having seen it is not having cleared it"
    review.close_case(clinic.db, decision(ready), red_flag, now)
    assert holds(ready) == []
    with pytest.raises(Conflict, match="closed already"):
        review.close_case(clinic.db, decision(ready), red_flag, now)


async def test_a_time_that_the_patient_changed_on_hold_is_no_news_of_the_physios_and_theirs_on_the_page(
    sqlite_clinic: RunningClinic,
) -> None:
    person = await sqlite_clinic.opted_in()
    await person.say("I can't feel my legs")
    await person.say("send it at 7pm")
    await person.tap("Yes")
    review.close_case(sqlite_clinic.db, decision(person), open_cases(person)["D1"].id, sqlite_clinic.clock.now())
    await sqlite_clinic.service.tick()
    assert "Your exercises start again" in person.texts[-1] and not [text for text in person.texts if "has changed your exercises" in text]
    with sqlite_clinic.db.read() as tx:
        past = prescriptions.list_of_episode(tx, person.id, person.episode().id)
    first, second = reversed(prescription_view(prescription(person), past, {sqlite_clinic.physio.id: "Anna Reed"}).history)
    assert "by Anna Reed" in first and "by the patient (another time of day)" in second and "Anna Reed" not in second


async def test_resuming_does_not_clear_a_red_flag(ready: Person) -> None:
    await ready.say("I can't feel my legs")
    review.pause(ready.clinic.db, decision(ready), None, ready.clinic.clock.now())
    review.resume(ready.clinic.db, decision(ready), ready.clinic.clock.now())
    assert holds(ready) == ["red_flag"]
    with pytest.raises(Conflict, match="nothing is paused"):
        review.resume(ready.clinic.db, decision(ready), ready.clinic.clock.now())


async def test_a_pause_ends_on_its_day_and_must_end_in_the_future(ready: Person) -> None:
    clinic, today = ready.clinic, ready.clinic.clock.now().date()
    with pytest.raises(Conflict, match="ahead"):
        review.pause(clinic.db, decision(ready), today, clinic.clock.now())
    review.pause(clinic.db, decision(ready, "operation"), today + timedelta(days=3), clinic.clock.now())
    await clinic.service.move_clock(clinic.clock.now() + timedelta(days=4))
    ends = {each.day: each.status for each in ready.messages(kind="prompt") if each.day and each.day > today}
    assert ends == {
        today + timedelta(days=1): "cancelled",
        today + timedelta(days=2): "cancelled",
        today + timedelta(days=3): "sent",
        today + timedelta(days=4): "sent",
    }


async def test_discharge_stops_everything(ready: Person) -> None:
    clinic = ready.clinic
    await ready.say("can I talk to my physio")
    review.discharge(clinic.db, decision(ready, "all well"), clinic.clock.now())
    sent = len(ready.received)
    assert status(ready) == "discharged" and open_questions(ready) == []
    assert [each.status for each in proposals(ready)] == ["withdrawn"]
    await clinic.service.move_clock(clinic.clock.now() + timedelta(days=20))
    assert len(ready.received) == sent
    assert not [each for each in ready.messages() if each.status in ("due", "claimed")]
    with pytest.raises(Conflict):
        review.write_to_patient(clinic.db, decision(ready), "hello", clinic.clock.now())
    later = clinic.clock.now() + timedelta(days=200)
    review.close_case(clinic.db, decision(ready, "rang her"), open_cases(ready)["X3"].id, later)
    assert open_cases(ready) == {}, "nor is anything new to be looked at"


async def test_the_physios_own_words_arrive_under_their_name(ready: Person) -> None:
    clinic = ready.clinic
    review.write_to_patient(clinic.db, decision(ready), "  See you on Friday.  ", clinic.clock.now())
    await clinic.service.tick()
    assert ready.texts[-1] == "You have a message from your clinic.\n\nSee you on Friday.\n\nAnna Reed"
    with pytest.raises(Conflict, match="write something"):
        review.write_to_patient(clinic.db, decision(ready), "  ", clinic.clock.now())
    assert datetime(2026, 9, 22, 7, tzinfo=UTC) == DAY1


def test_a_prescription_is_made_only_by_a_clinician_as_agreed_beforehand_or_by_the_patients_own_change_of_time() -> None:
    makers = _callers("prescriptions.add")
    assert makers == {
        "bot_service/actions/enrol.py:enrol_in",
        "bot_service/actions/prescribing.py:supersede",
        "bot_service/actions/apply.py:_change_time",
    }
    assert _callers("supersede") == {
        "bot_service/actions/review.py:approve",
        "bot_service/actions/review.py:step_up",
        "bot_service/actions/review.py:step_back",
        "bot_service/actions/review.py:set_running",
        "bot_service/actions/rewriting.py:_prescribe",
        "bot_service/actions/offers.py:answer_offer",
    }
    assert _callers("_prescribe") == {
        "bot_service/actions/rewriting.py:rewrite",
        "bot_service/actions/rewriting.py:move_to_version",
    }
    assert _callers("move_to_version") == {"bot_service/web/rewriting.py:_save"}, "nothing else changes the version of the plan"


def _callers(called: str) -> set[str]:
    return {
        f"{path}:{function.name}"
        for path in python_files()
        if str(path).startswith("bot_service/")
        for function in ast.walk(parsed(path))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == called
    }


def test_the_stage_is_written_only_at_enrolment_and_by_a_decision() -> None:
    writers = set()
    for path in (path for path in python_files() if str(path).startswith("bot_service/")):
        for node in ast.walk(parsed(path)):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="episodes"), attr="add" | "change"), keywords=given):
                    names = {str(each.arg) for each in given}
                case ast.Subscript(slice=ast.Constant(value=str() as name), ctx=ast.Store()):
                    names = {name}
                case ast.Dict(keys=[ast.Constant(value="prescription_id"), *others]):
                    names = {str(each.value) for each in others if isinstance(each, ast.Constant)}
                case _:
                    continue
            if names & {"stage", "stage_start"}:
                writers.add(str(path))
    # Agreeing begins the days of the stage; it moves nobody to another one.
    assert writers == {"bot_service/actions/enrol.py", "bot_service/actions/prescribing.py", "bot_service/actions/consent.py"}


async def test_a_clinicians_words_reach_the_patient_and_are_stored_nowhere_in_plain(clinic: RunningClinic) -> None:
    person = await clinic.opted_in()
    words = "Try the cushion we spoke about, Jo"
    review.write_to_patient(clinic.db, Decision(clinic.physio, person.episode().id, ""), words, clinic.clock.now())
    await clinic.service.tick()
    assert words in person.texts[-1]
    with clinic.db.read() as tx:
        kept = tx.all(tables.outbox.select())
    assert kept and not any("cushion" in str(row.content) or b"cushion" in bytes(row.text or b"") for row in kept)
