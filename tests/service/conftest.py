"""A clinic opposite the fake Bot API, for tests of what happens in one chat after another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.fakes.bot_api_process import FakeBotApi, running_bot_api
from tests.running_clinic import RunningClinic
from tests.telegram_clinic import TelegramClinic, with_telegram


@pytest.fixture(scope="module")
def server() -> Iterator[FakeBotApi]:
    with running_bot_api() as fake:
        yield fake


@pytest.fixture
async def telegram(sqlite_clinic: RunningClinic, server: FakeBotApi) -> AsyncIterator[TelegramClinic]:
    server.control("reset")
    async with with_telegram(sqlite_clinic, server) as world:
        yield world
