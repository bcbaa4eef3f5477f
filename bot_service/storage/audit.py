"""The audit trail: append-only, each entry's hash covers the one before."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, text, update

from bot_service.storage.database import Tx
from bot_service.storage.tables import audit, installation

_START = bytes(32)
_LAST = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_INSERT = audit.insert()
_SET_HEAD = update(installation)


def record(
    tx: Tx, now: datetime, who: str, what: str, *, clinic_id: UUID, subject_id: UUID, detail: Mapping[str, object] | None = None
) -> None:
    """Append one entry. Call it last in a transaction: on PostgreSQL it makes other writers of the trail wait."""
    if not tx.db.is_sqlite:
        tx.run(text("select pg_advisory_xact_lock(729140612)"))
    last = tx.first(_LAST, {})
    seq, before = (last.seq + 1, last.hash) if last else (1, _START)
    kept = dict(detail or {})
    chained = _chain(tx, before, seq, now, who, what, clinic_id, subject_id, kept)
    entry = {"seq": seq, "at": now, "who": who, "what": what, "clinic_id": clinic_id, "subject_id": subject_id, "detail": kept}
    tx.run(_INSERT, {**entry, "hash": chained})
    tx.run(_SET_HEAD, {"audit_head": _head(tx, seq, chained)})


def was_recorded(tx: Tx, who: str, what: str, subject_id: UUID, *, since: datetime) -> bool:
    """Whether there is such an entry later than `since`."""
    found = select(audit.c.seq).where(audit.c.subject_id == subject_id, audit.c.who == who, audit.c.what == what, audit.c.at > since)
    return tx.first(found.limit(1)) is not None


@dataclass(frozen=True)
class Entry:
    """One line of the trail."""

    seq: int
    at: datetime
    who: str
    what: str
    subject_id: UUID
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Narrowed:
    """Which entries are wanted: by whom, of which kind, about whom, and when; empty or None: any. `until` is the end, and not in it."""

    who: str = ""
    what: str = ""
    subject_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        return [
            *([audit.c.who == self.who] if self.who else []),
            *([audit.c.what == self.what] if self.what else []),
            *([audit.c.subject_id == self.subject_id] if self.subject_id else []),
            *([audit.c.at >= self.since] if self.since else []),
            *([audit.c.at < self.until] if self.until else []),
        ]


def list_of_clinic(tx: Tx, clinic_id: UUID, *, before: int | None, limit: int, narrowed: Narrowed | None = None) -> list[Entry]:
    """The latest entries of a clinic, or the latest ones before an entry."""
    query = select(audit).where(audit.c.clinic_id == clinic_id, *(narrowed.conditions() if narrowed else ()))
    query = query if before is None else query.where(audit.c.seq < before)
    return _entries(tx, query, limit)


def list_of_kinds(tx: Tx, subject_id: UUID, kinds: Collection[str], limit: int) -> list[Entry]:
    """The latest entries of these kinds about a clinic itself, a member of staff or a patient."""
    return _entries(tx, select(audit).where(audit.c.subject_id == subject_id, audit.c.what.in_(kinds)), limit)


def verify(tx: Tx) -> int | None:
    """The number of the first entry that does not fit the chain, or None when all do."""
    before = _START
    expected = 1
    for row in tx.all(select(audit).order_by(audit.c.seq)):
        entry = _chain(tx, before, row.seq, row.at, row.who, row.what, row.clinic_id, row.subject_id, row.detail)
        if row.seq != expected or row.hash != entry:
            return int(row.seq)
        before, expected = row.hash, expected + 1
    known = tx.scalar(select(installation.c.audit_head))
    return None if known == (_head(tx, expected - 1, before) if expected > 1 else None) else expected


def _entries(tx: Tx, query: Select[Any], limit: int) -> list[Entry]:
    rows = tx.all(query.order_by(audit.c.seq.desc()).limit(limit))
    return [Entry(row.seq, row.at, row.who, row.what, row.subject_id, row.detail) for row in rows]


def _head(tx: Tx, seq: int, last: bytes) -> bytes:
    """What the installation remembers of the newest entry: without it, taking away the last entries would leave a whole chain."""
    return tx.db.keys.index("audit head", f"{seq}:{last.hex()}")


def _chain(
    tx: Tx, before: bytes, seq: int, at: datetime, who: str, what: str, clinic_id: UUID, subject_id: UUID, detail: Mapping[str, object]
) -> bytes:
    content = json.dumps([seq, at.timestamp(), who, what, str(clinic_id), str(subject_id), detail], sort_keys=True, default=str)
    return tx.db.keys.index("audit", before.hex() + content)
