"""Since when a clinician has looked at a patient's severe pain: by closing its case, or by a decision about the plan."""

from __future__ import annotations

from datetime import datetime

from bot_service.clinical.flare import severe_since
from bot_service.clinical.record import Record
from bot_service.storage import cases, prescriptions, reviews
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode

SEVERE = "A4"
"""The rule whose case a severe score opens."""
_DECIDED = ("approved", "held", "released", "stepped_back")
"""What becomes of a proposal that a clinician decided, and did not undo; a hold that was released was one."""


def last_looked_at(tx: Tx, episode: Episode, record: Record) -> datetime | None:
    """When a clinician last looked, None while nothing severe calls for it.

    Another case that was closed says nothing of the pain, nor does one that settled by itself, nor what the patient changed.
    """
    if severe_since(record, None) is None:
        return None
    closed = [
        case.closed_at
        for case in cases.list_closed(tx, episode)
        if case.closed_at and SEVERE in case.reasons and case.closed_by != cases.SETTLED
    ]
    decided = [item.decided_at for item in reviews.list_proposals(tx, episode) if item.decided_at and item.status in _DECIDED]
    history = prescriptions.list_of_episode(tx, episode.patient_id, episode.id)
    prescribed = [item.created_at for item in history if item.by_clinician]
    return max((*closed, *decided, *prescribed), default=None)
