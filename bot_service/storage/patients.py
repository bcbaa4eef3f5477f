"""Patients, the addresses they write from, and the invitations that tie the two together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, case, func, select, update

from bot_service.errors import NotFound
from bot_service.storage.columns import Utc
from bot_service.storage.database import Tx
from bot_service.storage.names import add_words
from bot_service.storage.tables import addresses, invitations, patients


@dataclass(frozen=True)
class Patient:
    """A patient. `status`: invited, asked (saw the consent wording), opted_in, opted_out or discharged."""

    id: UUID
    clinic_id: UUID
    ref: str
    name: str
    zone: str
    language: str
    status: str
    status_at: datetime
    last_heard_at: datetime | None


@dataclass(frozen=True)
class Address:
    """Where a patient is reached. `status`: active, unreachable, or left (the patient moved to another channel)."""

    id: UUID
    patient_id: UUID
    clinic_id: UUID
    sender_id: UUID
    address: str
    status: str
    last_inbound_at: datetime | None


def add(
    tx: Tx,
    now: datetime,
    *,
    clinic_id: UUID,
    ref: str,
    name: str,
    zone: str,
    language: str,
    phone: str | None = None,
    record_number: str | None = None,
    channel: str | None = None,
) -> UUID:
    """A new patient with a key of their own. `phone` is E.164, `record_number` the clinic's own number, `channel` the one they chose."""
    new_id = tx.new_id()
    _, wrapped = tx.db.keys.new_key()
    tx.remember_key(new_id, wrapped)
    values = {"id": new_id, "clinic_id": clinic_id, "ref": ref, "data_key": wrapped, "zone": zone, "language": language}
    values |= {
        place: tx.seal(new_id, f"patients.{place}:{new_id}", text)
        for place, text in {"name": name, "phone": phone, "record_number": record_number}.items()
    }
    values |= {
        "phone_hash": phone_hash(tx, phone) if phone else None,
        "record_hash": record_hash(tx, record_number) if record_number else None,
    }
    tx.run(_ADD, {**values, "channel": channel, "status": "invited", "status_at": now, "created_at": now})
    add_words(tx, clinic_id, new_id, name)
    return new_id


def load(tx: Tx, patient_id: UUID) -> Patient:
    """Raises NotFound."""
    row = tx.first(_BY_ID, {"of_patient": patient_id})
    if row is None:
        raise NotFound("no such patient")
    return _patient(tx, row)


def load_by_ref(tx: Tx, clinic_id: UUID, ref: str) -> Patient:
    """Raises NotFound."""
    row = tx.first(select(patients).where(patients.c.clinic_id == clinic_id, patients.c.ref == ref.upper()))
    if row is None:
        raise NotFound(f"no patient {ref} in this clinic; see: stepwise patients list")
    return _patient(tx, row)


def list_of_clinic(tx: Tx, clinic_id: UUID) -> list[Patient]:
    return [_patient(tx, row) for row in tx.all(select(patients).where(patients.c.clinic_id == clinic_id).order_by(patients.c.ref))]


def list_of_ids(tx: Tx, ids: Collection[UUID]) -> list[Patient]:
    """Those of the ids that are patients."""
    return [_patient(tx, row) for row in tx.all(select(patients).where(patients.c.id.in_(ids)))]


def count_of_clinic(tx: Tx, clinic_id: UUID) -> int:
    return int(tx.scalar(_COUNT, {"of_clinic": clinic_id}))


def has_ref(tx: Tx, clinic_id: UUID, ref: str) -> bool:
    return tx.first(_HAS_REF, {"of_clinic": clinic_id, "that": ref}) is not None


def set_status(tx: Tx, patient_id: UUID, old: str | tuple[str, ...], new: str, now: datetime) -> bool:
    """Compare and swap; False when the patient was in none of the `old` states."""
    olds = (old,) if isinstance(old, str) else old
    return tx.first(_SET_STATUS, {"of_patient": patient_id, "olds": list(olds), "status": new, "status_at": now}) is not None


def record_consent(tx: Tx, patient_id: UUID, wording: str) -> None:
    """Keep the exact words that the patient agreed to."""
    sealed = tx.seal(patient_id, f"patients.consent:{patient_id}", wording)
    tx.run(update(patients).where(patients.c.id == patient_id).values(consent=sealed))


def has_agreed(tx: Tx, patient_id: UUID) -> bool:
    """Whether the patient ever agreed to the messages, stopped since or not."""
    return tx.first(select(patients.c.id).where(patients.c.id == patient_id, patients.c.consent.is_not(None))) is not None


