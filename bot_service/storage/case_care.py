"""What clinicians do with a case beside seeing to it and closing it: notes on it, and opening it again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from bot_service.storage.cases import record_event
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.tables import case_events, cases


def reopen_case(tx: Tx, now: datetime, episode: Episode, case_id: UUID, by: str, owner_id: UUID) -> bool:
    """Open a closed case again, in the care of whoever does so; False when it is open, or another with its key is."""
    key = select(cases.c.case_key).where(cases.c.id == case_id).scalar_subquery()
    taken = select(cases.c.id).where(cases.c.episode_id == episode.id, cases.c.case_key == key, cases.c.closed_at.is_(None))
    if tx.first(taken) is not None:
        return False
    closed = update(cases).where(cases.c.id == case_id, cases.c.episode_id == episode.id, cases.c.closed_at.is_not(None))
    values = {"status": "acknowledged", "closed_at": None, "closed_by": None, "close_reason": None, "owner_id": owner_id}
    row = tx.first(closed.values(**values, acknowledged_at=now).returning(cases.c.id))
    if row is not None:
        record_event(tx, now, case_id, "opened_again", by)
    return row is not None


def note_case(tx: Tx, now: datetime, episode: Episode, case_id: UUID, by: str, words: str) -> None:
    """A clinician's note on a case, beside what happened to it."""
    new_id = tx.new_id()
    sealed = tx.seal(episode.patient_id, f"case_events.note:{new_id}", words)
    tx.run(case_events.insert().values(id=new_id, case_id=case_id, what="noted", who=by, at=now, note=sealed))
