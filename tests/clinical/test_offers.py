"""Rungs that a clinician allowed beforehand: what the patient may be offered, when, and what stays a clinician's decision."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_service.clinical.offers import PastOffer, next_offer
from bot_service.clinical.progression import BLOCKERS, standing
from bot_service.clinical.record import Record
from plans.model import prescribe
from tests.builders import a_plan, a_prescription, ago, an_episode, days_of, later

SETTLED = "done 2/1, -"


def allowed(pattern: str = SETTLED, days: int = 15, stage: str = "intermediate", *, unlocked: bool = False) -> Record:
    """A history on a prescription whose rungs are allowed beforehand."""
    return an_episode(days_of(pattern, days), stage=stage, prescription=a_prescription(stage, preauthorised=True, unlocked=unlocked))


def offered(record: Record, *past: PastOffer, open_rules: tuple[str, ...] = ()) -> str | None:
    found = next_offer(standing(record, a_plan(), open_rules).offers, past, record)
    return found.exercise if found else None


def test_a_due_rung_is_offered_to_the_patient_and_not_put_to_the_clinician() -> None:
    now = standing(allowed(), a_plan(), ())
    assert {each.exercise: each.rung for each in now.offers} == {"I1": "I1_2", "I2": "I2_2", "I3": "I3_2", "I4": "I4_1"}
    assert (now.proposal, now.rungs) == (None, ())
    assert offered(allowed()) == "I1", "one at a time, in the order of the prescription"


def test_without_the_clinicians_agreement_nothing_is_offered() -> None:
    now = standing(an_episode(days_of(SETTLED, 15), stage="intermediate"), a_plan(), ())
    assert now.offers == ()
    assert now.proposal and now.proposal.rule == "C0"


def test_faster_work_stays_with_the_clinician_whatever_was_agreed() -> None:
    now = standing(allowed("done 2/1, -, - + done 2/1, -, done 1/1, -, -", 21, "advanced", unlocked=True), a_plan(), ())
    assert {each.exercise for each in now.offers} == {"A1", "A2", "A3", "A4"}
    assert {each.exercise for each in now.rungs} == {"P1", "P2", "P3"}
    assert now.proposal and now.proposal.exercise == "P1"


@pytest.mark.parametrize("rule", BLOCKERS)
def test_nothing_is_offered_over_an_open_blocker(rule: str) -> None:
    assert offered(allowed(), open_rules=(rule,)) is None


def test_nothing_is_offered_while_a_bigger_step_waits_for_the_clinician() -> None:
    now = standing(allowed("done 1/1", 20, "early"), a_plan(), ())
    assert now.proposal and now.proposal.rule == "C1"
    assert now.offers == ()


@pytest.mark.parametrize(
    ("exercise", "days_ago", "declined", "found"),
    [
        ("I1", 0, False, None),
        ("I1", 6, False, None),
        ("I1", 6, True, None),
        ("I1", 7, False, "I1"),
        ("I1", 7, True, "I2"),
        ("I1", 13, True, "I2"),
        ("I1", 14, True, "I1"),
        ("I2", 7, True, "I1"),
    ],
)
def test_offers_keep_their_distance_and_one_declined_waits_for_a_further_settled_period(
    exercise: str, days_ago: int, declined: bool, found: str | None
) -> None:
    assert offered(allowed(), PastOffer(exercise, ago(days_ago), declined)) == found


def test_the_ladder_ends_at_its_top() -> None:
    top = {exercise.id: exercise.rungs[-1].id for exercise in a_plan().stage("intermediate").exercises}
    record = an_episode(
        days_of(SETTLED, 15), stage="intermediate", prescription=prescribe(a_plan(), "intermediate", rungs=top, rungs_preauthorised=True)
    )
    assert offered(record) is None


@given(
    st.lists(st.sampled_from(["done 2/1", "done 4/1", "done 6/1", "done 2/4", "done 2", "missed", "-", "no"]), min_size=15, max_size=30),
    st.sampled_from(["early", "intermediate", "advanced"]),
    st.integers(0, 10),
)
def test_agreeing_beforehand_changes_who_decides_and_never_what_is_due(days: list[str], stage: str, after: int) -> None:
    pattern = ", ".join(days)
    asked = later(an_episode(days_of(pattern, len(days)), stage=stage), after)
    free = later(an_episode(days_of(pattern, len(days)), stage=stage, prescription=a_prescription(stage, preauthorised=True)), after)
    put, left = standing(asked, a_plan(), ()), standing(free, a_plan(), ())
    bigger = put.proposal is not None and put.proposal.rule != "C0"
    assert left.offers == (() if bigger else put.rungs)
    assert left.rungs == ()
    assert left.proposal == (put.proposal if bigger else None)
