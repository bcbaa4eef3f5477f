"""Counts over everything that was played or done, for the demo's table."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import case, func, select

from bot_service.storage.database import Tx
from bot_service.storage.outbox import WENT_OUT
from bot_service.storage.tables import case_evidence, entries, inbox, outbox, prescriptions, questions


class Prompted(NamedTuple):
    """What became of one exercise prompt."""

    id: UUID
    episode_id: UUID
    day: date
    slot: int
    status: str


class Outcome(NamedTuple):
    """An answer to "did you do it" about one session; `outcome` is None for a pain score alone."""

    episode_id: UUID
    day: date
    slot: int
    outcome: str | None


def list_prompts(tx: Tx) -> list[Prompted]:
    """Every exercise prompt there ever was."""
    query = select(outbox.c.id, outbox.c.episode_id, outbox.c.day, outbox.c.slot, outbox.c.status).where(outbox.c.kind == "prompt")
    return [Prompted._make(row) for row in tx.all(query.order_by(outbox.c.due_at, outbox.c.id))]


def list_outcomes(tx: Tx) -> list[Outcome]:
    """The entries about sessions that hold, in the order recorded."""
    newer = entries.alias("newer")
    superseded = select(newer.c.id).where(newer.c.supersedes_id == entries.c.id).exists()
    query = select(entries.c.episode_id, entries.c.day, entries.c.slot, entries.c.outcome)
    query = query.where(entries.c.kind.in_(("session", "pain_during")), entries.c.confirmed, ~superseded)
    return [Outcome(row.episode_id, row.day, row.slot or 1, row.outcome) for row in tx.all(query.order_by(entries.c.at, entries.c.seq))]


def count_replies(tx: Tx) -> int:
    """Everything that patients wrote or tapped."""
    words = ("text", "tap", "edit")
    query = select(func.count()).where(inbox.c.patient_id.is_not(None), inbox.c.status == "handled", inbox.c.heard.in_(words))
    return int(tx.scalar(query))


def count_asked_again(tx: Tx) -> int:
    """How many times a question was asked again because the answer could not be read."""
    return int(tx.scalar(select(func.coalesce(func.sum(questions.c.asked_again), 0))))


def count_unread(tx: Tx) -> int:
    """How many answers went to the physio as text because they could not be read."""
    return int(tx.scalar(select(func.count()).where(case_evidence.c.rule == "X2")))


WITH_PLYOMETRICS = "with plyometrics"
"""In the place of the stage while its faster block is open."""
_STAGE = case((prescriptions.c.document["plyometrics_unlocked"].as_boolean(), WITH_PLYOMETRICS), else_=prescriptions.c.stage)


def count_messages_by_stage(tx: Tx) -> dict[str, int]:
    """How many messages reached patients, by the stage they were in, those with the faster block apart."""
    query = (
        select(_STAGE.label("stage"), func.count().label("number"))
        .join_from(outbox, prescriptions, outbox.c.prescription_id == prescriptions.c.id)
        .where(outbox.c.patient_id.is_not(None), outbox.c.status.in_(WENT_OUT))
        .group_by(_STAGE)
    )
    return {row.stage: int(row.number) for row in tx.all(query)}


def list_stage_starts(tx: Tx) -> dict[UUID, list[tuple[date, str]]]:
    """The first day and the stage of each prescription, by episode, oldest first; the faster block counts as one of its own."""
    query = select(prescriptions.c.episode_id, prescriptions.c.starts_on, _STAGE.label("stage")).where(prescriptions.c.undone_at.is_(None))
    found: dict[UUID, list[tuple[date, str]]] = {}
    for row in tx.all(query.order_by(prescriptions.c.number)):
        found.setdefault(row.episode_id, []).append((row.starts_on, row.stage))
    return found
