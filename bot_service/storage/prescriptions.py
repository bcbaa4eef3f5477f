"""Prescriptions and the versions of the plans they came from: immutable documents, read often and cached by id."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import bindparam, func, select, update

from bot_service.errors import SettingsError
from bot_service.storage.database import Tx
from bot_service.storage.prepared import padded
from bot_service.storage.tables import plan_versions, prescriptions
from plans.editing import side_of
from plans.model import CarePlan, Prescription

OWN_TIME = "the patient asked for another time of day"
"""The reason of a prescription that differs only in the time, as the patient asked for it; no clinician changed anything."""

AGREED_STEP = "taken by the patient as agreed beforehand"
"""How the reason of a prescription ends by which the patient took a step that a clinician had allowed earlier."""


@dataclass(frozen=True)
class Prescribed:
    """One prescription in an episode's history."""

    id: UUID
    number: int
    stage: str
    starts_on: date
    created_at: datetime
    staff_id: UUID
    document: Prescription
    reason: str | None

    @property
    def by_patient(self) -> bool:
        """Whether the patient changed it."""
        return self.reason == OWN_TIME

    @property
    def by_clinician(self) -> bool:
        """Whether a clinician decided on it then: it is no other time of day, and no step allowed earlier."""
        return not self.by_patient and not (self.reason or "").endswith(AGREED_STEP)


def load(tx: Tx, prescription_id: UUID) -> Prescription:
    """The document. It never changes, so it is read from the database once a process."""
    found = tx.db.documents.get(prescription_id)
    if found is None:
        found = _keep(tx, prescription_id, tx.scalar(_DOCUMENT, {"prescription": prescription_id}))
    return found


def load_many(tx: Tx, prescription_ids: Collection[UUID]) -> dict[UUID, Prescription]:
    """Many at once, by id: one statement for every few hundred that this process does not know."""
    found = {each: document for each in prescription_ids if (document := tx.db.documents.get(each)) is not None}
    missing = [each for each in prescription_ids if each not in found]
    for start in range(0, len(missing), _AT_ONCE):
        for row in tx.all(_DOCUMENTS, {"prescriptions": padded(missing[start : start + _AT_ONCE])}):
            found[row.id] = _keep(tx, row.id, row.document)
    return found


def _keep(tx: Tx, prescription_id: UUID, document: object) -> Prescription:
    cache = tx.db.documents
    found = cache[prescription_id] = _parse(json.dumps(document, sort_keys=True))
    if len(cache) > _CACHE_SIZE:
        cache.pop(next(iter(cache)), None)
    return found


def add(
    tx: Tx,
    now: datetime,
    *,
    clinic_id: UUID,
    episode_id: UUID,
    patient_id: UUID,
    document: Prescription,
    staff_id: UUID,
    starts_on: date,
    reason: str | None,
) -> UUID:
    """A new prescription, numbered after the last one; the old ones stay as they are."""
    new_id = tx.new_id()
    number = (tx.scalar(_LAST_NUMBER, {"of_episode": episode_id}) or 0) + 1
    values = {"id": new_id, "clinic_id": clinic_id, "episode_id": episode_id, "number": number, "stage": document.stage}
    values |= {
        "document": document.model_dump(mode="json"),
        "side": side_of(document),
        "staff_id": staff_id,
        "starts_on": starts_on,
        "created_at": now,
    }
    tx.run(_ADD, {**values, "reason": tx.seal(patient_id, f"prescriptions.reason:{new_id}", reason)})
    return new_id


def take_back(tx: Tx, now: datetime, prescription_id: UUID) -> None:
    """It was undone before anything of it reached the patient: kept, but in no history and in force on no day."""
    tx.run(update(prescriptions).where(prescriptions.c.id == prescription_id).values(undone_at=now))


def list_of_episode(tx: Tx, patient_id: UUID, episode_id: UUID) -> list[Prescribed]:
    """Every prescription of an episode that was not undone, oldest first."""
    rows = tx.all(
        select(prescriptions)
        .where(prescriptions.c.episode_id == episode_id, prescriptions.c.undone_at.is_(None))
        .order_by(prescriptions.c.number)
    )
    return [
        Prescribed(
            row.id,
            row.number,
            row.stage,
            row.starts_on,
            row.created_at,
            row.staff_id,
            load(tx, row.id),
            tx.unseal(patient_id, f"prescriptions.reason:{row.id}", row.reason),
        )
        for row in rows
    ]