def set_zone(tx: Tx, patient_id: UUID, zone: str) -> None:
    tx.run(update(patients).where(patients.c.id == patient_id).values(zone=zone))


def set_language(tx: Tx, patient_id: UUID, language: str) -> None:
    tx.run(update(patients).where(patients.c.id == patient_id).values(language=language))


def mark_heard(tx: Tx, patient_id: UUID, address_id: UUID, at: datetime) -> None:
    """The patient wrote at that time: reachable again, and the service window opens; what came late moves neither back."""
    tx.run(_HEARD, {"of_patient": patient_id, "at": at})
    tx.run(_HEARD_FROM, {"of_address": address_id, "at": at, "failures": 0, "status": "active"})


def find_address(tx: Tx, sender_id: UUID, address: str) -> Address | None:
    row = tx.first(_ADDRESS, {"of_sender": sender_id, "hash": address_hash(tx, address)})
    return None if row is None else _address(tx, row)


def find_active_address(tx: Tx, patient_id: UUID) -> Address | None:
    """Where to send to: the newest address that the patient has not left."""
    row = tx.first(_ACTIVE_ADDRESS, {"of_patient": patient_id})
    return None if row is None else _address(tx, row)


def list_reachable(tx: Tx, clinic_id: UUID) -> set[UUID]:
    """The patients of a clinic whom messages reach, as far as is known, at that address."""
    newest = {row.patient_id: row.status for row in tx.all(_ADDRESSES_OF_CLINIC, {"clinic": clinic_id})}
    return {patient_id for patient_id, status in newest.items() if status != "unreachable"}


def add_address(tx: Tx, now: datetime, patient: Patient, sender_id: UUID, address: str) -> Address:
    """Bind an address; what the patient used before goes quiet."""
    tx.run(update(addresses).where(addresses.c.patient_id == patient.id).values(status="left"))
    new_id = tx.new_id()
    sealed = tx.seal(patient.id, f"addresses.address:{new_id}", address)
    values = {"id": new_id, "clinic_id": patient.clinic_id, "patient_id": patient.id, "sender_id": sender_id, "status": "active"}
    tx.run(addresses.insert().values(**values, address=sealed, address_hash=address_hash(tx, address), created_at=now))
    return Address(new_id, patient.id, patient.clinic_id, sender_id, address, "active", None)


def take_back_address(tx: Tx, address: Address) -> None:
    """The patient returns to an address they had left; it becomes the one we send to."""
    tx.run(update(addresses).where(addresses.c.patient_id == address.patient_id).values(status="left"))
    tx.run(update(addresses).where(addresses.c.id == address.id).values(status="active"))


def move_address(tx: Tx, address: Address, patient: Patient) -> Address:
    """A chat that its last patient has left, or was discharged from, becomes another patient's."""
    tx.run(update(addresses).where(addresses.c.patient_id == patient.id).values(status="left"))
    sealed = tx.seal(patient.id, f"addresses.address:{address.id}", address.address)
    values = {"clinic_id": patient.clinic_id, "patient_id": patient.id, "address": sealed, "status": "active", "failures": 0}
    tx.run(update(addresses).where(addresses.c.id == address.id).values(**values, last_inbound_at=None, last_failure_day=None))
    return replace(address, patient_id=patient.id, clinic_id=patient.clinic_id, status="active", last_inbound_at=None)


def record_unreachable(tx: Tx, address_id: UUID, today: date) -> bool:
    """Count a failure, at most one a day. True when this made the address unreachable."""
    row = tx.one(select(addresses.c.status, addresses.c.failures, addresses.c.last_failure_day).where(addresses.c.id == address_id))
    values: dict[str, Any] = {"status": "unreachable"}
    if row.last_failure_day != today:
        values |= {"failures": row.failures + 1, "last_failure_day": today}
    tx.run(update(addresses).where(addresses.c.id == address_id).values(**values))
    return bool(row.status != "unreachable")


def address_hash(tx: Tx, address: str) -> bytes:
    return tx.db.keys.index("address", address)


def phone_hash(tx: Tx, phone: str) -> bytes:
    return tx.db.keys.index("phone", phone)


def record_hash(tx: Tx, record_number: str) -> bytes:
    """Of the clinic's own number, however it is spaced and whatever its case."""
    return tx.db.keys.index("record", "".join(record_number.casefold().split()))


