"""Outcome measures: due when their week has come, and a change is called one only past what has been published."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot_service.clinical.outcome_measures import EARLY_BY, LATE_BY, MEASURES, Value, change_words, due

START = date(2026, 9, 1)


def values(*numbers: int) -> list[Value]:
    return [Value(START + timedelta(weeks=6 * at), number) for at, number in enumerate(numbers)]


@pytest.mark.parametrize(
    ("measure", "numbers", "said"),
    [
        ("psfs", (4,), ""),
        ("psfs", (4, 6), "+2 since the first, not more than chance explains"),
        ("psfs", (4, 6, 7), "+3 since the first: better"),
        ("psfs", (7, 4), "−3 since the first: worse"),
        ("psfs", (4, 4), "as at first"),
        ("visa_h", (40, 80), "+40 since the first"),
        ("visa_h", (40, 30), "−10 since the first"),
        ("change", (1, 3), "+2 since the first"),
    ],
)
def test_better_is_said_only_past_the_published_change(measure: str, numbers: tuple[int, ...], said: str) -> None:
    assert change_words(MEASURES[measure], values(*numbers)) == said


def test_every_measure_says_where_its_number_comes_from() -> None:
    assert all(item.source for item in MEASURES.values())
    assert {item.id for item in MEASURES.values() if item.important is not None} == {"psfs"}


@pytest.mark.parametrize(
    ("day", "taken", "expected"),
    [
        (0, [], [("visa_h", 0), ("psfs", 0)]),
        (6 * 7, [("visa_h", 0), ("psfs", 0)], [("psfs", 6)]),
        (12 * 7 - 1, [("visa_h", 0), ("psfs", 42)], []),
        (12 * 7, [("visa_h", 0), ("psfs", 42)], [("visa_h", 12), ("psfs", 12), ("change", 12)]),
        (12 * 7, [("visa_h", 12 * 7 - EARLY_BY), ("psfs", 12 * 7 - EARLY_BY), ("change", 84)], []),
        (12 * 7, [("visa_h", 12 * 7 - EARLY_BY - 1), ("psfs", 84), ("change", 84)], [("visa_h", 12)]),
        (12 * 7 + LATE_BY, [], [("visa_h", 12), ("psfs", 12), ("change", 12)]),
        (12 * 7 + LATE_BY + 1, [], []),
        (26 * 7, [("visa_h", 84), ("psfs", 84), ("change", 84)], [("visa_h", 26), ("psfs", 26), ("change", 26)]),
    ],
)
def test_a_measure_is_due_from_its_week_until_it_is_taken(day: int, taken: list[tuple[str, int]], expected: list[tuple[str, int]]) -> None:
    found = due(START, START + timedelta(days=day), [(name, START + timedelta(days=at)) for name, at in taken])
    assert [(item.id, week) for item, week in found] == expected
