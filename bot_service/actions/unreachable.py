"""A patient whom the chat no longer reaches: the clinic is told, and it never counts as a session not done."""

from __future__ import annotations

from datetime import datetime

from bot_service.actions import consent
from bot_service.actions.histories import local_today
from bot_service.clinical.catalogue import UNREACHABLE
from bot_service.errors import ChannelMisconfigured, DeliveryError, MessageRejected, RecipientStopped
from bot_service.logs import log
from bot_service.storage import cases, clinics, episodes, patients, rates
from bot_service.storage.cases import Raised
from bot_service.storage.database import Tx
from bot_service.storage.outbox import Message
from bot_service.storage.receipts import UNSEEN

REFUSED_IN_A_ROW = 5
"""Different patients refused for one reason, with nobody reached in between, after which the fault is the sender's (`channels.md` 1C)."""


def is_refused(tx: Tx, message: Message, error: DeliveryError, now: datetime, told: rates.Told) -> None:
    """What a refusal means beyond its message: the clinic hears of a patient who is not reached, the operator of a fault that is ours.

    An address that failed before is no news, nor is a STOP, and a fault of one template must not hold back what needs none, answers and
    safety texts: none of these counts towards stopping the sender.
    """
    if isinstance(error, RecipientStopped) or (isinstance(error, ChannelMisconfigured) and error.scope == "recipient"):
        counts = _cannot_be_reached(tx, message, error, now)
    else:
        counts = isinstance(error, MessageRejected) and UNSEEN not in message.content
    if not counts or message.patient_id is None or message.sender_id is None:
        return
    if rates.count_refusal(tx, message.sender_id, told, str(error)[:200], message.patient_id) < REFUSED_IN_A_ROW:
        return
    rates.clear_refusals(tx, message.sender_id, "all", "receipts")
    clinics.mark_sender(tx, message.sender_id, "broken", f"{REFUSED_IN_A_ROW} patients in a row were refused: {error}"[:200])
    log().error("sender stopped", sender=str(message.sender_id), error=type(error).__name__)


def _cannot_be_reached(tx: Tx, message: Message, error: DeliveryError, now: datetime) -> bool:
    """Raise X1 the first time an address fails, which is told; a STOP that the provider took for us is the patient's STOP."""
    if message.patient_id is None:
        return False
    episode = episodes.find_of_patient(tx, message.patient_id)
    address = patients.find_active_address(tx, message.patient_id)
    if episode is None or address is None:
        return False
    if isinstance(error, RecipientStopped) and error.opted_out:
        consent.opt_out(tx, episode, now, declined=False, unsent=message.id)
        return False
    today = local_today(now, episode.zone)
    if not patients.record_unreachable(tx, address.id, today):
        return False
    sentence = "Messages no longer reach this patient in the chat. Please get in touch another way."
    detail = {"occurred": today.isoformat()}
    cases.raise_case(tx, now, episode, Raised(UNREACHABLE, UNREACHABLE, "three_days", sentence, detail, messages=(message.id,)), None)
    return True
