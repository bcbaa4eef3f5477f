"""Telegram: one bot, through python-telegram-bot's `Bot`; not its updater, whose memory loses what it has confirmed (channels.md 0.2)."""

from __future__ import annotations

import hmac
import logging
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, TelegramError

from bot_service.channels.telegram_request import AiohttpRequest, Taken, meaning_of
from bot_service.channels.telegram_updates import parse_update
from bot_service.errors import ChannelMisconfigured, DeliveryError, MessageRejected, OutcomeUnknown
from bot_service.messages import Button, Inbound, Outbound

Rows = Sequence[Sequence[Button]]

PUBLIC_API = "https://api.telegram.org"
LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
LONGEST_TOAST = 200
WANTED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
_LONG_POLL_S = 25
_INVISIBLE = frozenset({"Cc", "Cf", "Mn", "Zl", "Zp", "Zs"})
"""Categories of Unicode that leave no trace of their own: control, format and combining signs, separators."""
# What PTB lets escape when a server's 200 does not hold the object that the method promises; by then it has been carried out.
_MALFORMED = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


@dataclass(frozen=True)
class Identity:
    """Which bot a token belongs to."""

    id: str
    username: str


@dataclass(frozen=True)
class Webhook:
    """Where Telegram posts this bot's updates (nowhere: an empty `url`), how many wait there, and what went wrong last, in its words."""

    url: str
    waiting: int
    last_error: str | None


