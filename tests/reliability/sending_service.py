"""The service as it is run to be killed: a process that opens the database, recovers, and sends until nothing is due."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bot_service.actions import prompt
from bot_service.app import Service
from bot_service.clock import MovableClock
from bot_service.errors import ChannelUnavailable, OutcomeUnknown
from bot_service.messages import Inbound, Outbound
from bot_service.settings import load_settings
from bot_service.storage import clinics, outbox, patients
from bot_service.storage.database import open_database
from bot_service.storage.locking import only_service
from bot_service.storage.tables import outbox as outbox_table
from plans.loading import load_library
from tests.patience import PATIENT_S
from tests.running_clinic import SECRET

LIBRARY = load_library()
"""Read once: a killed process is followed by a fork of one that has this already."""


class HttpChannel:
    """Sends to the provider in the other process."""

    name = "simulator"

    def __init__(self, port: int) -> None:
        self._port = port

    async def send(self, outbound: Outbound) -> str:
        return await asyncio.to_thread(self._post, outbound)

    def parse(self, raw: Mapping[str, Any]) -> Inbound | None:
        """Nobody writes to it."""
        raise ValueError(f"unexpected {raw}")

    def _post(self, outbound: Outbound) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENT_S)
        try:
            connection.connect()
        except OSError as error:
            raise ChannelUnavailable(str(error)) from None
        try:
            connection.request("POST", "/", json.dumps({"id": outbound.id, "text": outbound.text}))
            return str(json.load(connection.getresponse())["message_id"])
        except (OSError, http.client.HTTPException) as error:
            raise OutcomeUnknown(str(error)) from None
        finally:
            connection.close()


Pass = Callable[[Service], Awaitable[object]]


async def tick(service: Service) -> None:
    """One pass of the real build."""
    await service.tick()


async def send_then_mark(service: Service) -> None:
    """One pass of a build that is wrong on purpose: it plans like the real one, sends what is due, and writes it down afterwards."""
    db, now = service.db, service.clock.now()
    prompt.queue_due_prompts(db, now)
    with db.read() as tx:
        due = [row.id for row in tx.all(select(outbox_table.c.id).where(outbox_table.c.status == "due").limit(20))]
    for message_id in due:
        with db.read() as tx:
            message = outbox.load(tx, message_id)
            assert message is not None and message.patient_id is not None
            address = patients.find_active_address(tx, message.patient_id)
        assert address is not None
        outbound = Outbound(str(message_id), str(address.sender_id), address.address, "Time for your exercises.")
        provider_id = await service.channels[address.sender_id].send(outbound)
        with db.begin() as tx:
            outbox.move(tx, message_id, ("due",), "sent", now, provider_id=provider_id, sent_at=now)


BUILDS: dict[str, Pass] = {"real": tick, "send then mark": send_then_mark}


def run_until_drained(url: str, port: int, at: datetime, build: str) -> None:
    """A whole life of the service. Returns when nothing is due any more."""
    with only_service(url):
        db = open_database(url, [SECRET])
        settings = load_settings(database_url=url, secret_key=SECRET, channels="simulator")
        service = Service(settings, db, LIBRARY, MovableClock(frozen=at))
        with db.read() as tx:
            service.channels.update({sender.id: HttpChannel(port) for sender in clinics.list_senders(tx)})
        service.recover()
        asyncio.run(_drain(service, BUILDS[build]))
        db.close()


async def _drain(service: Service, one_pass: Pass) -> None:
    while (upcoming := service.next_event_at()) is not None and upcoming <= service.clock.now():
        await one_pass(service)
    await service.delivery.finish()
