"""What news of a plan says is different, put in words at the moment of sending: a message waits with the two prescriptions' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from bot_service.conversation.plan_news import what_changed
from bot_service.conversation.wording import load_catalogue
from bot_service.storage import prescriptions
from bot_service.storage.database import Tx


def with_changes(tx: Tx, content: Mapping[str, Any], language: str) -> Mapping[str, Any]:
    """The content with what differs between the two in words."""
    if not any(key == "changes" for key, _ in content.get("lines", ())):
        return content
    lines = [[key, {**values, "told": _told(tx, values, language)} if key == "changes" else values] for key, values in content["lines"]]
    return {**content, "lines": lines}


def _told(tx: Tx, values: Mapping[str, str], language: str) -> str:
    was, will = (prescriptions.load(tx, UUID(values[name])) for name in ("was", "will"))
    return what_changed(was, will, load_catalogue(language))
