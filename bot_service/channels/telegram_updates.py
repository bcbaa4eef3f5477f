"""Telegram's updates read from the raw JSON, field by field: `Update.de_json` raises five kinds of error on what a client may send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot_service.messages import Heard, Inbound

# Kinds of message that people send and we cannot read. Order matters: Telegram repeats an animation as a document and a venue as a
# location, so the telling name comes first.
_MEDIA = (
    "animation", "venue", "photo", "voice", "sticker", "location", "document", "contact", "poll", "video", "video_note", "audio", "dice",
    "story", "game", "paid_media", "checklist",
)  # fmt: skip
# Notices that Telegram itself puts into a private chat: nobody said anything.
_NOTICES = frozenset(
    "pinned_message message_auto_delete_timer_changed write_access_allowed chat_background_set boost_added connected_website "
    "successful_payment refunded_payment users_shared chat_shared passport_data gift unique_gift migrate_to_chat_id".split()
)
_START = re.compile(r"/start(?:@\w+)?\s+([A-Za-z0-9_-]{1,64})\s*")
_LARGEST_ID = 2**63 - 1


def parse_update(raw: Mapping[str, Any]) -> Inbound | None:
    """What a person did in a private chat, or None: channels and Telegram's own notices are nothing for us.

    Of a group only its id is taken, when we are added to it or addressed by a command: the sender gets told that we serve nobody there.

    Raises ValueError, without quoting any of it, for what cannot be an update.
    """
    provider_id = str(_whole(raw, "update_id"))
    if "message" in raw:
        return _message(provider_id, _object(raw, "message"), edited=False)
    if "edited_message" in raw:
        return _message(provider_id, _object(raw, "edited_message"), edited=True)
    if "callback_query" in raw:
        return _tap(provider_id, _object(raw, "callback_query"))
    if "my_chat_member" in raw:
        return _membership(provider_id, _object(raw, "my_chat_member"))
    return None


def _message(provider_id: str, message: Mapping[str, Any], edited: bool) -> Inbound | None:
    address = _private_address(message)
    text = _text(message, "text")
    if text is not None and text.startswith("/") and not edited and (group := _group_address(message)):
        return Inbound(provider_id=provider_id, address=group, heard="group")
    media = None if text is not None else next((kind for kind in _MEDIA if kind in message), None)
    if address is None or (text is None and media is None and not _NOTICES.isdisjoint(message)):
        return None
    # A kind that is newer than this code is still something the patient sent: it becomes media of a kind we do not know.
    heard: Heard = "edit" if edited else "text" if text is not None else "media"
    start = _START.fullmatch(text) if text and not edited else None
    return Inbound(
        provider_id=provider_id,
        address=address,
        heard=heard,
        text=text if text is not None else _text(message, "caption") or "",
        message_id=str(_whole(message, "message_id")),
        reply_to=_reply_to(message),
        start_code=start[1] if start else None,
        media=None if text is not None else media or "other",
        at=_moment(message, "edit_date" if edited else "date"),
    )


def _tap(provider_id: str, query: Mapping[str, Any]) -> Inbound | None:
    message, data = query.get("message"), _text(query, "data")
    callback_id = _text(query, "id")
    if callback_id is None:
        raise ValueError("A callback query has no id.")
    if not isinstance(message, Mapping) or data is None:
        return None  # a game, or a button under a message sent through inline mode: we have neither
    address = _private_address(message)
    if address is None:
        return None
    # The date in it is that of our message, which may be days old: a tap carries no time of its own.
    return Inbound(
        provider_id=provider_id,
        address=address,
        heard="tap",
        text=_label(message, data),
        data=data,
        reply_to=str(_whole(message, "message_id")) if "message_id" in message else None,
        callback_id=callback_id,
        shown=_text(message, "text") or "",
    )


def _membership(provider_id: str, change: Mapping[str, Any]) -> Inbound | None:
    address = _private_address(change)
    status = _object(change, "new_chat_member").get("status")
    if status in ("member", "administrator") and (group := _group_address(change)):
        return Inbound(provider_id=provider_id, address=group, heard="group")
    if address is None or status not in {"kicked", "member"}:
        return None
    heard: Heard = "blocked" if status == "kicked" else "unblocked"
    return Inbound(provider_id=provider_id, address=address, heard=heard, at=_moment(change, "date"))


def _private_address(message: Mapping[str, Any]) -> str | None:
    chat = _object(message, "chat")
    number = _whole(chat, "id")
    return str(number) if chat.get("type") == "private" and number > 0 else None


def _group_address(message: Mapping[str, Any]) -> str | None:
    chat = _object(message, "chat")
    number = _whole(chat, "id")
    return str(number) if chat.get("type") in ("group", "supergroup") and number < 0 else None


def _reply_to(message: Mapping[str, Any]) -> str | None:
    original = message.get("reply_to_message")
    return str(_whole(original, "message_id")) if isinstance(original, Mapping) else None


def _label(message: Mapping[str, Any], data: str) -> str:
    """The words on the button that was tapped, or nothing when the keyboard did not come along."""
    markup = message.get("reply_markup")
    rows = markup.get("inline_keyboard") if isinstance(markup, Mapping) else None
    for row in rows if isinstance(rows, list) else ():
        for button in row if isinstance(row, list) else ():
            if isinstance(button, Mapping) and button.get("callback_data") == data:
                return _text(button, "text") or ""
    return ""


def _object(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = raw.get(key)
    if not isinstance(value, Mapping):
        raise ValueError(f"{key!r} is not an object.")
    return value


def _whole(raw: Mapping[str, Any], key: str) -> int:
    value = raw.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST_ID:
        raise ValueError(f"{key!r} is not a whole number.")
    return value


def _text(raw: Mapping[str, Any], key: str) -> str | None:
    value = raw.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key!r} is not text.")
    # Half a surrogate pair is legal in JSON and in no database; neither is a NUL.
    return value if value is None else value.encode("utf-8", "replace").decode().replace("\0", "")


def _moment(raw: Mapping[str, Any], key: str) -> datetime | None:
    if raw.get(key) is None:
        return None
    seconds = _whole(raw, key)
    if not 0 < seconds < 32503680000:  # the year 3000
        raise ValueError(f"{key!r} is not a time.")
    return datetime.fromtimestamp(seconds, UTC)
