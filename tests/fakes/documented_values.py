"""What the providers' documents say of the values that parameters may have: type, form and limits, beside the names of the parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

Allowed = Callable[[str], bool]
UPDATE_KINDS = frozenset(
    "message edited_message channel_post edited_channel_post business_connection business_message edited_business_message "
    "deleted_business_messages message_reaction message_reaction_count inline_query chosen_inline_result callback_query shipping_query "
    "pre_checkout_query purchased_paid_media poll poll_answer my_chat_member chat_member chat_join_request chat_boost "
    "removed_chat_boost".split()
)


def undocumented(given: Mapping[str, str], allowed: Mapping[str, Allowed]) -> list[str]:
    """The names of the parameters whose values no document allows."""
    return sorted(name for name, value in given.items() if name in allowed and not allowed[name](value))


def _like(pattern: str) -> Allowed:
    return lambda value: re.fullmatch(pattern, value) is not None


def _whole(least: int, most: int) -> Allowed:
    return lambda value: re.fullmatch(r"-?\d{1,18}", value) is not None and least <= int(value) <= most


def _json(holds: Callable[[Any], bool]) -> Allowed:
    def check(value: str) -> bool:
        try:
            return holds(json.loads(value))
        except ValueError:
            return False

    return check


def _is_command(command: object) -> bool:
    if not isinstance(command, dict) or set(command) != {"command", "description"}:
        return False
    return re.fullmatch("[a-z0-9_]{1,32}", command["command"]) is not None and 1 <= len(command["description"]) <= 256


def _is_url(value: str) -> bool:
    return urlsplit(value).scheme in {"http", "https"} and bool(urlsplit(value).hostname)


_YES_OR_NO = _like("true|false")
BOT_API: dict[str, Allowed] = {
    "offset": _whole(-(2**63), 2**63),
    "limit": _whole(1, 100),
    "timeout": _whole(0, 50),
    "allowed_updates": _json(lambda kinds: isinstance(kinds, list) and set(kinds) <= UPDATE_KINDS),
    "max_connections": _whole(1, 100),
    "secret_token": _like("[A-Za-z0-9_-]{1,256}"),
    "drop_pending_updates": _YES_OR_NO,
    "commands": _json(lambda commands: isinstance(commands, list) and len(commands) <= 100 and all(map(_is_command, commands))),
    "language_code": _like("[a-z]{2}|"),
    "message_id": _whole(1, 2**63),
    "callback_query_id": _like(".+"),
    "link_preview_options": _json(lambda options: isinstance(options, dict)),
    "disable_notification": _YES_OR_NO,
    "protect_content": _YES_OR_NO,
}
TWILIO: dict[str, Allowed] = {
    "MessagingServiceSid": _like("MG[0-9a-fA-F]{32}"),
    "ContentSid": _like("HX[0-9a-fA-F]{32}"),
    "ContentVariables": _json(lambda values: isinstance(values, dict) and all(isinstance(value, str) for value in values.values())),
    "StatusCallback": lambda value: _is_url(value) and "_" not in urlsplit(value).netloc,
    "MediaUrl": _is_url,
    "ValidityPeriod": _whole(1, 36_000),
    "DateSent>": _like(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?"),
    "PageSize": _whole(1, 1000),
    "Page": _whole(0, 2**31),
}
