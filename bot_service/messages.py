"""What travels between us and a channel: plain values that every layer may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from bot_service.errors import DeliveryError

Heard = Literal["text", "tap", "edit", "media", "blocked", "unblocked", "group"]


@dataclass(frozen=True)
class Button:
    """A button under a message. `data` comes back on a tap: at most 64 bytes, `v1:<question>:<answer>`."""

    label: str
    data: str


@dataclass(frozen=True)
class Outbound:
    """One message to one address, rendered.

    `template`, `values` and `language` are for channels that need an approved form when `window_open` is false; `hints` name the
    answers in the patient's language where a channel has no buttons; `valid_for` is how long the message stays of use, for providers
    that keep messages waiting. `plain` asks for the answers in words, after buttons were refused; what was taken with them is not sent
    again. `picture` is a PNG that goes with the text where the channel can; `picture_token` is the end of the address under which the
    provider fetches it instead.
    """

    id: str
    sender_id: str
    address: str
    text: str
    rows: tuple[tuple[Button, ...], ...] = ()
    template: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    window_open: bool = True
    language: str = "en"
    hints: Mapping[str, str] = field(default_factory=dict)
    valid_for: timedelta | None = None
    plain: bool = False
    picture: bytes | None = field(default=None, repr=False)
    picture_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Inbound:
    """One thing a person did in a chat; `group` is something said to us where others read along, and carries nothing of it.

    `provider_id` is unique per sender for ever (the de-duplication key). `message_id` is the chat's own id of the message, the
    same for an edit as for the original; `reply_to` the id of our message that was tapped or replied to. `start_code` is the
    payload of an enrolment link. `at` is the provider's time of it, UTC, or None. `alias` is another address of the same person. `shown` is
    the text under which a tapped button stood.
    """

    provider_id: str
    address: str
    heard: Heard
    text: str = ""
    data: str | None = None
    message_id: str | None = None
    reply_to: str | None = None
    start_code: str | None = None
    media: str | None = None
    callback_id: str | None = None
    at: datetime | None = None
    alias: str | None = None
    shown: str = ""


@dataclass(frozen=True)
class Receipt:
    """What a provider says became of a message of ours.

    `provider_id` is its id of the message, `message_id` ours when it came along. `status` is `sent` (accepted), `delivered`, `read` or
    `failed`, and `error` then says what that means.
    """

    provider_id: str
    status: Literal["sent", "delivered", "read", "failed"]
    message_id: str | None = None
    error: DeliveryError | None = None
