"""Counts for operators: messages by state, how late they went out, what came in, and open cases. No patient in any of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, literal, select

from bot_service.storage.database import Tx
from bot_service.storage.tables import cases, inbox, outbox, patients, senders


def answers(tx: Tx) -> bool:
    """Whether the database answers at all."""
    return bool(tx.scalar(select(literal(1))) == 1)


def list_languages(tx: Tx, clinic_id: UUID) -> set[str]:
    """The languages of the clinic's patients who get messages or are invited to."""
    in_care = (patients.c.clinic_id == clinic_id, patients.c.status.in_(("invited", "asked", "opted_in")))
    return {row.language for row in tx.all(select(patients.c.language).where(*in_care).distinct())}


def count_messages(tx: Tx) -> dict[tuple[str, str], int]:
    """Messages by kind and state."""
    query = select(outbox.c.kind, outbox.c.status, func.count().label("number")).group_by(outbox.c.kind, outbox.c.status)
    return {(row.kind, row.status): int(row.number) for row in tx.all(query)}


def count_inbound(tx: Tx) -> dict[str, int]:
    """Updates by state: received, handled or quarantined."""
    query = select(inbox.c.status, func.count().label("number")).group_by(inbox.c.status)
    return {row.status: int(row.number) for row in tx.all(query)}


def count_open_cases(tx: Tx) -> dict[str, int]:
    """Open cases by urgency."""
    query = select(cases.c.urgency, func.count().label("number")).where(cases.c.closed_at.is_(None)).group_by(cases.c.urgency)
    return {row.urgency: int(row.number) for row in tx.all(query)}


def count_stopped_senders(tx: Tx) -> int:
    """Senders whose credentials were refused: nothing leaves through them until an operator acts."""
    return int(tx.scalar(select(func.count()).select_from(senders).where(senders.c.status == "broken")))


def count_overdue(tx: Tx, now: datetime) -> int:
    """Messages that should have begun to go out by now."""
    query = select(func.count()).select_from(outbox).where(outbox.c.status.in_(("due", "claimed")), outbox.c.due_at <= now)
    return int(tx.scalar(query))


def list_lateness(tx: Tx, worker: str, after: datetime, limit: int = 10_000) -> list[tuple[datetime, float]]:
    """When each message that this worker sent after an instant went out, and how many seconds late, oldest first."""
    due_at = func.coalesce(outbox.c.late_since, outbox.c.due_at).label("due_at")  # a retry moves the latter
    query = select(outbox.c.sent_at, due_at).where(
        outbox.c.claimed_by == worker, outbox.c.sent_at > after, outbox.c.status.in_(("sent", "delivered", "read"))
    )
    rows = tx.all(query.order_by(outbox.c.sent_at).limit(limit))
    return [(row.sent_at, max(0.0, (row.sent_at - row.due_at).total_seconds())) for row in rows]
