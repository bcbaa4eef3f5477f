"""Return to running on a prescription: a range of the plan's steps that a clinician opened, as one more slot on the free days. Pure."""

from __future__ import annotations

from typing import get_args

from plans.model import PrescribedSlot, Prescription, ReturnToRun
from plans.thresholds import Weekday

RUN_SLOT = 10
"""The slot of a run: a plan's own slots are numbered 1 to 9."""
RUN = "RUN"
"""In the place of an exercise's id: what is offered is a step of the return to running."""

_WEEK: tuple[Weekday, ...] = get_args(Weekday)
_HOURS_A_DAY = 24


def open_running(document: Prescription, course: ReturnToRun | None, steps: tuple[int, int], step: int | None = None) -> Prescription:
    """The prescription with running at `step`, the first one of the opened range without it. Raises ValueError with a sentence."""
    if course is None:
        raise ValueError("this plan has no return to running")
    first, last = steps
    at = first if step is None else step
    if not 1 <= first <= last <= len(course.steps):
        raise ValueError(f"the plan has running steps 1 to {len(course.steps)}; open a range of them, such as 1-4")
    if not first <= at <= last:
        raise ValueError(f"step {at} is not in the opened range")
    without = close_running(document)
    days = _free_days(without, course.min_gap_h)
    if not days:
        raise ValueError("every day of the week has exercises with a message of their own; running needs a free day")
    main = min((slot.at for slot in without.slots if slot.prompted), default=without.slots[0].at)
    slot = PrescribedSlot(number=RUN_SLOT, label="run", days=days, exercises=(), at=main, min_gap_h=course.min_gap_h, optional=True)
    return without.model_copy(
        update={"slots": (*without.slots, slot), "run_steps_open": steps, "run_step": at, "return_to_run": course},
    )


def close_running(document: Prescription) -> Prescription:
    """The prescription without running."""
    slots = tuple(slot for slot in document.slots if slot.number != RUN_SLOT)
    return document.model_copy(update={"slots": slots, "run_steps_open": None, "run_step": None, "return_to_run": None})


def next_run_step(document: Prescription) -> int | None:
    """The step after the present one, as far as the range is open; never the plan's last one, which a clinician alone begins."""
    if document.run_step is None or document.run_steps_open is None or document.return_to_run is None:
        return None
    following = document.run_step + 1
    return following if following <= min(document.run_steps_open[1], len(document.return_to_run.steps) - 1) else None


def run_text(document: Prescription, step: int | None = None) -> str:
    """A step in the plan's words, the present one without `step`. Raises ValueError when running is not open or has no such step."""
    at = document.run_step if step is None else step
    if document.return_to_run is None or at is None or not 1 <= at <= len(document.return_to_run.steps):
        raise ValueError("running is not open at that step")
    return document.return_to_run.steps[at - 1]


def _free_days(document: Prescription, min_gap_h: int) -> tuple[Weekday, ...]:
    """Days without a message of their own, far enough apart all around the week: a run costs no second message on any day."""
    apart = -(-min_gap_h // _HOURS_A_DAY)
    taken = {day for slot in document.slots if slot.prompted for day in slot.days}
    chosen: list[int] = []
    for at in (at for at, day in enumerate(_WEEK) if day not in taken):
        if all(apart <= at - other <= len(_WEEK) - apart for other in chosen):
            chosen.append(at)
    return tuple(_WEEK[at] for at in chosen)