def list_starts(tx: Tx, episode_id: UUID) -> list[tuple[date, Prescription]]:
    """The first day and the document of each prescription of an episode, oldest first."""
    return [(row.starts_on, load(tx, row.id)) for row in tx.all(_STARTS, {"of_episode": episode_id})]


def first_of(tx: Tx, episode_id: UUID, stage: str | None) -> UUID | None:
    """The prescription that began the present time in a stage, or without one the whole care."""
    rows = tx.all(_STAGES, {"of_episode": episode_id})
    at = len(rows) if stage else min(1, len(rows))
    while at > 1 and stage and rows[at - 2].stage == stage:
        at -= 1
    return rows[at - 1].id if rows else None


def find_in_force(tx: Tx, episode_id: UUID, day: date) -> UUID | None:
    """The prescription that applies on a local day: the latest one that has begun by then."""
    begun = [row.id for row in tx.all(_STARTS, {"of_episode": episode_id}) if row.starts_on <= day]
    return begun[-1] if begun else None


def find_agreed_by(tx: Tx, patient_id: UUID, episode_id: UUID, agreed: Callable[[Prescription], bool]) -> UUID | None:
    """The clinician who agreed to something beforehand: whose prescription began the present row of ones of which it holds."""
    found: UUID | None = None
    for item in reversed(list_of_episode(tx, patient_id, episode_id)):
        if not agreed(item.document):
            break
        found = item.staff_id
    return found


def register_plan(tx: Tx, now: datetime, plan: CarePlan, content_hash: str) -> None:
    """Remember a plan version. Raises SettingsError when its content changed under the same version number."""
    this, content = (plan_versions.c.plan_id == plan.id, plan_versions.c.version == plan.version), plan.model_dump(mode="json")
    known = tx.first(select(plan_versions.c.content_hash, plan_versions.c.content).where(*this))
    if known is None:
        values = {"plan_id": plan.id, "version": plan.version, "content_hash": content_hash}
        tx.attempt(plan_versions.insert().values(**values, content=content, first_seen_at=now))
    elif known.content_hash != content_hash:
        raise SettingsError(f"plan {plan.id} changed but still says version {plan.version}; give the changed plan a new version number")
    elif known.content != content:  # the same plan, of which an earlier version of the service kept less
        tx.run(update(plan_versions).where(*this).values(content=content))


def load_plan_of(tx: Tx, document: Prescription) -> CarePlan:
    """The version of the plan that a prescription was made from. Raises SettingsError as `load_plan_version` does."""
    return load_plan_version(tx, document.plan_id, document.plan_version)


def load_plan_version(tx: Tx, plan_id: str, version: str) -> CarePlan:
    """A plan as it was in that version, for episodes that were prescribed from it. Raises SettingsError when never seen.

    A version never changes, so it is read from the database once a process.
    """
    if (known := tx.db.plans.get((plan_id, version))) is not None:
        return known
    content = tx.scalar(select(plan_versions.c.content).where(plan_versions.c.plan_id == plan_id, plan_versions.c.version == version))
    if content is None:
        raise SettingsError(f"plan {plan_id} {version} is not in this database; put its file into plans/library and start again")
    plan = tx.db.plans[plan_id, version] = CarePlan.model_validate(content)
    return plan


_ADD = prescriptions.insert()
_LAST_NUMBER = select(func.max(prescriptions.c.number)).where(prescriptions.c.episode_id == bindparam("of_episode"))
_DOCUMENT = select(prescriptions.c.document).where(prescriptions.c.id == bindparam("prescription"))
_DOCUMENTS = select(prescriptions.c.id, prescriptions.c.document).where(prescriptions.c.id.in_(bindparam("prescriptions", expanding=True)))
_AT_ONCE = 512
_STARTS = (
    select(prescriptions.c.id, prescriptions.c.starts_on)
    .where(prescriptions.c.episode_id == bindparam("of_episode"), prescriptions.c.undone_at.is_(None))
    .order_by(prescriptions.c.number)
)
_STAGES = (
    select(prescriptions.c.id, prescriptions.c.stage)
    .where(prescriptions.c.episode_id == bindparam("of_episode"), prescriptions.c.undone_at.is_(None))
    .order_by(prescriptions.c.number)
)
_CACHE_SIZE = 5000


@lru_cache(maxsize=512)
def _parse(document: str) -> Prescription:
    return Prescription.model_validate_json(document)
