"""What a provider reports about a message it took: states move forward only, and what failed after all reaches the clinic."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from bot_service.actions import window
from bot_service.actions.check_ins import put_back_check_in
from bot_service.actions.outcomes import send_again_if_it_must_arrive
from bot_service.actions.unreachable import is_refused
from bot_service.errors import ChannelMisconfigured, DeliveryError, MessageRejected, OutsideServiceWindow, RecipientStopped
from bot_service.logs import log
from bot_service.messages import Receipt
from bot_service.storage import clinics, conversations, episodes, outbox, rates, receipts
from bot_service.storage.database import Database, Tx
from bot_service.storage.outbox import Message
from bot_service.storage.receipts import UNSEEN

BEFORE = {
    "sent": ("sending", "in_doubt"),
    "delivered": ("sending", "in_doubt", "sent"),
    "read": ("sending", "in_doubt", "sent", "delivered"),
    "failed": ("sending", "in_doubt", "sent"),
}
"""From which states each report moves a message on. It may come before the call has returned, and prove what was in doubt."""


def record_receipt(db: Database, sender_id: UUID, receipt: Receipt, now: datetime) -> bool:
    """Write down what one receipt of this sender says; False when it changes nothing: repeated, late, or of no message of ours."""
    with db.begin() as tx:
        message = _find(tx, sender_id, receipt)
        if message is None or not _is_about_this_try(message, receipt):
            return False
        if message.patient_id is not None:
            episodes.find_of_patient(tx, message.patient_id, lock=True)
        if receipt.status == "failed":
            return _failed(tx, message, receipt, now)
        moved = outbox.move(tx, message.id, BEFORE[receipt.status], receipt.status, now, provider_id=receipt.provider_id)
        if not moved:
            outbox.record_provider_id(tx, message.id, receipt.provider_id)  # an answer has proved it already, without naming it
        if moved and receipt.status != "sent" and message.patient_id is not None:
            receipts.mark_reached(tx, message.patient_id, sender_id)
            rates.clear_refusals(tx, sender_id, "all", "receipts")
        return moved


def _find(tx: Tx, sender_id: UUID, receipt: Receipt) -> Message | None:
    """By our id, which came along, else by the provider's. The former is known even before the call has returned."""
    try:
        message = outbox.load(tx, UUID(receipt.message_id)) if receipt.message_id else None
    except ValueError:
        message = None
    if message is None:
        return receipts.find_by_provider_id(tx, sender_id, receipt.provider_id)
    return message if message.sender_id == sender_id else None


def _is_about_this_try(message: Message, receipt: Receipt) -> bool:
    """A message that was refused and went out again, as a template or in words, has two ids at the provider; the first is history."""
    if receipt.provider_id in (message.content.get(window.REFUSED), message.content.get(window.IN_WORDS)):
        return False
    return message.provider_id in (None, receipt.provider_id)


def _failed(tx: Tx, message: Message, receipt: Receipt, now: datetime) -> bool:
    error = receipt.error or MessageRejected("The provider could not deliver this message.")
    if isinstance(error, OutsideServiceWindow) and window.back_to_template(tx, message, receipt.provider_id, now):
        return True
    if error.of_form and window.back_to_words(tx, message, receipt.provider_id, now):
        return True
    if not outbox.move(tx, message.id, BEFORE["failed"], "failed", now, str(error)[:200], provider_id=receipt.provider_id):
        return False
    log().warning("failed after it was accepted", message=str(message.id), error=type(error).__name__)
    conversations.withdraw(tx, message.id)
    put_back_check_in(tx, message, now)
    _consequences(tx, message, error, now)
    return True


def _consequences(tx: Tx, message: Message, error: DeliveryError, now: datetime) -> None:
    of_the_sender = isinstance(error, ChannelMisconfigured) and error.scope == "sender"
    if not of_the_sender:
        is_refused(tx, message, error, now, "receipts")
    elif UNSEEN not in message.content and message.sender_id is not None:
        # A fault of one template must not hold back what needs none: answers and safety texts.
        clinics.mark_sender(tx, message.sender_id, "broken", "the provider refused the sender's set-up")
    if not isinstance(error, RecipientStopped):
        send_again_if_it_must_arrive(tx, message.id, now)
