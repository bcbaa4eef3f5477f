"""Fixtures of every test that runs opposite the fake Twilio: one process of it for the whole run, wiped for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.fakes.twilio_api_process import DAILY, FakeTwilio, running_twilio
from tests.running_clinic import RunningClinic
from tests.twilio_clinic import TwilioClinic, with_twilio


@pytest.fixture(scope="session")
def twilio_server() -> Iterator[FakeTwilio]:
    """The process, with whatever the last test left in it."""
    with running_twilio() as fake:
        yield fake


@pytest.fixture
def fake(twilio_server: FakeTwilio) -> FakeTwilio:
    """Twilio with nothing in it but the approved template of the daily prompt."""
    twilio_server.control("reset")
    twilio_server.control("template", sid=DAILY, status="approved", category="UTILITY")
    return twilio_server


@pytest.fixture
async def whatsapp(clinic: RunningClinic, fake: FakeTwilio) -> AsyncIterator[TwilioClinic]:
    """The running clinic with a number at it, which uses only calls and parameters that are documented."""
    async with with_twilio(clinic, fake) as world:
        yield world
    assert fake.control("state")["offences"] == []
