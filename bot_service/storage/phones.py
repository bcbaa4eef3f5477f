"""Read-only queries of the simulated phones: the last words on each, and when the next message comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select

from bot_service.storage.database import Tx
from bot_service.storage.outbox import WENT_OUT
from bot_service.storage.tables import episodes, holds, inbox, outbox, patients


@dataclass(frozen=True)
class Phone:
    """One patient's phone. `ours` and `theirs` are when each side last wrote."""

    patient_id: UUID
    ref: str
    name: str
    zone: str
    status: str
    ours: datetime | None
    theirs: datetime | None


def list_phones(tx: Tx, clinic_id: UUID) -> list[Phone]:
    """Every patient's phone in a clinic, those with the latest message first."""
    ours = _latest(tx, select(outbox.c.patient_id, func.max(outbox.c.sent_at).label("at")).where(_arrived()).group_by(outbox.c.patient_id))
    theirs = _latest(
        tx,
        select(inbox.c.patient_id, func.max(inbox.c.received_at).label("at"))
        .where(inbox.c.patient_id.is_not(None))
        .group_by(inbox.c.patient_id),
    )
    query = select(patients).where(patients.c.clinic_id == clinic_id, patients.c.name.is_not(None))
    found = []
    for row in tx.all(query):
        tx.remember_key(row.id, row.data_key)
        name = tx.unseal(row.id, f"patients.name:{row.id}", row.name) or ""
        found.append(Phone(row.id, row.ref, name, row.zone, row.status, ours.get(row.id), theirs.get(row.id)))
    return sorted(found, key=lambda phone: (-_stamp(phone), phone.ref))


def last_text(tx: Tx, phone: Phone) -> str:
    """The words of the latest message on the phone, whoever wrote it."""
    if phone.theirs is not None and (phone.ours is None or phone.theirs > phone.ours):
        row = tx.first(
            select(inbox.c.id, inbox.c.text).where(inbox.c.patient_id == phone.patient_id).order_by(inbox.c.received_at.desc()).limit(1)
        )
        return (row and tx.unseal(phone.patient_id, f"inbox.text:{row.id}", row.text)) or ""
    row = tx.first(
        select(outbox.c.id, outbox.c.text)
        .where(outbox.c.patient_id == phone.patient_id, _arrived())
        .order_by(outbox.c.sent_at.desc(), outbox.c.id)
        .limit(1)
    )
    return (row and tx.unseal(phone.patient_id, f"outbox.text:{row.id}", row.text)) or ""


def last_arrival(tx: Tx, patient_id: UUID | None) -> datetime | None:
    """When the latest message reached a phone, or any phone."""
    query = select(func.max(outbox.c.sent_at)).where(_arrived())
    return tx.scalar(query if patient_id is None else query.where(outbox.c.patient_id == patient_id))  # type: ignore[no-any-return]  # the column's own type


def next_message_at(tx: Tx, patient_id: UUID | None) -> datetime | None:
    """When the next message to a phone, or to any phone, is planned."""
    waiting = select(outbox.c.due_at).where(outbox.c.status == "due")
    # A hold without an end: no prompt comes of the cursor until somebody releases it.
    held = exists().where(holds.c.episode_id == episodes.c.id, holds.c.released_at.is_(None), holds.c.until_day.is_(None))
    cursor = select(episodes.c.next_prompt_at).where(episodes.c.status == "active", episodes.c.next_prompt_at.is_not(None), ~held)
    if patient_id is not None:
        waiting, cursor = waiting.where(outbox.c.patient_id == patient_id), cursor.where(episodes.c.patient_id == patient_id)
    times = [tx.scalar(waiting.order_by(outbox.c.due_at).limit(1)), tx.scalar(cursor.order_by(episodes.c.next_prompt_at).limit(1))]
    return min((at for at in times if at is not None), default=None)


def _arrived() -> ColumnElement[bool]:
    return outbox.c.provider_id.is_not(None) & outbox.c.status.in_((*WENT_OUT, "in_doubt"))


def _latest(tx: Tx, query: Select[Any]) -> dict[UUID, datetime]:
    return {row.patient_id: row.at for row in tx.all(query) if row.patient_id is not None}


def _stamp(phone: Phone) -> float:
    return max((at.timestamp() for at in (phone.ours, phone.theirs) if at is not None), default=0.0)
