"""Clinics and their senders (bots and numbers), and the installation's own row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, or_, select, update

from bot_service.errors import Conflict, NotFound
from bot_service.storage.database import Tx
from bot_service.storage.tables import clinics, installation, senders

NO_CLINIC = "there is no clinic yet; add one: stepwise clinics add SLUG NAME"


@dataclass(frozen=True)
class Clinic:
    """A clinic. `settings` holds what it may change: emergency number, hours, texts."""

    id: UUID
    slug: str
    name: str
    zone: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class Sender:
    """A bot or number. `status` is `active`, or `broken` with the reason when its credentials were refused."""

    id: UUID
    clinic_id: UUID
    channel: str
    name: str
    status: str
    reason: str | None
    rate_per_s: float | None


def add_clinic(tx: Tx, now: datetime, slug: str, name: str, zone: str, settings: dict[str, Any] | None = None) -> Clinic:
    """A new clinic. Raises Conflict when the slug is taken."""
    clinic = Clinic(tx.new_id(), slug, name, zone, settings or {})
    if not tx.attempt(clinics.insert().values(**vars(clinic), created_at=now)):
        raise Conflict(f"there is a clinic called {slug} already; choose another short name")
    return clinic


def list_clinics(tx: Tx) -> list[Clinic]:
    return [_clinic(row) for row in tx.all(select(clinics).order_by(clinics.c.slug))]


def load_clinic(tx: Tx, clinic_id: UUID) -> Clinic:
    """Raises NotFound."""
    row = tx.first(_BY_ID, {"clinic_id": clinic_id})
    if row is None:
        raise NotFound("no such clinic")
    return _clinic(row)


def first_clinic(tx: Tx) -> Clinic:
    """The clinic that was added first: the sender of the settings is its. Raises NotFound when there is none."""
    row = tx.first(select(clinics).order_by(clinics.c.created_at, clinics.c.slug).limit(1))
    if row is None:
        raise NotFound(NO_CLINIC)
    return _clinic(row)


def only_clinic(tx: Tx, slug: str | None = None) -> Clinic:
    """The clinic of that slug, or the only one there is. Raises NotFound."""
    known = list_clinics(tx)
    if not known:
        raise NotFound(NO_CLINIC)
    found = [clinic for clinic in known if slug in (None, clinic.slug)]
    if len(found) != 1:
        raise NotFound(f"no clinic called {slug}" if slug else "name the clinic with --clinic; see: stepwise clinics list")
    return found[0]


def lock(tx: Tx, clinic_id: UUID) -> None:
    """Nobody else enrols here or changes the clinic or its team until the transaction ends."""
    tx.all(_LOCK, {"clinic_id": clinic_id})


def change_settings(tx: Tx, clinic_id: UUID, changed: dict[str, Any]) -> None:
    """Set some of a clinic's own values, leaving the others."""
    lock(tx, clinic_id)
    kept = load_clinic(tx, clinic_id).settings
    tx.run(update(clinics).where(clinics.c.id == clinic_id).values(settings=kept | changed))


def find_or_add_sender(tx: Tx, clinic_id: UUID, channel: str, name: str, rate_per_s: float | None) -> Sender:
    """The sender of that channel and name, made on first use."""
    query = select(senders).where(senders.c.channel == channel, senders.c.name == name)
    row = tx.first(query)
    if row is None:
        values = {"id": tx.new_id(), "clinic_id": clinic_id, "channel": channel, "name": name, "status": "active", "rate_per_s": rate_per_s}
        tx.attempt(senders.insert().values(**values))
        row = tx.one(query)
    return _sender(row)


def list_senders(tx: Tx) -> list[Sender]:
    return [_sender(row) for row in tx.all(_SENDERS, {})]


def is_active(tx: Tx, sender_id: UUID) -> bool:
    """Whether the sender may send: nobody has stopped it."""
    return tx.one(_OF_SENDER, {"of_sender": sender_id}).status == "active"  # type: ignore[no-any-return]  # the column type


def clinic_of_sender(tx: Tx, sender_id: UUID) -> UUID:
    """Whose bot or number it is."""
    return tx.one(_OF_SENDER, {"of_sender": sender_id}).clinic_id  # type: ignore[no-any-return]  # the column type


def mark_sender(tx: Tx, sender_id: UUID, status: str, reason: str | None) -> None:
    tx.run(update(senders).where(senders.c.id == sender_id).values(status=status, reason=reason))


def take_polling(tx: Tx, sender_id: UUID, worker: str, real_now: datetime, until: datetime) -> bool:
    """Become or stay the one that polls this sender until `until`; False while another worker is. Two pollers would stop each other."""
    free = or_(senders.c.poller.is_(None), senders.c.poller == worker, senders.c.poller_until < real_now)
    statement = update(senders).where(senders.c.id == sender_id, free).values(poller=worker, poller_until=until)
    return tx.first(statement.returning(senders.c.id)) is not None


def leave_polling(tx: Tx, sender_id: UUID | None = None, worker: str | None = None) -> None:
    """Let another worker poll this sender at once; without arguments every sender, when no other worker can be alive."""
    where = [] if sender_id is None else [senders.c.id == sender_id, senders.c.poller == worker]
    tx.run(update(senders).where(*where).values(poller=None, poller_until=None))


def clock_offset(tx: Tx) -> float:
    """Seconds by which the domain clock is ahead of real time."""
    return float(tx.scalar(select(installation.c.clock_offset_s)))


def set_clock_offset(tx: Tx, seconds: float) -> None:
    tx.run(update(installation).values(clock_offset_s=seconds))


def is_sample(tx: Tx) -> bool:
    """Whether this database holds the sample clinic."""
    return bool(tx.scalar(select(installation.c.sample)))


def mark_sample(tx: Tx) -> None:
    tx.run(update(installation).values(sample=True))


# Built once: putting a statement together costs several times what running it does.
_BY_ID = select(clinics).where(clinics.c.id == bindparam("clinic_id"))
_LOCK = select(clinics.c.id).where(clinics.c.id == bindparam("clinic_id")).with_for_update(key_share=True)
_OF_SENDER = select(senders.c.clinic_id, senders.c.status).where(senders.c.id == bindparam("of_sender"))
_SENDERS = select(senders).order_by(senders.c.channel, senders.c.name)


def _clinic(row: Any) -> Clinic:
    return Clinic(row.id, row.slug, row.name, row.zone, dict(row.settings))


def _sender(row: Any) -> Sender:
    return Sender(row.id, row.clinic_id, row.channel, row.name, row.status, row.reason, row.rate_per_s)
