"""The ticker ticks one at a time, outlives a failing tick, and stops without cutting one in two."""

from __future__ import annotations

import asyncio
import logging

import pytest

from schedules.ticker import Ticker
from tests.patience import PATIENT_S


async def test_ticks_go_on_after_one_fails_and_never_overlap(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="apscheduler")
    running, most, ticks = 0, 0, 0
    enough = asyncio.Event()

    async def job() -> None:
        nonlocal running, most, ticks
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        ticks += 1
        if ticks == 1:
            raise RuntimeError("one bad tick")
        if ticks == 3:
            enough.set()

    ticker = Ticker(0.02, job)
    ticker.start()
    await asyncio.wait_for(enough.wait(), PATIENT_S)
    await ticker.stop()
    assert most == 1


async def test_stopping_lets_the_tick_under_way_finish_and_starts_no_other() -> None:
    started, finished = asyncio.Event(), 0

    async def job() -> None:
        nonlocal finished
        started.set()
        await asyncio.sleep(0.1)
        finished += 1

    ticker = Ticker(0.01, job)
    ticker.start()
    await asyncio.wait_for(started.wait(), PATIENT_S)
    await ticker.stop()
    assert finished == 1
    await asyncio.sleep(0.1)
    assert finished == 1
    await ticker.stop()
