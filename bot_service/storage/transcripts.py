"""Our side of a conversation as the transcript and the simulated phone show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select

from bot_service.conversation.states import CHANGE, KINDS
from bot_service.storage.database import Tx
from bot_service.storage.outbox import WENT_OUT
from bot_service.storage.tables import outbox, questions


@dataclass(frozen=True)
class Shown:
    """One of our messages as the transcript and the simulated phone show it. `asked` is the kind of the question that it opened."""

    id: UUID
    at: datetime
    kind: str
    status: str
    reason: str | None
    text: str
    buttons: Sequence[Sequence[Mapping[str, str]]]
    provider_id: str | None
    asked: str | None = None


def list_shown(tx: Tx, patient_id: UUID, *, only_received: bool = False) -> list[Shown]:
    """Our side of the transcript, oldest first.

    `only_received` shows what is on the phone: it leaves out what never reached the phone, and choices that were made.
    """
    query = (
        select(outbox)
        .where(outbox.c.patient_id == patient_id, outbox.c.kind != "notice")
        .order_by(outbox.c.status_at, outbox.c.due_at, outbox.c.id)
    )
    if only_received:
        query = query.where(outbox.c.provider_id.is_not(None), outbox.c.status.in_((*WENT_OUT, "in_doubt")))
    opened = tx.all(_OPENED, {"patient_id": patient_id})
    asked = {row.outbox_id: row.kind for row in opened}
    found = [replace(_shown(tx, patient_id, row), asked=asked.get(row.id)) for row in tx.all(query)]
    if not only_received:
        return found
    answered = {str(row.id) for row in opened if row.closed_why == "answered" and row.kind in _CHOICES}
    return [replace(each, buttons=_open_rows(each.buttons, answered)) for each in found]


def _open_rows(rows: Sequence[Sequence[Mapping[str, str]]], answered: set[str]) -> list[Sequence[Mapping[str, str]]]:
    """The rows of buttons that are still of use: a choice that was made leaves with its answer, a number can still be put right."""
    return [row for row in rows if not all(cell["question"] in answered and cell["answer"] != CHANGE for cell in row)]


_CHOICES = frozenset(kind.name for kind in KINDS.values() if not kind.scored)
_OPENED = (
    select(questions.c.id, questions.c.outbox_id, questions.c.kind, questions.c.closed_why)
    .join_from(questions, outbox, questions.c.outbox_id == outbox.c.id)
    .where(outbox.c.patient_id == bindparam("patient_id"))
    .order_by(questions.c.opened_at)
)


def _shown(tx: Tx, patient_id: UUID, row: Row[Any]) -> Shown:
    words = tx.unseal(patient_id, f"outbox.text:{row.id}", row.text) or ""
    return Shown(row.id, row.sent_at or row.status_at, row.kind, row.status, row.reason, words, row.buttons or [], row.provider_id)
