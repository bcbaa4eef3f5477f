"""Messages after a provider took them: found again by its id, and those of which the patient has seen only the template."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, update

from bot_service.storage.database import Tx
from bot_service.storage.outbox import COLUMNS, WENT_OUT, Message, message
from bot_service.storage.tables import addresses, outbox, senders

UNSEEN = "unseen"
"""Key of a message's content: `yes` while the patient has seen only the template that stood for it, `no` after that."""


def find_by_provider_id(tx: Tx, sender_id: UUID, provider_id: str) -> Message | None:
    row = tx.first(select(*COLUMNS).where(outbox.c.sender_id == sender_id, outbox.c.provider_id == provider_id).limit(1))
    return None if row is None else message(row)


def list_unseen(tx: Tx, patient_id: UUID, since: datetime) -> list[Message]:
    """Messages due since then that went out, or may have, as a template and were not shown yet, the oldest first."""
    return [message(row) for row in tx.all(_UNSEEN, {"of_patient": patient_id, "since": since})]


def mark_seen(tx: Tx, shown: Message) -> None:
    """The patient has answered the template."""
    tx.run(update(outbox).where(outbox.c.id == shown.id).values(content={**shown.content, UNSEEN: "no"}))


def mark_reached(tx: Tx, patient_id: UUID, sender_id: UUID) -> None:
    """A message arrived: the address can be reached again."""
    reached = (addresses.c.patient_id == patient_id, addresses.c.sender_id == sender_id, addresses.c.status.in_(("active", "unreachable")))
    tx.run(update(addresses).where(*reached, addresses.c.failures > 0).values(status="active", failures=0))


def count_buttons(tx: Tx, message_id: UUID) -> int:
    """How many answers to choose from a message went out with."""
    return sum(len(row) for row in tx.scalar(select(outbox.c.buttons).where(outbox.c.id == message_id)) or [])


def channel_of(tx: Tx, sender_id: UUID) -> str:
    """The channel of a sender."""
    return str(tx.one(_CHANNEL, {"of_sender": sender_id}).channel)


# Built once: putting a statement together costs several times what running it does.
_CHANNEL = select(senders.c.channel).where(senders.c.id == bindparam("of_sender"))
_UNSEEN = (
    select(*COLUMNS)
    .where(
        outbox.c.patient_id == bindparam("of_patient"),
        outbox.c.due_at >= bindparam("since"),
        outbox.c.status.in_(("sending", "in_doubt", *WENT_OUT)),
        outbox.c.content[UNSEEN].as_string() == "yes",
    )
    .order_by(outbox.c.sent_at, outbox.c.id)
)
