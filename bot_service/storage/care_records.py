"""Private notes and outcome measures of an episode: added, never changed; a measure entered by mistake is withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, update

from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.tables import notes, outcomes


@dataclass(frozen=True)
class Note:
    """What a clinician wrote for colleagues alone."""

    id: UUID
    staff_id: UUID
    words: str
    created_at: datetime


@dataclass(frozen=True)
class Outcome:
    """One value of an outcome measure; `activity` is the patient's own, where the measure has one."""

    id: UUID
    staff_id: UUID
    measure: str
    activity: str
    value: int
    day: date


def add_note(tx: Tx, now: datetime, episode: Episode, staff_id: UUID, words: str) -> UUID:
    """A note, under the patient's key."""
    new_id = tx.new_id()
    sealed = tx.seal(episode.patient_id, f"notes.words:{new_id}", words)
    values = {"clinic_id": episode.clinic_id, "episode_id": episode.id, "staff_id": staff_id, "words": sealed, "created_at": now}
    tx.run(notes.insert().values(id=new_id, **values))
    return new_id


def list_notes(tx: Tx, episode: Episode) -> list[Note]:
    """The notes, latest first."""
    rows = tx.all(select(notes).where(notes.c.episode_id == episode.id).order_by(notes.c.created_at.desc(), notes.c.id))
    return [
        Note(row.id, row.staff_id, tx.unseal(episode.patient_id, f"notes.words:{row.id}", row.words) or "", row.created_at) for row in rows
    ]


def add_outcome(
    tx: Tx, now: datetime, episode: Episode, staff_id: UUID, *, measure: str, activity: str, value: int, day: date
) -> UUID:  # fmt: skip
    """A value of a measure on a local day."""
    new_id = tx.new_id()
    sealed = tx.seal(episode.patient_id, f"outcomes.activity:{new_id}", activity or None)
    tx.run(
        outcomes.insert().values(
            id=new_id, clinic_id=episode.clinic_id, episode_id=episode.id, staff_id=staff_id, measure=measure, activity=sealed,
            value=value, day=day, created_at=now,
        )
    )  # fmt: skip
    return new_id


def list_outcomes(tx: Tx, episode: Episode) -> list[Outcome]:
    """The values that stand, oldest first."""
    query = select(outcomes).where(outcomes.c.episode_id == episode.id, outcomes.c.withdrawn_at.is_(None))
    return [
        Outcome(
            row.id, row.staff_id, row.measure, tx.unseal(episode.patient_id, f"outcomes.activity:{row.id}", row.activity) or "",
            row.value, row.day,
        )
        for row in tx.all(query.order_by(outcomes.c.day, outcomes.c.created_at, outcomes.c.id))
    ]  # fmt: skip


def withdraw_outcome(tx: Tx, now: datetime, episode: Episode, outcome_id: UUID) -> bool:
    """Take a value back; False when there is none such."""
    mine = (outcomes.c.id == outcome_id, outcomes.c.episode_id == episode.id, outcomes.c.withdrawn_at.is_(None))
    return tx.first(update(outcomes).where(*mine).values(withdrawn_at=now).returning(outcomes.c.id)) is not None
