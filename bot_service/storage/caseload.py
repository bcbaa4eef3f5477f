"""The patients on one page of the caseload in a few queries: what is open about each, what holds them, and their recent weeks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select, type_coerce
from sqlalchemy.types import NullType

from bot_service.storage.database import Tx
from bot_service.storage.entries import Entry
from bot_service.storage.episodes import Hold, hold_of
from bot_service.storage.outbox import Prompt
from bot_service.storage.standing import named, read_id
from bot_service.storage.tables import addresses, alerts, cases, entries, episodes, holds, inbox, outbox, patients, proposals, staff


@dataclass(frozen=True)
class Listed:
    """One patient of the clinic with an episode of care. `unreachable`: in care, and the present address takes no messages."""

    episode_id: UUID
    patient_id: UUID
    physio_id: UUID
    physio: str
    plan_id: str
    ref: str
    zone: str
    status: str
    patient_status: str
    patient_status_at: datetime
    start_date: date
    stage: str
    stage_start: date
    prescription_id: UUID
    next_prompt_at: datetime | None
    last_heard_at: datetime | None
    ended_at: datetime | None
    unreachable: bool = False


@dataclass(frozen=True)
class OpenCase:
    """An open case as a list shows it, without the patient's words. `reasons` has what each rule on it says.

    `next_step` is which step of telling people comes next (`clinical/duty.py`) while an urgent one waits; 0 when nobody was told yet.
    """

    id: UUID
    episode_id: UUID
    case_key: str
    rule: str
    urgency: str
    status: str
    sentence: str
    reasons: Mapping[str, Mapping[str, Any]]
    opened_at: datetime
    due_at: datetime | None
    escalated_at: datetime | None = None
    next_step: int | None = None


@dataclass(frozen=True)
class Pending:
    """A pending proposal as a list shows it."""

    episode_id: UUID
    rule: str
    sentence: str
    to_stage: str | None
    created_at: datetime


@dataclass(frozen=True)
class Recent:
    """What happened to one episode since a day: entries that hold, prompts, and when the patient wrote."""

    entries: list[Entry] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)
    heard: list[datetime] = field(default_factory=list)


def list_patients(tx: Tx, episode_ids: Collection[UUID]) -> dict[UUID, Listed]:
    """The patients of these episodes, by episode."""
    return {row.episode_id: Listed(**row._mapping) for row in tx.all(_listed().where(episodes.c.id.in_(episode_ids)))}


def list_in_care(tx: Tx, clinic_id: UUID, words: str, first: Collection[str], part: tuple[int, int]) -> tuple[list[Listed], int]:
    """Part of those of a clinic whose care goes on, from a place on and so many, and how many there are.

    Those named in `first` lead, then those who have not begun. `words` are of a name or a reference.
    """
    found = [episodes.c.clinic_id == clinic_id, episodes.c.ended_at.is_(None)]
    if words:
        found.append(or_(patients.c.ref.contains(words.upper(), autoescape=True), named(tx, words)))
    order = (patients.c.ref.not_in(list(first)), patients.c.status == "opted_in", patients.c.ref)
    start, length = part
    rows = tx.all(_listed().where(*found).order_by(*order).offset(start).limit(length))
    total = tx.scalar(select(func.count()).select_from(episodes).join(patients, patients.c.id == episodes.c.patient_id).where(*found))
    return [Listed(**row._mapping) for row in rows], int(total)


def _listed() -> Select[Any]:
    columns: list[ColumnElement[Any]] = [
        episodes.c.id.label("episode_id"),
        patients.c.id.label("patient_id"),
        patients.c.status.label("patient_status"),
        patients.c.status_at.label("patient_status_at"),
        staff.c.name.label("physio"),
        *(episodes.c[name] for name in _OF_EPISODE),
    ]
    dead = exists().where(addresses.c.patient_id == patients.c.id, addresses.c.status == "unreachable")
    unreachable = and_(episodes.c.ended_at.is_(None), patients.c.status != "opted_out", dead).label("unreachable")
    return (
        select(*columns, patients.c.ref, patients.c.zone, patients.c.last_heard_at, unreachable)
        .select_from(episodes)
        .join(patients, episodes.c.patient_id == patients.c.id)
        .join(staff, episodes.c.physio_id == staff.c.id)
    )


def list_open_cases(tx: Tx, episode_ids: Collection[UUID]) -> dict[UUID, list[OpenCase]]:
    """Open cases by episode, the oldest first."""
    names = ("id", "episode_id", "case_key", "rule", "urgency", "status", "sentence", "reasons", "opened_at", "due_at", "escalated_at")
    query = select(*(cases.c[name] for name in names), alerts.c.step.label("next_step"))
    query = query.join_from(cases, alerts, alerts.c.case_id == cases.c.id, isouter=True)
    query = query.where(cases.c.episode_id.in_(episode_ids), cases.c.closed_at.is_(None))
    found: dict[UUID, list[OpenCase]] = {}
    for row in tx.all(query.order_by(cases.c.opened_at, cases.c.id)):
        found.setdefault(row.episode_id, []).append(OpenCase(**row._mapping))
    return found


def list_pending(tx: Tx, episode_ids: Collection[UUID]) -> dict[UUID, list[Pending]]:
    """Pending proposals by episode, the oldest first."""
    query = select(proposals).where(proposals.c.episode_id.in_(episode_ids), proposals.c.status == "pending")
    found: dict[UUID, list[Pending]] = {}
    for row in tx.all(query.order_by(proposals.c.created_at, proposals.c.id)):
        pending = Pending(row.episode_id, row.rule, str(row.detail.get("sentence", "")), row.to_stage, row.created_at)
        found.setdefault(row.episode_id, []).append(pending)
    return found


def list_holds(tx: Tx, episode_ids: Collection[UUID]) -> dict[UUID, list[Hold]]:
    """Holds that nobody has released, by episode."""
    query = select(holds).where(holds.c.episode_id.in_(episode_ids), holds.c.released_at.is_(None))
    found: dict[UUID, list[Hold]] = {}
    for row in tx.all(query.order_by(holds.c.created_at, holds.c.id)):
        found.setdefault(row.episode_id, []).append(hold_of(row))
    return found


def load_names(tx: Tx, patient_ids: Collection[UUID]) -> dict[UUID, str]:
    """Names of these patients."""
    found: dict[UUID, str] = {}
    for row in tx.all(select(patients.c.id, patients.c.name, patients.c.data_key).where(patients.c.id.in_(patient_ids))):
        tx.remember_key(row.id, row.data_key)
        found[row.id] = tx.unseal(row.id, f"patients.name:{row.id}", row.name) or ""
    return found


def load_recent(tx: Tx, listed: Collection[Listed], since: date, asked_since: datetime) -> Mapping[UUID, Recent]:
    """What happened lately, by episode, in three queries for all: sessions since a day, prompts and replies since an instant.

    Only what the two figures and the line of the caseload need; the entries carry no ids and no times.
    """
    found = {item.episode_id: Recent() for item in listed}
    by_patient = {item.patient_id: found[item.episode_id] for item in listed}
    sessions = _sessions_that_hold().where(entries.c.episode_id.in_(found), entries.c.day >= since)
    for row in tx.all(sessions.order_by(entries.c.seq)):
        found[read_id(row.episode)].entries.append(_entry(row, asked_since))
    of_prompt = (outbox.c.day, outbox.c.slot, outbox.c.status, outbox.c.reason)
    asked = select(_raw(outbox.c.episode_id, "episode"), _raw(outbox.c.prescription_id, "prescription"), *of_prompt).where(
        outbox.c.patient_id.in_(by_patient), outbox.c.due_at >= asked_since, outbox.c.kind == "prompt"
    )
    for row in tx.all(asked):
        if (recent := found.get(read_id(row.episode))) is not None:
            recent.prompts.append(Prompt(row.day, row.slot, row.status, row.reason, read_id(row.prescription)))
    said = func.coalesce(inbox.c.said_at, inbox.c.received_at).label("said")
    heard = select(_raw(inbox.c.patient_id, "patient"), said).where(
        inbox.c.patient_id.in_(by_patient), inbox.c.received_at >= asked_since, inbox.c.heard.in_(("text", "tap", "edit", "media"))
    )
    for row in tx.all(heard):
        by_patient[read_id(row.patient)].heard.append(row.said)
    return found


def _raw(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """An id as the driver gives it: the same few come thousands of times, so `read_id` reads each once."""
    return type_coerce(column, NullType()).label(name)


def _sessions_that_hold() -> Select[Any]:
    """Sessions and their pain as they now stand: confirmed, and superseded by nothing."""
    newer = entries.alias("newer")
    columns = (entries.c.kind, entries.c.day, entries.c.slot, entries.c.score, entries.c.outcome)
    return select(_raw(entries.c.episode_id, "episode"), _raw(entries.c.prescription_id, "prescription"), *columns).where(
        entries.c.kind.in_(("session", "pain_during")), entries.c.confirmed, ~exists().where(newer.c.supersedes_id == entries.c.id)
    )


_OF_EPISODE = (
    "physio_id", "plan_id", "status", "start_date", "stage", "stage_start", "prescription_id", "next_prompt_at", "ended_at"
)  # fmt: skip
_NOBODY = UUID(int=0)


def _entry(row: Row[Any], at: datetime) -> Entry:
    return Entry(
        id=_NOBODY,
        seq=0,
        kind=row.kind,
        day=row.day,
        slot=row.slot,
        score=row.score,
        outcome=row.outcome,
        at=at,
        done_at=None,
        prescription_id=read_id(row.prescription),
        inbox_id=None,
        question_id=None,
        supersedes_id=None,
        staff_id=None,
        confirmed=True,
        note=None,
    )
