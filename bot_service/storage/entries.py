"""What patients told us, append-only: a correction is a new entry that supersedes the old one, and nothing is overwritten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select

from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.tables import entries


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing recorded. `kind`: session, load, safety or reason (outcome), pain_during, pain_24h or baseline (score 0-10), note."""

    id: UUID
    seq: int
    kind: str
    day: date
    slot: int | None
    score: int | None
    outcome: str | None
    at: datetime
    done_at: datetime | None
    prescription_id: UUID | None
    inbox_id: UUID | None
    question_id: UUID | None
    supersedes_id: UUID | None
    staff_id: UUID | None
    confirmed: bool
    note: str | None


# fmt: off
def add(
    tx: Tx, episode: Episode, now: datetime, *,
    kind: str, day: date, slot: int | None = None, score: int | None = None, outcome: str | None = None,
    done_at: datetime | None = None, inbox_id: UUID | None = None, question_id: UUID | None = None,
    supersedes_id: UUID | None = None, staff_id: UUID | None = None, confirmed: bool = True, note: str | None = None,
    prescription_id: UUID | None = None,
) -> Entry:
    # fmt: on
    """Append one entry to an episode that this transaction holds; about the present prescription unless told otherwise."""
    new_id = tx.new_id()
    seq = (tx.scalar(_LAST_SEQ, {"episode_id": episode.id}) or 0) + 1
    entry = Entry(
        id=new_id,
        seq=seq,
        kind=kind,
        day=day,
        slot=slot,
        score=score,
        outcome=outcome,
        at=now,
        done_at=done_at,
        prescription_id=prescription_id or episode.prescription_id,
        inbox_id=inbox_id,
        question_id=question_id,
        supersedes_id=supersedes_id,
        staff_id=staff_id,
        confirmed=confirmed,
        note=note,
    )
    sealed = tx.seal(episode.patient_id, f"entries.note:{new_id}", note)
    values = {column.name: getattr(entry, column.name) for column in _COLUMNS}
    tx.run(_INSERT, {**values, "note": sealed, "clinic_id": episode.clinic_id, "episode_id": episode.id})
    tx.written.add(episode.id)
    if (current := tx.current.get(episode.id)) is not None:
        tx.current[episode.id] = [*(each for each in current if each.id != supersedes_id), replace(entry, note=None)]
    return entry


def list_all(tx: Tx, episode: Episode) -> list[Entry]:
    """Every entry in the order recorded, superseded ones included, with notes."""
    rows = tx.all(_WITH_NOTES, {"episode_id": episode.id})
    return [_entry(row[:-1], tx.unseal(episode.patient_id, f"entries.note:{row.id}", row.note)) for row in rows]


def list_current(tx: Tx, episode: Episode) -> list[Entry]:
    """The entries that hold: not superseded, in the order recorded, without notes.

    Nothing recorded ever changes, so only what is new since a transaction of this process last looked is read.
    """
    found: list[Entry] | None = tx.current.get(episode.id)
    if found is None:
        last, held = tx.db.entries.get(episode.id, (0, ()))
        rows = tx.all(_SINCE, {"episode_id": episode.id, "since": last})
        old = {row.supersedes_id for row in rows if row.supersedes_id}
        found = [each for each in (*held, *(_entry(row, None) for row in rows)) if each.id not in old] if rows else list(held)
        tx.current[episode.id] = found
        if rows and episode.id not in tx.written:  # what this transaction wrote may yet be undone
            tx.db.entries.keep(episode.id, (rows[-1].seq, tuple(found)))
    return list(found)


_INSERT = entries.insert()
_COLUMNS = [entries.c[item.name] for item in fields(Entry) if item.name != "note"]
_OF_EPISODE = select(*_COLUMNS).where(entries.c.episode_id == bindparam("episode_id")).order_by(entries.c.seq)
_SINCE = _OF_EPISODE.where(entries.c.seq > bindparam("since"))
_WITH_NOTES = _OF_EPISODE.add_columns(entries.c.note)
_LAST_SEQ = select(func.max(entries.c.seq)).where(entries.c.episode_id == bindparam("episode_id"))


def _entry(row: Iterable[Any], note: str | None) -> Entry:
    values: list[Any] = [*row, note]
    return Entry(*values)
