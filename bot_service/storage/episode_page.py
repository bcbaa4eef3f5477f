"""Read-only queries that only the patient's page needs: what was done about cases, and what waits to be sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from bot_service.storage.database import Tx
from bot_service.storage.tables import case_events, cases, outbox


@dataclass(frozen=True)
class CaseEvent:
    """Something that happened to a case: raised, acknowledged, closed, what the patient said about it, or a clinician's `note` on it."""

    case_id: UUID
    what: str
    who: str
    at: datetime
    note: str = ""


@dataclass(frozen=True)
class Waiting:
    """A message that is to go out."""

    kind: str
    due_at: datetime


def list_case_events(tx: Tx, patient_id: UUID, episode_id: UUID) -> dict[UUID, list[CaseEvent]]:
    """Events of the cases of an episode, the oldest first."""
    query = (
        select(case_events)
        .join_from(case_events, cases, case_events.c.case_id == cases.c.id)
        .where(cases.c.episode_id == episode_id)
        .order_by(case_events.c.at, case_events.c.id)
    )
    found: dict[UUID, list[CaseEvent]] = {}
    for row in tx.all(query):
        note = tx.unseal(patient_id, f"case_events.note:{row.id}", row.note) or ""
        found.setdefault(row.case_id, []).append(CaseEvent(row.case_id, row.what, row.who, row.at, note))
    return found


def list_waiting(tx: Tx, patient_id: UUID) -> list[Waiting]:
    """What waits to be sent to a patient, the earliest first."""
    query = select(outbox.c.kind, outbox.c.due_at).where(outbox.c.patient_id == patient_id, outbox.c.status.in_(("due", "claimed")))
    return [Waiting(row.kind, row.due_at) for row in tx.all(query.order_by(outbox.c.due_at, outbox.c.id))]
