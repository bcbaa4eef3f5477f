"""What something costs as a ratio within one run, which is the same on a slow machine: to its own size, or to the machine."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time

TIMES_LARGER = 8
TOO_STEEP = 30
"""Cost that grows as the size does is about eight times as much; what looks at everything once for each part, sixty-four times."""

USUAL_WORK_S = 0.0155
"""CPU seconds of `_usual_work` at 20,000 on two idle cores of the machine of docs/understanding.md."""


def times_dearer(work: Callable[[int], object], size: int) -> float:
    """How many times as much CPU `work` takes at `size` as at an eighth of it: the best of a few tries, since another's work disturbs."""
    small, large = (min(_cpu_s(work, each) for _ in range(2)) for each in (size // TIMES_LARGER, size))
    return large / max(small, 1e-4)


def times_slower() -> float:
    """How many times as long this machine takes now as the one on which our figures in seconds stand; 1 where it is quicker."""
    return max(1.0, median(_cpu_s(_usual_work, 20_000) for _ in range(5)) / USUAL_WORK_S)


def _usual_work(size: int) -> None:
    """What a service does all day: it cuts, joins and looks up words."""
    found: dict[str, list[str]] = {}
    for number in range(size):
        words = f"{number} pain {number % 11}"
        found[words[:6]] = words.lower().split()


def _cpu_s(work: Callable[[int], object], size: int) -> float:
    began = process_time()
    work(size)
    return process_time() - began
