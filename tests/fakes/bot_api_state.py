"""What the fake Bot API server knows: chats, queued updates, accepted messages, and the documented rules of each method."""

from __future__ import annotations

import asyncio
import json
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot_service.clock import real_now

Json = dict[str, Any]
BOT: Json = {"id": 4242, "is_bot": True, "first_name": "Stepwise", "username": "stepwise_test_bot"}
DAY_S, TAP_S, ANSWER_S = 86400, 150, 15  # how long updates, taps and the right to answer a tap live
LONGEST_TEXT, LONGEST_CAPTION, LONGEST_DATA, LONGEST_TOAST = 4096, 1024, 64, 200

PARAMETERS: dict[str, set[str]] = {
    "getMe": set(),
    "getUpdates": {"offset", "limit", "timeout", "allowed_updates"},
    "setWebhook": {"url", "certificate", "ip_address", "max_connections", "allowed_updates", "drop_pending_updates", "secret_token"},
    "getWebhookInfo": set(),
    "deleteWebhook": {"drop_pending_updates"},
    "getMyCommands": {"scope", "language_code"},
    "setMyCommands": {"commands", "scope", "language_code"},
    "sendMessage": {
        "business_connection_id", "chat_id", "message_thread_id", "direct_messages_topic_id", "text", "parse_mode", "entities",
        "link_preview_options", "disable_notification", "protect_content", "allow_paid_broadcast", "message_effect_id",
        "suggested_post_parameters", "reply_parameters", "reply_markup",
    },
    "sendPhoto": {
        "business_connection_id", "chat_id", "message_thread_id", "direct_messages_topic_id", "photo", "caption", "parse_mode",
        "caption_entities", "show_caption_above_media", "has_spoiler", "disable_notification", "protect_content", "allow_paid_broadcast",
        "message_effect_id", "suggested_post_parameters", "reply_parameters", "reply_markup",
    },
    "answerCallbackQuery": {"callback_query_id", "text", "show_alert", "url", "cache_time"},
    "editMessageText": {
        "business_connection_id", "chat_id", "message_id", "inline_message_id", "text", "parse_mode", "entities", "link_preview_options",
        "reply_markup",
    },
    "editMessageReplyMarkup": {"business_connection_id", "chat_id", "message_id", "inline_message_id", "reply_markup"},
}  # fmt: skip


class Refused(Exception):
    """An answer with ok: false."""

    def __init__(self, status: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.body: Json = {"ok": False, "error_code": status, "description": description}
        if parameters:
            self.body["parameters"] = parameters


def bad(words: str) -> Refused:
    return Refused(400, f"Bad Request: {words}")


@dataclass
class State:
    """Everything that one fake server remembers. `ledger` holds the messages it accepted, whatever it answered."""

    chats: set[int] = field(default_factory=set)
    blocked: set[int] = field(default_factory=set)
    queue: list[tuple[Json, float]] = field(default_factory=list)  # update, and when it is forgotten
    ledger: list[Json] = field(default_factory=list)
    answered: dict[str, str] = field(default_factory=dict)
    taps: dict[str, float] = field(default_factory=dict)
    commands: dict[str, list[Json]] = field(default_factory=dict)
    offences: list[str] = field(default_factory=list)  # undocumented methods and parameters
    allowed: list[str] = field(default_factory=list)
    webhook: str = ""
    secret: str = ""
    webhook_error: str = ""
    posted: list[tuple[int, int]] = field(default_factory=list)  # each try: the update's id, and what it was answered
    next_update: int = 70_000
    next_message: int = 100
    skipped_s: float = 0.0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    poller: int = 0
    polls_ended: int = 0  # by another poller

    def now(self) -> float:
        return real_now().timestamp() + self.skipped_s

    def message(self, chat: int, **content: object) -> Json:
        """A message in a private chat, with the next id."""
        self.next_message += 1
        there = {"id": chat, "type": "private", "first_name": "Pat"}
        return {"message_id": self.next_message, "date": int(self.now()), "chat": there, **content}

    def push(self, kind: str, content: object) -> Json:
        """Queue an update, unless its kind is not among those that the bot asked for."""
        self.next_update += 1
        update = {"update_id": self.next_update, kind: content}
        if not self.allowed or kind in self.allowed:
            self.queue.append((update, self.now() + (TAP_S if kind == "callback_query" else DAY_S)))
            self.arrived.set()
        return update

    def pending(self, offset: int, limit: int) -> list[Json]:
        """What getUpdates answers now: `offset` confirms everything below it, a negative one all but the last so many."""
        self.queue = [item for item in self.queue if item[1] > self.now()]
        if offset < 0:
            self.queue = self.queue[offset:]
        self.queue = [item for item in self.queue if item[0]["update_id"] >= offset]
        return [update for update, _ in self.queue[:limit]]

    def own_message(self, given: Mapping[str, str]) -> Json:
        for message in self.ledger:
            if str(message["chat"]["id"]) == given.get("chat_id") and str(message["message_id"]) == given.get("message_id"):
                return message
        raise bad("message to edit not found")


def send_message(state: State, given: Mapping[str, str]) -> Json:
    return _deliver(state, given, {"text": _text(given)})


def send_photo(state: State, given: Mapping[str, str]) -> Json:
    """A picture that was uploaded comes as its bytes in latin-1; see `bot_api._parameters`."""
    photo, caption = given.get("photo", "").encode("latin-1"), given.get("caption", "")
    if not photo.startswith(b"\x89PNG\r\n\x1a\n") or photo[12:16] != b"IHDR" or len(photo) > 10 * 2**20:
        raise bad("IMAGE_PROCESS_FAILED")
    width, height = struct.unpack(">II", photo[16:24])
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise bad("PHOTO_INVALID_DIMENSIONS")
    if len(caption.encode("utf-16-le")) // 2 > LONGEST_CAPTION:
        raise bad("message caption is too long")
    size = {"file_id": f"photo-{state.next_message}", "file_unique_id": "u", "width": width, "height": height, "file_size": len(photo)}
    return _deliver(state, given, {"photo": [size], **({"caption": caption} if caption else {})})


def _deliver(state: State, given: Mapping[str, str], content: Json) -> Json:
    chat, markup = _number(given, "chat_id"), _markup(given)
    if chat not in state.chats:
        raise bad("chat not found")
    if chat in state.blocked:
        raise Refused(403, "Forbidden: bot was blocked by the user")
    message = state.message(chat, **{"from": BOT}, **content, **({"reply_markup": markup} if markup else {}))
    state.ledger.append(message)
    return message


def edit_message_text(state: State, given: Mapping[str, str]) -> Json:
    message, text, markup = state.own_message(given), _text(given), _markup(given)
    if "text" not in message:
        raise bad("there is no text in the message to edit")
    if (message["text"], message.get("reply_markup")) == (text, markup):
        raise bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a current content and "
            "reply markup of the message"
        )
    message["text"] = text
    return _with_markup(state, message, markup)


