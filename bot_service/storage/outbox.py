"""What is to go out and what became of it: every message that was ever due is in exactly one state, with time and reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, TextClause, Update, bindparam, exists, func, select, text, update

from bot_service.storage.columns import SealedBytes
from bot_service.storage.database import Tx
from bot_service.storage.tables import addresses, outbox, patients, questions

UNSOLICITED = ("prompt", "check_in", "nudge", "silence", "seen", "again", "news", "message_read")
"""Kinds that keep out of quiet hours (`clinical.md` 0.11): everything that answers nothing."""
CAPPED = ("prompt", "check_in", "nudge", "silence", "again")
"""Kinds that count towards the daily cap (`clinical.md` 0.12). What a clinician decides or asks is not held back by it."""
MUST_ARRIVE = ("safety", "news", "flag_notice", "digest")
"""Kinds that are sent again when the first may not have arrived; all others go out at most once."""
WENT_OUT = ("sent", "delivered", "read")
NEVER_WENT_OUT = ("cancelled", "expired", "failed")
AWAITED = "exercises_awaited"
"""Key of a prompt's content: `yes` while the exercises wait for the answer to what it asked first, `no` once they have followed."""


@dataclass(frozen=True)
class Message:
    """A row of the outbox, without its sealed parts."""

    id: UUID
    clinic_id: UUID
    patient_id: UUID | None
    staff_id: UUID | None
    episode_id: UUID | None
    sender_id: UUID | None
    kind: str
    lane: str
    day: date | None
    slot: int | None
    prescription_id: UUID | None
    content: Mapping[str, Any]
    due_at: datetime
    expires_at: datetime
    status: str
    status_at: datetime
    reason: str | None
    claimed_by: str | None
    attempts: int
    provider_id: str | None
    sent_at: datetime | None
    late_since: datetime | None


@dataclass(frozen=True)
class Sending:
    """A message right before its call. `is_unreachable`: its address, where it has one, has taken nothing lately."""

    kind: str
    expires_at: datetime
    patient_id: UUID | None
    sender_id: UUID | None
    patient_status: str | None
    is_unreachable: bool


# fmt: off
def queue(
    tx: Tx, now: datetime, *,
    clinic_id: UUID, patient_id: UUID | None, episode_id: UUID | None, kind: str, key: str,
    due_at: datetime, expires_at: datetime, content: Mapping[str, Any], lane: str = "bulk",
    day: date | None = None, slot: int | None = None, prescription_id: UUID | None = None,
    sender_id: UUID | None = None, address: SealedBytes | None = None, staff_id: UUID | None = None,
    status: str = "due", reason: str | None = None, new_id: UUID | None = None, replaces_id: UUID | None = None,
) -> bool:
    # fmt: on
    """Put a message in line; False when its occurrence `key` was used before, which is how nothing is ever planned twice.

    Of the answers to one patient that are due at the same moment, each has the place after the one before: so they leave in order.
    """
    answers = lane == "now" and patient_id is not None
    place = tx.scalar(_NEXT_PLACE, {"patient_id": patient_id, "lane": lane, "due_at": due_at}) if answers else 0
    values = {
        "id": new_id or tx.new_id(), "clinic_id": clinic_id, "patient_id": patient_id, "staff_id": staff_id, "episode_id": episode_id,
        "kind": kind, "lane": lane, "occurrence_key": key, "day": day, "slot": slot, "prescription_id": prescription_id,
        "content": dict(content), "due_at": due_at, "expires_at": expires_at, "status": status, "status_at": now, "reason": reason,
        "sender_id": sender_id, "address": address, "replaces_id": replaces_id, "place": place,
    }  # fmt: skip
    return tx.attempt(_INSERT, values)


def load_address(tx: Tx, message_id: UUID) -> bytes:
    """The sealed address of a message to somebody who is no patient."""
    return bytes(tx.scalar(select(outbox.c.address).where(outbox.c.id == message_id)))


