"""A clinician's own changes: whatever the plan file's checks would refuse is refused, and what is allowed stays through later steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from bot_service.actions.prescribing import resolved, with_own_words
from plans.editing import (
    CLINIC,
    OWN,
    THRESHOLDS,
    Choices,
    SlotChoice,
    Unfit,
    at_rungs,
    at_start,
    open_slots,
    rewritten,
    side_of,
    threshold,
    with_own_days,
    with_thresholds,
)
from plans.loading import LIBRARY, load_plan, load_words
from plans.model import CarePlan, Prescription, prescribe
from plans.running import open_running
from plans.tongues import in_words

PLAN = load_plan(LIBRARY / "proximal_hamstring_tendinopathy.toml")
EARLY = prescribe(PLAN, "early", {1: time(9)}, flare_plan_signed=True)
ADVANCED = prescribe(PLAN, "advanced", {1: time(9)})


def as_it_is(document: Prescription, plan: CarePlan = PLAN, **changed: Any) -> Choices:
    """The choices that leave a prescription alone."""
    present = {slot.number for slot in document.slots}
    choices = Choices(
        slots={
            slot.number: SlotChoice(
                slot.days, slot.at, slot.exercises, slot.extra.exercises if slot.extra else (), slot.extra.days if slot.extra else ()
            )
            for slot in open_slots(document, plan)
            if slot.number in present
        },
        thresholds={key: document.thresholds.get(key, threshold(plan, document.stage, key)) for key in THRESHOLDS},
        flare_plan_signed=document.flare_plan is not None,
        rungs_preauthorised=document.rungs_preauthorised,
        treated_side=side_of(document),
    )
    return replace(choices, **changed)


def why_not(document: Prescription, choices: Choices) -> list[str]:
    with pytest.raises(Unfit) as refused:
        rewritten(document, PLAN, choices)
    return [finding.sentence for finding in refused.value.findings]


@pytest.mark.parametrize("stage", [stage.id for stage in PLAN.stages])
def test_choosing_everything_as_it_is_gives_the_same_prescription(stage: str) -> None:
    document = prescribe(PLAN, stage, plyometrics_unlocked=stage == "advanced", treated_side="left", flare_plan_signed=True)
    assert rewritten(document, PLAN, as_it_is(document)) == document


def test_another_step_brings_its_dose_unless_a_dose_was_written() -> None:
    doses: dict[str, dict[str, int | str | None]] = {"E1": {"sets": 5, "hold_s": 30, "rest_s": 60, "effort_pct": 50, "load": None}}
    there = rewritten(EARLY, PLAN, as_it_is(EARLY, rungs={"E1": "E1_3"}, doses=doses)).exercise("E1")
    assert (there.rung, there.dose.hold_s, there.dose.effort_pct) == ("E1_3", 45, 70)
    doses["E1"]["hold_s"] = 20
    there = rewritten(EARLY, PLAN, as_it_is(EARLY, rungs={"E1": "E1_3"}, doses=doses)).exercise("E1")
    assert (there.rung, there.dose.hold_s, there.dose.effort_pct) == ("E1_3", 20, 70)


def test_an_own_dose_stays_when_another_exercise_moves_on_and_goes_when_its_own_rung_does() -> None:
    own = rewritten(EARLY, PLAN, as_it_is(EARLY, doses={"E1": {"sets": 3}, "E2": {"sets": 2}}))
    later = resolved(PLAN, "early", own, {"E1": "E1_2", "E2": "E2_1"})
    assert later.exercise("E1").dose == PLAN.stage("early").exercises[0].rungs[1].dose
    assert later.exercise("E2").dose.sets == 2


def test_exercises_come_from_the_whole_library_but_never_the_faster_ones() -> None:
    slots = as_it_is(EARLY).slots
    added = {**slots, 1: replace(slots[1], exercises=("E1", "E2", "I2"))}
    document = rewritten(EARLY, PLAN, as_it_is(EARLY, slots=added))
    assert [item.exercise.id for item in document.exercises] == ["E1", "E2", "E3", "I2"]
    faster = {**slots, 1: replace(slots[1], exercises=("E1", "P1"))}
    assert any("Only a clinician opens these" in each for each in why_not(EARLY, as_it_is(EARLY, slots=faster)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"slots": {}}, "Leave at least one exercise in a session that the patient is messaged about."),
        ({"thresholds": {"pain_ceiling": 6}}, "Write a whole number from 0 to 5."),
        ({"thresholds": {"session_pain.green_max": 4, "pain_ceiling": 4}}, "the green band ends below the amber band"),
        ({"doses": {"E1": {"sets": 11}}}, "Bridge hold, both feet down: sets must be at most 10."),
        ({"doses": {"E1": {"sets": 0}}}, "Bridge hold, both feet down: sets must be at least 1."),
        ({"thresholds": {"deload.gap_days_physio_first": 5}}, "a short gap only makes the restart easier"),
    ],
)
def test_what_cannot_be_prescribed_is_said(change: dict[str, Any], said: str) -> None:
    assert any(said in sentence for sentence in why_not(EARLY, as_it_is(EARLY, **change)))


def test_days_too_close_together_and_times_in_quiet_hours_are_refused() -> None:
    slots = as_it_is(ADVANCED).slots
    close = {1: replace(slots[1], days=("mon", "tue", "fri"))}
    assert any("leaves 24 hours between Monday and Tuesday" in each for each in why_not(ADVANCED, as_it_is(ADVANCED, slots=close)))
    night = {1: replace(slots[1], at=time(22))}
    assert any("inside the quiet hours" in each for each in why_not(ADVANCED, as_it_is(ADVANCED, slots=night)))
    crowded = {1: replace(slots[1], exercises=("A1", "A2", "A3", "A4", "I1"))}
    assert any("people manage 4 at most" in each for each in why_not(ADVANCED, as_it_is(ADVANCED, slots=crowded)))


def test_a_lower_ceiling_takes_the_bands_and_criteria_with_it_and_goes_along_into_the_next_stage() -> None:
    document = rewritten(
        EARLY, PLAN, as_it_is(EARLY, thresholds={"pain_ceiling": 4, "progression.session_max": 2, "review.silent_days": 5})
    )
    assert (document.rules.pain_ceiling, document.rules.session_pain.amber_max, document.rules.after_24h.settled_max) == (4, 4, 4)
    assert document.rules.sources["pain_ceiling"] == "set for this patient"
    assert document.progression.session_max == 2
    following = resolved(PLAN, "intermediate", document)
    assert following.thresholds == {"pain_ceiling": 4, "review.silent_days": 5}
    assert following.rules == document.rules
    assert following.progression == PLAN.stage("intermediate").progression


def test_the_flare_plan_names_the_patients_own_ceiling_in_every_language() -> None:
    document = with_own_words(rewritten(EARLY, PLAN, as_it_is(EARLY, thresholds={"pain_ceiling": 4})), PLAN)
    assert "a session above 4" in (document.flare_plan or "")
    told = in_words(document, load_words(PLAN.id, "es", own=tuple(document.thresholds.items())))
    assert told.flare_plan != document.flare_plan
    assert " 4" in (told.flare_plan or "")
    assert " 5" not in (told.flare_plan or "")


def test_own_numbers_of_a_plan_worded_differently_since_cannot_be_signed() -> None:
    older = PLAN.model_copy(update={"flare_plan": "Other words, above 5."})
    document = prescribe(older, "early", flare_plan_signed=True)
    own = rewritten(document, older, as_it_is(document, older, thresholds={"pain_ceiling": 4}))
    with pytest.raises(Unfit, match="leave it unsigned"):
        with_own_words(own, older)


def test_what_was_signed_goes_along_word_for_word_where_its_text_is_not_at_hand_as_long_as_its_numbers_stay() -> None:
    older = PLAN.model_copy(update={"flare_plan": "Other words, above 5.", "flare_plan_written": ""})
    document = rewritten(EARLY, PLAN, as_it_is(EARLY, thresholds={"pain_ceiling": 4}))
    signed = document.model_copy(update={"flare_plan": "Other words, above 4."})
    assert resolved(older, "intermediate", signed).flare_plan == "Other words, above 4."
    with pytest.raises(Unfit, match="leave it unsigned"):
        resolved(older, "intermediate", signed, clinic={"session_pain.severe_min": 7})


def test_going_back_to_the_start_keeps_days_and_thresholds() -> None:
    slots = as_it_is(EARLY).slots
    weekdays = {**slots, 1: replace(slots[1], days=("mon", "wed", "fri"))}
    own = rewritten(at_rungs(EARLY, {"E1": "E1_3"}), PLAN, as_it_is(EARLY, slots=weekdays, thresholds={"pain_ceiling": 4}))
    back = at_start(own)
    assert back.exercise("E1").rung == "E1_1"
    assert back.slots == own.slots
    assert back.thresholds == {"pain_ceiling": 4}


def test_an_exercise_that_joins_later_is_not_started_after_going_back_to_the_start() -> None:
    there = at_rungs(prescribe(PLAN, "intermediate"), {"I4": "I4_2"})
    assert there.exercise("I4").started
    assert not at_start(there).exercise("I4").started


def test_opening_the_faster_exercises_leaves_the_rest_as_the_clinician_wrote_it() -> None:
    own = rewritten(ADVANCED, PLAN, as_it_is(ADVANCED, doses={"A1": {"sets": 2}}))
    opened = resolved(PLAN, "advanced", own, unlocked=True)
    assert opened.exercise("A1").dose.sets == 2
    assert {item.exercise.id for item in opened.exercises} >= {"P1", "P2", "P3"}
    assert [slot.number for slot in opened.slots] == [1, 2]
    assert rewritten(opened, PLAN, as_it_is(opened)) == opened


def test_running_stays_open_on_the_days_left_free_and_needs_one() -> None:
    running = open_running(ADVANCED, PLAN.return_to_run, (1, 3))
    slots = as_it_is(running).slots
    moved = {1: replace(slots[1], days=("tue", "sat"))}
    document = rewritten(running, PLAN, as_it_is(running, slots=moved))
    run = next(slot for slot in document.slots if slot.label == "run")
    assert not set(run.days) & {"tue", "sat"}
    assert document.run_step == 1
    early_running = open_running(prescribe(PLAN, "intermediate"), PLAN.return_to_run, (1, 3))
    full = as_it_is(early_running).slots
    packed = {1: replace(full[1], days=("mon", "wed", "fri", "sun")), 2: full[2]}
    assert any("Running is open" in each or "leaves" in each for each in why_not(early_running, as_it_is(early_running, slots=packed)))


def test_faster_exercises_that_fall_on_a_day_in_use_are_refused_until_the_days_are_changed() -> None:
    slots = as_it_is(ADVANCED).slots
    own = rewritten(ADVANCED, PLAN, as_it_is(ADVANCED, slots={1: replace(slots[1], days=("mon", "wed"))}))
    with pytest.raises(Unfit):
        resolved(PLAN, "advanced", own, unlocked=True)


def test_running_closes_when_the_faster_exercises_take_its_last_day() -> None:
    slots = as_it_is(ADVANCED).slots
    own = rewritten(ADVANCED, PLAN, as_it_is(ADVANCED, slots={1: replace(slots[1], days=("mon", "fri"))}))
    running = open_running(own, PLAN.return_to_run, (1, 3))
    opened = resolved(PLAN, "advanced", running, unlocked=True)
    used = [day for slot in opened.slots if slot.prompted for day in slot.days]
    assert len(used) == len(set(used))


def test_own_days_go_along_into_the_next_stage_where_there_are_as_many_and_they_fit() -> None:
    there = prescribe(PLAN, "intermediate")
    slots = as_it_is(there).slots
    own = rewritten(
        there, PLAN, as_it_is(there, slots={1: replace(slots[1], days=("tue", "thu", "sat")), 2: replace(slots[2], days=("mon",))})
    )
    back = resolved(PLAN, "early", own)
    assert back.slots[0].days == PLAN.stage("early").slots[0].days  # every day there: another number of days
    two = rewritten(ADVANCED, PLAN, as_it_is(ADVANCED, slots={1: replace(as_it_is(ADVANCED).slots[1], days=("tue", "sat"))}))
    assert resolved(PLAN, "intermediate", two).slots[0].days == PLAN.stage("intermediate").slots[0].days
    assert with_own_days(ADVANCED, two, PLAN).slots[0].days == ("tue", "sat")


def in_clinic(stage: str, **numbers: int) -> Prescription:
    return with_thresholds(
        prescribe(PLAN, stage, {1: time(9)}), PLAN, {key.replace("__", "."): value for key, value in numbers.items()}, CLINIC
    )


def test_a_number_of_the_clinics_is_renewed_with_each_stage_and_one_set_for_the_patient_stays() -> None:
    first = in_clinic("early", pain_ceiling=4, review__silent_days=5)
    assert (first.rules.pain_ceiling, first.rules.sources["pain_ceiling"]) == (4, CLINIC)
    own = rewritten(first, PLAN, as_it_is(first, thresholds={**as_it_is(first).thresholds, "review.silent_days": 6}))
    assert own.rules.sources["review.silent_days"] == OWN and own.rules.sources["pain_ceiling"] == CLINIC
    later = resolved(PLAN, "intermediate", own, clinic={"pain_ceiling": 3, "session_pain.green_max": 2, "review.silent_days": 4})
    assert (later.rules.pain_ceiling, later.rules.session_pain.green_max, later.rules.review.silent_days) == (3, 2, 6)
    assert later.thresholds == {"pain_ceiling": 3, "session_pain.green_max": 2, "review.silent_days": 6}
    assert resolved(PLAN, "intermediate", own).rules.pain_ceiling == 5, "the clinic went back to the plan's"


def test_choosing_everything_as_it_is_keeps_the_clinics_numbers_and_whose_they_are() -> None:
    document = in_clinic("early", pain_ceiling=4)
    assert rewritten(document, PLAN, as_it_is(document)) == document


def test_the_plans_own_number_chosen_against_the_clinics_is_the_patients_own() -> None:
    document = in_clinic("early", pain_ceiling=4)
    back = rewritten(document, PLAN, as_it_is(document, thresholds={**as_it_is(document).thresholds, "pain_ceiling": 5}))
    assert (back.rules.pain_ceiling, back.rules.sources["pain_ceiling"]) == (5, OWN)
    assert rewritten(back, PLAN, as_it_is(back)) == back
    assert resolved(PLAN, "intermediate", back, clinic={"pain_ceiling": 4}).rules.pain_ceiling == 5
