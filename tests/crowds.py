"""Many opted-in patients at once, put in through storage: what `RunningClinic.in_care` does, for tests that need hundreds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time
from functools import cache

from bot_service.actions.enrol import Invitation
from bot_service.actions.histories import local_today
from bot_service.actions.prompt import move_cursor
from bot_service.storage import episodes, patients, prescriptions
from bot_service.storage.database import Tx
from plans.model import Prescription, prescribe
from tests.builders import a_plan
from tests.running_clinic import Person, RunningClinic


@cache
def prompting_at(at: time, stage: str = "early") -> Prescription:
    """A stage of the plan that prompts at `at`; the flare plan is unsigned."""
    times = {slot.number: at for slot in a_plan().stage(stage).slots if slot.prompted}
    return prescribe(a_plan(), stage, times)


def a_crowd(clinic: RunningClinic, wishes: Iterable[tuple[str, time]], stage: str = "early", prefix: str = "sim:") -> list[Person]:
    """One patient for each zone and time of day, in one transaction; addresses are numbers after `prefix`."""
    with clinic.db.begin() as tx:
        return [_one(tx, clinic, zone, at, stage, prefix) for zone, at in wishes]


def dismiss(clinic: RunningClinic, crowd: Iterable[Person]) -> None:
    """Nothing more is planned for them."""
    with clinic.db.begin() as tx:
        for person in crowd:
            episodes.set_cursor(tx, person.invitation.episode_id, None)


def _one(tx: Tx, clinic: RunningClinic, zone: str, at: time, stage: str, prefix: str) -> Person:
    now, number = clinic.clock.now(), next(clinic.numbers)
    ref, today = f"P{number:05d}", local_today(now, zone)
    patient_id = patients.add(tx, now, clinic_id=clinic.clinic.id, ref=ref, name="Jo", zone=zone, language="en")
    address = f"{prefix}{number}"
    patients.add_address(tx, now, patients.load(tx, patient_id), clinic.sender.id, address)
    patients.set_status(tx, patient_id, "invited", "opted_in", now)
    episode_id = episodes.add(
        tx, clinic_id=clinic.clinic.id, patient_id=patient_id, physio_id=clinic.physio.id, plan_id=clinic.plan.id, start_date=today,
        stage=stage, stage_start=today, baseline=2,
    )  # fmt: skip
    prescription_id = prescriptions.add(
        tx, now, clinic_id=clinic.clinic.id, episode_id=episode_id, patient_id=patient_id, document=prompting_at(at, stage),
        staff_id=clinic.physio.id, starts_on=today, reason=None,
    )  # fmt: skip
    episodes.change(tx, episode_id, prescription_id=prescription_id)
    move_cursor(tx, episodes.load(tx, episode_id), now)
    return Person(clinic, Invitation(patient_id, episode_id, ref, "", now), address)
