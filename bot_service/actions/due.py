"""By when a case should have been looked at."""

from __future__ import annotations

from datetime import datetime

from bot_service.actions.voices import clinic_setting
from bot_service.clinical.catalogue import Urgency
from bot_service.clinical.working_hours import due_by
from bot_service.storage import clinics
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode


def flag_due_by(tx: Tx, episode: Episode, urgency: Urgency, now: datetime) -> datetime:
    """By when the clinic should have looked, in its working hours."""
    clinic = clinics.load_clinic(tx, episode.clinic_id)
    return due_by(now, urgency, clinic_setting(clinic, "hours"), clinic.zone)
