"""How each member of staff wants to be told, the chat they linked, and who covers for whom while away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, func, or_, select, update

from bot_service.clinical.duty import Away, Colleague
from bot_service.errors import Conflict, NotFound
from bot_service.storage.database import Tx
from bot_service.storage.staff import Member
from bot_service.storage.tables import cases, clinics, episodes, leaves, notice_choices, outbox, patients, staff

WAYS = ("email", "telegram", "both")
DUTIES = ("deputy", "lead")


@dataclass(frozen=True)
class Choices:
    """What a member chose. `at_night`: urgent notices come at any hour, otherwise when the clinic opens. `chat_sender_id`: the bot."""

    ways: str = "email"
    daily: bool = True
    weekly: bool = True
    at_night: bool = True
    duty: str | None = None
    chat_sender_id: UUID | None = None


@dataclass(frozen=True)
class Leave:
    """A time away, both days included."""

    id: UUID
    staff_id: UUID
    cover_id: UUID
    from_day: date
    until_day: date


@dataclass(frozen=True)
class Notice:
    """A notice to a member of staff and what became of it."""

    id: UUID
    kind: str
    sender_id: UUID | None
    due_at: datetime
    status: str
    status_at: datetime
    reason: str | None


def load_choices(tx: Tx, staff_id: UUID) -> Choices:
    """What the member chose, else the defaults."""
    row = tx.first(select(notice_choices).where(notice_choices.c.staff_id == staff_id))
    return Choices() if row is None else _choices(row)


def change(tx: Tx, member: Member, **values: Any) -> None:
    """Keep some choices of a member."""
    new = {"staff_id": member.id, "clinic_id": member.clinic_id, "ways": "email", "daily": True, "weekly": True, "at_night": True}
    if not tx.attempt(notice_choices.insert().values(**(new | values))):
        tx.run(update(notice_choices).where(notice_choices.c.staff_id == member.id).values(**values))


def list_colleagues(tx: Tx, clinic_id: UUID) -> dict[UUID, Colleague]:
    """Everybody of a clinic, by name."""
    rows = tx.all(_COLLEAGUES, {"clinic": clinic_id})
    return {row.id: Colleague(row.id, row.role, row.status == "active", row.duty) for row in rows}


_COLLEAGUES = (
    select(staff.c.id, staff.c.role, staff.c.status, notice_choices.c.duty)
    .join_from(staff, notice_choices, notice_choices.c.staff_id == staff.c.id, isouter=True)
    .where(staff.c.clinic_id == bindparam("clinic"))
    .order_by(staff.c.name, staff.c.id)
)


def link_chat(tx: Tx, member: Member, sender_id: UUID, chat: str) -> bool:
    """Bind a bot's chat to a member; False when it is another member's."""
    owner = find_owner(tx, sender_id, chat)
    if owner is not None and owner != member.id:
        return False
    sealed = tx.seal_raw(_place(member.id), chat)
    change(tx, member, chat_sender_id=sender_id, chat_hash=_hash(tx, chat), chat=sealed)
    return True


def unlink_chat(tx: Tx, staff_id: UUID) -> None:
    """The member is told by mail from now on."""
    nothing = {"chat_sender_id": None, "chat_hash": None, "chat": None}
    tx.run(update(notice_choices).where(notice_choices.c.staff_id == staff_id).values(**nothing))


def find_owner(tx: Tx, sender_id: UUID, chat: str) -> UUID | None:
    """The member of staff whose chat with this bot it is."""
    query = select(notice_choices.c.staff_id).where(
        notice_choices.c.chat_sender_id == sender_id, notice_choices.c.chat_hash == _hash(tx, chat)
    )
    return tx.scalar(query)  # type: ignore[no-any-return]  # the column type


def load_chat(tx: Tx, staff_id: UUID) -> tuple[UUID, str] | None:
    """The bot and the chat of a member, if one is linked."""
    row = tx.first(select(notice_choices.c.chat_sender_id, notice_choices.c.chat).where(notice_choices.c.staff_id == staff_id))
    if row is None or row.chat is None:
        return None
    return row.chat_sender_id, tx.unseal_raw(_place(staff_id), row.chat)


def add_leave(tx: Tx, now: datetime, member: Member, cover: Member, from_day: date, until_day: date) -> UUID:
    """Raises Conflict for days in the wrong order, oneself as cover, or days that a leave has already."""
    if until_day < from_day:
        raise Conflict("the last day of the leave lies before the first")
    if cover.id == member.id or cover.clinic_id != member.clinic_id or cover.status != "active" or cover.role != "physio":
        raise Conflict("the cover must be another active physiotherapist of the clinic")
    for other in list_leaves(tx, member.clinic_id, from_day):
        if other.staff_id == member.id and other.from_day <= until_day:
            raise Conflict("there is leave on some of these days already; end that one first")
    new_id = tx.new_id()
    values = {"id": new_id, "clinic_id": member.clinic_id, "staff_id": member.id, "cover_id": cover.id, "created_at": now}
    tx.run(leaves.insert().values(**values, from_day=from_day, until_day=until_day))
    return new_id


def end_leave(tx: Tx, now: datetime, member: Member, leave_id: UUID) -> None:
    """The member is back, or will not go. Raises NotFound."""
    mine = (leaves.c.id == leave_id, leaves.c.staff_id == member.id, leaves.c.ended_at.is_(None))
    if tx.first(update(leaves).where(*mine).values(ended_at=now).returning(leaves.c.id)) is None:
        raise NotFound("no such leave")


def list_leaves(tx: Tx, clinic_id: UUID, today: date) -> list[Leave]:
    """Leave that is not over, the earliest first."""
    rows = tx.all(_LEAVES, {"clinic": clinic_id, "today": today})
    return [Leave(row.id, row.staff_id, row.cover_id, row.from_day, row.until_day) for row in rows]


_LEAVES = (
    select(leaves)
    .where(leaves.c.clinic_id == bindparam("clinic"), leaves.c.until_day >= bindparam("today"), leaves.c.ended_at.is_(None))
    .order_by(leaves.c.from_day, leaves.c.id)
)


def list_aways(tx: Tx, clinic_id: UUID, today: date) -> list[Away]:
    """The same, as the rules of duty read it."""
    return [Away(each.staff_id, each.cover_id, each.from_day, each.until_day) for each in list_leaves(tx, clinic_id, today)]


def list_told(tx: Tx, staff_id: UUID, limit: int = 20) -> list[Notice]:
    """The latest notices to a member."""
    columns = (outbox.c.id, outbox.c.kind, outbox.c.sender_id, outbox.c.due_at, outbox.c.status, outbox.c.status_at, outbox.c.reason)
    query = select(*columns).where(outbox.c.staff_id == staff_id).order_by(outbox.c.due_at.desc(), outbox.c.id).limit(limit)
    return [Notice(**row._mapping) for row in tx.all(query)]


def is_stuck(tx: Tx, key_begins: str, now: datetime) -> bool:
    """Whether of the notices whose occurrence key begins so none went out, nor waits for the morning as its reader wants."""
    begins = outbox.c.occurrence_key.startswith(key_begins, autoescape=True)
    held = and_(outbox.c.status == "due", outbox.c.late_since.is_(None), outbox.c.due_at > now)
    went_out = ("sent", "delivered", "read")
    again, once_more = outbox.alias(), outbox.alias()
    said_again = (  # a notice in doubt is said again, twice at most, by messages that name the one before
        select(again.c.id)
        .outerjoin(once_more, once_more.c.replaces_id == again.c.id)
        .where(again.c.replaces_id == outbox.c.id, or_(again.c.status.in_(went_out), once_more.c.status.in_(went_out)))
        .exists()
    )
    through = or_(outbox.c.status.in_(went_out), held, said_again)
    return tx.first(select(outbox.c.id).where(begins, outbox.c.staff_id.is_not(None), through).limit(1)) is None


def was_queued(tx: Tx, key: str) -> bool:
    return tx.first(select(outbox.c.id).where(outbox.c.occurrence_key == key)) is not None


def find_replaced(tx: Tx, message_id: UUID) -> UUID | None:
    """The message that this one says again."""
    return tx.scalar(select(outbox.c.replaces_id).where(outbox.c.id == message_id))  # type: ignore[no-any-return]  # the column type


def load_flag(tx: Tx, case_id: UUID) -> tuple[str, str, UUID]:
    """A flag's rule, and its patient's reference and id."""
    query = select(cases.c.rule, patients.c.ref, patients.c.id).join_from(cases, episodes, episodes.c.id == cases.c.episode_id)
    row = tx.one(query.join(patients, patients.c.id == episodes.c.patient_id).where(cases.c.id == case_id))
    return row.rule, row.ref, row.id


def list_digests_due(tx: Tx, now: datetime) -> list[tuple[UUID, datetime | None]]:
    """Clinics whose digest is due, or was never planned, with the time it was due."""
    due = clinics.c.next_digest_at.is_(None) | (clinics.c.next_digest_at <= now)
    rows = tx.all(select(clinics.c.id, clinics.c.next_digest_at).where(due).order_by(clinics.c.slug))
    return [(row.id, row.next_digest_at) for row in rows]


def next_digest_at(tx: Tx, after: datetime | None = None) -> datetime | None:
    """When the next digest is due, or the next one after `after`; None before any was planned."""
    later = [] if after is None else [clinics.c.next_digest_at > after]
    return tx.scalar(select(func.min(clinics.c.next_digest_at)).where(*later))  # type: ignore[no-any-return]  # the column type


def plan_digest(tx: Tx, clinic_id: UUID, due_at: datetime | None, at: datetime) -> bool:
    """Put the digest that was due at `due_at` behind us, the next one at `at`; False when somebody did that already."""
    still = clinics.c.next_digest_at.is_(None) if due_at is None else clinics.c.next_digest_at == due_at
    planned = update(clinics).where(clinics.c.id == clinic_id, still).values(next_digest_at=at).returning(clinics.c.id)
    return tx.first(planned) is not None


def _hash(tx: Tx, chat: str) -> bytes:
    return tx.db.keys.index("staff chat", chat)


def _place(staff_id: UUID) -> str:
    return f"notice_choices.chat:{staff_id}"


def _choices(row: Row[Any]) -> Choices:
    return Choices(row.ways, row.daily, row.weekly, row.at_night, row.duty, row.chat_sender_id)