def load_claimed(tx: Tx, message_id: UUID, worker: str) -> Message | None:
    """The message, if this worker still holds its claim."""
    row = tx.first(_CLAIMED, {"message_id": message_id, "worker": worker})
    return None if row is None else message(row)


def find_sending(tx: Tx, message_id: UUID, worker: str, real_now: datetime) -> Sending | None:
    """The message, if it is this worker's to send, now."""
    row = tx.first(_SENDING, {"message_id": message_id, "worker": worker, "real_now": real_now})
    return None if row is None else Sending(*tuple(row))


def find_patient(tx: Tx, message_id: UUID) -> UUID | None:
    """Whose message it is."""
    return tx.scalar(_PATIENT, {"message_id": message_id})  # type: ignore[no-any-return]  # the column type


def load(tx: Tx, message_id: UUID) -> Message | None:
    row = tx.first(_BY_ID, {"message_id": message_id})
    return None if row is None else message(row)


def move(tx: Tx, message_id: UUID, olds: Sequence[str], new: str, now: datetime, reason: str | None = None, **values: Any) -> bool:
    """Compare and swap the state; False when the message was in none of `olds`."""
    where = {"message_id": message_id, "olds": list(olds)}
    return tx.first(_MOVE, {**where, "status": new, "status_at": now, "reason": reason, **values}) is not None


def record_provider_id(tx: Tx, message_id: UUID, provider_id: str) -> None:
    """The provider's id of a message that went out, when it was not known yet."""
    statement = update(outbox).where(outbox.c.id == message_id, outbox.c.status.in_(WENT_OUT), outbox.c.provider_id.is_(None))
    tx.run(statement.values(provider_id=provider_id))


def count_replaced(tx: Tx, message_id: UUID) -> int:
    """How many messages came before this one to say the same."""
    found = 0
    while (message_id := tx.scalar(select(outbox.c.replaces_id).where(outbox.c.id == message_id))) is not None:
        found += 1
    return found


def recover(tx: Tx, now: datetime, real_now: datetime, *, everything: bool) -> tuple[int, list[UUID]]:
    """After a crash: leased messages are due again, those caught in the call are in doubt. How many, and which.

    `everything` when no other process can be alive (SQLite, at start); otherwise only lapsed leases.
    """
    lapsed = [] if everything else [outbox.c.lease_until < real_now]
    back = tx.all(
        _sweep(_UNSENT, outbox.c.status == "claimed", *lapsed)
        .values(status="due", status_at=now, claimed_by=None, lease_until=None)
        .returning(outbox.c.id)
    )
    doubt = tx.all(
        _sweep(_UNSENT, outbox.c.status == "sending", *lapsed)
        .values(status="in_doubt", status_at=now, reason="stopped during the call")
        .returning(outbox.c.id)
    )
    return len(back), [row.id for row in doubt]


def give_back(tx: Tx, now: datetime, message_ids: Sequence[UUID], worker: str) -> None:
    """Claimed by this worker, but never tried: due again at once."""
    mine = (outbox.c.id.in_(message_ids), outbox.c.status == "claimed", outbox.c.claimed_by == worker)
    tx.run(_sweep(*mine).values(status="due", status_at=now, claimed_by=None, lease_until=None))


def cancel_waiting(tx: Tx, now: datetime, patient_id: UUID, reason: str, kinds: Sequence[str] | None = None) -> int:
    """Cancel what has not begun to go out."""
    values = {"of_patient": patient_id, "status": "cancelled", "status_at": now, "reason": reason}
    return len(tx.all(_CANCEL_WAITING, values) if kinds is None else tx.all(_CANCEL_KINDS, {**values, "kinds": list(kinds)}))


def redirect(tx: Tx, patient_id: UUID, sender_id: UUID) -> None:
    """The patient has moved: what waits goes out through that sender."""
    tx.run(update(outbox).where(outbox.c.patient_id == patient_id, outbox.c.status == "due").values(sender_id=sender_id))


