"""What came in: stored raw before it is acknowledged, handled once, and kept as the transcript's other half."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, bindparam, exists, func, literal_column, null, select, tuple_, update

from bot_service.messages import Inbound
from bot_service.storage.database import Tx
from bot_service.storage.prepared import padded
from bot_service.storage.tables import inbox

ATTEMPTS = 3
"""Failures after which an update is set aside for staff (`engine.md`, reliability rules)."""
OLDEST_NEWS = timedelta(hours=26)
"""How far back a provider's word about the time is believed: Telegram keeps what we did not fetch for a day (default)."""


@dataclass(frozen=True)
class Received:
    """A stored update that waits to be handled. `said_at` is when the person did it, as far as the provider says so."""

    id: UUID
    sender_id: UUID
    received_at: datetime
    attempts: int
    raw: Mapping[str, Any]
    said_at: datetime | None = None

    @property
    def at(self) -> datetime:
        """The moment that the person is taken to have done it."""
        return self.said_at or self.received_at


@dataclass(frozen=True)
class Said:
    """One message of the patient in the transcript."""

    id: UUID
    at: datetime
    heard: str
    text: str
    message_id: str | None


def said_when(at: datetime | None, received_at: datetime) -> datetime | None:
    """A provider's time of a message, as far as it can be true: never later than we got it, and not longer ago than `OLDEST_NEWS`."""
    return None if at is None else min(max(at, received_at - OLDEST_NEWS), received_at)


def store(tx: Tx, now: datetime, sender_id: UUID, raw: Mapping[str, Any], inbound: Inbound | None, *, timed: bool = True) -> bool:
    """Store an update durably. False when it was stored before: the provider repeats itself, for ever if need be.

    `inbound` is None when the update could not be read: it is set aside under the hash of its content. `timed` is False when the
    provider's times cannot be compared with ours, because our clock was moved.
    """
    content = json.dumps(raw, ensure_ascii=True, sort_keys=True)
    provider_id = inbound.provider_id if inbound else "unread:" + hashlib.sha256(content.encode()).hexdigest()
    new_id = tx.new_id()
    values = {
        "id": new_id,
        "sender_id": sender_id,
        "provider_hash": tx.db.keys.index("update", provider_id),
        "address_hash": tx.db.keys.index("address", inbound.address) if inbound else None,
        "received_at": now,
        "said_at": said_when(inbound.at, now) if inbound and timed else None,
        "status": "received" if inbound else "quarantined",
        "reason": None if inbound else "unreadable",
        "raw": tx.seal_raw(f"inbox.raw:{new_id}", content),
    }
    return tx.attempt(_INSERT, values)


def claim_next(tx: Tx, sender_ids: Sequence[UUID], failed: Collection[UUID] = ()) -> Received | None:
    """The update whose turn it is, one at a time per address; its chat is locked until this transaction ends."""
    passed = set(failed)
    while (oldest := tx.first(_OLDEST_WAITING, {"sender_ids": list(sender_ids), "failed": padded(list(passed))})) is not None:
        row = oldest if oldest.said_at is None else said_first(_list_waiting_in_chat(tx, oldest))
        if row.id not in failed:
            raw = json.loads(tx.unseal_raw(f"inbox.raw:{row.id}", row.raw))
            return Received(row.id, row.sender_id, row.received_at, row.attempts, raw, row.said_at)
        passed.add(oldest.id)  # the one whose turn it is has failed: the whole chat waits for the next tick
    return None


def said_first(rows: Sequence[Row[Any]]) -> Row[Any]:
    """The next of the updates that wait in one chat, oldest first as received: by the provider's times, up to the first without one.

    An update without a time (a tap) keeps its place: what was received before it comes before it, what was received after, after.
    """
    timed = list(takewhile(lambda row: row.said_at is not None, rows))
    return min(timed, key=lambda row: row.said_at) if timed else rows[0]  # the first of those said in the same second


def mark_handled(tx: Tx, inbox_id: UUID, now: datetime, inbound: Inbound, patient: tuple[UUID, UUID] | None) -> bool:
    """Swap `received` for `handled`, drop the raw form, and keep the words under the patient's key (clinic, patient)."""
    values: dict[str, Any] = {"row": inbox_id, "status": "handled", "handled_at": now, "raw": None, "heard": inbound.heard}
    values["message_id"] = inbound.message_id
    if patient is not None:
        values |= {"clinic_id": patient[0], "patient_id": patient[1]}
        values["text"] = tx.seal(patient[1], f"inbox.text:{inbox_id}", ": ".join(filter(None, (inbound.media, inbound.text))))
    tx.heard.clear()
    return tx.first(_FROM_RECEIVED, values) is not None


def set_words(tx: Tx, patient_id: UUID, inbox_id: UUID, words: str) -> None:
    """Replace what the transcript shows: the label of a tapped button instead of its code."""
    tx.run(_SET_WORDS, {"row": inbox_id, "text": tx.seal(patient_id, f"inbox.text:{inbox_id}", words)})


def set_aside(tx: Tx, inbox_id: UUID, reason: str) -> None:
    """Keep an update that cannot be handled where staff can see it."""
    tx.run(update(inbox).where(inbox.c.id == inbox_id).values(status="quarantined", reason=reason))


