"""The caseload read in a few queries, however many patients there are: who is listed, what holds them, and their recent weeks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, exists, func, select

from bot_service.storage.database import Tx
from bot_service.storage.entries import Entry
from bot_service.storage.episodes import Hold
from bot_service.storage.outbox import Prompt
from bot_service.storage.tables import addresses, cases, entries, episodes, holds, inbox, outbox, patients, proposals, staff


@dataclass(frozen=True)
class Listed:
    """One patient of the clinic with the latest episode of care: what sorts and names the row."""

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


@dataclass(frozen=True)
class OpenCase:
    """An open case as a list shows it, without the patient's words. `reasons` has what each rule on it says."""

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


def list_patients(tx: Tx, clinic_id: UUID) -> list[Listed]:
    """Every patient of a clinic, each with the active episode, else the one that ended last; by reference."""
    columns: list[ColumnElement[Any]] = [
        episodes.c.id.label("episode_id"),
        patients.c.id.label("patient_id"),
        patients.c.status.label("patient_status"),
    ]
    columns += [patients.c.status_at.label("patient_status_at"), staff.c.name.label("physio")]
    columns += [episodes.c[name] for name in _OF_EPISODE]
    query = (
        select(*columns, patients.c.ref, patients.c.zone, patients.c.last_heard_at)
        .select_from(episodes)
        .join(patients, episodes.c.patient_id == patients.c.id)
        .join(staff, episodes.c.physio_id == staff.c.id)
        .where(episodes.c.clinic_id == clinic_id)
        .order_by(patients.c.ref, episodes.c.ended_at.is_not(None), episodes.c.ended_at.desc())
    )
    found: dict[UUID, Listed] = {}
    for row in tx.all(query):
        if row.patient_id not in found:
            found[row.patient_id] = Listed(**row._mapping)
    return list(found.values())


def list_open_cases(tx: Tx, clinic_id: UUID) -> dict[UUID, list[OpenCase]]:
    """Open cases by episode, the oldest first."""
    names = ("id", "episode_id", "case_key", "rule", "urgency", "status", "sentence", "reasons", "opened_at", "due_at", "escalated_at")
    query = select(*(cases.c[name] for name in names)).where(cases.c.clinic_id == clinic_id, cases.c.closed_at.is_(None))
    found: dict[UUID, list[OpenCase]] = {}
    for row in tx.all(query.order_by(cases.c.opened_at, cases.c.id)):
        found.setdefault(row.episode_id, []).append(OpenCase(**row._mapping))
    return found


def list_pending(tx: Tx, clinic_id: UUID) -> dict[UUID, Pending]:
    """Pending proposals by episode."""
    query = select(proposals).where(proposals.c.clinic_id == clinic_id, proposals.c.status == "pending").order_by(proposals.c.created_at)
    return {
        row.episode_id: Pending(row.episode_id, row.rule, str(row.detail.get("sentence", "")), row.to_stage, row.created_at)
        for row in tx.all(query)
    }


def list_holds(tx: Tx, clinic_id: UUID) -> dict[UUID, list[Hold]]:
    """Holds that nobody has released, by episode."""
    query = select(holds).where(holds.c.clinic_id == clinic_id, holds.c.released_at.is_(None)).order_by(holds.c.created_at, holds.c.id)
    found: dict[UUID, list[Hold]] = {}
    for row in tx.all(query):
        found.setdefault(row.episode_id, []).append(
            Hold(row.id, row.kind, row.why, row.placed_by, row.from_day, row.until_day, row.released_at)
        )
    return found


def list_unreachable(tx: Tx, clinic_id: UUID) -> set[UUID]:
    """Patients whose present address does not take messages."""
    query = select(addresses.c.patient_id).where(addresses.c.clinic_id == clinic_id, addresses.c.status == "unreachable")
    return {row.patient_id for row in tx.all(query)}


def load_names(tx: Tx, patient_ids: Collection[UUID]) -> dict[UUID, str]:
    """Names of these patients."""
    found: dict[UUID, str] = {}
    for row in tx.all(select(patients.c.id, patients.c.name, patients.c.data_key).where(patients.c.id.in_(patient_ids))):
        tx.remember_key(row.id, row.data_key)
        found[row.id] = tx.unseal(row.id, f"patients.name:{row.id}", row.name) or ""
    return found


def load_recent(tx: Tx, listed: Collection[Listed], since: date, heard_since: datetime) -> Mapping[UUID, Recent]:
    """What happened lately, by episode, in three queries for all of them: sessions and prompts since a day, replies since an instant.

    Only what the two figures and the line of the caseload need; the entries carry no ids.
    """
    found = {item.episode_id: Recent() for item in listed}
    by_patient = {item.patient_id: found[item.episode_id] for item in listed}
    for row in tx.all(_sessions_that_hold().where(entries.c.episode_id.in_(found), entries.c.day >= since).order_by(entries.c.seq)):
        found[row.episode_id].entries.append(_entry(row))
    asked = select(outbox.c.episode_id, outbox.c.day, outbox.c.slot, outbox.c.status, outbox.c.reason, outbox.c.prescription_id)
    for row in tx.all(asked.where(outbox.c.patient_id.in_(by_patient), outbox.c.kind == "prompt", outbox.c.day >= since)):
        if row.episode_id in found:
            found[row.episode_id].prompts.append(Prompt(row.day, row.slot, row.status, row.reason, row.prescription_id))
    heard = select(inbox.c.patient_id, func.coalesce(inbox.c.said_at, inbox.c.received_at).label("said")).where(
        inbox.c.patient_id.in_(by_patient), inbox.c.received_at >= heard_since, inbox.c.heard.in_(("text", "tap", "edit", "media"))
    )
    for row in tx.all(heard):
        by_patient[row.patient_id].heard.append(row.said)
    return found


def _sessions_that_hold() -> Select[Any]:
    """Sessions and their pain as they now stand: confirmed, and superseded by nothing."""
    newer = entries.alias("newer")
    columns = (entries.c.episode_id, entries.c.kind, entries.c.day, entries.c.slot, entries.c.score, entries.c.outcome, entries.c.at)
    return select(*columns, entries.c.done_at, entries.c.prescription_id).where(
        entries.c.kind.in_(("session", "pain_during")), entries.c.confirmed, ~exists().where(newer.c.supersedes_id == entries.c.id)
    )


_OF_EPISODE = (
    "physio_id", "plan_id", "status", "start_date", "stage", "stage_start", "prescription_id", "next_prompt_at", "ended_at"
)  # fmt: skip
_NOBODY = UUID(int=0)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=_NOBODY,
        seq=0,
        kind=row.kind,
        day=row.day,
        slot=row.slot,
        score=row.score,
        outcome=row.outcome,
        at=row.at,
        done_at=row.done_at,
        prescription_id=row.prescription_id,
        inbox_id=None,
        question_id=None,
        supersedes_id=None,
        staff_id=None,
        confirmed=True,
        note=None,
    )
