"""Twilio's forms for several senders: each goes to the one that it is addressed to, and an account speaks for its own senders only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot_service.channels.whatsapp import Account, WhatsApp
from bot_service.storage import clinics, tables
from tests.fakes.twilio_api_process import FakeTwilio, signature
from tests.running_clinic import RunningClinic
from tests.twilio_clinic import INBOUND, TwilioClinic, with_twilio

SECOND, SERVICE, FOREIGN = "+447700900555", "MG" + "a" * 32, "+447700900666"
OTHER_TOKEN = "o" * 32


@dataclass
class World:
    twilio: TwilioClinic
    senders: dict[str, object]

    def heard(self) -> list[str]:
        """By which senders the stored messages came."""
        names = {sender: name for name, sender in self.senders.items()}
        with self.twilio.clinic.db.read() as tx:
            return [names[row.sender_id] for row in tx.all(tables.inbox.select().order_by(tables.inbox.c.received_at))]


@pytest.fixture
async def world(sqlite_clinic: RunningClinic, twilio_server: FakeTwilio) -> AsyncIterator[World]:
    """The clinic's number, another clinic's number and service in the same account, and a number in another account."""
    twilio_server.control("reset")
    service = sqlite_clinic.service
    async with with_twilio(sqlite_clinic, twilio_server) as twilio:
        with sqlite_clinic.db.begin() as tx:
            other = clinics.add_clinic(tx, sqlite_clinic.clock.now(), "hillside", "Hillside", "Europe/London")
        accounts = [Account(twilio_server.account, (twilio_server.token,), name) for name in (SECOND, SERVICE)]
        accounts.append(Account("AC" + "9" * 32, (OTHER_TOKEN,), FOREIGN))
        senders: dict[str, object] = {"ours": twilio.sender_id}
        for account in accounts:
            channel = WhatsApp(account, service.settings.public_url, twilio_server.url)
            senders[account.sender] = service.add_channel(other.id, account.sender, channel, None).id
        yield World(twilio, senders)


async def test_a_message_reaches_the_sender_that_it_is_addressed_to(world: World) -> None:
    twilio = world.twilio
    await twilio.say("hello")
    await twilio.say("hello", To=f"whatsapp:{SECOND}")
    await twilio.say("hello", To="whatsapp:+447700900444", MessagingServiceSid=SERVICE)
    assert world.heard() == ["ours", SECOND, SERVICE]


async def test_what_names_none_of_several_senders_or_anothers_account_is_refused(world: World) -> None:
    twilio = world.twilio
    astray = twilio.form("hello", To="whatsapp:+447700900444")
    assert (await twilio.post(INBOUND, astray)).status_code == 403
    assert (await twilio.post(INBOUND, twilio.form("hello", To=f"whatsapp:{FOREIGN}"))).status_code == 403
    forged = twilio.form("hello", AccountSid="AC" + "9" * 32)
    signed = signature(OTHER_TOKEN, twilio.public_url + INBOUND, forged)
    assert (await twilio.post(INBOUND, forged, signed=signed)).status_code == 403, "an account signs for its own numbers only"
    assert world.heard() == []


async def test_a_receipt_reaches_the_message_of_its_own_sender(world: World) -> None:
    twilio = world.twilio
    await twilio.say("hello", To=f"whatsapp:{SECOND}")
    (answer,) = twilio.clinic.messages()
    assert answer.sender_id == world.senders[SECOND]
    with twilio.clinic.db.begin() as tx:
        tx.run(tables.outbox.update().values(status="sent", provider_id="SM" + "b" * 32))
    await twilio.report(answer, "delivered")
    assert [message.status for message in twilio.clinic.messages()] == ["delivered"]
