"""Red flags that nobody has acknowledged for a working day: marked for the lead, once for each time they were raised."""

from __future__ import annotations

from datetime import datetime

from bot_service.storage import audit, cases, episodes
from bot_service.storage.database import Database


def escalate_due(db: Database, now: datetime) -> int:
    """Mark the red flags whose working day is over; how many there were."""
    with db.begin() as tx:
        found = cases.escalate_due(tx, now)
        for episode_id in found:
            episode = episodes.load(tx, episode_id)
            audit.record(tx, now, "rule D1", "escalated", clinic_id=episode.clinic_id, subject_id=episode.patient_id)
    return len(found)
