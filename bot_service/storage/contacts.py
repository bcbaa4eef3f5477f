"""How a patient is told apart from others and got in touch with: telephone number, the clinic's own number, channel and goals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, exists, select

from bot_service.storage.database import Tx
from bot_service.storage.names import find_by_name
from bot_service.storage.patients import phone_hash, record_hash
from bot_service.storage.tables import episodes, patients


@dataclass(frozen=True)
class Contact:
    """What the clinic noted at enrolment. `phone` is E.164; each may be missing."""

    phone: str | None
    record_number: str | None
    channel: str | None


@dataclass(frozen=True)
class Known:
    """A patient of the clinic who may be the one that is meant."""

    id: UUID
    ref: str
    name: str
    in_care: bool


def load_contact(tx: Tx, patient_id: UUID) -> Contact:
    row = tx.one(_CONTACT, {"of_patient": patient_id})
    phone, number = (tx.unseal(patient_id, f"patients.{place}:{patient_id}", getattr(row, place)) for place in ("phone", "record_number"))
    return Contact(phone, number, row.channel)


def find_by_record(tx: Tx, clinic_id: UUID, record_number: str) -> Known | None:
    row = tx.first(_BY_RECORD, {"of_clinic": clinic_id, "hash": record_hash(tx, record_number)})
    return None if row is None else _known(tx, row)


def list_by_phone(tx: Tx, clinic_id: UUID, phone: str) -> list[Known]:
    # Sorted here: asked to sort, SQLite reads all patients in their order instead of those of the number.
    rows = tx.all(_BY_PHONE, {"of_clinic": clinic_id, "hash": phone_hash(tx, phone)})
    return sorted((_known(tx, row) for row in rows), key=lambda known: known.ref)


def list_by_name(tx: Tx, clinic_id: UUID, name: str) -> list[Known]:
    """Patients whose whole name this is, whatever its case and spaces."""
    found = find_by_name(tx, clinic_id, name)
    rows = tx.all(select(*_KNOWN).where(patients.c.id.in_(found)).order_by(patients.c.ref)) if found else ()
    return [known for known in (_known(tx, row) for row in rows) if same_name(known.name, name)]


def same_name(one: str, other: str) -> bool:
    """Whether two names differ in case and spaces only."""
    return one.casefold().split() == other.casefold().split()


def load_goals(tx: Tx, patient_id: UUID, episode_id: UUID) -> str:
    """What the patient wants to be able to do again, in their words; empty when nothing was noted."""
    sealed = tx.scalar(select(episodes.c.goals).where(episodes.c.id == episode_id))
    return tx.unseal(patient_id, f"episodes.goals:{episode_id}", sealed) or ""


def sealed_goals(tx: Tx, patient_id: UUID, episode_id: UUID, words: str) -> bytes | None:
    """The same as it is kept; nothing when there are no words."""
    return tx.seal(patient_id, f"episodes.goals:{episode_id}", words.strip() or None)


_IN_CARE = exists().where(episodes.c.patient_id == patients.c.id, episodes.c.ended_at.is_(None))
_KNOWN = (patients.c.id, patients.c.ref, patients.c.name, patients.c.data_key, _IN_CARE.label("in_care"))
_CONTACT = select(patients.c.phone, patients.c.record_number, patients.c.channel).where(patients.c.id == bindparam("of_patient"))
_BY_RECORD = select(*_KNOWN).where(patients.c.clinic_id == bindparam("of_clinic"), patients.c.record_hash == bindparam("hash"))
_BY_PHONE = select(*_KNOWN).where(patients.c.clinic_id == bindparam("of_clinic"), patients.c.phone_hash == bindparam("hash"))


def _known(tx: Tx, row: Row[Any]) -> Known:
    tx.remember_key(row.id, row.data_key)
    return Known(row.id, row.ref, tx.unseal(row.id, f"patients.name:{row.id}", row.name) or "", row.in_care)