class Telegram:
    """One bot on Telegram, or on another Bot API server at `api_url` (the part before `/bot<token>`).

    `start()` before the first call, `close()` at the end; `timeout_s` is how long an answer may take. `webhook_secrets` are those that a
    posted update may carry, the newest first; without any, updates are fetched. No error, log record or repr of ours contains the token.
    """

    name = "telegram"

    def __init__(self, token: str, api_url: str | None = None, timeout_s: float = 15.0, webhook_secrets: Sequence[str] = ()) -> None:
        # At DEBUG PTB logs the texts it sends.
        logging.getLogger("telegram").setLevel(logging.WARNING)
        self._webhook_secrets = tuple(webhook_secrets)
        self._identity: Identity | None = None
        self._sending = AiohttpRequest(connections=32, read_timeout=timeout_s)
        self._polling = AiohttpRequest(connections=2, read_timeout=_LONG_POLL_S + 10.0)
        api = (api_url or PUBLIC_API).rstrip("/")
        self._bot = _bot(token, api, self._sending, self._polling)

    async def start(self) -> None:
        """Open the connection pools. Not `Bot.initialize`: it calls home, and puts the token into the error when that fails."""
        await self._sending.initialize()
        await self._polling.initialize()

    async def close(self) -> None:
        await self._sending.shutdown()
        await self._polling.shutdown()

    async def whoami(self) -> Identity:
        """Ask the server which bot this is. Raises DeliveryError: ChannelMisconfigured when the token is wrong."""
        try:
            # Read by ourselves, with an underscore as in `poll`: PTB makes no user of one that lacks what nobody here asks for.
            me = await self._bot.do_api_request("get_me_")
            self._identity = Identity(str(me["id"]), str(me.get("username") or ""))
        except (TelegramError, *_MALFORMED) as error:
            failure = meaning_of(error)
        else:
            return self._identity
        raise failure

    @property
    def account(self) -> str:
        """The bot's username; empty until `whoami`."""
        return self._identity.username if self._identity else ""

    @property
    def is_posted_to(self) -> bool:
        """Whether updates come by webhook."""
        return bool(self._webhook_secrets)

    def admits(self, secret: str) -> bool:
        """Whether a post with this secret is Telegram's; how long the comparison takes says nothing about ours."""
        given = secret.encode("utf-8", "surrogateescape")
        return any(hmac.compare_digest(given, ours.encode()) for ours in self._webhook_secrets)

    async def send(self, outbound: Outbound) -> str:
        """Send the text, in several messages when it is long, the buttons under the last. Returns the id of the last.

        A picture carries the text as its caption; one that Telegram refuses, or under which the text has no room, is left out.
        Raises DeliveryError. When a later part fails after an earlier one arrived, the outcome is unknown rather than retryable.
        """
        chat = _chat_id(outbound.address)
        if outbound.picture is not None and _units(_sendable(outbound.text)) <= LONGEST_CAPTION:
            try:
                return await self._send_picture(chat, outbound.picture, _sendable(outbound.text), outbound.rows)
            except (MessageRejected, ChannelMisconfigured):
                pass  # surely not accepted, perhaps by a server that takes no pictures; the words matter more, and fail for themselves
        sent, parts = "", split_text(outbound.text)
        for number, part in enumerate(parts, start=1):
            try:
                sent = await self._send_part(chat, part, outbound.rows if number == len(parts) else ())
            except DeliveryError as error:
                if number > 1 and error.retryable:
                    raise OutcomeUnknown(f"Part {number} of {len(parts)} was not accepted; the parts before it were.") from error
                raise
        return sent

    def parse(self, raw: Mapping[str, Any]) -> Inbound | None:
        """See `parse_update`; pure."""
        return parse_update(raw)

    async def poll(self, offset: int | None, seconds: int = _LONG_POLL_S) -> list[dict[str, Any]]:
        """Raw updates from `offset` on, waiting up to `seconds` (at most 50) for the first. Raises DeliveryError.

        Asking with a higher offset makes Telegram forget the earlier ones: store them durably before.
        """
        asked = {"timeout": seconds, "allowed_updates": WANTED_UPDATES} | ({} if offset is None else {"offset": offset})
        try:
            # The trailing underscore goes when PTB makes `getUpdates` of it; without it PTB warns that it has a method of its own,
            # which parses the whole batch and refuses all of it for one bad update.
            updates = await self._bot.do_api_request("get_updates_", asked, read_timeout=seconds + 10.0)
        except TelegramError as error:
            failure = meaning_of(error)
        else:
            return [update for update in updates if isinstance(update, dict)] if isinstance(updates, list) else []
        raise failure

    async def set_webhook(self, url: str) -> None:
        """Have updates posted to `url`; what waits is kept, and comes there. Raises DeliveryError: MessageRejected for a bad address."""
        try:
            await self._bot.set_webhook(url, secret_token=self._webhook_secrets[0], allowed_updates=WANTED_UPDATES)
        except (TelegramError, *_MALFORMED) as error:
            failure = meaning_of(error)
        else:
            return
        raise failure

    async def find_webhook(self) -> Webhook:
        """What Telegram knows about this bot's webhook. Raises DeliveryError."""
        try:
            found = await self._bot.get_webhook_info()
        except (TelegramError, *_MALFORMED) as error:
            failure = meaning_of(error)
        else:
            return Webhook(found.url, found.pending_update_count, found.last_error_message)
        raise failure

    async def prepare_polling(self) -> None:
        """Remove a webhook, which would forbid polling; what is waiting is kept. Raises DeliveryError."""
        try:
            await self._bot.delete_webhook()
        except TelegramError as error:
            failure = meaning_of(error)
        else:
            return
        raise failure

    async def set_commands(self, commands: Mapping[str, str], language: str | None = None) -> bool:
        """Fill the bot's command menu (name to description), for one two-letter language or for all others. Best effort."""
        menu = [BotCommand(name, description) for name, description in commands.items()]
        try:
            return await self._bot.set_my_commands(menu, language_code=language)
        except (TelegramError, *_MALFORMED):
            return False

    async def find_commands(self, language: str | None = None) -> Mapping[str, str]:
        """The bot's command menu as it is set for one language, or for all others. Raises DeliveryError."""
        try:
            found = await self._bot.get_my_commands(language_code=language)
        except (TelegramError, *_MALFORMED) as error:
            failure = meaning_of(error)
        else:
            return {command.command: command.description for command in found}
        raise failure

    async def answer_tap(self, callback_id: str, text: str = "") -> bool:
        """End the waiting sign on the tapped button, with a short notice. Best effort: too late is no loss, the answer is stored."""
        try:
            return await self._bot.answer_callback_query(callback_id, text=_sendable(text)[:LONGEST_TOAST] or None)
        except (TelegramError, *_MALFORMED):
            return False

    async def edit(self, address: str, message_id: str, text: str, rows: Rows = ()) -> bool:
        """Replace text and buttons of a message of ours; without rows the buttons go. Best effort; unchanged counts as done.

        A text that is too long goes without its last paragraph: the beginning of an exercise must not be lost to a note under it.
        """
        fits = text if _units(_sendable(text)) <= LONGEST_TEXT else text.rpartition("\n\n")[0]
        try:
            await self._bot.edit_message_text(
                split_text(fits)[0], chat_id=int(address), message_id=int(message_id), reply_markup=_keyboard(rows)
            )
        except BadRequest as error:
            return "not modified" in error.message.lower()
        except (TelegramError, *_MALFORMED):
            return False
        return True

    async def _send_picture(self, chat: int, picture: bytes, caption: str, rows: Rows) -> str:
        try:
            message = await self._bot.send_photo(chat, picture, caption=caption, reply_markup=_keyboard(rows), filename="progress.png")
        except Taken:
            return ""
        except (TelegramError, *_MALFORMED) as error:
            failure = meaning_of(error)
        else:
            return str(message.message_id)
        raise failure

    async def _send_part(self, chat: int, text: str, rows: Rows) -> str:
        try:
            message = await self._bot.send_message(chat, text, reply_markup=_keyboard(rows))
        except Taken:
            return ""
        except (TelegramError, *_MALFORMED) as error:
            failure = meaning_of(error)
        else:
            return str(message.message_id)
        raise failure  # outside the handler: what PTB chains may quote the URL or the answer


