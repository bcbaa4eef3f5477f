"""The pulse of the service: APScheduler as a UTC ticker and nothing more; the only file that knows it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler


class Ticker:
    """Runs `job` every so many seconds on the running event loop, one at a time.

    It holds no schedule of its own: a late or missed tick (`coalesce`, no misfire limit) costs nothing, because the next one does all
    the work that is due. An exception of the job is logged by APScheduler and the ticking goes on.
    """

    def __init__(self, every_seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        self._job = job
        self._every = every_seconds
        self._idle = asyncio.Event()
        self._idle.set()
        defaults = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=defaults)

    def start(self) -> None:
        """Begin; the first tick comes after one interval. Needs a running event loop."""
        self._scheduler.add_job(self._tick, "interval", seconds=self._every)
        self._scheduler.start()

    async def stop(self) -> None:
        """Start no further tick and wait for the one under way: APScheduler would cancel it in the middle."""
        if not self._scheduler.running:
            return
        self._scheduler.pause()
        await self._idle.wait()
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # the shutdown itself is a callback on this loop

    async def _tick(self) -> None:
        self._idle.clear()
        try:
            await self._job()
        finally:
            self._idle.set()
