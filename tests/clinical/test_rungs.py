"""C0: the next rung of an exercise is due after two settled weeks at the present one."""

from __future__ import annotations

from datetime import date

import pytest

from bot_service.clinical.progression import standing
from bot_service.clinical.record import Record
from bot_service.clinical.rungs import next_rung
from plans.model import prescribe
from tests.builders import a_plan, a_prescription, ago, an_episode, days_of


def due(record: Record) -> dict[str | None, str | None]:
    return {proposal.exercise: proposal.rung for proposal in standing(record, a_plan(), ()).rungs}


def hsr(pattern: str, days: int = 15, *, baseline: int | None = 2, rung_since: dict[str, date] | None = None) -> Record:
    """An Intermediate history: three strength days a week."""
    return an_episode(days_of(pattern, days), stage="intermediate", baseline=baseline, rung_since=rung_since)


@pytest.mark.parametrize(
    ("pattern", "days", "is_due"),
    [
        ("done 3/2, -", 15, True),
        ("done 3/2, -", 14, False),
        ("done 4/2, -", 15, False),
        ("done 3/3, -", 15, False),
        ("done 3, -", 15, False),
        ("done 3/2, -, done 3, -", 15, True),
        ("done 3/2, -, no, -, no, -", 18, False),
        ("done 3/2, -, no, -, done 2/1, -", 18, True),
        ("paused", 20, False),
        ("extra 1/1", 20, False),
    ],
)
def test_two_settled_weeks_at_a_rung_make_the_next_one_due(pattern: str, days: int, is_due: bool) -> None:
    assert ("I1" in due(hsr(pattern, days))) is is_due


def test_each_of_the_two_weeks_needs_a_settled_day() -> None:
    assert (
        due(hsr("done 2/1, -, done 2/1, paused, paused, paused, paused, paused, paused, paused, paused, paused, paused, paused", 28)) == {}
    )


def test_an_exercise_moved_up_lately_waits_for_its_own_two_weeks() -> None:
    rungs = due(hsr("done 2/1, -", 29, rung_since={"I1": ago(13), "I2": ago(14)}))
    assert "I1" not in rungs
    assert rungs["I2"] == "I2_2"


def test_an_exercise_that_starts_later_is_due_at_its_first_rung() -> None:
    assert due(hsr("done 2/1, -"))["I4"] == "I4_1"


def test_the_top_rung_has_no_next() -> None:
    top = {exercise.id: exercise.rungs[-1].id for exercise in a_plan().stage("early").exercises}
    prescription = prescribe(a_plan(), "early", rungs=top)
    assert [next_rung(item) for item in prescription.exercises] == [None] * len(prescription.exercises)
    assert due(an_episode(days_of("done 1/1", 20), prescription=prescription)) == {}


def test_an_unlocked_plyometric_exercise_climbs_like_any_other() -> None:
    history = days_of("done 2/1, -, - + done 2/1, -, done 1/1, -, -", 21)
    record = an_episode(history, stage="advanced", prescription=a_prescription("advanced", unlocked=True))
    assert due(record)["P1"] == "P1_2"


def test_without_a_known_usual_pain_no_rung_is_due() -> None:
    assert due(hsr("done 1/1, -", baseline=None)) == {}


def test_a_due_rung_is_the_proposal_when_no_stage_step_is() -> None:
    now = standing(hsr("done 2/1, -"), a_plan(), ())
    assert now.proposal
    assert (now.proposal.rule, now.proposal.exercise, now.proposal.rung, now.proposal.to_stage) == ("C0", "I1", "I1_2", None)
    assert now.proposal.evidence
