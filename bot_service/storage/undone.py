"""What undoing a decision asks of the messages: the one with its news, whether anything went out since, and what waits again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from bot_service.storage.database import Tx
from bot_service.storage.outbox import COLUMNS, Message, message
from bot_service.storage.tables import outbox


def restore(tx: Tx, now: datetime, patient_id: UUID, reason: str, cancelled_at: datetime) -> None:
    """What was cancelled for that reason at that moment waits again."""
    where = (outbox.c.patient_id == patient_id, outbox.c.status == "cancelled", outbox.c.reason == reason)
    tx.run(update(outbox).where(*where, outbox.c.status_at == cancelled_at).values(status="due", status_at=now, reason=None))


def find_of_key(tx: Tx, key: str) -> Message | None:
    """The message with that occurrence key."""
    row = tx.first(select(*COLUMNS).where(outbox.c.occurrence_key == key))
    return None if row is None else message(row)


def list_cancelled(tx: Tx, episode_id: UUID, reason: str, since: datetime) -> list[Message]:
    """The news that was cancelled for that reason since then."""
    where = (outbox.c.episode_id == episode_id, outbox.c.kind == "news", outbox.c.status == "cancelled", outbox.c.reason == reason)
    return [message(row) for row in tx.all(select(*COLUMNS).where(*where, outbox.c.status_at >= since))]


def shown_since(tx: Tx, patient_id: UUID, prescription_id: UUID) -> bool:
    """Whether anything went out to the patient, or may have, while that prescription was in force."""
    found = select(outbox.c.id).where(outbox.c.patient_id == patient_id, outbox.c.prescription_id == prescription_id)
    return tx.first(found.where(outbox.c.sent_at.is_not(None)).limit(1)) is not None
