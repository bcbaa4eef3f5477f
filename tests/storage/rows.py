"""Rows for storage tests, put in through storage alone: a clinic with staff and sender, patients in it, messages for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

from bot_service.storage import clinics, episodes, outbox, patients, prescriptions, staff
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from plans.model import Prescription
from tests.builders import a_prescription

NOW = datetime(2026, 9, 21, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class ClinicRows:
    id: UUID
    physio_id: UUID
    sender_id: UUID


@cache
def document() -> Prescription:
    return a_prescription("early")


def a_clinic(tx: Tx, slug: str = "riverside", rate_per_s: float | None = None) -> ClinicRows:
    clinic = clinics.add_clinic(tx, NOW, slug, slug.title(), "Europe/London")
    physio = staff.add(tx, NOW, clinic.id, f"physio@{slug}.example", "Anna Reed", "physio")
    sender = clinics.find_or_add_sender(tx, clinic.id, "simulator", slug, rate_per_s)
    return ClinicRows(clinic.id, physio.id, sender.id)


def a_patient(tx: Tx, clinic: ClinicRows, name: str = "Jo Park", ref: str = "P001") -> Episode:
    """A patient with an address, an episode and a prescription."""
    patient_id = patients.add(tx, NOW, clinic_id=clinic.id, ref=ref, name=name, zone="Europe/London", language="en")
    patients.add_address(tx, NOW, patients.load(tx, patient_id), clinic.sender_id, f"sim:{ref}")
    episode_id = episodes.add(
        tx, clinic_id=clinic.id, patient_id=patient_id, physio_id=clinic.physio_id, plan_id="p", start_date=NOW.date(), stage="early",
        stage_start=NOW.date(), baseline=2,
    )  # fmt: skip
    prescription_id = prescriptions.add(
        tx, NOW, clinic_id=clinic.id, episode_id=episode_id, patient_id=patient_id, document=document(), staff_id=clinic.physio_id,
        starts_on=NOW.date(), reason="enrolment",
    )  # fmt: skip
    episodes.change(tx, episode_id, prescription_id=prescription_id)
    return episodes.load(tx, episode_id)


def a_message(
    tx: Tx,
    episode: Episode,
    sender_id: UUID | None,
    key: str,
    *,
    kind: str = "prompt",
    due_at: datetime = NOW,
    lane: str = "bulk",
    replaces_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> UUID:
    """A message that is due; raises AssertionError when its key was used before."""
    new_id = tx.new_id()
    queued = outbox.queue(
        tx, NOW, clinic_id=episode.clinic_id, patient_id=episode.patient_id, episode_id=episode.id, kind=kind, key=key, due_at=due_at,
        expires_at=expires_at or due_at + 3 * HOUR, content={"lines": []}, lane=lane, day=due_at.date(), slot=1,
        prescription_id=episode.prescription_id, sender_id=sender_id, new_id=new_id, replaces_id=replaces_id,
    )  # fmt: skip
    assert queued
    return new_id


def impatient(tx: Tx) -> Tx:
    """The same transaction, which on PostgreSQL gives up on another's lock after a moment instead of hanging the test."""
    tx.connection.exec_driver_sql("set local lock_timeout = '3s'")
    return tx


def status_of(tx: Tx, message_id: UUID) -> str:
    message = outbox.load(tx, message_id)
    assert message is not None
    return message.status
