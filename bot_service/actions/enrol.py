"""Enrol a patient: check eligibility, prescribe, and make the invitation that ties their chat to them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Literal
from uuid import UUID

from bot_service.actions.histories import local_today
from bot_service.actions.treating import treating_physio
from bot_service.conversation.wording import SHIPPED
from bot_service.errors import Conflict, NotFound, NotPermitted
from bot_service.storage import audit, episodes, patients, prescriptions
from bot_service.storage.database import Database, Tx
from bot_service.storage.patients import Patient
from bot_service.storage.staff import Member
from plans.model import CarePlan, Prescription, prescribe
from schedules.rhythm import zone_named

INVITATION_LIFE = timedelta(days=14)
"""From the reliability rules on enrolment."""
_REF_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Enrolment:
    """What the clinic knows and decides at enrolment.

    `language` is one that messages are shipped in; `answers` are the plan's eligibility questions by id.
    """

    name: str
    zone: str
    language: str = "en"
    stage: str | None = None
    at: time | None = None
    baseline: int | None = None
    treated_side: Literal["left", "right", "both"] = "both"
    flare_plan_signed: bool = False
    rungs_preauthorised: bool = False
    own_prompt: frozenset[int] = frozenset()
    answers: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Invitation:
    """A patient's one-use code; links are made of it per channel."""

    patient_id: UUID
    episode_id: UUID
    ref: str
    code: str
    expires_at: datetime


def enrol(
    db: Database,
    plan: CarePlan,
    member: Member,
    enrolment: Enrolment,
    now: datetime,
    random_code: Callable[[], str] | None = None,
    *,
    physio: Member | None = None,
) -> Invitation:
    """Enrol one patient. Raises Conflict with a sentence when something does not fit, NotPermitted for a viewer.

    `physio` treats the patient and is named to them; left out it is whoever `treating_physio` finds.
    """
    if member.role not in ("physio", "admin"):
        raise NotPermitted("only physiotherapists and admins can enrol patients")
    _check(plan, enrolment)
    document = _prescription(plan, enrolment)
    code = (random_code or _code)()
    with db.begin() as tx:
        treating = physio or treating_physio(tx, member, None)
        patient = _add_patient(tx, member.clinic_id, enrolment, now)
        today = local_today(now, enrolment.zone)
        episode_id = episodes.add(
            tx, clinic_id=member.clinic_id, patient_id=patient.id, physio_id=treating.id, plan_id=plan.id, start_date=today,
            stage=document.stage, stage_start=today, baseline=enrolment.baseline,
        )  # fmt: skip
        prescription_id = prescriptions.add(
            tx, now, clinic_id=member.clinic_id, episode_id=episode_id, patient_id=patient.id, document=document, staff_id=treating.id,
            starts_on=today, reason="enrolment",
        )  # fmt: skip
        episodes.change(tx, episode_id, prescription_id=prescription_id)
        patients.add_invitation(tx, now, patient, code, now + INVITATION_LIFE)
        audit.record(tx, now, member.email, "enrolled", clinic_id=member.clinic_id, subject_id=patient.id)
    return Invitation(patient.id, episode_id, patient.ref, code, now + INVITATION_LIFE)


def invite_again(db: Database, member: Member | None, patient_id: UUID, now: datetime) -> Invitation:
    """A fresh one-use code; codes sent before stop working. `member` is None when a simulated phone of the sample clinic asks.

    Raises NotFound for another clinic's patient, NotPermitted for a viewer, Conflict once the episode of care has ended.
    """
    if member is not None and member.role not in ("physio", "admin"):
        raise NotPermitted("only physiotherapists and admins can invite patients")
    code = _code()
    with db.begin() as tx:
        patient, episode = patients.load(tx, patient_id), episodes.find_of_patient(tx, patient_id, lock=True)
        if episode is None or (member is not None and patient.clinic_id != member.clinic_id):
            raise NotFound("no such patient")
        if episode.status != "active":
            raise Conflict("this patient's episode of care has ended; enrol them anew")
        patients.revoke_invitations(tx, now, patient.id)
        patients.add_invitation(tx, now, patient, code, now + INVITATION_LIFE)
        who = member.email if member else "simulated phone"
        audit.record(tx, now, who, "invited_again", clinic_id=patient.clinic_id, subject_id=patient.id)
    return Invitation(patient.id, episode.id, patient.ref, code, now + INVITATION_LIFE)


def _add_patient(tx: Tx, clinic_id: UUID, enrolment: Enrolment, now: datetime) -> Patient:
    number = patients.count_of_clinic(tx, clinic_id) + 1
    while patients.has_ref(tx, clinic_id, _ref(number)):
        number += 1
    patient_id = patients.add(
        tx, now, clinic_id=clinic_id, ref=_ref(number), name=enrolment.name.strip(), zone=enrolment.zone, language=enrolment.language
    )
    return patients.load(tx, patient_id)


def _prescription(plan: CarePlan, enrolment: Enrolment) -> Prescription:
    """The stage to begin with, at the patient's own time of day."""
    stage = enrolment.stage or plan.stages[0].id
    times = {slot.number: enrolment.at for slot in plan.stage(stage).slots if slot.prompted and enrolment.at is not None}
    return prescribe(
        plan,
        stage,
        times,
        own_prompt=enrolment.own_prompt,
        flare_plan_signed=enrolment.flare_plan_signed,
        rungs_preauthorised=enrolment.rungs_preauthorised,
        treated_side=enrolment.treated_side,
    )


def _check(plan: CarePlan, enrolment: Enrolment) -> None:
    if not enrolment.name.strip():
        raise Conflict("a patient needs a name")
    try:
        zone_named(enrolment.zone)
    except ValueError as error:
        raise Conflict(str(error)) from None
    if enrolment.language not in SHIPPED:
        raise Conflict(f"there are no messages in the language {enrolment.language!r}; there are in {', '.join(SHIPPED)}")
    if enrolment.stage is not None and enrolment.stage not in {stage.id for stage in plan.stages}:
        raise Conflict(f"{plan.title} has no stage {enrolment.stage}; it has {', '.join(stage.id for stage in plan.stages)}")
    if enrolment.baseline is not None and not 0 <= enrolment.baseline <= plan.rules.baseline_physio_first_above:
        limit = plan.rules.baseline_physio_first_above
        raise Conflict(
            f"usual pain must be between 0 and 10, and above {limit} the patient is not ready for loading: see the patient first"
        )
    for question in plan.eligibility:
        if question.id not in enrolment.answers:
            raise Conflict(f"answer this first: {question.text}")
        if enrolment.answers[question.id] is not question.must_be:
            raise Conflict(f"this plan is not for this patient: {question.text}")


def _code() -> str:
    """128 bits, as the letters that every channel's link may carry."""
    return secrets.token_urlsafe(16)


def _ref(number: int) -> str:
    """A short reference that is easy to say and carries no meaning beyond being unique in the clinic."""
    letters = ""
    rest = number * 7919 % (len(_REF_LETTERS) ** 3)
    for _ in range(3):
        rest, index = divmod(rest, len(_REF_LETTERS))
        letters = _REF_LETTERS[index] + letters
    return f"P{number:03d}{letters}"
