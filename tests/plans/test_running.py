"""Return to running on a prescription: which days, which steps, and what is refused."""

from __future__ import annotations

import pytest

from plans.model import Prescription
from plans.running import RUN_SLOT, close_running, next_run_step, open_running, run_text
from tests.builders import a_plan, a_prescription


def opened(first: int, last: int, step: int | None = None, stage: str = "intermediate", *, unlocked: bool = False) -> Prescription:
    return open_running(a_prescription(stage, unlocked=unlocked), a_plan().return_to_run, (first, last), step)


@pytest.mark.parametrize(("stage", "unlocked"), [("intermediate", False), ("advanced", False), ("advanced", True)])
def test_a_run_falls_on_a_free_day_and_48_hours_from_the_next(stage: str, unlocked: bool) -> None:
    document = opened(1, 4, stage=stage, unlocked=unlocked)
    (run,) = [slot for slot in document.slots if slot.number == RUN_SLOT]
    assert run.days == ("tue", "thu", "sat") and run.min_gap_h == 48 and run.optional and run.prompted
    others = {day for slot in document.slots if slot.prompted and slot is not run for day in slot.days}
    assert not others & set(run.days)


def test_running_begins_at_the_first_step_of_the_range_and_closing_takes_it_all_away() -> None:
    document = opened(2, 4)
    assert (document.run_step, document.run_steps_open) == (2, (2, 4))
    assert run_text(document) == "8 times: 1 minute of easy jogging, then 2 minutes of walking."
    assert close_running(document) == a_prescription("intermediate")


@pytest.mark.parametrize(
    ("first", "last", "step", "following"), [(1, 3, 1, 2), (1, 3, 3, None), (1, 10, 8, 9), (1, 10, 9, None), (10, 10, 10, None)]
)
def test_the_next_step_is_inside_the_range_and_never_the_last_one(first: int, last: int, step: int, following: int | None) -> None:
    assert next_run_step(opened(first, last, step)) == following


@pytest.mark.parametrize(("first", "last", "step"), [(0, 3, None), (1, 11, None), (3, 2, None), (1, 3, 4)])
def test_a_range_or_a_step_that_the_plan_does_not_have_is_refused(first: int, last: int, step: int | None) -> None:
    with pytest.raises(ValueError, match="range"):
        opened(first, last, step)


def test_a_week_without_a_free_day_has_no_room_for_running() -> None:
    with pytest.raises(ValueError, match="free day"):
        opened(1, 3, stage="early")


def test_without_running_there_is_no_step() -> None:
    assert next_run_step(a_prescription("advanced")) is None
    with pytest.raises(ValueError, match="not open"):
        run_text(a_prescription("advanced"))
