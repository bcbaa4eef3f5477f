"""One of our messages in a clinician's words: what it is called, and what became of it."""

from __future__ import annotations

from bot_service.actions.held_words import reason_in_words
from bot_service.storage.transcripts import Shown

KINDS = {
    "prompt": "Exercises",
    "check_in": "24-hour question",
    "nudge": "Reminder",
    "reply": "Answer",
    "safety": "Safety text",
    "news": "News of a decision",
    "message_read": "Their message was read",
    "again": "Question asked again",
    "seen": "Question after a red flag",
    "silence": "After a week of silence",
    "goodbye": "Last message",
}
ASKED_FIRST = {"pain_24h": "24-hour question", "safety": "Safety question"}
"""What a day's message is called that asks this and no more: the exercises follow the answer."""
STATES = {
    "due": "waiting",
    "claimed": "on its way",
    "sending": "on its way",
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "failed": "failed",
    "expired": "not sent",
    "cancelled": "not sent",
    "in_doubt": "in doubt",
}


def kind_words(item: Shown) -> str:
    """What a message is called."""
    first = ASKED_FIRST.get(item.asked or "") if item.kind in ("prompt", "check_in") else None
    return first or KINDS.get(item.kind, item.kind)


def state_words(item: Shown) -> str:
    """What became of it, and why where it did not go out as meant."""
    reason = reason_in_words(item.reason or "")
    shown = reason and item.status not in ("sent", "delivered", "read")
    return STATES.get(item.status, item.status) + (f": {reason}" if shown else "")
