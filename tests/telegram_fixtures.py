"""Fixtures of every test that runs opposite the fake Bot API: one process of it for the whole run, wiped for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.fakes.bot_api_process import FakeBotApi, running_bot_api
from tests.running_clinic import RunningClinic
from tests.telegram_clinic import TelegramClinic, with_telegram


@pytest.fixture(scope="session")
def bot_api_server() -> Iterator[FakeBotApi]:
    """The process, with whatever the last test left in it."""
    with running_bot_api() as fake:
        yield fake


@pytest.fixture
def bot_api(bot_api_server: FakeBotApi) -> FakeBotApi:
    """Telegram with nothing in it."""
    bot_api_server.control("reset")
    return bot_api_server


@pytest.fixture
async def telegram(sqlite_clinic: RunningClinic, bot_api: FakeBotApi) -> AsyncIterator[TelegramClinic]:
    """The running clinic with a bot at it, whose updates are posted."""
    async with with_telegram(sqlite_clinic, bot_api) as world:
        yield world
