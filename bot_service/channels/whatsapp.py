"""WhatsApp through Twilio: one sender, through twilio's asynchronous client with its pooled session and a time limit of our own.

Its own limit is ignored, and without the pool it mixes answers up (measured, channels.md 0.8).
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Awaitable, Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import aiohttp
from twilio.base.exceptions import TwilioException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from bot_service.channels import whatsapp_forms
from bot_service.channels.whatsapp_contents import Content, read_content
from bot_service.channels.whatsapp_errors import meaning_of
from bot_service.channels.whatsapp_texts import Step, content_fields, in_steps, sendable, validity_s
from bot_service.clock import monotonic
from bot_service.errors import (
    ChannelMisconfigured,
    ChannelUnavailable,
    DeliveryError,
    MessageRejected,
    OutcomeUnknown,
    OutsideServiceWindow,
)
from bot_service.logs import log
from bot_service.messages import Inbound, Outbound, Receipt
from bot_service.settings import Settings

T = TypeVar("T")
STATUS_PATH = "/webhooks/twilio/status"
MEDIA_PATH = "/media/"
RETRIES = "#rc=5&rp=all"
"""The end of a webhook's address that makes Twilio try again; whether it is part of what is signed is not settled (channels.md 1B)."""
_PAGE, _RECENT = 500, 100
"""Messages of the list in one answer (Twilio gives 1,000 at most), and how many of one recipient's newest tell what became of a call."""
LONGEST_LISTING_S = 300.0
"""After so long a list that does not end is given up until the next round (default); each page has its own time limit."""
PICTURE_FOR = timedelta(minutes=10)
"""How long Twilio may keep a picture waiting: its link works no longer (default)."""
# What the library lets escape when a 2xx does not hold the object that the call promises; by then it has been carried out.
_MALFORMED = (TypeError, ValueError, LookupError, AttributeError)
_begun: ContextVar[list[bool]] = ContextVar("_begun")


@dataclass(frozen=True)
class Account:
    """Whose messages these are. `tokens`: the account's auth token, and during a rotation the one before it."""

    sid: str
    tokens: tuple[str, ...] = field(repr=False)
    sender: str
    templates: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_service(self) -> bool:
        """Whether the sender is a messaging service rather than one number."""
        return self.sender.startswith("MG")


class _Basic:
    """The account's credentials as a header. The library's own way through aiohttp's `BasicAuth` is deprecated there."""

    def __init__(self, account: Account) -> None:
        self._header = "Basic " + base64.b64encode(f"{account.sid}:{account.tokens[0]}".encode()).decode()

    def to_auth_strategy(self) -> _Basic:
        return self

    def get_auth_string(self) -> str:
        return self._header


