"""The only place that reads time: the domain clock, which the simulator may move, and the real one, which nothing moves."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The domain clock: decides what is due and what day it is for a patient."""

    def now(self) -> datetime: ...


class SystemClock:
    """Domain time is real time."""

    def now(self) -> datetime:
        return real_now()


class MovableClock:
    """Domain time is real time plus an offset, or stands still at `frozen`; it only moves forward."""

    def __init__(self, offset: timedelta = timedelta(0), frozen: datetime | None = None) -> None:
        self.offset = offset
        self._frozen = frozen

    def now(self) -> datetime:
        return self._frozen or real_now() + self.offset

    @property
    def stands_still(self) -> bool:
        """Whether time passes only when the clock is moved."""
        return self._frozen is not None

    def freeze(self, at: datetime) -> None:
        """Stand still at `at` until moved again."""
        self._frozen = at

    def move_to(self, at: datetime) -> None:
        """Jump forward to `at` and run on from there. Raises ValueError for a step back."""
        if at < self.now():
            raise ValueError("the clock moves forward only")
        if self._frozen is not None:
            self._frozen = at
        else:
            self.offset = at - real_now()

    def thaw(self) -> None:
        """Run on from where it stands."""
        if self._frozen is not None:
            self.offset = self._frozen - real_now()
            self._frozen = None


def real_now() -> datetime:
    """Real time in UTC, for sign-in, leases, rates and metrics."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that never step back, for durations."""
    return time.monotonic()
