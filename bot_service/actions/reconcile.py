"""Asking the provider afterwards: what people wrote while nobody listened, and what became of a message whose call ended in doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bot_service.actions import window
from bot_service.actions.receipts import record_receipt
from bot_service.actions.receive import store
from bot_service.channels.channel import Channel
from bot_service.conversation.tokens import button_data
from bot_service.conversation.wording import load_catalogue
from bot_service.logs import log
from bot_service.messages import Button, Inbound, Outbound, Receipt
from bot_service.storage import aliases, conversations, doubts, outbox
from bot_service.storage.database import Database
from bot_service.storage.doubts import Doubt
from bot_service.storage.receipts import UNSEEN

DENIABLE_AFTER = timedelta(minutes=5)
"""How long after its call a message that the provider's list does not show was surely not accepted (default)."""
ASKED_FOR = timedelta(hours=6)
"""How long an outcome is asked for; then staff see it in doubt (default)."""
DENIED = "the provider has no record of it"


@dataclass(frozen=True)
class Question:
    """A message in doubt, as the provider is asked about it."""

    outbound: Outbound
    began_at: datetime
    taken: frozenset[str]


def store_missed(db: Database, sender_id: UUID, raw: Mapping[str, Any], channel: Channel, now: datetime) -> bool:
    """Keep a message from the provider's list that never reached us; False when it did, or when it is nobody's who is linked to us.

    Somebody unknown gets no late answer: the list may reach back to before the service was there.
    """
    try:
        inbound = channel.parse(raw)
    except ValueError:  # not a message of this channel's: a text message to the same messaging service, say
        return False
    if inbound is None or not (inbound.start_code or _is_known(db, sender_id, inbound)):
        return False
    return store(db, sender_id, raw, channel, now)


def list_questions(db: Database, sender_id: UUID, now: datetime) -> list[Question]:
    """The messages of a sender that are in doubt, as far as it is still worth asking."""
    with db.read() as tx:
        return [
            Question(_as_sent(doubt), doubt.message.sent_at or doubt.message.status_at, doubts.list_taken(tx, doubt.message))
            for doubt in doubts.list_in_doubt(tx, sender_id, now - ASKED_FOR, DENIED)
        ]


def settle(db: Database, sender_id: UUID, question: Question, receipt: Receipt | None, now: datetime) -> None:
    """Write down what the provider said: what it has was sent; what it denies goes out after all while it is of use, and not twice.

    Nothing happens when the answer is a denial that comes too early to count.
    """
    if receipt is not None:
        record_receipt(db, sender_id, receipt, now)
        log().info("found at the provider", message=question.outbound.id, status=receipt.status)
    elif now - question.began_at >= DENIABLE_AFTER:
        _deny(db, UUID(question.outbound.id), now)


def _deny(db: Database, message_id: UUID, now: datetime) -> None:
    with db.begin() as tx:
        message = outbox.load(tx, message_id)
        if message is None:
            return
        if message.expires_at <= now or message.kind in outbox.MUST_ARRIVE:  # the latter went out again in a new message at once
            outbox.move(tx, message_id, ("in_doubt",), "in_doubt", message.status_at, DENIED)
            return
        back = {"sent_at": None, "claimed_by": None, "lease_until": None}
        if outbox.move(tx, message_id, ("in_doubt",), "due", now, DENIED, **back):
            conversations.withdraw(tx, message_id)
            log().info("not at the provider", message=str(message_id))


def _as_sent(doubt: Doubt) -> Outbound:
    """The message as it went to the channel, as far as the provider's list shows it."""
    message = doubt.message
    rows = tuple(tuple(Button(cell["label"], button_data(UUID(cell["question"]), cell["answer"])) for cell in row) for row in doubt.rows)
    by_template = message.content.get(UNSEEN) == "yes"
    hints = load_catalogue(doubt.language).hints
    ids = (str(message.id), str(message.sender_id))
    plain = window.IN_WORDS in message.content
    return Outbound(*ids, doubt.address, doubt.text, rows, window_open=not by_template, language=doubt.language, hints=hints, plain=plain)


def _is_known(db: Database, sender_id: UUID, inbound: Inbound) -> bool:
    with db.read() as tx:
        return aliases.find_address(tx, sender_id, inbound.address, inbound.alias) is not None
