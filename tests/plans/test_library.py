"""The plan that comes with the product: without mistakes, complete, and equal to the agreed clinical numbers."""

from __future__ import annotations

import tomllib
from typing import Any, get_args

import pytest

from plans.loading import LIBRARY, check_file, load_library
from plans.model import CarePlan, Dose, Exercise, Weekday, prescribe
from tests.plans.agreed import EXERCISES, NUMBERS, STAGE_NUMBERS

HAMSTRING = LIBRARY / "proximal_hamstring_tendinopathy.toml"
EVERY_DAY = get_args(Weekday)
STAGES = ("early", "intermediate", "advanced")


@pytest.fixture(scope="module")
def plan() -> CarePlan:
    return load_library()["proximal_hamstring_tendinopathy"]


def value_at(part: object, dotted: str) -> Any:
    for name in dotted.split("."):
        part = getattr(part, name)
    return part


def exercise_of(plan: CarePlan, exercise_id: str) -> tuple[str, Exercise]:
    return next((stage.id, each) for stage in plan.stages for each in stage.exercises if each.id == exercise_id)


def written(dose: Dose) -> dict[str, Any]:
    return dose.model_dump(exclude_none=True, exclude={"tempo", "load"})


def test_every_file_of_the_library_has_no_mistakes() -> None:
    assert [error for path in LIBRARY.glob("*.toml") for error in check_file(path)] == []


def test_it_has_exactly_the_three_plans_of_the_page_in_order(plan: CarePlan) -> None:
    assert [stage.title for stage in plan.stages] == ["Early Plan", "Intermediate Plan", "Advanced Plan"]


def test_it_says_that_no_clinician_has_reviewed_it(plan: CarePlan) -> None:
    assert plan.reviewed_by_clinician is False


@pytest.mark.parametrize("dotted", NUMBERS)
def test_each_number_of_the_rules_is_the_agreed_one(plan: CarePlan, dotted: str) -> None:
    assert value_at(plan, dotted) == NUMBERS[dotted]


@pytest.mark.parametrize("dotted", STAGE_NUMBERS)
def test_each_number_of_the_stages_is_the_agreed_one(plan: CarePlan, dotted: str) -> None:
    assert tuple(value_at(plan.stage(stage), dotted) for stage in STAGES) == STAGE_NUMBERS[dotted]


def test_the_plyometric_block_is_suggested_when_the_intermediate_pattern_has_held_for_14_days(plan: CarePlan) -> None:
    pattern = plan.stage("intermediate").progression.model_copy(update={"min_days": 14, "checklist": ()})
    assert plan.stage("advanced").plyometric_unlock == pattern


@pytest.mark.parametrize("exercise_id", EXERCISES)
def test_each_exercise_has_the_agreed_stage_type_dose_and_side(plan: CarePlan, exercise_id: str) -> None:
    stage, exercise = exercise_of(plan, exercise_id)
    assert (stage, exercise.type, written(exercise.dose), exercise.side) == EXERCISES[exercise_id]


def test_it_has_no_exercise_beyond_the_agreed_ones(plan: CarePlan) -> None:
    assert [each.id for stage in plan.stages for each in stage.exercises] == list(EXERCISES)


@pytest.mark.parametrize("exercise_id", EXERCISES)
def test_each_exercise_has_a_ladder_of_at_least_three_rungs(plan: CarePlan, exercise_id: str) -> None:
    assert len(exercise_of(plan, exercise_id)[1].rungs) >= 3


@pytest.mark.parametrize(
    ("exercise_id", "doses"),
    [
        ("E1", ["5x30", "5x45", "5x45", "5x45", "5x30", "5x30"]),
        ("E2", ["4x30", "4x45", "4x45"]),
        ("E3", ["2x12", "3x12", "3x12"]),
        ("I1", ["3x12", "3x15", "3x8", "3x12", "4x8"]),
        ("I2", ["3x8", "3x10", "3x12", "3x8"]),
        ("I3", ["3x15", "3x12", "4x10", "4x8"]),
        ("A1", ["3x8", "3x8", "3x8", "4x6"]),
        ("A2", ["3x8", "3x8", "4x8"]),
        ("A4", ["3x5", "3x6", "3x8"]),
        ("P1", ["3x20", "3x20", "4x20"]),
    ],
)
def test_the_ladders_go_up_as_agreed(plan: CarePlan, exercise_id: str, doses: list[str]) -> None:
    ladder = [rung.dose for rung in exercise_of(plan, exercise_id)[1].rungs]
    assert [f"{dose.sets}x{dose.reps or dose.hold_s or dose.dist_m}" for dose in ladder] == doses


