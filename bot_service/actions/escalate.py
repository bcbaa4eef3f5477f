"""Red flags that nobody has acknowledged for a working day: marked for the lead, once for each time they were raised."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from bot_service.storage import audit, episodes, escalations
from bot_service.storage.database import Database


def escalate_due(db: Database, now: datetime) -> int:
    """Mark the red flags whose working day is over; how many there were."""
    with db.read() as tx:
        overdue = escalations.list_overdue(tx, now)
    return sum(_escalate(db, episode_id, now) for episode_id in overdue)


def _escalate(db: Database, episode_id: UUID, now: datetime) -> int:
    """Those of one episode, which is locked: a patient's new words may be reopening one of them at this moment."""
    with db.begin() as tx:
        episode = episodes.load_locked(tx, episode_id)
        found = escalations.escalate_due(tx, episode_id, now)
        for _ in range(found):
            audit.record(tx, now, "rule D1", "escalated", clinic_id=episode.clinic_id, subject_id=episode.patient_id)
    return found
