"""Taking messages out of the line: what one worker may send next, so that no two send the same, or one patient's out of order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, bindparam, or_, select, text, update

from bot_service.storage import rates
from bot_service.storage.database import Tx
from bot_service.storage.outbox import DUE
from bot_service.storage.prepared import padded
from bot_service.storage.tables import outbox

HELD_BACK_FOR = timedelta(minutes=1)
"""How long a message that another copy has taken, or begun to send, holds back the patient's next (default): longer than any call lasts.
A copy that died with a prompt must not keep a safety text waiting until the lease lapses."""


class Line(NamedTuple):
    """One sender's messages of one lane, but for those of patients to whom one is on its way: the next might overtake it.

    `busy` are the patients that this process knows of, however long a call of its own takes; those of other copies stand in the outbox.
    """

    sender_id: UUID
    lane: str
    busy: Sequence[UUID] = ()


class Claimed(NamedTuple):
    """A message that was leased, and whose it is."""

    id: UUID
    patient_id: UUID | None


def claim(tx: Tx, now: datetime, line: Line, *, worker: str, lease_until: datetime, limit: int) -> list[Claimed]:
    """Lease the first `limit` due messages of a line (rows get their sender when queued)."""
    if not tx.db.is_sqlite:  # copies take turns, or both find nothing on its way; on SQLite every writer waits for the last
        rates.lock(tx, line.sender_id)
    found = [Claimed(row.id, row.patient_id) for row in tx.all(_CLAIMABLE, _of(line, now, limit))]
    if found:
        values = {"status": "claimed", "status_at": now, "claimed_by": worker, "lease_until": lease_until}
        tx.run(_CLAIM, {"ids": padded([each.id for each in found]), **values})
    return found


def count_due(tx: Tx, now: datetime, line: Line, limit: int) -> int:
    """How many messages of a line wait, counted up to `limit`."""
    return len(tx.all(_WAITING, _of(line, now, limit))) if limit else 0


def senders_with_work(tx: Tx, now: datetime) -> set[UUID]:
    """The senders of everything that waits."""
    return {row.sender_id for row in tx.all(_SENDERS, {"now": now})}


def _of(line: Line, now: datetime, limit: int) -> dict[str, Any]:
    mine = {"of_sender": line.sender_id, "in_lane": line.lane, "busy": padded(line.busy)}
    return {**mine, "now": now, "lately": now - HELD_BACK_FOR, "at_most": limit}


# Built once: putting a statement together costs several times what running it does.
_TAKEN = outbox.alias("taken")
_ON_ITS_WAY = (
    select(_TAKEN.c.id)
    .where(text("taken.status in ('claimed','sending')"))  # as the index spells it
    .where(_TAKEN.c.patient_id == outbox.c.patient_id, _TAKEN.c.status_at > bindparam("lately"))
    .correlate(outbox)
    .exists()
)
_WAITING = (
    select(outbox.c.id, outbox.c.patient_id)
    .where(*DUE, outbox.c.sender_id == bindparam("of_sender"), outbox.c.lane == bindparam("in_lane"))
    .where(or_(outbox.c.patient_id.is_(None), outbox.c.patient_id.not_in(bindparam("busy", expanding=True))))
    .where(~_ON_ITS_WAY)
    .limit(bindparam("at_most", type_=Integer))
)
_SENDERS = select(outbox.c.sender_id).where(*DUE, outbox.c.sender_id.is_not(None)).distinct()
# What is due at one moment leaves in the order in which it was put in line (`outbox.queue`); an id is drawn at random.
_CLAIMABLE = _WAITING.order_by(outbox.c.due_at, outbox.c.place, outbox.c.id).with_for_update(skip_locked=True)
_CLAIM = update(outbox).where(outbox.c.id.in_(bindparam("ids", expanding=True)), outbox.c.status == "due")
