"""Invitations that staff look at: whom a code invites, and who has not begun yet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select

from bot_service.storage.columns import Utc
from bot_service.storage.database import Tx
from bot_service.storage.tables import audit, episodes, invitations, patients, staff

WAITING = ("invited", "asked")
"""States of a patient who was enrolled and has not agreed yet."""


@dataclass(frozen=True)
class Made:
    """A code that works still."""

    patient_id: UUID
    expires_at: datetime


@dataclass(frozen=True)
class PendingInvitation:
    """A patient who has not agreed yet, with the latest invitation. `status`: invited, or asked (opened, not answered)."""

    patient_id: UUID
    ref: str
    status: str
    physio: str
    channel: str | None
    sent_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


def find_by_code(tx: Tx, clinic_id: UUID, code: str, now: datetime) -> Made | None:
    """Whom a code of this clinic invites; None for unknown, expired, used and revoked codes alike."""
    row = tx.first(_BY_CODE, {"of_clinic": clinic_id, "hash": tx.db.keys.index("code", code), "now": now})
    return None if row is None else Made(row.patient_id, row.expires_at)


def is_spent(tx: Tx, code: str) -> bool:
    """Whether a code was made before, good still or not."""
    return tx.first(select(invitations.c.id).where(invitations.c.code_hash == tx.db.keys.index("code", code))) is not None


def count_pending(tx: Tx, clinic_id: UUID) -> int:
    return int(tx.scalar(select(func.count()).select_from(_pending(clinic_id).subquery())))


def list_pending(tx: Tx, clinic_id: UUID, *, limit: int, offset: int = 0) -> list[PendingInvitation]:
    """The newest invitation first."""
    query = _pending(clinic_id).order_by(invitations.c.created_at.desc(), patients.c.ref.desc()).limit(limit).offset(offset)
    return [PendingInvitation(**row._mapping) for row in tx.all(query)]


def who_invited(tx: Tx, patient_ids: Collection[UUID]) -> dict[UUID, str]:
    """Who made each patient's latest invitation, as the audit trail names them."""
    query = select(audit.c.subject_id, audit.c.who).where(
        audit.c.subject_id.in_(patient_ids), audit.c.what.in_(("enrolled", "invited_again"))
    )
    return {row.subject_id: row.who for row in tx.all(query.order_by(audit.c.seq))}


_BY_CODE = select(invitations.c.patient_id, invitations.c.expires_at).where(
    invitations.c.clinic_id == bindparam("of_clinic"),
    invitations.c.code_hash == bindparam("hash"),
    invitations.c.used_at.is_(None),
    invitations.c.revoked_at.is_(None),
    invitations.c.expires_at > bindparam("now", type_=Utc),
)


def _pending(clinic_id: UUID) -> Select[Any]:
    each = invitations.alias("each")
    latest = select(func.max(each.c.created_at)).where(each.c.patient_id == patients.c.id).correlate(patients).scalar_subquery()
    columns = [invitations.c[name] for name in ("patient_id", "expires_at", "used_at", "revoked_at")]
    return (
        select(*columns, patients.c.ref, patients.c.status, patients.c.channel)
        .add_columns(staff.c.name.label("physio"), invitations.c.created_at.label("sent_at"))
        .join_from(patients, episodes, episodes.c.patient_id == patients.c.id)
        .join(staff, staff.c.id == episodes.c.physio_id)
        .join(invitations, invitations.c.patient_id == patients.c.id)
        .where(patients.c.clinic_id == clinic_id, patients.c.status.in_(WAITING), episodes.c.status == "active")
        .where(invitations.c.created_at == latest)
    )
