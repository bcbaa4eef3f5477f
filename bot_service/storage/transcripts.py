"""Our side of a conversation as the transcript and the simulated phone show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from bot_service.storage.database import Tx
from bot_service.storage.outbox import WENT_OUT
from bot_service.storage.tables import outbox


@dataclass(frozen=True)
class Shown:
    """One of our messages as the transcript and the simulated phone show it."""

    id: UUID
    at: datetime
    kind: str
    status: str
    reason: str | None
    text: str
    buttons: Sequence[Sequence[Mapping[str, str]]]
    provider_id: str | None


def list_shown(tx: Tx, patient_id: UUID, *, only_received: bool = False) -> list[Shown]:
    """Our side of the transcript, oldest first; `only_received` leaves out what never reached the phone."""
    query = (
        select(outbox)
        .where(outbox.c.patient_id == patient_id, outbox.c.kind != "notice")
        .order_by(outbox.c.status_at, outbox.c.due_at, outbox.c.id)
    )
    if only_received:
        query = query.where(outbox.c.provider_id.is_not(None), outbox.c.status.in_((*WENT_OUT, "in_doubt")))
    return [_shown(tx, patient_id, row) for row in tx.all(query)]


def _shown(tx: Tx, patient_id: UUID, row: Row[Any]) -> Shown:
    words = tx.unseal(patient_id, f"outbox.text:{row.id}", row.text) or ""
    return Shown(row.id, row.sent_at or row.status_at, row.kind, row.status, row.reason, words, row.buttons or [], row.provider_id)