def add_invitation(tx: Tx, now: datetime, patient: Patient, code: str, expires_at: datetime) -> None:
    """Tie a one-use code to a patient; only its hash is kept."""
    values = {"id": tx.new_id(), "clinic_id": patient.clinic_id, "patient_id": patient.id, "code_hash": tx.db.keys.index("code", code)}
    tx.run(_ADD_INVITATION, {**values, "created_at": now, "expires_at": expires_at})


def revoke_invitations(tx: Tx, now: datetime, patient_id: UUID) -> bool:
    """Codes of this patient that nobody has used yet stop working; False when there were none."""
    unused = (invitations.c.patient_id == patient_id, invitations.c.used_at.is_(None), invitations.c.revoked_at.is_(None))
    return bool(tx.all(update(invitations).where(*unused).values(revoked_at=now).returning(invitations.c.id)))


def find_invited(tx: Tx, now: datetime, code: str) -> UUID | None:
    """Whom a code invites, without using it; None for unknown, expired, used and revoked codes alike."""
    query = select(invitations.c.patient_id).where(
        invitations.c.code_hash == tx.db.keys.index("code", code), invitations.c.expires_at > now
    )
    return tx.scalar(query.where(invitations.c.used_at.is_(None), invitations.c.revoked_at.is_(None)))  # type: ignore[no-any-return]  # the column type


def use_invitation(tx: Tx, now: datetime, code: str) -> UUID | None:
    """The patient invited by `code`, once; None for unknown, expired, used and revoked codes alike."""
    statement = (
        update(invitations)
        .where(
            invitations.c.code_hash == tx.db.keys.index("code", code),
            invitations.c.used_at.is_(None),
            invitations.c.revoked_at.is_(None),
            invitations.c.expires_at > now,
        )
        .values(used_at=now)
    )
    return tx.scalar(statement.returning(invitations.c.patient_id))  # type: ignore[no-any-return]  # the column type


# Built once: putting a statement together costs several times what running it does.
_ADD = patients.insert()
_ADD_INVITATION = invitations.insert()
_BY_ID = select(patients).where(patients.c.id == bindparam("of_patient"))
_COUNT = select(func.count()).select_from(patients).where(patients.c.clinic_id == bindparam("of_clinic"))
_HAS_REF = select(patients.c.id).where(patients.c.clinic_id == bindparam("of_clinic"), patients.c.ref == bindparam("that"))
_SET_STATUS = (
    update(patients)
    .where(patients.c.id == bindparam("of_patient"), patients.c.status.in_(bindparam("olds", expanding=True)))
    .returning(patients.c.id)
)
_ADDRESS = select(addresses).where(addresses.c.sender_id == bindparam("of_sender"), addresses.c.address_hash == bindparam("hash"))
_ACTIVE_ADDRESS = (
    select(addresses)
    .where(addresses.c.patient_id == bindparam("of_patient"), addresses.c.status.not_in(("left", "alias")))
    .order_by(addresses.c.created_at.desc(), addresses.c.id)
    .limit(1)
)
_ADDRESSES_OF_CLINIC = (
    select(addresses.c.patient_id, addresses.c.status)
    .where(addresses.c.clinic_id == bindparam("clinic"), addresses.c.status.not_in(("left", "alias")))
    .order_by(addresses.c.created_at, addresses.c.id.desc())
)
_AT = bindparam("at", type_=Utc)
_HEARD = (
    update(patients)
    .where(patients.c.id == bindparam("of_patient"))
    .values(last_heard_at=case((patients.c.last_heard_at > _AT, patients.c.last_heard_at), else_=_AT))
)
_HEARD_FROM = (
    update(addresses)
    .where(addresses.c.id == bindparam("of_address"))
    .values(
        last_inbound_at=case((addresses.c.last_inbound_at > _AT, addresses.c.last_inbound_at), else_=_AT),
        failures=bindparam("failures"),
        status=bindparam("status"),
    )
)


def _patient(tx: Tx, row: Row[Any]) -> Patient:
    name = tx.unseal(row.id, f"patients.name:{row.id}", row.name) or ""
    return Patient(row.id, row.clinic_id, row.ref, name, row.zone, row.language, row.status, row.status_at, row.last_heard_at)


def _address(tx: Tx, row: Row[Any]) -> Address:
    address = tx.unseal(row.patient_id, f"addresses.address:{row.id}", row.address) or ""
    return Address(row.id, row.patient_id, row.clinic_id, row.sender_id, address, row.status, row.last_inbound_at)
