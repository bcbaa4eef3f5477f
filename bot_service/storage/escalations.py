"""Cases that nobody has acknowledged in time, and those that somebody has to look at once more."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select, update

from bot_service.storage.cases import record_event
from bot_service.storage.database import Tx
from bot_service.storage.tables import cases


def list_overdue(tx: Tx, now: datetime) -> list[UUID]:
    """The episodes with cases that nobody acknowledged in time."""
    return [row.episode_id for row in tx.all(_OVERDUE, {"now": now})]


def escalate_due(tx: Tx, episode_id: UUID, now: datetime) -> int:
    """Mark those of an episode, which is locked, for the lead, once; how many there were."""
    rows = tx.all(_ESCALATE, {"of_episode": episode_id, "now": now, "escalate_at": None, "escalated_at": now})
    for row in rows:
        record_event(tx, now, row.id, "escalated", "nobody acknowledged it")
    return len(rows)


def next_escalation_at(tx: Tx, after: datetime | None = None) -> datetime | None:
    """When the next case is to be marked for the lead, or the next one after `after`."""
    return tx.scalar(_NEXT, {}) if after is None else tx.scalar(_NEXT_AFTER, {"after": after})  # type: ignore[no-any-return]  # the column type


def reopen(tx: Tx, now: datetime, case_id: UUID, due_at: datetime | None, escalate_at: datetime | None) -> bool:
    """Who acknowledged a case has not seen what the patient wrote since: it waits, and is told, anew. False when nobody had."""
    waits = {"status": "open", "acknowledged_at": None, "due_at": due_at, "escalate_at": escalate_at}
    acknowledged = (cases.c.id == case_id, cases.c.status == "acknowledged")
    row = tx.first(update(cases).where(*acknowledged).values(**waits).returning(cases.c.id))
    if row is not None:
        record_event(tx, now, case_id, "reopened", "patient")
    return row is not None


# Built once: putting a statement together costs several times what running it does.
_LATE = cases.c.escalate_at <= bindparam("now")
_OVERDUE = select(cases.c.episode_id).where(_LATE).distinct()
_ESCALATE = update(cases).where(cases.c.episode_id == bindparam("of_episode"), _LATE).returning(cases.c.id)
_NEXT = select(func.min(cases.c.escalate_at)).where(cases.c.escalate_at.is_not(None))
_NEXT_AFTER = _NEXT.where(cases.c.escalate_at > bindparam("after"))
