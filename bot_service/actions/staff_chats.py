"""Staff link a chat with the clinic's bot, to get notices there; such a chat is never a patient's, and nothing said in it is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from bot_service.actions.consent import is_free
from bot_service.actions.staff_messages import sealed
from bot_service.conversation.notices import LINKED, ONE_CHAT_EACH, STAFF_CHAT
from bot_service.errors import Conflict
from bot_service.messages import Inbound
from bot_service.storage import alerts, aliases, audit, clinics, notices, outbox, staff
from bot_service.storage.clinics import Sender
from bot_service.storage.database import Database, Tx
from bot_service.storage.inbox import Received
from bot_service.storage.staff import Member

CODE = "staff_"
"""What a staff link's code begins with; no invitation's does."""
STAFF_ANSWER = "staff_answer"
CHANNELS = ("telegram",)


def begin_link(db: Database, member: Member, real_now: datetime) -> str:
    """The address of a one-time link that ties a chat to this member. Raises Conflict when the clinic has no bot."""
    with db.begin() as tx:
        bot = find_bot(tx, member.clinic_id)
        if bot is None:
            raise Conflict("this clinic has no Telegram bot, so notices come by e-mail")
        return f"https://t.me/{bot.name}?start={CODE}{staff.add_chat_link(tx, real_now, member.id)}"


def unlink(db: Database, member: Member, now: datetime) -> None:
    """Notices come by mail from now on."""
    with db.begin() as tx:
        notices.unlink_chat(tx, member.id)
        audit.record(tx, now, member.email, "staff_chat_unlinked", clinic_id=member.clinic_id, subject_id=member.id)


def find_bot(tx: Tx, clinic_id: UUID) -> Sender | None:
    """The clinic's own bot."""
    return next((each for each in clinics.list_senders(tx) if each.clinic_id == clinic_id and each.channel in CHANNELS), None)


def take_from_staff(tx: Tx, received: Received, inbound: Inbound, now: datetime, real_now: datetime) -> bool:
    """Whether this is a member of staff's business: their chat, or the code that makes it theirs. Then it is dealt with here."""
    owner = notices.find_owner(tx, received.sender_id, inbound.address)
    if owner is not None and staff.load(tx, owner).status != "active":
        notices.unlink_chat(tx, owner)  # no longer staff: the chat is anybody's again, a patient's perhaps
        owner = None
    code = inbound.start_code or ""
    if owner is None and not code.startswith(CODE):
        return False
    if code.startswith(CODE) and _link(tx, received, inbound, code.removeprefix(CODE), now, real_now):
        return True
    if owner is None:
        return False
    member = staff.load(tx, owner)
    if inbound.heard == "blocked":
        notices.unlink_chat(tx, owner)
        audit.record(tx, now, member.email, "staff_chat_blocked", clinic_id=member.clinic_id, subject_id=owner)
    elif inbound.heard in ("text", "tap", "media"):
        _answer(tx, received, inbound, member, ONE_CHAT_EACH if code and not code.startswith(CODE) else STAFF_CHAT, now)
    return True


def _link(tx: Tx, received: Received, inbound: Inbound, token: str, now: datetime, real_now: datetime) -> bool:
    """Tie the chat; False when the code is no good here, which is then answered as any unknown code is."""
    known = aliases.find_address(tx, received.sender_id, inbound.address, inbound.alias)
    in_care = known is not None and not is_free(tx, known)
    staff_id = staff.find_by_chat_link(tx, real_now, token)
    if in_care:
        staff.use_chat_link(tx, real_now, token)  # what a patient's chat said is in the transcript: nobody shall use it from there
    member = staff.load(tx, staff_id) if staff_id and not in_care else None
    if member is None or member.status != "active" or member.clinic_id != clinics.clinic_of_sender(tx, received.sender_id):
        return False
    if not notices.link_chat(tx, member, received.sender_id, inbound.address):
        return False
    staff.use_chat_link(tx, real_now, token)
    alerts.hurry_untold(tx, now)
    _answer(tx, received, inbound, member, LINKED, now)
    audit.record(tx, now, member.email, "staff_chat_linked", clinic_id=member.clinic_id, subject_id=member.id)
    return True


def _answer(tx: Tx, received: Received, inbound: Inbound, member: Member, text: str, now: datetime) -> None:
    """One sentence; the same one once a day, whatever is written."""
    day = now.date().isoformat() if text != LINKED else str(received.id)
    new_id = tx.new_id()
    outbox.queue(
        tx, now, new_id=new_id, clinic_id=member.clinic_id, patient_id=None, episode_id=None, staff_id=member.id, kind=STAFF_ANSWER,
        key=f"staff_answer:{member.id}:{day}:{len(text)}", due_at=now, expires_at=now + timedelta(hours=1),
        content=sealed(tx, new_id, text=text, chat=inbound.address), lane="now", sender_id=received.sender_id,
    )  # fmt: skip
