"""Messages whose call ended without an answer, with what is needed to find them at the provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from bot_service.storage import patients
from bot_service.storage.database import Tx
from bot_service.storage.outbox import COLUMNS, Message, message
from bot_service.storage.tables import outbox
from bot_service.storage.tables import patients as patients_table

AROUND = timedelta(days=1)


@dataclass(frozen=True)
class Doubt:
    """A message in doubt: its text and buttons as they were sent, where to, and the language of what the channel added."""

    message: Message
    text: str
    rows: Sequence[Sequence[Mapping[str, str]]]
    address: str
    language: str


def list_in_doubt(tx: Tx, sender_id: UUID, since: datetime, settled: str) -> list[Doubt]:
    """Messages of a sender to patients that have been in doubt since then at the earliest, but for those with the reason `settled`."""
    query = (
        select(*COLUMNS, outbox.c.text, outbox.c.buttons, patients_table.c.language)
        .join(patients_table, patients_table.c.id == outbox.c.patient_id)
        .where(outbox.c.status == "in_doubt", outbox.c.sender_id == sender_id, outbox.c.status_at >= since)
        .where(outbox.c.reason.is_distinct_from(settled))
        .order_by(outbox.c.sent_at, outbox.c.id)
    )
    found = []
    for row in tx.all(query):
        address = patients.find_active_address(tx, row.patient_id)
        if address is not None and address.sender_id == sender_id:
            text = tx.unseal(row.patient_id, f"outbox.text:{row.id}", row.text) or ""
            found.append(Doubt(message(row), text, row.buttons or [], address.address, row.language))
    return found


def list_taken(tx: Tx, doubtful: Message) -> frozenset[str]:
    """The provider's ids of the patient's other messages of about that time."""
    about = doubtful.sent_at or doubtful.status_at
    query = select(outbox.c.provider_id).where(
        outbox.c.patient_id == doubtful.patient_id,
        outbox.c.id != doubtful.id,
        outbox.c.provider_id.is_not(None),
        outbox.c.sent_at >= about - AROUND,
    )
    return frozenset(str(row.provider_id) for row in tx.all(query))