def split_text(text: str) -> list[str]:
    """The text in parts that Telegram takes, cut between paragraphs if that is possible, else between lines, words, characters.

    Counted in UTF-16 units, which are never fewer than what Telegram counts.
    """
    rest, parts = _sendable(text), []
    while _units(rest) > LONGEST_TEXT:
        room = _prefix(rest, LONGEST_TEXT)
        cut = next((at for border in ("\n\n", "\n", " ") if (at := room.rfind(border)) > 0), len(room))
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    # Telegram refuses a message in which nothing can be seen, such as a run of marks for the direction of writing.
    return [part for part in [*parts, rest] if _is_visible(part)] or [rest]


def _bot(token: str, api: str, sending: AiohttpRequest, polling: AiohttpRequest) -> Bot:
    try:
        return Bot(token, base_url=f"{api}/bot", base_file_url=f"{api}/file/bot", request=sending, get_updates_request=polling)
    except TelegramError:
        pass
    raise ChannelMisconfigured("The Telegram token is empty: set STEPWISE_TELEGRAM_TOKEN.")


def _chat_id(address: str) -> int:
    if not address.isascii() or not address.removeprefix("-").isdigit():
        raise MessageRejected("The recipient's address is not a Telegram chat.")
    return int(address)


def _keyboard(rows: Rows) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup([[InlineKeyboardButton(button.label, callback_data=button.data) for button in row] for row in rows])


def _sendable(text: str) -> str:
    """The text without what no JSON parser or database takes: NUL and halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _is_visible(text: str) -> bool:
    return any(unicodedata.category(sign) not in _INVISIBLE for sign in text)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _prefix(text: str, units: int) -> str:
    """The longest beginning of `text` that has no more than `units` UTF-16 units."""
    return text.encode("utf-16-le")[: units * 2].decode("utf-16-le", "ignore")