def cancel_session(tx: Tx, now: datetime, episode_id: UUID, day: date, slot: int | None, kinds: Sequence[str]) -> None:
    """Cancel waiting follow-ups about one session: it has been answered."""
    about = {"of_episode": episode_id, "kinds": list(kinds), "of_day": day, "of_slot": slot}
    tx.run(_CANCEL_SESSION, {**about, "status": "cancelled", "status_at": now, "reason": "answered"})


def prove_sent(tx: Tx, message_id: UUID, now: datetime) -> bool:
    """An answer to a message that was in doubt proves that it arrived, when it was sent and not when it was answered."""
    return move(tx, message_id, ("in_doubt", "sending"), "sent", now, "answered")


def prove_sent_by_answer(tx: Tx, question_id: UUID, now: datetime) -> None:
    """The same for the message that asked a question which was answered."""
    tx.run(_PROVE_BY_ANSWER, {"question": question_id, "status": "sent", "status_at": now, "reason": "answered"})


def expire_stale(tx: Tx, now: datetime) -> list[Message]:
    """Expire what waited past its usefulness; what that was."""
    return [message(row) for row in tx.all(_EXPIRE, {"now": now, "status": "expired", "status_at": now, "reason": "too late to send"})]


def find_waiting(tx: Tx, episode_id: UUID, kind: str) -> list[Message]:
    """Messages of a kind that are still due, the earliest first."""
    return [message(row) for row in tx.all(_WAITING_OF_EPISODE, {"episode_id": episode_id, "kind": kind})]


def count_capped(tx: Tx, patient_id: UUID, since: datetime, until: datetime) -> int:
    """Messages under the cap that went out, or may have, between two instants."""
    return int(tx.scalar(_CAPPED_BETWEEN, {"patient_id": patient_id, "since": since, "until": until}))


def find_status(tx: Tx, key: str) -> str | None:
    """The state of the message with that occurrence key."""
    return tx.scalar(_STATUS, {"key": key})  # type: ignore[no-any-return]  # the column type


class Prompt(NamedTuple):
    """What became of one exercise prompt. `awaited` is what its content has under AWAITED."""

    day: date
    slot: int
    status: str
    reason: str | None
    prescription_id: UUID
    awaited: str | None = None


def prompts_of_days(tx: Tx, episode_id: UUID, days: Collection[date]) -> list[UUID]:
    """The exercise prompts of these local days, the earliest first."""
    query = select(outbox.c.id).where(outbox.c.episode_id == episode_id, outbox.c.kind == "prompt", outbox.c.day.in_(days))
    return [row.id for row in tx.all(query.order_by(outbox.c.day, outbox.c.slot))]


def list_prompts(tx: Tx, episode_id: UUID) -> list[Prompt]:
    """Every exercise prompt of an episode, oldest first."""
    return [Prompt._make(row) for row in tx.all(_PROMPTS, {"episode_id": episode_id})]


def next_due_at(tx: Tx, after: datetime | None = None) -> datetime | None:
    """When the earliest waiting message falls due, or the earliest later than `after`."""
    return tx.scalar(_NEXT_DUE, {}) if after is None else tx.scalar(_NEXT_DUE_AFTER, {"after": after})  # type: ignore[no-any-return]  # the column type


def _sweep(*where: ColumnElement[bool] | TextClause) -> Update:
    """An update of many rows that passes over those that somebody holds: it waits for nobody, so nobody waits for it in a circle."""
    free = select(outbox.c.id).where(*where).with_for_update(skip_locked=True)
    return update(outbox).where(outbox.c.id.in_(free))


