"""News of a changed plan says what changed: in the patient's language, in a few short lines, and never the same thing twice."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from bot_service.actions.rewriting import Draft, shown_to_patient
from bot_service.conversation.exercise_text import describe_now
from bot_service.conversation.plan_news import MOST, what_changed
from bot_service.conversation.wording import SHIPPED, load_catalogue
from plans.editing import at_rungs
from plans.loading import load_library
from plans.model import Prescription, prescribe

PLAN = load_library()["proximal_hamstring_tendinopathy"]
STAGES = {stage.id: prescribe(PLAN, stage.id, flare_plan_signed=True) for stage in PLAN.stages}
EARLY = STAGES["early"]


def in_english(old: Prescription, new: Prescription) -> list[str]:
    heading, *lines = what_changed(old, new, load_catalogue("en")).splitlines() or ["What is different:"]
    assert heading == "What is different:"
    return lines


def first_slot(document: Prescription, **values: Any) -> Prescription:
    return document.model_copy(update={"slots": (document.slots[0].model_copy(update=values), *document.slots[1:])})


def unprompted(document: Prescription, **values: Any) -> Prescription:
    return document.model_copy(update={"slots": (document.slots[0], document.slots[1].model_copy(update=values))})


def dosed(document: Prescription, name: str, **values: Any) -> Prescription:
    items = (
        item.model_copy(update={"dose": item.dose.model_copy(update=values)}) if item.exercise.id == name else item
        for item in document.exercises
    )
    return document.model_copy(update={"exercises": tuple(items)})


def stricter(document: Prescription, ceiling: int) -> Prescription:
    return document.model_copy(update={"rules": document.rules.model_copy(update={"pain_ceiling": ceiling})})


def at_step(document: Prescription, name: str, number: int) -> Prescription:
    return at_rungs(document, {name: document.exercise(name).exercise.rungs[number - 1].id})


@pytest.mark.parametrize(
    ("new", "line"),
    [
        (first_slot(EARLY, at=time(7)), "• Time: 07:00 (before: 08:30)"),
        (first_slot(EARLY, days=("mon", "thu")), "• Exercise days: Monday, Thursday"),
        (first_slot(EARLY, exercises=("E1", "E2")), "• No longer: Single-leg stand"),
        (first_slot(EARLY, exercises=("E1",)), "• No longer: Lying hamstring press, face down; Single-leg stand"),
        (dosed(EARLY, "E1", sets=4), "• Bridge hold, both feet down: 4 × 30 s hold (before: 5 × 30 s hold)"),
        (dosed(EARLY, "E3", reps=15), "• Side-lying leg lift: 2 × 15 (before: 2 × 12)"),
        (dosed(EARLY, "E1", load="2 kg"), "• Bridge hold, both feet down: 5 × 30 s hold, about 50 % effort, 2 kg, rest 60 s"),
        (dosed(EARLY, "E2", rest_s=90), "• Lying hamstring press, face down: rest 90 s (before: rest 60 s)"),
        (at_step(EARLY, "E1", 2), "• Bridge hold, both feet down: 5 × 45 s hold (before: 5 × 30 s hold)"),
        (at_step(EARLY, "E4", 2), "• Single-leg stand: Stand on one leg with a small knee bend."),
        (stricter(EARLY, 4), "• Stop an exercise if the pain you are being treated for goes above 4 out of 10 (before: 5)"),
        (unprompted(EARLY, days=("mon", "thu")), "• Exercise days (extra): Monday, Thursday"),
        (EARLY.model_copy(update={"flare_plan": None}), "• The advice for days with more pain has changed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_one_thing_that_changed_is_one_line(new: Prescription, line: str) -> None:
    assert in_english(EARLY, new) == [line]


def test_what_the_patient_never_sees_is_no_news() -> None:
    assert in_english(EARLY, EARLY) == []
    unprompted = EARLY.slots[1].model_copy(update={"at": time(20)})
    assert in_english(EARLY, EARLY.model_copy(update={"slots": (EARLY.slots[0], unprompted)})) == []


def test_two_sessions_a_day_are_told_apart() -> None:
    both = prescribe(PLAN, "early", own_prompt=frozenset({2}))
    assert in_english(both, first_slot(both, at=time(7))) == ["• Time (main): 07:00 (before: 08:30)"]
    assert in_english(prescribe(PLAN, "early"), both) == ["• Exercise days (extra): every day"]


@pytest.mark.parametrize("language", SHIPPED)
@pytest.mark.parametrize(("old", "new"), [("early", "intermediate"), ("intermediate", "advanced"), ("intermediate", "early")])
def test_a_new_stage_is_told_in_a_few_lines_and_in_the_patients_language(language: str, old: str, new: str) -> None:
    catalogue = load_catalogue(language)
    told = what_changed(STAGES[old], STAGES[new], catalogue)
    _, *lines = told.splitlines()
    assert 3 <= len(lines) <= MOST + 1 and "${" not in told
    added = {item.exercise.name for item in STAGES[new].exercises} - {item.exercise.name for item in STAGES[old].exercises}
    if language == "en":
        assert [name for name in added if name not in told and STAGES[new].exercise(_id(new, name)).started] == []
    else:
        english = {item.exercise.name for each in (old, new) for item in STAGES[each].exercises}
        assert [name for name in english if name in told] == []


def test_more_than_six_lines_are_cut_and_the_rest_is_one_word_away() -> None:
    lines = in_english(STAGES["early"], stricter(first_slot(STAGES["intermediate"], at=time(9)), 4))
    assert len(lines) == MOST + 1 and lines[-1] == 'There is more. Write "plan" to see your exercises.'


def test_a_lower_ceiling_is_the_first_line_however_much_else_changes() -> None:
    new = stricter(STAGES["intermediate"], 4).model_copy(update={"flare_plan": "Do less, and write to us above 4."})
    lines = in_english(EARLY.model_copy(update={"flare_plan": "Rest, and write to us above 5."}), new)
    assert lines[:2] == [
        "• Stop an exercise if the pain you are being treated for goes above 4 out of 10 (before: 5)",
        "• The advice for days with more pain is now: Do less, and write to us above 4.",
    ]
    same = EARLY.model_copy(update={"flare_plan": "Do less, and write to us above 5."})
    told = stricter(same, 4).model_copy(update={"flare_plan": new.flare_plan})
    assert in_english(same, told) == lines[:1], "the same advice with the new ceiling in it is told once"


def test_a_list_in_arabic_has_the_marks_of_arabic() -> None:
    told = what_changed(EARLY, first_slot(EARLY, exercises=("E1",)), load_catalogue("ar"))
    assert "؛ " in told and ";" not in told


def test_whatever_brings_news_has_something_to_say() -> None:
    changed = [first_slot(EARLY, at=time(7)), first_slot(EARLY, days=("mon",)), dosed(EARLY, "E2", sets=2), stricter(EARLY, 3)]
    for new in changed:
        assert shown_to_patient(Draft(EARLY, new, PLAN)) and in_english(EARLY, new)


def _id(stage: str, name: str) -> str:
    return next(item.exercise.id for item in STAGES[stage].exercises if item.exercise.name == name)


def test_an_exercise_that_moves_to_another_session_is_told() -> None:
    morning, evening = EARLY.slots[:2]
    moved = morning.exercises[-1]
    slots = (
        morning.model_copy(update={"exercises": morning.exercises[:-1]}),
        evening.model_copy(update={"exercises": tuple(dict.fromkeys((*evening.exercises, moved)))}),
    )
    new = EARLY.model_copy(update={"slots": (*slots, *EARLY.slots[2:])})
    assert in_english(EARLY, new) == [f"• {EARLY.exercise(moved).exercise.name}: now part of: extra"]


def test_a_step_on_two_legs_and_its_dose_say_one_thing() -> None:
    words = load_catalogue("en").words
    for number, said in ((1, "Two legs, 12 at a time."), (2, "Two legs, 15 at a time."), (3, "One leg, 8 on each side.")):
        shown = describe_now(at_step(STAGES["intermediate"], "I1", number).exercise("I1"), words)
        assert said in shown and words["each_when_single"] not in shown
    assert words["each_when_single"] in describe_now(STAGES["advanced"].exercise("A4"), words), "its steps do not say on how many legs"
