"""A patient whom the chat no longer reaches: the clinic is told, and it never counts as a session not done."""

from __future__ import annotations

from datetime import datetime

from bot_service.actions import consent
from bot_service.actions.histories import local_today
from bot_service.errors import RecipientStopped
from bot_service.storage import cases, episodes, patients
from bot_service.storage.cases import Raised
from bot_service.storage.database import Tx
from bot_service.storage.outbox import Message


def cannot_be_reached(tx: Tx, message: Message, error: RecipientStopped, now: datetime) -> None:
    """Raise X1 the first time an address fails; a STOP that the provider took for us is the patient's STOP."""
    if message.patient_id is None:
        return
    episode = episodes.find_of_patient(tx, message.patient_id)
    address = patients.find_active_address(tx, message.patient_id)
    if episode is None or address is None:
        return
    if error.opted_out:
        consent.opt_out(tx, episode, now, declined=False)
        return
    today = local_today(now, episode.zone)
    if not patients.record_unreachable(tx, address.id, today):
        return
    sentence = "Messages no longer reach this patient in the chat. Please get in touch another way."
    cases.raise_case(tx, now, episode, Raised("X1", "X1", "three_days", sentence, {"occurred": today.isoformat()}), None)