def test_the_hardest_jumping_rung_stays_under_sixty_landings(plan: CarePlan) -> None:
    landings = [rung.dose.sets * (rung.dose.reps or 0) for rung in exercise_of(plan, "P2")[1].rungs]
    assert max(landings) <= 60


@pytest.mark.parametrize(
    ("exercise_id", "easier"),
    [
        ("E1", {"sets": 5, "hold_s": 15, "rest_s": 60, "effort_pct": 50}),
        ("E2", {"sets": 3, "hold_s": 15, "rest_s": 60, "effort_pct": 30}),
        ("E3", {"sets": 2, "reps": 8, "rest_s": 60}),
        ("E4", {"sets": 3, "hold_s": 10, "rest_s": 30}),
        ("I1", {"sets": 2, "reps": 10, "rest_s": 120}),
        ("I3", {"sets": 2, "reps": 10, "rest_s": 120}),
        ("A2", {"sets": 3, "reps": 12, "rest_s": 150}),
    ],
)
def test_the_easier_doses_that_are_agreed_are_the_agreed_ones(plan: CarePlan, exercise_id: str, easier: dict[str, int]) -> None:
    assert written(exercise_of(plan, exercise_id)[1].easier_dose) == easier


@pytest.mark.parametrize("exercise_id", ["I2", "I4", "A1", "A3", "A4", "P2", "P3", "P1"])
def test_where_no_easier_dose_is_agreed_it_is_a_fifth_to_a_third_less(plan: CarePlan, exercise_id: str) -> None:
    exercise = exercise_of(plan, exercise_id)[1]
    usual, easier = (dose.sets * (dose.reps or dose.dist_m or 0) for dose in (exercise.dose, exercise.easier_dose))
    assert 20 <= 100 - 100 * easier / usual <= 30


def test_the_week_of_each_stage_is_the_agreed_one(plan: CarePlan) -> None:
    week = {(stage.id, slot.number): (slot.days, slot.exercises, slot.min_gap_h) for stage in plan.stages for slot in stage.slots}
    assert week == {
        ("early", 1): (EVERY_DAY, ("E1", "E2", "E4"), 0),
        ("early", 2): (EVERY_DAY, ("E1",), 0),
        ("intermediate", 1): (("mon", "wed", "fri"), ("I1", "I2", "I3", "I4"), 48),
        ("intermediate", 2): (("tue", "thu", "sat"), ("E1",), 0),
        ("advanced", 1): (("mon", "fri"), ("A1", "A2", "A3", "A4"), 48),
        ("advanced", 2): (("wed",), ("P1", "P2", "P3"), 48),
    }


def test_only_the_holds_on_days_off_count_for_nothing_and_only_the_plyometric_slot_is_locked(plan: CarePlan) -> None:
    slots = {(stage.id, slot.number): (slot.optional, slot.prompted, slot.locked) for stage in plan.stages for slot in stage.slots}
    main, extra, apart, locked = (False, True, False), (False, False, False), (True, False, False), (False, True, True)
    assert slots == {
        ("early", 1): main,
        ("early", 2): extra,
        ("intermediate", 1): main,
        ("intermediate", 2): apart,
        ("advanced", 1): main,
        ("advanced", 2): locked,
    }


def test_the_evening_leg_lift_comes_on_three_days(plan: CarePlan) -> None:
    early = prescribe(plan, "early")
    found = [day for day in EVERY_DAY if "E3" in {item.exercise.id for item in early.for_day(2, day)}]
    assert found == ["mon", "wed", "fri"]


@pytest.mark.parametrize("stage_id", STAGES)
def test_each_stage_can_be_prescribed_and_its_exercises_start_on_the_first_rung(plan: CarePlan, stage_id: str) -> None:
    prescription = prescribe(plan, stage_id, flare_plan_signed=True)
    assert prescription.flare_plan
    assert all(item.rung == item.exercise.rungs[0].id for item in prescription.exercises if item.started)
    assert all(prescription.for_day(slot.number, day) for slot in prescription.slots for day in slot.days)


