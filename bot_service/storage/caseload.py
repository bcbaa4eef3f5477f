"""The patients on one page of the caseload in a few queries: what is open about each, what holds them, and their recent weeks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, or_, select

from bot_service.storage.database import Tx
from bot_service.storage.episodes import Hold, hold_of
from bot_service.storage.outbox import PROMPT_COLUMNS, Prompt
from bot_service.storage.prepared import padded
from bot_service.storage.standing import named
from bot_service.storage.tables import (
    addresses,
    alerts,
    case_events,
    cases,
    entries,
    episodes,
    holds,
    inbox,
    outbox,
    patients,
    proposals,
    staff,
)


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
    `says` is what the patient of a red flag last said, seen_yes or talked_no, or what happened since that asks anew.
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
    says: str | None = None


@dataclass(frozen=True)
class Pending:
    """A pending proposal as a list shows it."""

    episode_id: UUID
    rule: str
    sentence: str
    to_stage: str | None
    created_at: datetime


class Answer(NamedTuple):
    """Of an entry what the figures of a list need, without id and time: there are thousands on a page."""

    kind: str
    day: date
    slot: int | None
    score: int | None
    outcome: str | None
    prescription_id: UUID | None


@dataclass(frozen=True)
class Recent:
    """What happened to one episode since a day: entries that hold, prompts, and when the patient wrote."""

    entries: list[Answer] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)
    heard: list[datetime] = field(default_factory=list)


def list_patients(tx: Tx, episode_ids: Collection[UUID]) -> dict[UUID, Listed]:
    """The patients of these episodes, by episode."""
    return {row.episode_id: Listed(**row._mapping) for row in tx.all(_PATIENTS, {"ids": padded([*episode_ids])})}


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
    found: dict[UUID, list[OpenCase]] = {}
    for row in tx.all(_OPEN_CASES, {"ids": padded([*episode_ids])}):
        found.setdefault(row.episode_id, []).append(OpenCase(**row._mapping))
    return found


def list_pending(tx: Tx, episode_ids: Collection[UUID]) -> dict[UUID, list[Pending]]:
    """Pending proposals by episode, the oldest first."""
    found: dict[UUID, list[Pending]] = {}
    for row in tx.all(_PENDING, {"ids": padded([*episode_ids])}):
        pending = Pending(row.episode_id, row.rule, str(row.detail.get("sentence", "")), row.to_stage, row.created_at)
        found.setdefault(row.episode_id, []).append(pending)
    return found


def list_holds(tx: Tx, episode_ids: Collection[UUID]) -> dict[UUID, list[Hold]]:
    """Holds that nobody has released, by episode."""
    found: dict[UUID, list[Hold]] = {}
    for row in tx.all(_HOLDS, {"ids": padded([*episode_ids])}):
        found.setdefault(row.episode_id, []).append(hold_of(row))
    return found


def load_names(tx: Tx, patient_ids: Collection[UUID]) -> dict[UUID, str]:
    """Names of these patients."""
    found: dict[UUID, str] = {}
    for row in tx.all(_NAMES, {"ids": padded([*patient_ids])}):
        tx.remember_key(row.id, row.data_key)
        found[row.id] = tx.unseal(row.id, f"patients.name:{row.id}", row.name) or ""
    return found


def load_recent(tx: Tx, listed: Collection[Listed], since: date, asked_since: datetime) -> Mapping[UUID, Recent]:
    """What happened lately, by episode, in three queries for all: sessions since a day, prompts and replies since an instant.

    Only what the two figures and the line of the caseload need.
    """
    found = {item.episode_id: Recent() for item in listed}
    by_patient = {item.patient_id: found[item.episode_id] for item in listed}
    of_episodes, of_patients = padded([*found]), padded([*by_patient])
    for row in tx.all(_SESSIONS, {"ids": of_episodes, "since": since}):
        found[row[0]].entries.append(Answer._make(row[1:]))
    for row in tx.all(_ASKED, {"ids": of_patients, "since": asked_since}):
        if (recent := found.get(row[0])) is not None:
            recent.prompts.append(Prompt._make(row[1:]))
    for row in tx.all(_HEARD, {"ids": of_patients, "since": asked_since}):
        by_patient[row.patient_id].heard.append(row.said)
    return found


_OF_EPISODE = (
    "physio_id", "plan_id", "status", "start_date", "stage", "stage_start", "prescription_id", "next_prompt_at", "ended_at"
)  # fmt: skip
_OF_CASE = ("id", "episode_id", "case_key", "rule", "urgency", "status", "sentence", "reasons", "opened_at", "due_at", "escalated_at")


def _of_these(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column.in_(bindparam("ids", expanding=True))


def _sessions_that_hold() -> Select[Any]:
    """Sessions and their pain as they now stand: confirmed, and superseded by nothing."""
    newer = entries.alias("newer")
    return select(entries.c.episode_id, *(entries.c[name] for name in Answer._fields)).where(
        entries.c.kind.in_(("session", "pain_during")), entries.c.confirmed, ~exists().where(newer.c.supersedes_id == entries.c.id)
    )


_PATIENTS = _listed().where(_of_these(episodes.c.id))
_ASKS_ANEW, _SAYS = ("hit_again", "opened_again"), ("seen_yes", "seen_no", "talked_yes", "talked_no")
_SAID_SEEN = (
    select(case_events.c.what)
    .where(case_events.c.case_id == cases.c.id, case_events.c.what.in_((*_ASKS_ANEW, *_SAYS)))
    .order_by(case_events.c.at.desc(), case_events.c.what.in_(_ASKS_ANEW).desc(), case_events.c.id)
    .limit(1)
    .scalar_subquery()
)
_OPEN_CASES = (
    select(*(cases.c[name] for name in _OF_CASE), alerts.c.step.label("next_step"), _SAID_SEEN.label("says"))
    .join_from(cases, alerts, alerts.c.case_id == cases.c.id, isouter=True)
    .where(_of_these(cases.c.episode_id), cases.c.closed_at.is_(None))
    .order_by(cases.c.opened_at, cases.c.id)
)
_PENDING = (
    select(proposals)
    .where(_of_these(proposals.c.episode_id), proposals.c.status == "pending")
    .order_by(proposals.c.created_at, proposals.c.id)
)
_HOLDS = select(holds).where(_of_these(holds.c.episode_id), holds.c.released_at.is_(None)).order_by(holds.c.created_at, holds.c.id)
_NAMES = select(patients.c.id, patients.c.name, patients.c.data_key).where(_of_these(patients.c.id))
_SESSIONS = _sessions_that_hold().where(_of_these(entries.c.episode_id), entries.c.day >= bindparam("since")).order_by(entries.c.seq)
_ASKED = select(outbox.c.episode_id, *PROMPT_COLUMNS).where(
    _of_these(outbox.c.patient_id), outbox.c.due_at >= bindparam("since"), outbox.c.kind == "prompt"
)
_HEARD = select(inbox.c.patient_id, func.coalesce(inbox.c.said_at, inbox.c.received_at).label("said")).where(
    _of_these(inbox.c.patient_id), inbox.c.received_at >= bindparam("since"), inbox.c.heard.in_(("text", "tap", "edit", "media"))
)
