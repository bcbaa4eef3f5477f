"""One score against the thresholds: band, settled, worse, and the safety question."""

from __future__ import annotations

import pytest

from bot_service.clinical.pain import Band, band, in_band_advice_key, safety_question_due, settled, settled_day, worse
from tests.builders import TODAY, a_plan, ago, an_episode, week

RULES = a_plan().rules


@pytest.mark.parametrize(
    ("score", "expected", "advice"),
    [
        (0, "green", "green"),
        (3, "green", "green"),
        (4, "amber", "amber"),
        (5, "amber", "amber"),
        (6, "red", "red"),
        (7, "red", "red"),
        (8, "severe", "red"),
        (10, "severe", "red"),
    ],
)
def test_five_is_allowed_and_six_is_not(score: int, expected: Band, advice: str) -> None:
    assert band(score, RULES) == expected
    assert in_band_advice_key(score, RULES) == f"advice_{advice}"


@pytest.mark.parametrize(
    ("score", "baseline", "expected"),
    [
        (None, 2, None),
        (0, 0, True),
        (1, 0, True),
        (2, 0, False),
        (2, 2, True),
        (3, 2, False),
        (5, 5, True),
        (3, None, None),
        (6, None, False),
    ],
)
def test_settled_is_back_to_usual_with_a_floor_of_one(score: int | None, baseline: int | None, expected: bool | None) -> None:
    assert settled(score, baseline, RULES) is expected


@pytest.mark.parametrize(
    ("score", "baseline", "expected"),
    [
        (None, 2, None),
        (2, 0, False),
        (3, 0, True),
        (3, 1, True),
        (3, 2, False),
        (4, 2, True),
        (5, 4, False),
        (6, 5, True),
        (4, None, None),
        (6, None, True),
    ],
)
def test_worse_is_two_above_usual_or_above_the_ceiling(score: int | None, baseline: int | None, expected: bool | None) -> None:
    assert worse(score, baseline, RULES) is expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [("done 5/2", True), ("done 6/2", False), ("done 2/3", False), ("done 2", None), ("done /2", None), ("done 7", False)],
)
def test_a_settled_day_had_an_allowed_session_and_a_settled_next_day(day: str, expected: bool | None) -> None:
    record = an_episode(week(day))
    assert settled_day(record.loading_days[0], 2, RULES) is expected


@pytest.mark.parametrize(
    ("history", "score", "due"),
    [
        ("-", 7, False),
        ("-", 8, True),
        ("done 2, -", 4, False),
        ("done 2, -", 5, True),
        ("done 2, done, -", 5, True),
        ("done 5, -", 7, False),
        ("done 5, -", 8, True),
        ("extra 1, -", 4, False),
        ("done 4, done 1", 6, False),
    ],
)
def test_the_safety_question_is_due_at_eight_or_after_a_jump_of_three(history: str, score: int, due: bool) -> None:
    assert safety_question_due(an_episode(week(history)), score) is due


def test_the_jump_is_measured_from_before_the_day_of_the_answer() -> None:
    record = an_episode(week("done 1, done 4, done 4"))
    assert safety_question_due(record, 4, on=ago(1))
    assert not safety_question_due(record, 4, on=TODAY)