def test_the_hip_hinge_waits_until_its_first_rung_is_approved(plan: CarePlan) -> None:
    before, after = prescribe(plan, "intermediate"), prescribe(plan, "intermediate", rungs={"I4": "I4_1"})
    assert [item.exercise.id for item in before.for_day(1, "mon")] == ["I1", "I2", "I3"]
    waiting = before.exercise("I4").next_rung
    assert waiting is not None
    assert waiting.id == "I4_1"
    assert [item.exercise.id for item in after.for_day(1, "mon")] == ["I1", "I2", "I3", "I4"]


def test_plyometrics_are_absent_until_a_clinician_unlocks_them(plan: CarePlan) -> None:
    locked, opened = prescribe(plan, "advanced"), prescribe(plan, "advanced", plyometrics_unlocked=True)
    assert {item.exercise.type for item in locked.exercises} == {"isotonic"}
    assert [(item.exercise.id, item.rung) for item in opened.for_day(2, "wed")] == [("P1", "P1_1"), ("P2", "P2_1"), ("P3", "P3_1")]


def test_a_rung_decides_the_dose_and_the_top_rung_has_no_next(plan: CarePlan) -> None:
    item = prescribe(plan, "intermediate", rungs={"I3": "I3_4"}).exercise("I3")
    assert (item.dose.sets, item.dose.reps, item.next_rung) == (4, 8, None)


def test_the_return_to_running_has_ten_locked_steps(plan: CarePlan) -> None:
    assert plan.return_to_run is not None
    assert plan.return_to_run.locked
    assert len(plan.return_to_run.steps) == 10


def test_enrolment_asks_all_that_was_agreed(plan: CarePlan) -> None:
    assert {question.id: question.must_be for question in plan.eligibility} == {
        "adult": True,
        "diagnosed_by_clinician": True,
        "acute_tear": False,
        "post_operative": False,
        "adolescent": False,
        "open_red_flag": False,
        "fluoroquinolone_asked": True,
    }


@pytest.mark.parametrize("stage_id", STAGES)
def test_the_advice_above_the_ceiling_is_to_do_less_until_it_settles(plan: CarePlan, stage_id: str) -> None:
    advice = plan.stage(stage_id).advice_red
    less = ("hold for a shorter time", "press more gently") if stage_id == "early" else ("less resistance", "fewer repetitions")
    assert all(words in advice for words in (*less, "settles"))


def test_the_flare_plan_carries_the_numbers_of_the_rules(plan: CarePlan) -> None:
    for words in (
        "above 5",
        "gap of 7 days",
        "until 2 exercise days have settled",
        "to 8 or more",
        "the pain you are being treated for, not tired muscles",
    ):
        assert words in plan.flare_plan


def test_what_the_page_fixes_names_the_page_as_its_source(plan: CarePlan) -> None:
    for key in ("pain_ceiling", "session_pain.amber_max", "review.planned_review_days", "review.late_review_days"):
        assert plan.rules.sources[key] == "SEED"


def test_no_patient_text_uses_words_of_the_trade_or_frightens() -> None:
    with HAMSTRING.open("rb") as file:
        raw = tomllib.load(file)
    texts = [str(raw["flare_plan"])]
    for stage in raw["stages"]:
        texts += [stage["goal"], stage["advice_green"], stage["advice_amber"], stage["advice_red"]]
        for exercise in stage["exercises"]:
            texts += [exercise["how"], exercise["easier"], exercise["harder"], *(rung["text"] for rung in exercise["rungs"])]
    texts += [tip["text"] for tip in raw["tips"]]
    for word in ("isotonic", "eccentric", "flexion", "damage", "injury", "danger", "compliance", "must not", "failed"):
        assert not [text for text in texts if word in text.lower()], word


def test_no_sentence_for_patients_is_longer_than_thirty_words(plan: CarePlan) -> None:
    texts = [plan.flare_plan, *(tip.text for tip in plan.tips)]
    texts += [text for stage in plan.stages for each in stage.exercises for text in (each.how, each.easier, each.harder)]
    sentences = [sentence for text in texts for sentence in text.replace("?", ".").replace("!", ".").split(".")]
    assert max(len(sentence.split()) for sentence in sentences) <= 30
