"""Another version of a plan for one patient: the version's own content, with what was made different for the patient carried over."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from bot_service.actions.prescribing import in_version, resolved, with_own_words
from bot_service.web.version_changes import version_changes
from plans.checks import examine_tables
from plans.editing import Unfit, at_rungs, rewritten
from plans.loading import LIBRARY, load_words_for
from plans.model import CarePlan, Prescription, prescribe
from plans.running import open_running
from plans.tongues import in_words
from tests.plans.test_editing import ADVANCED, EARLY, PLAN, as_it_is

INTERMEDIATE = prescribe(PLAN, "intermediate", {1: time(9)}, flare_plan_signed=True)
Tables = dict[str, Any]


def newer(change: Callable[[Tables], object] = lambda _: None) -> CarePlan:
    """The shipped plan as a later version, with one thing changed in its file."""
    tables = tomllib.loads((LIBRARY / f"{PLAN.id}.toml").read_text(encoding="utf-8"))
    tables["version"] = "9.0.0"
    change(tables)
    return examine_tables(tables, "newer.toml")


def released() -> CarePlan:
    """Version 0.2.0 as a database has it that was filled before the service kept texts as they are written."""
    tables = tomllib.loads((LIBRARY / f"{PLAN.id}.toml").read_text(encoding="utf-8"))
    tables |= {"version": "0.2.0", **tables["earlier"]["0.2.0"]}
    return examine_tables(tables, "released.toml").model_copy(update={"flare_plan_written": ""})


def stage(tables: Tables, name: str) -> Tables:
    found: Tables = next(each for each in tables["stages"] if each["id"] == name)
    return found


def exercise(tables: Tables, name: str) -> Tables:
    found: Tables = next(item for each in tables["stages"] for item in each["exercises"] if item["id"] == name)
    return found


def move(old: Prescription, plan: CarePlan) -> Prescription:
    return in_version(old, PLAN, plan, {})


def test_a_version_in_which_nothing_differs_changes_nothing_but_its_number() -> None:
    opened = open_running(prescribe(PLAN, "intermediate", plyometrics_unlocked=True), PLAN.return_to_run, (1, 3), 2)
    for old in (EARLY, INTERMEDIATE, ADVANCED, prescribe(PLAN, "advanced", plyometrics_unlocked=True, treated_side="left"), opened):
        assert move(old, newer()) == old.model_copy(update={"plan_version": "9.0.0"})
        assert [each.what for each in version_changes(old, move(old, newer()))] == ["Plan version"]


def test_an_evening_session_that_the_patient_chose_to_be_messaged_about_keeps_nobody_from_another_version() -> None:
    evening = prescribe(PLAN, "early", {1: time(8), 2: time(19, 15)}, own_prompt=frozenset({2}), flare_plan_signed=True)
    assert move(evening, newer()) == evening.model_copy(update={"plan_version": "9.0.0"})
    assert [slot.at for slot in move(evening, newer()).slots if slot.prompted] == [time(8), time(19, 15)]


def test_what_was_written_for_the_patient_goes_along_and_everything_else_is_the_new_versions() -> None:
    def change(tables: Tables) -> None:
        exercise(tables, "I3")["rungs"][1]["dose"]["sets"] = 5
        exercise(tables, "I3")["how"] = "Lie on your front."
        stage(tables, "intermediate")["slots"][0]["label"] = "weights"
        tables["rules"]["review"]["silent_days"] = 9

    slots = as_it_is(INTERMEDIATE).slots
    own = as_it_is(
        at_rungs(INTERMEDIATE, {"I3": "I3_2"}),
        slots={1: replace(slots[1], days=("tue", "thu", "sat"), exercises=("I3", "E2"))},
        doses={"I3": {"load": "6 kg at the ankle", "rest_s": 100}},
        thresholds={"pain_ceiling": 4},
        treated_side="left",
    )
    old = rewritten(at_rungs(INTERMEDIATE, {"I3": "I3_2"}), PLAN, own)
    new = move(old, newer(change))
    (slot,) = new.slots
    assert (slot.days, slot.exercises, slot.at, slot.label) == (("tue", "thu", "sat"), ("I3", "E2"), time(9), "weights")
    item = new.exercise("I3")
    assert (item.rung, item.dose.sets, item.dose.rest_s, item.dose.load) == ("I3_2", 5, 100, "6 kg at the ankle")
    assert (item.exercise.how, item.treated_side) == ("Lie on your front.", "left")
    assert (new.rules.pain_ceiling, new.rules.review.silent_days, new.thresholds) == (4, 9, {"pain_ceiling": 4})
    said = {each.what: (each.before, each.after) for each in version_changes(old, new)}
    assert said["Silent days that raise a flag"] == ("7", "9")
    assert said["Weights: name of the session"] == ("strength", "weights")
    assert said[f"{item.exercise.name}: how to do it"][1] == "Lie on your front."


def test_a_ladder_that_is_shorter_now_ends_at_its_last_step_and_what_joins_later_has_not_begun() -> None:
    top = at_rungs(INTERMEDIATE, {"I1": PLAN.stage("intermediate").exercises[0].rungs[-1].id})
    plan = newer(lambda tables: exercise(tables, "I1").update(rungs=exercise(tables, "I1")["rungs"][:2]))
    assert move(top, plan).exercise("I1").rung == "I1_2"
    assert not INTERMEDIATE.exercise("I4").started and not move(INTERMEDIATE, newer()).exercise("I4").started
    begun = at_rungs(INTERMEDIATE, {"I4": "I4_1"})
    assert move(begun, newer()).exercise("I4").started


def test_running_goes_on_in_the_versions_words_and_is_closed_where_it_has_no_such_step() -> None:
    open_now = open_running(ADVANCED, PLAN.return_to_run, (8, 10), 9)
    other = newer(lambda tables: tables["return_to_run"]["steps"].__setitem__(8, "Ten short sprints on grass."))
    moved = move(open_now, other)
    assert moved.run_step == 9 and moved.return_to_run == other.return_to_run
    assert "Ten short sprints on grass." in [each.after for each in version_changes(open_now, moved)]


def test_a_version_without_the_stage_keeps_the_patient_where_they_are() -> None:
    def change(tables: Tables) -> None:
        found = stage(tables, "early")
        found["id"] = "first"
        for key in [key for key in tables["rules"]["sources"] if key.startswith("stages.early.")]:
            tables["rules"]["sources"][key.replace(".early.", ".first.")] = tables["rules"]["sources"].pop(key)

    with pytest.raises(Unfit, match=r"has no stage “Early Plan”\. Stay on version 0"):
        move(EARLY, newer(change))


def test_a_kept_version_tells_its_flare_plan_and_translations_with_its_own_numbers_whatever_the_file_says_now() -> None:
    kept = newer(lambda tables: tables.update(flare_plan="Above {ceiling}: the easier version. At {severe_min}: leave it out."))
    signed = rewritten(prescribe(kept, "early", flare_plan_signed=True), kept, as_it_is(EARLY, thresholds={"pain_ceiling": 4}))
    assert resolved(kept, "intermediate", signed).flare_plan == "Above 4: the easier version. At 8: leave it out."
    numbers = newer(lambda tables: tables["rules"]["deload"].update(settled_days_to_return=3))
    spanish = in_words(prescribe(numbers, "early", flare_plan_signed=True), load_words_for(prescribe(numbers, "early"), "es"))
    assert spanish.flare_plan is not None and spanish.flare_plan != numbers.flare_plan and "3" in spanish.flare_plan


@pytest.mark.parametrize("code", ["ar", "es", "hi", "pl"])
def test_a_flare_plan_of_the_released_version_is_told_in_the_patients_language_with_their_own_ceiling(code: str) -> None:
    kept = released()
    for own in ({}, {"pain_ceiling": 4}):
        signed = with_own_words(rewritten(prescribe(kept, "early", flare_plan_signed=True), kept, as_it_is(EARLY, thresholds=own)), kept)
        assert signed.flare_plan is not None and f"a session above {own.get('pain_ceiling', 5)}" in signed.flare_plan
        told = in_words(signed, load_words_for(signed, code))
        assert told.flare_plan is not None and "easier" not in told.flare_plan and f"{own.get('pain_ceiling', 5)}" in told.flare_plan
        newest = in_words(prescribe(PLAN, "early", flare_plan_signed=True), load_words_for(EARLY, code))
        assert told.flare_plan != newest.flare_plan, "the words that were signed, not those of today"
