"""Each of the twelve patients of the sample clinic stands at the end as their story says."""

from __future__ import annotations

import asyncio
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from bot_service.actions.histories import local_today
from bot_service.sample.clinic import reopen_sample_clinic
from bot_service.storage import audit, clinics, figures, patients, prescriptions, staff
from tests.sample.rooms import NOW, Room

QUIET = ("Maya", "Ellen", "Marco", "Sofia", "Liam", "Hannah")
"""Those about whom nothing should trouble the physio."""


def test_the_clinic_has_twelve_patients_a_physio_and_an_admin(sample: Room) -> None:
    with sample.db.read() as tx:
        assert len(patients.list_of_clinic(tx, sample.clinic.clinic.id)) == 12
        assert {member.role: member.name for member in staff.list_of_clinic(tx, sample.clinic.clinic.id)} == {
            "physio": "Anna Reed",
            "admin": "Ruth Bell",
        }
        assert clinics.is_sample(tx)
    assert sample.clinic.clinic.name == "Riverside Physiotherapy"
    assert sample.clinic.clinic.settings["emergency"] == "999"
    assert sample.service.clock.now() == NOW


def test_progress_is_told_from_start_to_end(sample: Room) -> None:
    assert sample.fractions == sorted(sample.fractions)
    assert sample.fractions[-1] > 0.99


def test_the_steady_improver_waits_for_a_decision_on_the_next_stage(sample: Room) -> None:
    proposal = sample.pending("Maya")
    assert proposal is not None
    assert (proposal.rule, proposal.from_stage, proposal.to_stage) == ("C2", "intermediate", "advanced")
    assert NOW - proposal.created_at < timedelta(days=7)
    with sample.db.read() as tx:
        stages = [document.stage for _, document in prescriptions.list_starts(tx, sample.episode("Maya").id)]
    assert stages[0] == "early"
    assert sample.episode("Maya").stage == "intermediate"


def test_the_flare_up_is_open_with_its_evidence(sample: Room) -> None:
    assert {"A3", "B3"} <= sample.rules("Tom")
    hard = next(case for case in sample.cases("Tom") if case.rule == "A3")
    assert "7/10" in hard.sentence
    assert hard.status == "open"


def test_settled_in_the_session_and_worse_the_day_after_is_open(sample: Room) -> None:
    assert sample.rules("Priya") == {"B3"}
    days = {day.day: day for day in sample.record("Priya").loading_days}
    late = days[NOW.date() - timedelta(days=2)]
    assert (late.pain, late.pain_24h) == (2, 5)


def test_a_week_of_silence_has_stopped_the_prompts(sample: Room) -> None:
    assert "D5" in sample.rules("Daniel")
    assert sample.held("Daniel") == {"lost_contact"}
    heard = sample.patient("Daniel").last_heard_at
    assert heard is not None
    assert NOW - heard > timedelta(days=7)


def test_often_saying_no_is_one_engagement_case(sample: Room) -> None:
    engagement = [case for case in sample.cases("Joan") if case.case_key == "engagement"]
    assert len(engagement) == 1
    assert {"D3", "D4"} & set(engagement[0].reasons)
    refused = [day for day, status in sample.record("Joan").strip(14) if status == "not_done"]
    assert len(refused) >= 5


def test_the_red_flag_sentence_is_open_in_the_patients_words_and_holds_the_exercises(sample: Room) -> None:
    case = next(case for case in sample.cases("Kwame") if case.case_key == "D1")
    assert case.words is not None
    assert "wiping" in case.words
    assert case.urgency == "now"
    assert sample.held("Kwame") == {"red_flag"}


def test_the_corrected_answer_keeps_the_wrong_number_on_record_and_counts_the_right_one(sample: Room) -> None:
    kept = [entry for entry in sample.entries("Ellen") if entry.kind == "pain_during"]
    corrected = next(entry for entry in kept if entry.supersedes_id)
    wrong = next(entry for entry in kept if entry.id == corrected.supersedes_id)
    assert (wrong.score, corrected.score) == (7, 2)
    assert sample.rules("Ellen") == set()


def test_the_patient_on_holiday_is_paused(sample: Room) -> None:
    assert sample.held("Marco") == {"pause"}
    assert {status for _, status in sample.record("Marco").strip(2)} <= {"paused", "rest"}


def test_the_patient_who_was_just_enrolled_has_opted_in_and_said_the_usual_pain(sample: Room) -> None:
    episode = sample.episode("Sofia")
    assert episode.patient_status == "opted_in"
    assert episode.baseline == 4
    assert (local_today(NOW, episode.zone) - episode.start_date).days == 1


def test_in_sydney_prompts_come_in_the_morning_there(sample: Room) -> None:
    prompts = [shown.at.astimezone(ZoneInfo("Australia/Sydney")) for shown in sample.shown("Liam") if shown.kind == "prompt"]
    assert len(prompts) > 15
    assert sum(at.time() == time(7) for at in prompts) > 0.9 * len(prompts), "but for those that the provider refused at first"


def test_near_sport_the_faster_block_is_open_and_not_yet_done(sample: Room) -> None:
    episode = sample.episode("Hannah")
    assert episode.stage == "advanced"
    assert sample.record("Hannah").prescription.plyometrics_unlocked
    pending = sample.pending("Hannah")
    assert pending is None or pending.rule != "C4"


def test_the_patient_who_stopped_gets_nothing_more_and_the_physio_is_told(sample: Room) -> None:
    assert sample.patient("Peter").status == "opted_out"
    assert "X1" in sample.rules("Peter")
    stopped = sample.patient("Peter").status_at
    assert all(shown.at <= stopped or shown.kind == "goodbye" for shown in sample.shown("Peter"))


def test_nothing_is_open_about_those_who_are_well(sample: Room) -> None:
    assert {name: sample.rules(name) for name in QUIET if sample.rules(name)} == {}


def test_every_prompt_that_fell_due_is_in_an_end_state(sample: Room) -> None:
    with sample.db.read() as tx:
        counts = figures.count_by_status(tx, "prompt", NOW)
    assert counts["sent"] > 150
    assert not {"due", "claimed", "sending"} & set(counts)


def test_the_audit_trail_of_the_played_weeks_holds(sample: Room) -> None:
    with sample.db.read() as tx:
        assert audit.verify(tx) is None


def test_after_a_restart_the_patients_live_on_but_not_on_a_phone_that_a_human_holds(sample: Room) -> None:
    before = {name: sample.patient(name).last_heard_at for name in ("Sofia", "Ellen")}
    again = reopen_sample_clinic(sample.service)
    again.player.human_takes("+447700900107")
    asyncio.run(again.player.play(NOW + timedelta(days=2)))
    after = {name: sample.patient(name).last_heard_at for name in ("Sofia", "Ellen")}
    assert after["Ellen"] == before["Ellen"]
    assert after["Sofia"] != before["Sofia"]