class WhatsApp:
    """One WhatsApp sender at Twilio, or at another server at `api_url`.

    `start()` before the first call, `close()` at the end; `timeout_s` is how long a call may take. `public_url` is how Twilio reaches us.
    No error, log record or repr of ours contains the token, a number or a text.
    """

    name = "whatsapp"

    def __init__(
        self, account: Account, public_url: str, api_url: str | None = None, content_url: str | None = None, timeout_s: float = 15.0
    ) -> None:
        logging.getLogger("twilio").setLevel(logging.WARNING)  # at INFO it logs addresses and headers
        self._account = account
        self._public_url = public_url.rstrip("/")
        self._urls = (api_url, content_url)
        self._timeout_s = timeout_s
        self._http: Any = None
        self._client: Any = None

    async def start(self) -> None:
        """Open the connection pool."""
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_note_begun)
        self._http = AsyncTwilioHttpClient(trace_configs=[trace])
        # A non-empty environment, or the library reads its own settings from the process's.
        self._client = Client(
            account_sid=self._account.sid,
            credential_provider=_Basic(self._account),
            http_client=self._http,
            environment={"TWILIO_EDGE": ""},
        )
        api_url, content_url = self._urls
        if api_url:
            self._client.api.base_url = api_url
        if content_url:
            self._client.content.base_url = content_url

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
        self._http = self._client = None

    async def send(self, outbound: Outbound) -> str:
        """Send free text, in parts when it is long, or outside the service window the approved template. Returns the last part's id.

        Of a `plain` message only the last part goes out, in words; its picture and the parts before it were taken with the first try.
        Raises DeliveryError: OutsideServiceWindow when no template is configured for the language. When a later part fails after an
        earlier one was accepted, the outcome is unknown rather than retryable.
        """
        if not whatsapp_forms.ADDRESS.fullmatch(outbound.address):
            raise MessageRejected("The recipient's address is not a WhatsApp address.")
        if not outbound.window_open:
            return await self._create(outbound, True, **self._template(outbound))
        sent, steps = "", in_steps(outbound, lambda name: self._find_content(name, outbound.language))
        for number, step in enumerate(steps, start=1):
            try:
                sent = await self._send_step(outbound, step, number == len(steps))
            except DeliveryError as error:
                if number > 1 and error.retryable:
                    raise OutcomeUnknown(f"Part {number} of {len(steps)} was not accepted; the parts before it were.") from error
                raise
        if outbound.picture_token is not None and not outbound.plain:
            await self._send_picture(outbound, outbound.picture_token)
        return sent

    async def _send_step(self, outbound: Outbound, step: Step, last: bool) -> str:
        """One message of several. Where its buttons are refused, but nothing else is, the answers are named in words."""
        if step.content_sid is None:
            return await self._create(outbound, last, body=step.text)
        try:
            return await self._create(outbound, last, **content_fields(step.content_sid, step.values))
        except DeliveryError as error:
            if not error.of_form:
                raise
            log().warning("buttons refused", message=outbound.id, content=step.content_sid)
        return await self._create(outbound, last, body=step.in_words)

    async def _send_picture(self, outbound: Outbound, token: str) -> None:
        """The picture after its text, as a message of its own: whatever becomes of it, the words and their question have arrived."""
        try:
            await self._create(replace(outbound, valid_for=PICTURE_FOR), False, media_url=[f"{self._public_url}{MEDIA_PATH}{token}"])
        except DeliveryError as error:
            log().warning("picture not sent", message=outbound.id, error=type(error).__name__)

    def parse(self, raw: Mapping[str, Any]) -> Inbound | None:
        """See `parse_form`; pure."""
        return whatsapp_forms.parse_form(raw)

    def admit(self, url: str, body: bytes, signature: str) -> dict[str, str] | None:
        """The fields of a form that Twilio signed for this account, this sender and this URL; None for anything else."""
        form = whatsapp_forms.read_form(body)
        if form is None or not self._is_signed(url, form, signature) or not whatsapp_forms.can_be_signed_so(form):
            return None
        return form if form.get("AccountSid", self._account.sid) == self._account.sid else None

    def is_message(self, form: Mapping[str, str]) -> bool:
        """Whether the form is a well-formed message to this sender. A recipient without a number may be us: it is not told apart."""
        if not whatsapp_forms.is_message(form):
            return False
        if self._account.is_service or not form["To"].startswith("whatsapp:+"):
            return True
        return form["To"] == f"whatsapp:{self._account.sender}"

    def is_named_in(self, form: Mapping[str, str]) -> bool:
        """Whether the form is addressed to this number, or came through this messaging service."""
        if self._account.is_service:
            return form.get("MessagingServiceSid") == self._account.sender
        return form.get("To") == f"whatsapp:{self._account.sender}"

    def read_receipt(self, form: Mapping[str, str], message_id: str | None) -> Receipt | None:
        """See `parse_receipt`; pure."""
        return whatsapp_forms.parse_receipt(form, message_id)

    async def list_inbound(self, since: datetime) -> AsyncIterator[list[dict[str, str]]]:
        """What people sent to this sender since then, page by page of Twilio's list: the newest page first. Raises DeliveryError."""
        given: dict[str, Any] = {"date_sent_after": since, "page_size": _PAGE}
        if not self._account.is_service:
            given["to"] = f"whatsapp:{self._account.sender}"
        until = monotonic() + LONGEST_LISTING_S
        page = await self._call(lambda client: client.messages.page_async(**given))
        while True:
            ours = [each for each in page if each.direction == "inbound" and self._is_ours(each)]
            yield [whatsapp_forms.listed_form(each) for each in reversed(ours)]
            if (following := page.next_page_url) is None:
                return
            if monotonic() > until:
                raise ChannelUnavailable("Twilio's list takes too long to read.")
            page = await self._call(lambda client, url=following: client.messages.get_page_async(url))

    async def look_up(self, outbound: Outbound, began_at: datetime, taken: Collection[str]) -> Receipt | None:
        """What Twilio's list says became of a message, or None when it is not there. Raises DeliveryError when it cannot say."""
        listed = await self._call(lambda client: client.messages.list_async(to=outbound.address, page_size=_RECENT, limit=_RECENT))
        told = [each for each in listed if str(each.num_media or 0) == "0"]  # pictures are messages beside the one that is asked about
        ours = [each for each in reversed(told) if each.direction != "inbound" and self._is_ours(each)]
        steps = in_steps(outbound, lambda name: self._find_content(name, outbound.language)) if outbound.window_open else []
        found = whatsapp_forms.find_sent(ours, [{step.text, step.in_words or step.text} for step in steps], began_at, taken)
        if found is None:
            return None
        form = {"MessageSid": str(found.sid), "MessageStatus": str(found.status), "ErrorCode": str(found.error_code or "")}
        return self.read_receipt(form, outbound.id) or Receipt(form["MessageSid"], "sent", outbound.id)

    def _is_ours(self, message: Any) -> bool:
        """Whether a message of the account's list is this sender's."""
        if self._account.is_service:
            return bool(message.messaging_service_sid == self._account.sender)
        return f"whatsapp:{self._account.sender}" in (message.from_, message.to)

    async def check(self) -> None:
        """Ask whether the account exists and may send. Raises DeliveryError: ChannelMisconfigured when it does not."""
        account = await self._call(lambda client: client.api.accounts(self._account.sid).fetch_async())
        if account.status != "active":
            raise ChannelMisconfigured("The Twilio account is not active.")

    async def find_content(self, content_sid: str) -> Content:
        """A content as Twilio keeps it. Raises DeliveryError: ChannelMisconfigured for one that Twilio does not know."""
        found = await self._call(lambda client: client.content.v1.contents(content_sid).fetch_async())
        return read_content(found.language, found.variables, found.types)

    async def find_approval(self, content_sid: str) -> tuple[str, str]:
        """WhatsApp's verdict on a template and the category it was given, in lower case. Raises DeliveryError."""
        found = await self._call(lambda client: client.content.v1.contents(content_sid).approval_fetch().fetch_async())
        verdict = found.whatsapp if isinstance(found.whatsapp, dict) else {}
        return str(verdict.get("status") or "unsubmitted").lower(), str(verdict.get("category") or "").lower()

    def _template(self, outbound: Outbound) -> dict[str, str]:
        content_sid = self._find_content(outbound.template or "", outbound.language)
        if content_sid is None:
            raise OutsideServiceWindow("Only an approved template may be sent now, and none is configured.")
        # All variables, always: for a missing one Twilio would send the template's sample. Neither is a line break allowed in one.
        return content_fields(content_sid, {key: " ".join(sendable(value).split())[:200] or "-" for key, value in outbound.values.items()})

    def _find_content(self, name: str, language: str) -> str | None:
        """The content of that name in the reader's language, else in English like everything else."""
        keys = [f"{name}:{code}" for code in (language, language.partition("-")[0], "en")]
        return next((self._account.templates[key] for key in keys if key in self._account.templates), None)

    async def _create(self, outbound: Outbound, last: bool, **content: str | list[str]) -> str:
        account = self._account
        given: dict[str, Any] = {"to": outbound.address, **content}
        given |= {"messaging_service_sid": account.sender} if account.is_service else {"from_": f"whatsapp:{account.sender}"}
        if last:  # the part whose id stands for the message
            given["status_callback"] = f"{self._public_url}{STATUS_PATH}?m={outbound.id}"
        if outbound.valid_for is not None:
            given["validity_period"] = validity_s(outbound.valid_for)
        message = await self._call(lambda client: client.messages.create_async(**given))
        if not isinstance(message.sid, str) or not whatsapp_forms.SID.fullmatch(message.sid):
            raise OutcomeUnknown("Twilio's answer names no message.")
        return message.sid

    async def _call(self, call: Any) -> Any:
        """One call within the time limit, its failure as a DeliveryError."""
        if self._client is None:
            raise ChannelUnavailable("The channel is not started.")
        begun = [False]
        token = _begun.set(begun)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await _awaited(call(self._client))
        except (TwilioException, aiohttp.ClientError, OSError, *_MALFORMED) as error:
            failure = meaning_of(error, begun=begun[0])
        finally:
            _begun.reset(token)
        raise failure  # outside the handler: what the library chains may quote the URL, the number or the answer

    def _is_signed(self, url: str, form: dict[str, str], signature: str) -> bool:
        addresses = (url, url + RETRIES)
        try:
            return any(
                RequestValidator(token).validate(address, form, signature) for token in self._account.tokens for address in addresses
            )
        except (TypeError, ValueError, LookupError, AttributeError):
            return False


def whatsapp_channel(settings: Settings) -> WhatsApp:
    """The sender that the settings name; not started yet."""
    account = Account(
        settings.twilio_account_sid or "", settings.twilio_tokens or ("",), settings.whatsapp_from or "", settings.whatsapp_templates
    )
    return WhatsApp(account, settings.public_url, settings.twilio_api_url, settings.twilio_api_url)


async def _awaited(coming: Awaitable[T]) -> T:
    return await coming


async def _note_begun(*_: object) -> None:
    """Called right before the first byte of a request is written."""
    begun = _begun.get(None)
    if begun is not None:
        begun[0] = True