def record_failure(tx: Tx, inbox_id: UUID, reason: str) -> None:
    """Count a failed attempt; the third sets the update aside, visible to staff. `reason` is an error's class, never its text."""
    attempts = inbox.c.attempts + 1
    row = tx.first(
        update(inbox)
        .where(inbox.c.id == inbox_id, inbox.c.status == "received")
        .values(attempts=attempts, reason=reason)
        .returning(inbox.c.attempts)
    )
    if row is not None and row.attempts >= ATTEMPTS:
        tx.run(update(inbox).where(inbox.c.id == inbox_id).values(status="quarantined"))


def list_of_patient(tx: Tx, patient_id: UUID, since: datetime | None = None) -> list[Said]:
    """What the patient wrote, oldest first."""
    query = select(inbox).where(inbox.c.patient_id == patient_id).order_by(_SAID, inbox.c.received_at, inbox.c.id)
    if since is not None:
        query = query.where(inbox.c.received_at >= since)
    return [_said(tx, row) for row in tx.all(query)]


def list_days_heard(tx: Tx, patient_id: UUID, since: datetime) -> list[datetime]:
    """When the patient wrote anything at all. Read once a transaction, or again when it handled something new."""
    key = (patient_id, since)
    if (found := tx.heard.get(key)) is None:
        found = tx.heard[key] = [row.said for row in tx.all(_DAYS_HEARD, {"patient_id": patient_id, "since": since})]
    return found


def media_came(tx: Tx, patient_id: UUID, received: Received, within: timedelta) -> bool:
    """Whether something else that is no words came from the patient shortly before."""
    query = select(inbox.c.id).where(inbox.c.patient_id == patient_id, inbox.c.heard == "media", inbox.c.id != received.id)
    return tx.first(query.where(received.at - within < _SAID, received.at + within >= _SAID).limit(1)) is not None


def has_blocked(tx: Tx, patient_id: UUID | None, sender_id: UUID | None) -> bool:
    """Whether the last thing that this patient did in that sender's chat was to block it."""
    query = select(inbox.c.heard).where(inbox.c.patient_id == patient_id, inbox.c.sender_id == sender_id)
    return bool(tx.scalar(query.order_by(inbox.c.received_at.desc(), inbox.c.id.desc()).limit(1)) == "blocked")


# In the statement itself: given as a parameter, SQLite cannot use the partial index and reads all rows.
_RECEIVED: ColumnElement[str] = literal_column("'received'")
_SAID = func.coalesce(inbox.c.said_at, inbox.c.received_at)
_ANY_WAITING = select(inbox.c.id).where(inbox.c.status == _RECEIVED).limit(1)


def any_waiting(tx: Tx) -> bool:
    """Whether an update waits to be handled."""
    return tx.first(_ANY_WAITING, {}) is not None


_WORDS = ("text", "tap", "edit", "media")
# Built once: putting a statement together costs several times what running it does.
_INSERT = inbox.insert()
_SET_WORDS = update(inbox).where(inbox.c.id == bindparam("row"))
_FROM_RECEIVED = update(inbox).where(inbox.c.id == bindparam("row"), inbox.c.status == "received").returning(inbox.c.id)
_DAYS_HEARD = (
    select(_SAID.label("said"))
    .where(inbox.c.patient_id == bindparam("patient_id"), inbox.c.received_at >= bindparam("since"), inbox.c.heard.in_(_WORDS))
    .order_by(_SAID)
)


def _oldest_waiting() -> Select[Any]:
    """In the order of one index, each row with one look into another: what waits behind it, or came with it, is not touched."""
    older = inbox.alias("older")
    blocked = exists().where(
        older.c.status == _RECEIVED,
        older.c.sender_id == inbox.c.sender_id,
        older.c.address_hash == inbox.c.address_hash,
        tuple_(older.c.received_at, older.c.id) < tuple_(inbox.c.received_at, inbox.c.id),
    )
    # Not the bare column: an index by sender would look narrower to SQLite, and it would sort all that waits for each update.
    ours = func.coalesce(inbox.c.sender_id, null()).in_(bindparam("sender_ids", expanding=True))
    query = select(inbox).where(inbox.c.status == _RECEIVED, ours, inbox.c.id.not_in(bindparam("failed", expanding=True)), ~blocked)
    return query.order_by(inbox.c.received_at, inbox.c.id).limit(1).with_for_update(of=inbox, skip_locked=True)


_OLDEST_WAITING = _oldest_waiting()
_WAITING_IN_CHAT = (
    select(inbox)
    .where(inbox.c.status == _RECEIVED, inbox.c.sender_id == bindparam("of_sender"), inbox.c.address_hash == bindparam("of_address"))
    .order_by(inbox.c.received_at, inbox.c.id)
)


def _list_waiting_in_chat(tx: Tx, oldest: Row[Any]) -> list[Row[Any]]:
    return list(tx.all(_WAITING_IN_CHAT, {"of_sender": oldest.sender_id, "of_address": oldest.address_hash}))


def _said(tx: Tx, row: Row[Any]) -> Said:
    return Said(
        row.id,
        row.said_at or row.received_at,
        row.heard or "",
        tx.unseal(row.patient_id, f"inbox.text:{row.id}", row.text) or "",
        row.message_id,
    )
