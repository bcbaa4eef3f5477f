"""Files of patients on their way in: sealed while they are worked on, forgotten a day later, and never taken in twice unnoticed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, select, update

from bot_service.errors import NotFound
from bot_service.storage.database import Tx
from bot_service.storage.tables import imports

STANDS_STILL = timedelta(minutes=1)
"""An import of which no row moved for so long was interrupted (default): fifty rows take about a tenth of a second."""


@dataclass(frozen=True)
class ImportFile:
    """A file. `fields` says what each of its columns is (None: not used); `status`: uploaded, importing or imported.

    `rows_done` rows are settled for good; `content` is None once it was forgotten. `moved_at` is when it last came further, at the end when
    it was finished.
    """

    id: UUID
    clinic_id: UUID
    staff_id: UUID
    content: str | None
    fields: tuple[str | None, ...]
    physio_id: UUID | None
    status: str
    rows_done: int
    counts: Mapping[str, int]
    created_at: datetime
    moved_at: datetime | None

    def is_moving(self, now: datetime) -> bool:
        """Whether somebody is taking it in, here or on another replica: it began, and came further within the last minute."""
        return self.status == "importing" and self.moved_at is not None and abs(now - self.moved_at) < STANDS_STILL


def add(tx: Tx, now: datetime, *, clinic_id: UUID, staff_id: UUID, content: str, fields: Sequence[str | None]) -> UUID:
    new_id = tx.new_id()
    tx.run(
        imports.insert().values(
            id=new_id,
            clinic_id=clinic_id,
            staff_id=staff_id,
            content=tx.seal_raw(f"imports.content:{new_id}", content),
            content_hash=tx.db.keys.index("import", content),
            fields=list(fields),
            status="uploaded",
            rows_done=0,
            counts={},
            created_at=now,
        )
    )
    return new_id


def load(tx: Tx, clinic_id: UUID, import_id: UUID) -> ImportFile:
    """Raises NotFound, for another clinic's as for none."""
    row = tx.first(select(imports).where(imports.c.id == import_id, imports.c.clinic_id == clinic_id))
    if row is None:
        raise NotFound("no such import")
    return _file(tx, row)


def find_imported(tx: Tx, clinic_id: UUID, content: str) -> ImportFile | None:
    """The latest import of the very same content."""
    same = select(imports).where(imports.c.clinic_id == clinic_id, imports.c.content_hash == tx.db.keys.index("import", content))
    row = tx.first(same.where(imports.c.status == "imported").order_by(imports.c.finished_at.desc()).limit(1))
    return None if row is None else _file(tx, row)


def set_fields(tx: Tx, import_id: UUID, fields: Sequence[str | None], physio_id: UUID | None) -> bool:
    """What the columns are, and who treats patients whose row names nobody; False once rows were taken in."""
    statement = update(imports).where(imports.c.id == import_id, imports.c.status == "uploaded")
    return tx.first(statement.values(fields=list(fields), physio_id=physio_id).returning(imports.c.id)) is not None


def begin(tx: Tx, now: datetime, import_id: UUID) -> None:
    """From now on the file is being taken in, also if that ends before its first row."""
    still = (imports.c.id == import_id, imports.c.status != "imported")
    tx.run(update(imports).where(*still).values(status="importing", finished_at=now))


def list_begun(tx: Tx, clinic_id: UUID, since: datetime) -> list[ImportFile]:
    """Files that came since then and were begun, not finished, and not imported by another upload of the same content; the latest first."""
    again = imports.alias("again")
    same = (again.c.clinic_id == clinic_id, again.c.content_hash == imports.c.content_hash, again.c.status == "imported")
    later = exists().where(*same, again.c.finished_at >= imports.c.created_at)
    begun = (imports.c.clinic_id == clinic_id, imports.c.status == "importing", imports.c.created_at >= since, ~later)
    return [_file(tx, row) for row in tx.all(select(imports).where(*begun).order_by(imports.c.created_at.desc()))]


def advance(tx: Tx, now: datetime, import_id: UUID, old: int, new: int, counts: Mapping[str, int]) -> bool:
    """Rows up to `new` are settled; False when somebody else is taking this file in."""
    statement = update(imports).where(imports.c.id == import_id, imports.c.rows_done == old, imports.c.status != "imported")
    return (
        tx.first(statement.values(rows_done=new, counts=dict(counts), status="importing", finished_at=now).returning(imports.c.id))
        is not None
    )


def finish(tx: Tx, now: datetime, import_id: UUID) -> bool:
    """Every row is settled; False when that was said before."""
    statement = update(imports).where(imports.c.id == import_id, imports.c.status != "imported")
    return tx.first(statement.values(status="imported", finished_at=now).returning(imports.c.id)) is not None


def forget(tx: Tx, before: datetime) -> None:
    """Drop the content of files that came before then; what they led to stays counted."""
    tx.run(update(imports).where(imports.c.created_at < before, imports.c.content.is_not(None)).values(content=None))


def any_kept(tx: Tx, before: datetime) -> bool:
    """Whether the content of a file that came before then is still here."""
    return tx.first(_KEPT, {"before": before}) is not None


def drop(tx: Tx, import_id: UUID) -> None:
    """Nobody needs this file any more."""
    tx.run(update(imports).where(imports.c.id == import_id).values(content=None))


def _file(tx: Tx, row: Any) -> ImportFile:
    return ImportFile(
        id=row.id,
        clinic_id=row.clinic_id,
        staff_id=row.staff_id,
        content=None if row.content is None else tx.unseal_raw(f"imports.content:{row.id}", row.content),
        fields=tuple(row.fields),
        physio_id=row.physio_id,
        status=row.status,
        rows_done=row.rows_done,
        counts=dict(row.counts),
        created_at=row.created_at,
        moved_at=row.finished_at,
    )


_KEPT = select(imports.c.id).where(imports.c.created_at < bindparam("before"), imports.c.content.is_not(None)).limit(1)
