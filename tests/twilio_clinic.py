"""The running clinic of the tests with a WhatsApp sender: the real service and pages, opposite the fake Twilio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import httpx
from starlette.types import ASGIApp

from bot_service.channels.whatsapp import Account, WhatsApp
from bot_service.storage import cases, entries, episodes
from bot_service.storage.cases import Case
from bot_service.storage.entries import Entry
from bot_service.storage.episodes import Episode
from bot_service.storage.outbox import Message
from bot_service.web.site import build_site
from tests.fakes.twilio_api_process import DAILY, OURS, FakeTwilio, encoded, signature
from tests.running_clinic import RunningClinic

INBOUND, STATUS = "/webhooks/twilio/inbound", "/webhooks/twilio/status"


@dataclass
class TwilioClinic:
    """Posts what Twilio would post, signed; `http` is open for what Twilio would not."""

    clinic: RunningClinic
    fake: FakeTwilio
    http: httpx.AsyncClient
    sender_id: UUID
    numbers: count[int] = field(default_factory=lambda: count(1))

    @property
    def public_url(self) -> str:
        return self.clinic.service.settings.public_url

    def form(self, body: str, address: str = "whatsapp:+447700900123", **more: str) -> dict[str, str]:
        """A message as Twilio posts it, with an id of its own."""
        sid = f"SM{next(self.numbers):032x}".replace("SM0", "SMa", 1)
        fields = {"AccountSid": self.fake.account, "ApiVersion": "2010-04-01", "Body": body, "From": address, "MessageSid": sid}
        fields |= {"NumMedia": "0", "ProfileName": "Pat", "SmsMessageSid": sid, "SmsStatus": "received", "To": f"whatsapp:{OURS}"}
        return fields | more

    async def post(
        self, path: str, form: Mapping[str, str], *, query: str = "", signed: str | None = None, **headers: str
    ) -> httpx.Response:
        """POST a form, signed for our public address unless `signed` says otherwise."""
        url = self.public_url + path + query
        given = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature(self.fake.token, url, form)}
        if signed is not None:
            given["x-twilio-signature"] = signed
        answer = await self.http.post(path + query, content=encoded(form), headers=given | headers)
        async with self.clinic.service._busy:  # the line is let go before the work is done, when that takes long
            return answer

    async def knock(self, body: bytes, site: ASGIApp, path: str = INBOUND) -> int:
        """POST these bytes straight at an application, signed for whatever fields they hold; the status of the answer."""
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, errors="replace"))
        signed = signature(self.fake.token, self.public_url + path, fields)
        headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"x-twilio-signature", signed.encode())]
        scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
        statuses = list[int]()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if "status" in message:
                statuses.append(message["status"])

        more = {"http_version": "1.1", "scheme": "http", "root_path": "", "server": ("testserver", 80)}
        await site(scope | more, receive, send)
        return statuses[0]

    async def say(self, body: str, address: str = "whatsapp:+447700900123", **more: str) -> None:
        """A patient writes."""
        answer = await self.post(INBOUND, self.form(body, address, **more))
        assert (answer.status_code, answer.text, answer.headers["content-type"][:8]) == (200, "<Response/>", "text/xml")

    async def tap_template(self) -> None:
        """A patient taps the button under the daily template."""
        await self.say("Show my plan", ButtonText="Show my plan", ButtonPayload="show", MessageType="button")

    async def report(self, message: Message | str, status: str, code: str = "", sid: str | None = None) -> None:
        """Twilio reports what became of a message of ours."""
        found = sid or (message.provider_id if isinstance(message, Message) else None) or "SM" + "b" * 32
        ours = message.id if isinstance(message, Message) else message
        form = {"AccountSid": self.fake.account, "MessageSid": found, "SmsSid": found, "MessageStatus": status, "SmsStatus": status}
        form |= {"From": f"whatsapp:{OURS}", "To": "whatsapp:+447700900123"} | ({"ErrorCode": code} if code else {})
        answer = await self.post(STATUS, form, query=f"?m={ours}")
        assert answer.status_code == 200

    def sent(self) -> list[dict[str, str]]:
        """The fields of every message that Twilio accepted, oldest first."""
        return [entry["given"] for entry in self.fake.ledger()]

    def last(self) -> str:
        """The text of the newest message, or the SID of its template."""
        fields = self.sent()[-1]
        return fields.get("Body") or fields["ContentSid"]

    async def opted_in(self, **more: Any) -> Episode:
        """A patient who came by the link and agreed."""
        invitation = self.clinic.enrol(**({"baseline": 2} | more))
        await self.say(f"Start {invitation.code}")
        await self.say("Yes")
        return self.episode(invitation.episode_id)

    def episode(self, episode_id: UUID) -> Episode:
        with self.clinic.db.read() as tx:
            return episodes.load(tx, episode_id)

    def entries(self, episode: Episode) -> list[Entry]:
        with self.clinic.db.read() as tx:
            return entries.list_current(tx, episode)

    def cases(self, episode: Episode) -> list[Case]:
        with self.clinic.db.read() as tx:
            return cases.list_open(tx, episode)


@asynccontextmanager
async def with_twilio(
    clinic: RunningClinic, fake: FakeTwilio, kind: type[WhatsApp] = WhatsApp, timeout_s: float = 15.0, **account: Any
) -> AsyncIterator[TwilioClinic]:
    """The clinic with a WhatsApp sender beside its simulator."""
    fields: dict[str, Any] = {"sid": fake.account, "tokens": (fake.token,), "sender": OURS, "templates": {"daily:en": DAILY}}
    channel = kind(Account(**(fields | account)), clinic.service.settings.public_url, fake.url, timeout_s=timeout_s)
    await channel.start()
    sender = clinic.service.add_channel(clinic.clinic.id, OURS, channel, None)
    try:
        transport = httpx.ASGITransport(app=build_site(clinic.service))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
            yield TwilioClinic(clinic, fake, http, sender.id)
    finally:
        await channel.close()
