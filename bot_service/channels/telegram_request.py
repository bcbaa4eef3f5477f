"""How we talk to a Bot API server: python-telegram-bot's request interface over aiohttp, and what its failures mean for a message.

Its default client, httpx, costs ten times the CPU and logs every URL, which contains the token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import BaseRequest, RequestData

from bot_service import errors

_CONNECT_S = 5.0
_PAUSE_WITHOUT_A_NUMBER_S = 5
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# Before a connection stands nothing has been sent. `aiohttp` names a full pool and a slow handshake ConnectionTimeoutError too.
_BEFORE_SENDING = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_SENDING = {"sendMessage", "sendPhoto"}
_REFUSALS = {400, 401, 403, 404, 409}  # what the Bot API answers when it did not do it; a 5xx may have been carried out
_GONE = ("chat not found", "peer_id_invalid", "user not found", "user is deactivated", "group chat was upgraded")


class NotSent(NetworkError):
    """The request never left this machine."""


class MustWait(TelegramError):
    """The server refused for `seconds`. PTB's own RetryAfter warns of its deprecation whenever it is made."""

    def __init__(self, seconds: int) -> None:
        super().__init__("Flood control exceeded")
        self.seconds = seconds


class Taken(TelegramError):
    """The server says that it sent the message, and not which it is."""

    def __init__(self) -> None:
        super().__init__("Sent")