def edit_message_reply_markup(state: State, given: Mapping[str, str]) -> Json:
    message, markup = state.own_message(given), _markup(given)
    if message.get("reply_markup") == markup:
        raise bad("message is not modified")
    return _with_markup(state, message, markup)


def answer_callback_query(state: State, given: Mapping[str, str]) -> bool:
    query = given.get("callback_query_id", "")
    if query not in state.taps or state.now() - state.taps[query] > ANSWER_S:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    if len(given.get("text", "")) > LONGEST_TOAST:
        raise bad("MESSAGE_TOO_LONG")
    state.answered[query] = given.get("text", "")
    return True


def set_my_commands(state: State, given: Mapping[str, str]) -> bool:
    state.commands[given.get("language_code", "")] = json.loads(given["commands"])
    return True


def set_webhook(state: State, given: Mapping[str, str]) -> bool:
    url, secret = given.get("url", ""), given.get("secret_token", "")
    if url and not url.startswith(("https://", "http://127.0.0.1:")):  # plain http is what a local server allows
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if not re.fullmatch("[A-Za-z0-9_-]{0,256}", secret):
        raise bad("secret token contains unallowed characters")
    state.webhook, state.secret, state.webhook_error = url, secret, ""
    if "allowed_updates" in given:
        state.allowed = json.loads(given["allowed_updates"])
    if given.get("drop_pending_updates") == "true":
        state.queue.clear()
    state.arrived.set()
    return True


def get_webhook_info(state: State, _given: Mapping[str, str]) -> Json:
    found: Json = {"url": state.webhook, "has_custom_certificate": False, "pending_update_count": len(state.pending(0, 1000))}
    if state.webhook_error:
        found |= {"last_error_date": int(state.now()), "last_error_message": state.webhook_error}
    return found | ({"max_connections": 40, "allowed_updates": state.allowed} if state.webhook else {})


def get_my_commands(state: State, given: Mapping[str, str]) -> list[Json]:
    return state.commands.get(given.get("language_code", ""), [])


def delete_webhook(state: State, given: Mapping[str, str]) -> bool:
    state.webhook = ""
    if given.get("drop_pending_updates") == "true":
        state.queue.clear()
    return True


def get_me(_state: State, _given: Mapping[str, str]) -> Json:
    more = {"can_join_groups": False, "can_read_all_group_messages": False, "supports_inline_queries": False}
    return BOT | more


METHODS: dict[str, Callable[[State, Mapping[str, str]], Json | list[Json] | bool]] = {
    "getMe": get_me,
    "setWebhook": set_webhook,
    "getWebhookInfo": get_webhook_info,
    "getMyCommands": get_my_commands,
    "deleteWebhook": delete_webhook,
    "setMyCommands": set_my_commands,
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "answerCallbackQuery": answer_callback_query,
    "editMessageText": edit_message_text,
    "editMessageReplyMarkup": edit_message_reply_markup,
}


def _with_markup(state: State, message: Json, markup: Json | None) -> Json:
    if markup:
        message["reply_markup"] = markup
    else:
        message.pop("reply_markup", None)
    message["edit_date"] = int(state.now())
    return message


def _text(given: Mapping[str, str]) -> str:
    text = given.get("text", "").strip()
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise bad("text must be encoded in UTF-8")
    if not re.sub("[\\s\x00-\x1f\u200b-\u200f\u2028-\u202e\u030a\u0333\u033f]", "", text):  # what the server takes out by itself
        raise bad("message text is empty")
    if len(text.encode("utf-16-le")) // 2 > LONGEST_TEXT:
        raise bad("message is too long")
    if given.get("parse_mode") and any(sign in text for sign in "_*[]`<&"):
        raise bad("can't parse entities: character has no end")
    return text


def _number(given: Mapping[str, str], name: str) -> int:
    try:
        return int(given[name])
    except (KeyError, ValueError):
        raise bad("chat_id is empty") from None


def _markup(given: Mapping[str, str]) -> Json | None:
    if not given.get("reply_markup"):
        return None
    try:
        markup: Json = json.loads(given["reply_markup"])
        buttons = [button for row in markup["inline_keyboard"] for button in row]
        if any(not button["text"] for button in buttons):
            raise bad("text buttons are not allowed to be empty")
        sizes = [len(button["callback_data"].encode()) for button in buttons]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise bad("can't parse reply keyboard markup JSON object") from None
    if any(not 1 <= size <= LONGEST_DATA for size in sizes):
        raise bad("BUTTON_DATA_INVALID")
    return markup
