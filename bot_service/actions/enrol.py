"""Enrol a patient: check eligibility, prescribe, and make the invitation that ties their chat to them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bot_service.actions.eligibility import Enrolment, main_slots, problems
from bot_service.actions.histories import local_today
from bot_service.actions.prescribing import as_in_clinic, clinic_numbers, in_clinic
from bot_service.actions.treating import treating_physio
from bot_service.actions.voices import offered_languages
from bot_service.errors import AlreadyEnrolled, Conflict, NotFound, NotPermitted
from bot_service.storage import audit, clinics, contacts, episodes, invitations, patients, prescriptions
from bot_service.storage.database import Database, Tx
from bot_service.storage.patients import Patient
from bot_service.storage.staff import Member
from plans.loading import content_hash
from plans.model import CarePlan, Prescription, prescribe

__all__ = ["INVITATION_LIFE", "MAY_ENROL", "Enrolment", "Invitation", "enrol", "enrol_in", "invite_again", "revoke_invitation"]

INVITATION_LIFE = timedelta(days=14)
"""From the reliability rules on enrolment."""
ANEW = "to take them in again, enrol them anew with record number and telephone left empty"
"""What works for a patient whose care has ended: both numbers stay with the record that ended."""
MAY_ENROL = ("physio", "admin")
_REF_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


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

    `physio` treats the patient and is named to them; left out it is whoever `treating_physio` finds. A code that invites somebody already
    enrols nobody: the same form sent twice makes one patient.
    """
    check_may_enrol(member)
    with db.begin() as tx:
        clinics.lock(tx, member.clinic_id)
        return enrol_in(tx, plan, member, enrolment, now, (random_code or new_code)(), physio=physio)


def enrol_in(
    tx: Tx, plan: CarePlan, member: Member, enrolment: Enrolment, now: datetime, code: str, *, physio: Member | None = None
) -> Invitation:
    """The same inside a transaction that holds the clinic's lock and whose caller has asked `check_may_enrol`."""
    clinic = clinics.load_clinic(tx, member.clinic_id)
    if found := problems(in_clinic(plan, clinic), enrolment):
        raise Conflict(found[0].sentence)
    treating = physio or treating_physio(tx, member, None)
    if treating.clinic_id != member.clinic_id or treating.status != "active":
        raise NotFound("no such member of staff")
    if (made := find_made(tx, member.clinic_id, code, now)) is not None:
        return made
    _check_fresh(tx, code)
    check_new(tx, member.clinic_id, enrolment)
    patient = _add_patient(tx, member.clinic_id, enrolment, now)
    today = local_today(now, enrolment.zone)
    if enrolment.language not in (offered := offered_languages(clinic)):
        raise Conflict(f"this clinic offers messages in {', '.join(offered)}; choose one of them")
    document = as_in_clinic(_prescription(plan, enrolment), plan, clinic_numbers(clinic, plan))
    prescriptions.register_plan(tx, now, plan, content_hash(plan))
    episode_id = episodes.add(
        tx, clinic_id=member.clinic_id, patient_id=patient.id, physio_id=treating.id, plan_id=plan.id, start_date=today,
        stage=document.stage, stage_start=today, baseline=enrolment.baseline,
    )  # fmt: skip
    prescription_id = prescriptions.add(
        tx, now, clinic_id=member.clinic_id, episode_id=episode_id, patient_id=patient.id, document=document, staff_id=treating.id,
        starts_on=today, reason="enrolment",
    )  # fmt: skip
    goals = contacts.sealed_goals(tx, patient.id, episode_id, enrolment.goals)
    episodes.change(tx, episode_id, prescription_id=prescription_id, goals=goals)
    patients.add_invitation(tx, now, patient, code, now + INVITATION_LIFE)
    asked = {"plan": plan.id, "eligibility": sorted(enrolment.answers)}
    audit.record(tx, now, member.email, "enrolled", clinic_id=member.clinic_id, subject_id=patient.id, detail=asked)
    return Invitation(patient.id, episode_id, patient.ref, code, now + INVITATION_LIFE)


def check_may_enrol(member: Member) -> None:
    """Raise NotPermitted for a viewer."""
    if member.role not in MAY_ENROL:
        raise NotPermitted("only physiotherapists and admins can enrol patients")


def check_new(tx: Tx, clinic_id: UUID, enrolment: Enrolment) -> None:
    """Raise AlreadyEnrolled when the telephone or record number is a patient's already."""
    number = enrolment.record_number
    if number and (known := contacts.find_by_record(tx, clinic_id, number)):
        told = "who is a patient already" if known.in_care else f"whose care has ended; {ANEW}"
        raise AlreadyEnrolled(f"this is the number of {known.ref}, {told}", "record_number", known.ref)
    if enrolment.phone and (others := contacts.list_by_phone(tx, clinic_id, enrolment.phone)):
        other = next((each for each in others if each.in_care), others[0])
        told = "who is a patient already; one chat serves one patient" if other.in_care else f"whose care has ended; {ANEW}"
        raise AlreadyEnrolled(f"this is the telephone of {other.ref}, {told}", "phone", other.ref)