class AiohttpRequest(BaseRequest):
    """One pool of connections to a Bot API server. No error text of aiohttp is passed on: most of them quote the URL."""

    def __init__(self, connections: int, read_timeout: float) -> None:
        self._connections = connections
        self._read_timeout = read_timeout
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        return self._read_timeout

    async def initialize(self) -> None:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections)
            # The user agent's default would name the exact Python and aiohttp; a cookie jar would carry state between calls.
            headers = {"User-Agent": self.USER_AGENT}
            self._session = aiohttp.ClientSession(connector=connector, headers=headers, cookie_jar=aiohttp.DummyCookieJar())

    async def shutdown(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,  # noqa: ARG002  (aiohttp has no such limit; the total covers it)
        connect_timeout: object = BaseRequest.DEFAULT_NONE,  # noqa: ARG002  (ours is the same for every call)
        pool_timeout: object = BaseRequest.DEFAULT_NONE,  # noqa: ARG002  (part of aiohttp's limit for connecting)
    ) -> tuple[int, bytes]:
        """One call. Raises NotSent when it surely did not reach the server, another NetworkError when that is not known."""
        if self._session is None:
            raise NotSent("The channel is not started.")
        wait = float(read_timeout) if isinstance(read_timeout, int | float) else self._read_timeout
        connect = min(_CONNECT_S, wait)
        timeout = aiohttp.ClientTimeout(total=connect + wait, connect=connect, sock_connect=connect, sock_read=wait)
        sent, headers = _body(request_data)
        failure: TelegramError
        try:
            async with self._session.request(method, url, data=sent, headers=headers, timeout=timeout, allow_redirects=False) as response:
                return _as_telegram_means_it(response.status, await response.read(), url.rpartition("/")[2])
        except (aiohttp.ClientError, OSError) as error:  # a time-out is an OSError
            failure = failure_of(error)
        raise failure  # outside the handler, so that no traceback shows the URL in the chained error

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer's JSON object. The original logs what it cannot read, and that may be a patient's words."""
        body = _object(payload)
        if body is None:
            raise TelegramError("The Bot API server's answer is not a JSON object.")
        return body


def _body(given: RequestData | None) -> tuple[bytes | aiohttp.FormData | None, Mapping[str, str]]:
    """What is posted, and its headers: a plain form, or with a file one in parts, whose border aiohttp names itself."""
    if given is None or not given.contains_files:
        return (given.url_encoded_parameters().encode() if given else None), _FORM
    form = aiohttp.FormData()
    for name, value in given.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, kind) in given.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=kind)
    return form, {}


def failure_of(error: Exception) -> TelegramError:
    """What an error of the connection says: not sent only if nothing can have left, unknown otherwise."""
    kind = type(error).__name__
    if isinstance(error, _BEFORE_SENDING):
        return NotSent(f"The Bot API server was not reached ({kind}).")
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return InvalidToken("The Bot API server's address is not a URL.")
    return NetworkError(f"The connection broke, perhaps after sending ({kind}).")


def _as_telegram_means_it(status: int, payload: bytes, method: str) -> tuple[int, bytes]:
    """The status and body on which PTB decides, with what it gets wrong mended.

    `ok: true` says that a message was sent, whatever else is odd: some test servers answer without it, or date it in milliseconds.

    It loses the status of a 429 without `retry_after`, and lets a 200 without a result escape as KeyError. A 200 that says `ok: false`
    carries its real status inside. A 400, 403 or 409 in other words than the Bot API's comes from a proxy, and says nothing about a
    recipient: taken at its word it would make every patient unreachable at once.
    """
    body = _object(payload) or {}
    refused, code = body.get("ok") is False, body.get("error_code")
    if status < 300 and refused and isinstance(code, int) and 400 <= code < 600:
        status = code
    seconds = _seconds(body)
    if status == 429 or (400 <= status < 500 and seconds):
        raise MustWait(seconds or _PAUSE_WITHOUT_A_NUMBER_S)
    if status < 300 and not (body.get("ok") is True and "result" in body):
        raise NetworkError(f"The Bot API server answered {status} without a result.")
    if status < 300 and method in _SENDING:
        return status, _least_message(body["result"])
    if status >= 300 and (status not in _REFUSALS or (status in {400, 403, 409} and not refused)):
        raise NetworkError(f"The Bot API server, or something before it, answered {status}.")
    return status, payload


def _least_message(result: object) -> bytes:
    """The message that was sent, with its id and nothing else that PTB might not take. Raises Taken when there is not even that."""
    number = result.get("message_id") if isinstance(result, dict) else None
    if type(number) is not int:
        raise Taken
    return json.dumps({"ok": True, "result": {"message_id": number, "date": 0, "chat": {"id": 0, "type": "private"}}}).encode()


def _seconds(body: Mapping[str, Any]) -> int:
    parameters = body.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, Mapping) else None
    return seconds if isinstance(seconds, int) and 0 < seconds < 86400 * 7 else 0


def _object(payload: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def meaning_of(error: Exception) -> errors.DeliveryError:
    """What a failed call means for the message (channels.md 1C). What no line names is OutcomeUnknown.

    The order matters: BadRequest and NotSent are NetworkErrors. 5xx are unknown: a 502 or 504 may have been carried out.
    """
    if isinstance(error, MustWait):
        return errors.RateLimited("Telegram asks this bot to wait.", error.seconds)
    if isinstance(error, RetryAfter):
        wait = error.retry_after  # a number or a duration, depending on an environment variable
        return errors.RateLimited("Telegram asks this bot to wait.", wait.total_seconds() if isinstance(wait, timedelta) else wait)
    if isinstance(error, NotSent):
        return errors.ChannelUnavailable(error.message)
    if isinstance(error, Forbidden):
        return errors.RecipientStopped("The recipient blocked the bot, left, or never pressed Start.")
    if isinstance(error, ChatMigrated):
        return errors.RecipientStopped("The chat became a supergroup; only private chats are served.")
    if isinstance(error, InvalidToken | EndPointNotFound):
        return errors.ChannelMisconfigured("The Bot API server does not know this bot: check STEPWISE_TELEGRAM_TOKEN and the API URL.")
    if isinstance(error, Conflict):
        return errors.ChannelMisconfigured("Another poller or a webhook uses this bot: stop it, or choose another mode.")
    if isinstance(error, BadRequest):
        if any(words in error.message.lower() for words in _GONE):
            return errors.RecipientStopped("There is no chat with this recipient any more.")
        return errors.MessageRejected("Telegram refused this message.")
    return errors.OutcomeUnknown(f"Telegram may or may not have accepted this ({type(error).__name__}).")
