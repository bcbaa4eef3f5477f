"""Private notes and outcome measures of an episode: added, never changed; a measure entered by mistake is withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select, update

from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.tables import episodes, notes, outcomes


@dataclass(frozen=True)
class Note:
    """What a clinician wrote for colleagues alone."""

    id: UUID
    staff_id: UUID
    words: str
    created_at: datetime


@dataclass(frozen=True)
class Outcome:
    """One value of an outcome measure; `activity` is the patient's own, where the measure has one. No `staff_id`: told in chat."""

    id: UUID
    staff_id: UUID | None
    measure: str
    activity: str
    value: int
    day: date


@dataclass(frozen=True)
class Activity:
    """An activity that is rated; `slot` is its place among all that were ever named, and stays.

    `stands`: it was not taken back; `named_on`: the day on which the patient named it in chat.
    """

    slot: int
    name: str
    stands: bool
    named_on: date | None
    row_id: UUID


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
    tx: Tx, now: datetime, episode: Episode, staff_id: UUID | None, *, measure: str, activity: str, value: int | None, day: date
) -> UUID:  # fmt: skip
    """A value of a measure on a local day; without one, the name of an activity that is still to be rated."""
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
    rows = tx.all(_IN_ORDER, {"of_episode": episode.id})
    return [
        Outcome(row.id, row.staff_id, row.measure, _activity(tx, episode, row), row.value, row.day)
        for row in rows
        if row.value is not None and row.withdrawn_at is None
    ]


def list_activities(tx: Tx, episode: Episode, measure: str) -> list[Activity]:
    """Every activity that was ever named for the measure, in the order in which they were."""
    found: dict[str, list[Row[Any]]] = {}
    names: dict[str, str] = {}
    for row in sorted(tx.all(_IN_ORDER, {"of_episode": episode.id}), key=lambda row: (row.created_at, row.id)):
        if row.measure == measure:
            name = _activity(tx, episode, row)
            found.setdefault(name.casefold(), []).append(row)
            names.setdefault(name.casefold(), name)
    return [
        Activity(
            slot,
            names[key],
            any(row.withdrawn_at is None for row in rows),
            next((row.day for row in rows if row.staff_id is None and row.value is None and row.withdrawn_at is None), None),
            next((row.id for row in rows if row.withdrawn_at is None), rows[0].id),
        )
        for slot, (key, rows) in enumerate(found.items(), start=1)
    ]


def withdraw_told(tx: Tx, now: datetime, episode: Episode, measure: str, activity: str, day: date, *, named: bool) -> None:
    """Take back what the patient told of a measure for that day; with the naming of the activity when `named`."""
    for row in tx.all(_IN_ORDER, {"of_episode": episode.id}):
        mine = row.staff_id is None and row.withdrawn_at is None and (row.measure, row.day) == (measure, day)
        if mine and (named or row.value is not None) and _activity(tx, episode, row).casefold() == activity.casefold():
            tx.run(update(outcomes).where(outcomes.c.id == row.id).values(withdrawn_at=now))


def find_off(tx: Tx, episode_id: UUID) -> datetime | None:
    """Since when the measures are not asked in chat, if a clinician has said so."""
    return tx.scalar(select(episodes.c.measures_off_at).where(episodes.c.id == episode_id))  # type: ignore[no-any-return]  # the column type


def withdraw_outcome(tx: Tx, now: datetime, episode: Episode, outcome_id: UUID) -> bool:
    """Take a value back; False when there is none such."""
    mine = (outcomes.c.id == outcome_id, outcomes.c.episode_id == episode.id, outcomes.c.withdrawn_at.is_(None))
    return tx.first(update(outcomes).where(*mine).values(withdrawn_at=now).returning(outcomes.c.id)) is not None


_IN_ORDER = (
    select(outcomes).where(outcomes.c.episode_id == bindparam("of_episode")).order_by(outcomes.c.day, outcomes.c.created_at, outcomes.c.id)
)


def _activity(tx: Tx, episode: Episode, row: Row[Any]) -> str:
    return tx.unseal(episode.patient_id, f"outcomes.activity:{row.id}", row.activity) or ""
