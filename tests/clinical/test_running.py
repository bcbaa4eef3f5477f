"""Return to running: when the next step may be offered, and what a hard run calls for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bot_service.clinical.record import Record
from bot_service.clinical.running import after_run, due_step
from plans.running import RUN, RUN_SLOT, open_running
from tests.builders import a_plan, a_prescription, ago, an_episode, days_of


def runner(pattern: str, *, opened: tuple[int, int] = (1, 3), step: int = 1, since: date | None = None) -> Record:
    """Somebody who ran instead of everything else in a history; the last run was yesterday or the day before."""
    document = open_running(a_prescription("intermediate", signed=True), a_plan().return_to_run, opened, step)
    record = an_episode(days_of(pattern, 12), stage="intermediate", baseline=1, prescription=document, rung_since={RUN: since or ago(30)})
    return replace(record, sessions=tuple(replace(item, slot=RUN_SLOT, optional=True) for item in record.sessions))


def step_of(record: Record, *rules: str, declined: date | None = None) -> str | None:
    found = due_step(record, rules, declined)
    return found.rung if found else None


@pytest.mark.parametrize(
    ("pattern", "is_due"),
    [
        ("done 2/1, -", True),
        ("done 5/1, -", True),
        ("done 6/1, -", False),
        ("done 2/3, -", False),
        ("done 2, -", False),
        ("partly 2/1, -", False),
        ("no, -", False),
    ],
)
def test_two_settled_runs_make_the_next_step_due(pattern: str, is_due: bool) -> None:
    assert (step_of(runner(pattern)) == "2") is is_due


def test_one_settled_run_at_the_step_is_not_enough() -> None:
    record = runner("done 2/1, -")
    last = max(session.day for session in record.sessions)
    assert step_of(runner("done 2/1, -", since=last)) is None


def test_after_a_not_yet_it_takes_as_many_runs_again() -> None:
    record = runner("done 2/1, -")
    days = sorted(session.day for session in record.sessions)
    assert step_of(record, declined=days[-1]) is None
    assert step_of(record, declined=days[-2]) == "2"


def test_a_run_while_the_easier_version_applies_does_not_count() -> None:
    calm = runner("done 2/1, -")
    days = sorted(session.day for session in calm.sessions)
    hard = replace(calm, sessions=tuple(replace(item, pain=7) if item.day == days[-3] else item for item in calm.sessions))
    assert step_of(calm) == "2" and step_of(hard) is None


@pytest.mark.parametrize(("opened", "step"), [((1, 3), 3), ((1, 10), 9), ((10, 10), 10)])
def test_no_step_beyond_the_range_nor_the_last_one(opened: tuple[int, int], step: int) -> None:
    assert step_of(runner("done 2/1, -", opened=opened, step=step)) is None


@pytest.mark.parametrize("rule", ["D1", "A4", "B3", "A3", "B4"])
def test_nothing_is_due_over_an_open_blocker(rule: str) -> None:
    assert step_of(runner("done 2/1, -"), rule) is None


@pytest.mark.parametrize(
    ("score", "entry", "step", "calls_for"),
    [
        (5, "pain_during", 2, None),
        (6, "pain_during", 2, "back"),
        (6, "pain_during", 1, "stay"),
        (8, "pain_during", 2, "wait"),
        (1, "pain_24h", 2, None),
        (2, "pain_24h", 2, "back"),
    ],
)
def test_a_hard_run_calls_for_the_same_step_or_the_one_before(score: int, entry: str, step: int, calls_for: str | None) -> None:
    record = runner("done 2/1, -", step=step)
    day = max(session.day for session in record.sessions)
    assert after_run(score, entry, day, RUN_SLOT, record) == calls_for
    assert after_run(score, entry, ago(60), 1, record) is None
