"""How tests wait for what must come: much longer than any machine needs, since only what never comes may fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENT_S = 120.0
"""Nothing that comes takes a hundredth of this on a quick machine."""


def wait_for(condition: Callable[[], T | None], what: str, seconds: float = PATIENT_S) -> T:
    """What `condition` answers as soon as that is true. Fails when it takes too long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for {what}")


async def come(condition: Callable[[], T | None], what: str, seconds: float = PATIENT_S) -> T:
    """The same where other tasks must go on meanwhile: `condition` is asked in a thread."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := await asyncio.to_thread(condition):
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for {what}")