def find_made(tx: Tx, clinic_id: UUID, code: str, now: datetime) -> Invitation | None:
    """The invitation that a code is, still good, of a patient in care; None otherwise."""
    made = invitations.find_by_code(tx, clinic_id, code, now)
    episode = episodes.find_of_patient(tx, made.patient_id) if made else None
    if made is None or episode is None:
        return None
    return Invitation(made.patient_id, episode.id, episode.ref, code, made.expires_at)


def invite_again(db: Database, member: Member | None, patient_id: UUID, now: datetime, code: str | None = None) -> Invitation:
    """A fresh one-use code; codes sent before stop working. `member` is None when a simulated phone of the sample clinic asks.

    With a `code` that is this patient's already nothing changes. Raises NotFound for another clinic's patient, NotPermitted for a viewer,
    Conflict once the episode of care has ended.
    """
    if member is not None and member.role not in MAY_ENROL:
        raise NotPermitted("only physiotherapists and admins can invite patients")
    fresh = code or new_code()
    with db.begin() as tx:
        patient, episode = patients.load(tx, patient_id), episodes.find_of_patient(tx, patient_id, lock=True)
        if episode is None or (member is not None and patient.clinic_id != member.clinic_id):
            raise NotFound("no such patient")
        if episode.status != "active":
            raise Conflict(f"this patient's episode of care has ended; {ANEW}")
        if (made := find_made(tx, patient.clinic_id, fresh, now)) is not None and made.patient_id == patient.id:
            return made
        _check_fresh(tx, fresh)
        patients.revoke_invitations(tx, now, patient.id)
        patients.add_invitation(tx, now, patient, fresh, now + INVITATION_LIFE)
        who = member.email if member else "simulated phone"
        audit.record(tx, now, who, "invited_again", clinic_id=patient.clinic_id, subject_id=patient.id)
    return Invitation(patient.id, episode.id, patient.ref, fresh, now + INVITATION_LIFE)


def revoke_invitation(db: Database, member: Member, patient_id: UUID, now: datetime) -> None:
    """The patient's unused codes stop working; a second time changes nothing. Raises NotFound, NotPermitted."""
    if member.role not in MAY_ENROL:
        raise NotPermitted("only physiotherapists and admins can take back an invitation")
    with db.begin() as tx:
        patient = patients.load(tx, patient_id)
        if patient.clinic_id != member.clinic_id:
            raise NotFound("no such patient")
        episodes.find_of_patient(tx, patient_id, lock=True)
        if patients.revoke_invitations(tx, now, patient.id):
            audit.record(tx, now, member.email, "invitation_revoked", clinic_id=patient.clinic_id, subject_id=patient.id)


def new_code() -> str:
    """128 bits, as the letters that every channel's link may carry."""
    return secrets.token_urlsafe(16)


def _check_fresh(tx: Tx, code: str) -> None:
    """The same form sent again once its link is over: nothing is made twice. Raises Conflict."""
    if invitations.is_spent(tx, code):
        raise Conflict("this was sent before, and the link it made works no more; open the page again and make a new link")


def _add_patient(tx: Tx, clinic_id: UUID, enrolment: Enrolment, now: datetime) -> Patient:
    number = patients.count_of_clinic(tx, clinic_id) + 1
    while patients.has_ref(tx, clinic_id, _ref(number)):
        number += 1
    patient_id = patients.add(
        tx, now, clinic_id=clinic_id, ref=_ref(number), name=enrolment.name.strip(), zone=enrolment.zone, language=enrolment.language,
        phone=enrolment.phone, record_number=enrolment.record_number, channel=enrolment.channel,
    )  # fmt: skip
    return patients.load(tx, patient_id)


def _prescription(plan: CarePlan, enrolment: Enrolment) -> Prescription:
    """The stage to begin with, at the patient's own time of day and on their own days."""
    slots = main_slots(plan, enrolment.stage)
    return prescribe(
        plan,
        enrolment.stage or plan.stages[0].id,
        {slot.number: enrolment.at for slot in slots if enrolment.at is not None},
        days={slot.number: enrolment.days for slot in slots if enrolment.days},
        own_prompt=enrolment.own_prompt,
        flare_plan_signed=enrolment.flare_plan_signed,
        rungs_preauthorised=enrolment.rungs_preauthorised,
        treated_side=enrolment.treated_side,
    )


def _ref(number: int) -> str:
    """A short reference that is easy to say and carries no meaning beyond being unique in the clinic."""
    letters = ""
    rest = number * 7919 % (len(_REF_LETTERS) ** 3)
    for _ in range(3):
        rest, index = divmod(rest, len(_REF_LETTERS))
        letters = _REF_LETTERS[index] + letters
    return f"P{number:03d}{letters}"
