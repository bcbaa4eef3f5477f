"""The running clinic of the tests with a bot whose updates are posted: the real service and pages, opposite the fake Bot API server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

from bot_service.app import Service
from bot_service.channels.telegram import Telegram
from bot_service.storage import clinics, tables
from bot_service.web.site import build_site
from tests.crowds import a_crowd
from tests.fakes.bot_api_process import FakeBotApi
from tests.running_clinic import START, Person, RunningClinic

UPDATES = "/webhooks/telegram"
SECRET = "a-secret-for-tests-only-of-40-characters"


@dataclass
class TelegramClinic:
    """Posts what Telegram would post; `doors` are the replicas of the service, and `http` the first of them."""

    clinic: RunningClinic
    fake: FakeBotApi
    doors: list[httpx.AsyncClient]
    sender_id: UUID
    sites: list[FastAPI]
    numbers: count[int] = field(default_factory=lambda: count(500_001))

    @property
    def http(self) -> httpx.AsyncClient:
        return self.doors[0]

    async def post(self, update: object, *, secret: str | None = SECRET, path: str = UPDATES, door: int = 0) -> int:
        """The status with which a post is answered; `update` is JSON, or bytes as they are."""
        content = update if isinstance(update, bytes) else json.dumps(update).encode()
        headers = {"content-type": "application/json"} | ({} if secret is None else {"x-telegram-bot-api-secret-token": secret})
        status = (await self.doors[door].post(path, content=content, headers=headers)).status_code
        async with self.clinic.service._busy:  # the line is let go before the work is done, when that takes long
            return status

    async def knock(
        self, content: bytes, secret: bytes | None = SECRET.encode(), answered: Callable[[], None] | None = None, *, door: int = 0
    ) -> int:
        """The same, straight at the application and ten times as quick; `answered` is called the moment that the status is given."""
        headers = [] if secret is None else [(b"x-telegram-bot-api-secret-token", secret)]
        scope = {"type": "http", "method": "POST", "path": UPDATES, "raw_path": UPDATES.encode(), "query_string": b"", "headers": headers}
        statuses = list[int]()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if "status" in message:
                statuses.append(message["status"])
                if answered is not None:
                    answered()

        more = {"http_version": "1.1", "scheme": "http", "root_path": "", "server": ("testserver", 80)}
        await self.sites[door](scope | more, receive, send)
        return statuses[0]

    def said(self, chat: int, text: str, **more: Any) -> dict[str, Any]:
        """An update with a private message, with an id of its own."""
        number = next(self.numbers)
        there = {"id": chat, "type": "private", "first_name": "Pat"}
        message = {"message_id": number, "date": 1790000000, "chat": there, "from": {"id": chat, "is_bot": False, "first_name": "Pat"}}
        return {"update_id": number, "message": message | {"text": text} | more}

    async def say(self, chat: int, text: str) -> None:
        assert await self.post(self.said(chat, text)) == 200

    def stored(self) -> list[str]:
        """The states of everything that came in, oldest first."""
        with self.clinic.db.read() as tx:
            return [row.status for row in tx.all(tables.inbox.select().order_by(tables.inbox.c.received_at))]

    def sent(self, chat: int) -> list[str]:
        """The texts that the provider accepted for a chat."""
        return [message.get("text", "") for message in self.fake.ledger() if message["chat"]["id"] == chat]


@asynccontextmanager
async def with_telegram(clinic: RunningClinic, fake: FakeBotApi, replicas: int = 1) -> AsyncIterator[TelegramClinic]:
    """The clinic with a bot beside its simulator, served by so many replicas."""
    channels, doors, sites = list[Telegram](), list[httpx.AsyncClient](), list[FastAPI]()
    first = clinic.service
    for number in range(replicas):
        service = first if number == 0 else Service(first.settings, clinic.db, first.library, clinic.clock, in_threads=True)
        channel = Telegram(fake.token, fake.url, webhook_secrets=(SECRET,))
        await channel.start()
        channels.append(channel)
        sender = service.add_channel(clinic.clinic.id, (await channel.whoami()).username, channel, None)
        sites.append(build_site(service))
        transport = httpx.ASGITransport(app=sites[-1])
        doors.append(httpx.AsyncClient(transport=transport, base_url="http://testserver"))
    try:
        yield TelegramClinic(clinic, fake, doors, sender.id, sites)
    finally:
        for door in doors:
            await door.aclose()
        for channel in channels:
            await channel.close()


async def asked_today(telegram: TelegramClinic, count: int) -> list[Person]:
    """So many patients with today's question on their phones."""
    with telegram.clinic.db.read() as tx:
        sender = next(sender for sender in clinics.list_senders(tx) if sender.id == telegram.sender_id)
    crowd = a_crowd(replace(telegram.clinic, sender=sender), [("Europe/London", time(8))] * count, prefix="70")
    telegram.fake.control("meet", chats=[int(person.address) for person in crowd])
    telegram.clinic.clock.move_to(START + timedelta(hours=22, minutes=5))
    await telegram.clinic.service.tick()
    return crowd
