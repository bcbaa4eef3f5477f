"""One-time sign-in links that go to the member of staff alone, by the ways that they chose for notices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from bot_service.actions.notices import chosen_ways
from bot_service.actions.staff_messages import sealed
from bot_service.conversation.notices import sign_in_text
from bot_service.errors import NotFound
from bot_service.storage import audit, clinics, outbox, staff
from bot_service.storage.database import Database, Tx
from bot_service.storage.staff import Member

SIGN_IN = "sign_in_link"
MOST_AN_HOUR = 3
"""Default: so that nobody who knows an address can fill its mailbox."""


def ask_for_link(db: Database, email: str, now: datetime, real_now: datetime, public_url: str, back: str) -> None:
    """Send a link to the member with this address, if there is one whom we can reach; whoever asks cannot tell.

    `back` is the page of ours that it leads to after the sign-in, as a path.
    """
    with db.begin() as tx:
        try:
            member = staff.load_by_email(tx, email)
        except NotFound:
            return
        clinics.lock(tx, member.clinic_id)  # two askers at once must not both be the last of the hour
        ways = chosen_ways(tx, member.id, clinics.list_senders(tx))
        if not ways or staff.count_links(tx, member.id, real_now - timedelta(hours=1)) >= MOST_AN_HOUR:
            return
        send_link(tx, now, member, ways, f"{public_url}/sign-in/{staff.add_link(tx, real_now, member.id)}{f'?to={back}' if back else ''}")
        audit.record(
            tx, now, member.email, "sign_in_link_sent", clinic_id=member.clinic_id, subject_id=member.id, detail={"asked": "sign-in page"}
        )


def can_send_links(tx: Tx) -> bool:
    """Whether there is mail or a bot that could bring one."""
    return any(sender.channel in ("email", "telegram") and sender.status != "unused" for sender in clinics.list_senders(tx))


def send_link(tx: Tx, now: datetime, member: Member, ways: Sequence[UUID], link: str) -> None:
    """Queue the link for each of these senders."""
    for sender_id in ways:
        new_id = tx.new_id()
        outbox.queue(
            tx, now, new_id=new_id, clinic_id=member.clinic_id, patient_id=None, episode_id=None, staff_id=member.id, kind=SIGN_IN,
            key=f"{SIGN_IN}:{new_id}", due_at=now, expires_at=now + staff.LINK_LIFE, content=sealed(tx, new_id, text=sign_in_text(link)),
            lane="now", sender_id=sender_id,
        )  # fmt: skip
