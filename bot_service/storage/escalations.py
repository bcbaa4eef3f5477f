"""Cases that nobody has acknowledged in time, and those that somebody has to look at once more."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update

from bot_service.storage.cases import record_event, waiting
from bot_service.storage.database import Tx
from bot_service.storage.tables import cases


def mark_for_lead(tx: Tx, now: datetime, case_id: UUID) -> bool:
    """The lead should look, since nobody acknowledged it in time; False when that was noted before."""
    waits = (cases.c.id == case_id, cases.c.status == "open", cases.c.escalated_at.is_(None))
    if tx.first(update(cases).where(*waits).values(escalated_at=now).returning(cases.c.id)) is None:
        return False
    record_event(tx, now, case_id, "escalated", "nobody acknowledged it")
    return True


def reopen(tx: Tx, now: datetime, case_id: UUID, due_at: datetime | None) -> bool:
    """Who acknowledged a case has not seen what the patient wrote since: it waits, and is told, anew. False when nobody had."""
    acknowledged = (cases.c.id == case_id, cases.c.status == "acknowledged")
    row = tx.first(update(cases).where(*acknowledged).values(**waiting(due_at)).returning(cases.c.id))
    if row is not None:
        record_event(tx, now, case_id, "reopened", "patient")
    return row is not None