COLUMNS = tuple(outbox.c[field.name] for field in fields(Message))
# Built once: putting a statement together costs several times what running it does.
# A status that stands in the statement, as the index spells it: given as a parameter, SQLite cannot use a partial index and reads all rows.
_UNSENT = text("outbox.status in ('due','claimed','sending')")
DUE = (_UNSENT, outbox.c.status == "due", outbox.c.due_at <= bindparam("now"))
_BY_ID = select(*COLUMNS).where(outbox.c.id == bindparam("message_id"))
_PATIENT = select(outbox.c.patient_id).where(outbox.c.id == bindparam("message_id"))
_CLAIMED = _BY_ID.where(outbox.c.status == "claimed", outbox.c.claimed_by == bindparam("worker")).with_for_update()
_UNREACHABLE = exists().where(
    addresses.c.patient_id == outbox.c.patient_id, addresses.c.sender_id == outbox.c.sender_id, addresses.c.status == "unreachable"
)
_SENDING = (
    select(outbox.c.kind, outbox.c.expires_at, outbox.c.patient_id, outbox.c.sender_id, patients.c.status, _UNREACHABLE)
    .join_from(outbox, patients, outbox.c.patient_id == patients.c.id, isouter=True)
    .where(
        outbox.c.id == bindparam("message_id"),
        outbox.c.status == "sending",
        outbox.c.claimed_by == bindparam("worker"),
        outbox.c.lease_until > bindparam("real_now"),
    )
)
_CANCEL_WAITING = (
    update(outbox)
    .where(outbox.c.patient_id == bindparam("of_patient"), outbox.c.status.in_(("due", "claimed")))
    .returning(outbox.c.id)
)
_CANCEL_KINDS = _CANCEL_WAITING.where(outbox.c.kind.in_(bindparam("kinds", expanding=True)))
_INSERT = outbox.insert()
_NEXT_PLACE = select(func.coalesce(func.max(outbox.c.place) + 1, 0)).where(
    outbox.c.patient_id == bindparam("patient_id"), outbox.c.due_at == bindparam("due_at"), outbox.c.lane == bindparam("lane")
)
_MOVE = (
    update(outbox)
    .where(outbox.c.id == bindparam("message_id"), outbox.c.status.in_(bindparam("olds", expanding=True)))
    .returning(outbox.c.id)
)
_EXPIRE = _sweep(_UNSENT, outbox.c.status == "due", outbox.c.expires_at <= bindparam("now")).returning(*COLUMNS)
_WAITING_OF_EPISODE = (
    select(*COLUMNS)
    .where(outbox.c.episode_id == bindparam("episode_id"), outbox.c.kind == bindparam("kind"), outbox.c.status == "due")
    .order_by(outbox.c.due_at, outbox.c.id)
)
_CAPPED_BETWEEN = select(func.count()).where(
    outbox.c.patient_id == bindparam("patient_id"),
    outbox.c.kind.in_(CAPPED),
    outbox.c.status.in_(("sending", "in_doubt", *WENT_OUT)),
    outbox.c.sent_at >= bindparam("since"),
    outbox.c.sent_at < bindparam("until"),
)
PROMPT_COLUMNS = (*(outbox.c[name] for name in Prompt._fields[:-1]), outbox.c.content[AWAITED].as_string().label(Prompt._fields[-1]))
_PROMPTS = (
    select(*PROMPT_COLUMNS)
    .where(outbox.c.episode_id == bindparam("episode_id"), outbox.c.kind == "prompt")
    .order_by(outbox.c.day, outbox.c.slot)
)
_STATUS = select(outbox.c.status).where(outbox.c.occurrence_key == bindparam("key"))
_NEXT_DUE = select(outbox.c.due_at).where(_UNSENT, outbox.c.status == "due").order_by(outbox.c.due_at).limit(1)
_NEXT_DUE_AFTER = _NEXT_DUE.where(outbox.c.due_at > bindparam("after"))
_CANCEL_SESSION = update(outbox).where(
    outbox.c.episode_id == bindparam("of_episode"),
    outbox.c.kind.in_(bindparam("kinds", expanding=True)),
    outbox.c.day == bindparam("of_day"),
    outbox.c.slot.is_not_distinct_from(bindparam("of_slot")),
    outbox.c.status == "due",
)
_ASKED_IN = select(questions.c.outbox_id).where(questions.c.id == bindparam("question")).scalar_subquery()
_PROVE_BY_ANSWER = update(outbox).where(outbox.c.id == _ASKED_IN, outbox.c.status.in_(("in_doubt", "sending")))


def message(row: Row[Any]) -> Message:
    """From a row that begins with `COLUMNS`."""
    return Message(*row[: len(COLUMNS)])
