"""The last look before a notice to a member of staff goes out: does the flag still wait, and where is the person reached?"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from bot_service.actions.notices import FLAG_NOTICE
from bot_service.actions.voices import clinic_setting
from bot_service.conversation.notices import FlagNotice, flag_text, initials_of
from bot_service.errors import DeliveryError, RecipientStopped
from bot_service.messages import Outbound
from bot_service.storage import alerts, clinics, notices, outbox, patients, staff
from bot_service.storage.database import Tx
from bot_service.storage.outbox import Message
from bot_service.storage.staff import Member


def prepare_for_staff(tx: Tx, message: Message, now: datetime, lease_until: datetime) -> Outbound | None:
    """Move a claimed notice to `sending` with its text sealed; None when it does not go out."""
    assert message.staff_id is not None
    member = staff.load(tx, message.staff_id)
    address = _address(tx, message, member.email)
    if end := _objection(tx, message, member, address, now):
        outbox.move(tx, message.id, ("claimed",), end[0], now, end[1])
        if end[0] == "failed":
            not_told(tx, message, now)
    if end or address is None:
        return None
    replaced = notices.find_replaced(tx, message.id)
    text = (
        _flag(tx, message, again=replaced is not None) if message.kind == FLAG_NOTICE else unsealed(tx, message.id, message.content)["text"]
    )
    kept = tx.seal_raw(f"outbox.text:{message.id}", text)
    outbox.move(
        tx, message.id, ("claimed",), "sending", now, attempts=message.attempts + 1, lease_until=lease_until, sent_at=now, text=kept
    )
    values = {"replaces": str(replaced)} if replaced else {}
    return Outbound(str(message.id), str(message.sender_id), address, text, values=values, valid_for=message.expires_at - now)


def sealed(tx: Tx, message_id: UUID, **parts: str) -> dict[str, str]:
    """Finished texts as the content of that message, and of no other, may hold them."""
    return {name: b64encode(tx.seal_raw(_place(message_id, name), text)).decode() for name, text in parts.items()}


def unsealed(tx: Tx, message_id: UUID, content: Mapping[str, Any]) -> dict[str, str]:
    """What is sealed in a message to staff: its finished `text`, and the `chat` it answers."""
    found = {name: content[name] for name in _SEALED if name in content}
    return {name: tx.unseal_raw(_place(message_id, name), b64decode(kept)) for name, kept in found.items()}


_SEALED = ("text", "chat")


def _place(message_id: UUID, name: str) -> str:
    return f"outbox.content.{name}:{message_id}"


def _objection(tx: Tx, message: Message, member: Member, address: str | None, now: datetime) -> tuple[str, str] | None:
    """Why the notice does not go out: its end and the reason."""
    if message.expires_at <= now:
        return "expired", "too late to send"
    if member.status != "active":
        return "cancelled", "no longer a member of staff"
    if message.kind == FLAG_NOTICE and not alerts.is_waiting(tx, UUID(message.content["case"])):
        return "cancelled", "acknowledged already"
    return None if address else ("failed", "the chat is no longer linked")


def is_not_told(tx: Tx, message: Message, error: DeliveryError, now: datetime) -> None:
    """What a refusal for good means for a member of staff: a chat that is blocked is no way to tell them any more."""
    if isinstance(error, RecipientStopped) and message.staff_id is not None and _channel(tx, message) != "email":
        notices.unlink_chat(tx, message.staff_id)
    not_told(tx, message, now)


def not_told(tx: Tx, message: Message, now: datetime) -> None:
    """A notice did not get through for good: the flag goes to the next person now."""
    if message.kind == FLAG_NOTICE:
        alerts.hurry(tx, now, UUID(message.content["case"]))


def _address(tx: Tx, message: Message, email: str) -> str | None:
    """Where the member is reached through the message's sender."""
    if _channel(tx, message) == "email":
        return email
    if "chat" in message.content:
        return unsealed(tx, message.id, message.content)["chat"]
    linked = notices.load_chat(tx, message.staff_id) if message.staff_id else None
    return linked[1] if linked and linked[0] == message.sender_id else None


def _channel(tx: Tx, message: Message) -> str:
    return next(sender.channel for sender in clinics.list_senders(tx) if sender.id == message.sender_id)


def _flag(tx: Tx, message: Message, *, again: bool) -> str:
    content, clinic = message.content, clinics.load_clinic(tx, message.clinic_id)
    rule, ref, patient_id = notices.load_flag(tx, UUID(content["case"]))
    initials = initials_of(patients.load(tx, patient_id).name) if clinic_setting(clinic, "notice_initials") else None
    return flag_text(FlagNotice(ref, rule, content["step"], content["link"], content.get("covers"), initials, again))
