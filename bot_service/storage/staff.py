"""Members of staff, their one-time sign-in links and their sign-ins."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, bindparam, func, select, update

from bot_service.errors import Conflict, NotFound
from bot_service.storage.database import Tx
from bot_service.storage.tables import sign_ins, staff

LINK_LIFE = timedelta(hours=24)
IDLE = timedelta(hours=8)
LONGEST = timedelta(days=7)
CHAT = "chat"


@dataclass(frozen=True)
class Member:
    """A member of staff. `role`: physio, admin or viewer; `status`: active or disabled."""

    id: UUID
    clinic_id: UUID
    email: str
    name: str
    role: str
    status: str


def add(tx: Tx, now: datetime, clinic_id: UUID, email: str, name: str, role: str) -> Member:
    """Raises Conflict when the address is taken."""
    member = Member(tx.new_id(), clinic_id, email.strip().lower(), name, role, "active")
    if not tx.attempt(staff.insert().values(**vars(member), created_at=now)):
        raise Conflict(f"{email} is a member of staff already; see: stepwise staff list")
    return member


def load(tx: Tx, staff_id: UUID) -> Member:
    """Raises NotFound."""
    return _found(tx.first(_BY_ID, {"staff_id": staff_id}), "no such member of staff")


def load_by_email(tx: Tx, email: str) -> Member:
    """An active member. Raises NotFound."""
    row = tx.first(select(staff).where(staff.c.email == email.strip().lower(), staff.c.status == "active"))
    return _found(row, f"{email} is not an active member of staff; see: stepwise staff list")


def list_of_clinic(tx: Tx, clinic_id: UUID) -> list[Member]:
    return [_member(row) for row in tx.all(_OF_CLINIC, {"clinic": clinic_id})]


def set_role(tx: Tx, staff_id: UUID, role: str) -> None:
    tx.run(update(staff).where(staff.c.id == staff_id).values(role=role))


def disable(tx: Tx, now: datetime, staff_id: UUID) -> None:
    """The member can no longer sign in, and is signed out everywhere."""
    tx.run(update(staff).where(staff.c.id == staff_id).values(status="disabled"))
    tx.run(update(sign_ins).where(sign_ins.c.staff_id == staff_id, sign_ins.c.ended_at.is_(None)).values(ended_at=now))


def add_link(tx: Tx, real_now: datetime, staff_id: UUID) -> str:
    """The token of a link that signs this member in, once, within a day. Only its hash is kept."""
    return _add_token(tx, real_now, staff_id, "link", LINK_LIFE)


def count_links(tx: Tx, staff_id: UUID, since: datetime) -> int:
    """How many sign-in links were made for this member from `since` on, used ones too."""
    made = (sign_ins.c.staff_id == staff_id, sign_ins.c.kind == "link", sign_ins.c.created_at >= since)
    return int(tx.scalar(select(func.count()).select_from(sign_ins).where(*made)))


def add_chat_link(tx: Tx, real_now: datetime, staff_id: UUID) -> str:
    """The token of a link that ties a chat to this member, once, within a day; earlier ones stop working. It signs nobody in."""
    earlier = (sign_ins.c.staff_id == staff_id, sign_ins.c.kind == CHAT, sign_ins.c.ended_at.is_(None))
    tx.run(update(sign_ins).where(*earlier).values(ended_at=real_now))
    return _add_token(tx, real_now, staff_id, CHAT, LINK_LIFE)


def find_by_chat_link(tx: Tx, real_now: datetime, token: str) -> UUID | None:
    """Whose link it is; None for unknown, used and expired ones alike."""
    return tx.scalar(select(sign_ins.c.staff_id).where(*_good_chat_link(tx, real_now, token)))  # type: ignore[no-any-return]  # the column type


def use_chat_link(tx: Tx, real_now: datetime, token: str) -> None:
    """The link works no more."""
    tx.run(update(sign_ins).where(*_good_chat_link(tx, real_now, token)).values(ended_at=real_now))


def use_link(tx: Tx, real_now: datetime, token: str) -> str | None:
    """Trade a link for a sign-in; None for unknown, used and expired links alike. Returns the sign-in's own token."""
    where = (
        sign_ins.c.token_hash == _hash(tx, token),
        sign_ins.c.kind == "link",
        sign_ins.c.ended_at.is_(None),
        sign_ins.c.expires_at > real_now,
    )
    staff_id = tx.scalar(update(sign_ins).where(*where).values(ended_at=real_now).returning(sign_ins.c.staff_id))
    if staff_id is None or load(tx, staff_id).status != "active":
        return None
    return _add_token(tx, real_now, staff_id, "session", LONGEST)


def find_signed_in(tx: Tx, real_now: datetime, token: str) -> Member | None:
    """Who holds this sign-in; None when it ended, idled out, or the member was disabled."""
    row = tx.first(_SIGNED_IN, {"token": _hash(tx, token), "now": real_now, "idle_since": real_now - IDLE})
    return None if row is None else _member(row)


_OF_CLINIC = select(staff).where(staff.c.clinic_id == bindparam("clinic")).order_by(staff.c.name)
_SIGNED_IN = (
    select(staff)
    .join_from(staff, sign_ins, sign_ins.c.staff_id == staff.c.id)
    .where(
        sign_ins.c.token_hash == bindparam("token"),
        sign_ins.c.kind == "session",
        sign_ins.c.ended_at.is_(None),
        sign_ins.c.expires_at > bindparam("now"),
        sign_ins.c.last_seen_at > bindparam("idle_since"),
        staff.c.status == "active",
    )
)


def touch(tx: Tx, real_now: datetime, token: str) -> None:
    """Note that the sign-in was used."""
    tx.run(update(sign_ins).where(sign_ins.c.token_hash == _hash(tx, token)).values(last_seen_at=real_now))


def sign_out(tx: Tx, real_now: datetime, token: str) -> None:
    tx.run(update(sign_ins).where(sign_ins.c.token_hash == _hash(tx, token)).values(ended_at=real_now))


def _good_chat_link(tx: Tx, real_now: datetime, token: str) -> tuple[ColumnElement[bool], ...]:
    good = (sign_ins.c.token_hash == _hash(tx, token), sign_ins.c.kind == CHAT)
    return (*good, sign_ins.c.ended_at.is_(None), sign_ins.c.expires_at > real_now)


def _add_token(tx: Tx, real_now: datetime, staff_id: UUID, kind: str, life: timedelta) -> str:
    token = secrets.token_urlsafe(32)
    values = {"id": tx.new_id(), "staff_id": staff_id, "kind": kind, "token_hash": _hash(tx, token), "created_at": real_now}
    tx.run(sign_ins.insert().values(**values, expires_at=real_now + life, last_seen_at=real_now))
    return token


def _hash(tx: Tx, token: str) -> bytes:
    return tx.db.keys.index("token", token)


_BY_ID = select(staff).where(staff.c.id == bindparam("staff_id"))


def _found(row: Row[Any] | None, sentence: str) -> Member:
    if row is None:
        raise NotFound(sentence)
    return _member(row)


def _member(row: Row[Any]) -> Member:
    return Member(row.id, row.clinic_id, row.email, row.name, row.role, row.status)
