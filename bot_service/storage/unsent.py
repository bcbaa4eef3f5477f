"""What did not go out, or may not have: counted for a digest, listed for whoever looks after it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from bot_service.storage.database import Tx
from bot_service.storage.tables import outbox, patients, senders, staff

LOST = ("failed", "expired", "in_doubt")


@dataclass(frozen=True)
class Unsent:
    """How many messages of a kind ended so, and why."""

    kind: str
    status: str
    reason: str
    number: int


@dataclass(frozen=True)
class Lost:
    """One message that did not arrive, or may not have: to a patient (`ref`) or to a member of staff (`member`)."""

    id: UUID
    kind: str
    status: str
    reason: str | None
    due_at: datetime
    status_at: datetime
    ref: str | None
    patient_id: UUID | None
    member: str | None
    channel: str | None
    said_again: bool


def count_of_episodes(tx: Tx, episode_ids: Collection[UUID], since: datetime, until: datetime) -> list[Unsent]:
    """What of these patients' messages did not go out in that time: lost ones, and exercise prompts that something held back."""
    held = and_(outbox.c.kind == "prompt", outbox.c.status == "cancelled")
    number = func.count().label("number")
    query = (
        select(outbox.c.kind, outbox.c.status, func.coalesce(outbox.c.reason, "").label("reason"), number)
        .where(outbox.c.episode_id.in_(list(episode_ids)), outbox.c.due_at >= since, outbox.c.due_at < until)
        .where(or_(outbox.c.status.in_(LOST), held))
        .group_by(outbox.c.kind, outbox.c.status, outbox.c.reason)
    )
    found = [Unsent(row.kind, row.status, row.reason, int(row.number)) for row in tx.all(query)]
    return sorted(found, key=lambda each: (-each.number, each.kind, each.status, each.reason))


MOST_LISTED = 200
"""Lost messages that are listed at once (default)."""


def count_of_clinic(tx: Tx, clinic_id: UUID, since: datetime) -> int:
    """How many messages of a clinic were lost since then, or are in doubt."""
    lost = (outbox.c.clinic_id == clinic_id, outbox.c.status.in_(LOST), outbox.c.status_at >= since)
    return int(tx.scalar(select(func.count()).select_from(outbox).where(*lost)) or 0)


def list_of_clinic(tx: Tx, clinic_id: UUID, since: datetime, limit: int = MOST_LISTED) -> list[Lost]:
    """Messages of a clinic that were lost since then, or are in doubt, the latest first; those that were too late at the end.

    An outage makes hundreds of the last, about which there is mostly nothing to do.
    """
    newer = outbox.alias("newer")
    again = select(newer.c.id).where(newer.c.replaces_id == outbox.c.id).exists().label("said_again")
    query = (
        select(
            outbox.c.id, outbox.c.kind, outbox.c.status, outbox.c.reason, outbox.c.due_at, outbox.c.status_at, patients.c.ref,
            outbox.c.patient_id, staff.c.name.label("member"), senders.c.channel, again,
        )
        .join_from(outbox, patients, patients.c.id == outbox.c.patient_id, isouter=True)
        .join(staff, staff.c.id == outbox.c.staff_id, isouter=True)
        .join(senders, senders.c.id == outbox.c.sender_id, isouter=True)
        .where(outbox.c.clinic_id == clinic_id, outbox.c.status.in_(LOST), outbox.c.status_at >= since)
        .order_by(outbox.c.status == "expired", outbox.c.status_at.desc(), outbox.c.id)
        .limit(limit)
    )  # fmt: skip
    return [Lost(**row._mapping) for row in tx.all(query)]
