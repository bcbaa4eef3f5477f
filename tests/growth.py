"""How the cost of something grows with its size: a ratio within one run, which is the same on a slow machine."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

TIMES_LARGER = 8
TOO_STEEP = 30
"""Cost that grows as the size does is about eight times as much; what looks at everything once for each part, sixty-four times."""


def times_dearer(work: Callable[[int], object], size: int) -> float:
    """How many times as much CPU `work` takes at `size` as at an eighth of it: the best of a few tries, since another's work disturbs."""
    small, large = (min(_cpu_s(work, each) for _ in range(2)) for each in (size // TIMES_LARGER, size))
    return large / max(small, 1e-4)


def _cpu_s(work: Callable[[int], object], size: int) -> float:
    began = process_time()
    work(size)
    return process_time() - began
