"""A new prescription in the place of the old one, with the patient's own times, side and agreements carried over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any
from uuid import UUID

from bot_service.actions.histories import local_today
from bot_service.actions.prompt import move_cursor
from bot_service.errors import Conflict
from bot_service.storage import clinics, episodes, outbox, prescriptions, reviews
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.reviews import Proposed
from plans.editing import (
    CLINIC,
    OF_CLINIC,
    Unfit,
    at_rungs,
    carried,
    new_findings,
    side_of,
    with_locked_slots,
    with_own_days,
    with_thresholds,
)
from plans.loading import flare_plan_text, numbers_in_words
from plans.mistakes import Finding
from plans.model import CarePlan, PrescribedSlot, Prescription, ReturnToRun, prescribe
from plans.moving import moved
from plans.running import close_running, open_running

Numbers = Mapping[str, int]
HOURS_A_DAY = 24
PLAN_CHANGED = "the plan changed"
"""Why a reminder of a stage that is over does not go out."""


def resolved(
    plan: CarePlan,
    stage: str,
    old: Prescription,
    rungs: dict[str, str] | None = None,
    *,
    unlocked: bool = False,
    clinic: Numbers = MappingProxyType({}),
) -> Prescription:
    """The stage as prescribed to this patient. Within a stage only the named rungs move, or the locked slots open; all else stays.

    Another stage is the plan's, with the clinic's numbers, and the patient's times, side, agreements and own thresholds carried over.
    """
    if stage == old.stage:
        document = at_rungs(old, rungs or {})
        return _still_running(with_locked_slots(document, plan, _times(plan, stage, old)), old, old.return_to_run) if unlocked else document
    document = prescribe(
        plan,
        stage,
        _times(plan, stage, old),
        own_prompt=_chosen_slots(plan, old),
        flare_plan_signed=old.flare_plan is not None,
        rungs_preauthorised=old.rungs_preauthorised,
        treated_side=side_of(old),
        rungs=rungs,
    )
    document = _apart(with_own_days(document, old, plan), plan, old)
    document = with_thresholds(document, plan, clinic, CLINIC)
    return with_own_words(with_thresholds(document, plan, carried(old)), plan, old)


def in_version(old: Prescription, was: CarePlan, plan: CarePlan, clinic: Numbers) -> Prescription:
    """The same stage as another version of the plan has it, for a patient who was prescribed it from `was`.

    The numbers are that version's and the clinic's, but for those that were set for this patient. Running stays open where the version
    has the step. Raises Unfit where it has no such stage, and where what was made different for the patient does not fit it.
    """
    if old.stage not in {stage.id for stage in plan.stages}:
        sentence = f"Version {plan.version} has no stage “{old.stage_title}”. Stay on version {was.version} until a stage that both have."
        raise Unfit([Finding("version", sentence)])
    times, chosen = _times(plan, old.stage, old), _chosen_slots(was, old)
    document = moved(old, was, plan, times, chosen)
    own = {key: value for key, value in old.thresholds.items() if old.rules.sources.get(key) != CLINIC}
    document = with_thresholds(with_thresholds(_apart(document, plan, old), plan, clinic, CLINIC), plan, own)
    usual = prescribe(plan, old.stage, times, own_prompt=chosen, plyometrics_unlocked=old.plyometrics_unlocked)
    if new := new_findings(_apart(usual, plan, old), document, plan):
        raise Unfit(new)
    return _still_running(with_own_words(document, plan), old, plan.return_to_run)


def as_in_clinic(document: Prescription, plan: CarePlan, clinic: Numbers) -> Prescription:
    """A first prescription with the numbers that the clinic set in the place of the plan's."""
    return with_own_words(with_thresholds(document, plan, clinic, CLINIC), plan) if clinic else document


def clinic_numbers(clinic: Clinic, plan: CarePlan) -> Numbers:
    """The numbers of a plan that the clinic has set, by dotted key."""
    return {key: value for key, value in clinic.settings.get("numbers", {}).get(plan.id, {}).items() if key in OF_CLINIC}


def in_clinic(plan: CarePlan, clinic: Clinic) -> CarePlan:
    """The plan with the usual pain above which this clinic sees a patient first: never above the ceiling that it set."""
    numbers = clinic_numbers(clinic, plan)
    if not numbers:
        return plan
    limit = as_in_clinic(prescribe(plan, plan.stages[0].id), plan, numbers).rules.baseline_physio_first_above
    return plan.model_copy(update={"rules": plan.rules.model_copy(update={"baseline_physio_first_above": limit})})


def numbers_for(tx: Tx, episode: Episode, plan: CarePlan) -> Numbers:
    """The same for an episode's clinic."""
    return clinic_numbers(clinics.load_clinic(tx, episode.clinic_id), plan)


def following(plan: CarePlan, old: Prescription, proposal: Proposed, clinic: Numbers) -> Prescription | None:
    """What a proposal asks for; None when it changes no prescription. Raises Conflict when that does not fit what is prescribed."""
    try:
        if proposal.to_stage:
            return resolved(plan, proposal.to_stage, old, clinic=clinic)
        if proposal.rule == "C0":
            return resolved(plan, old.stage, old, dict(proposal.detail["rungs"]))
        return resolved(plan, old.stage, old, unlocked=True) if proposal.rule == "C3" else None
    except Unfit as problem:
        raise refused(problem) from None


def refused(problem: Unfit) -> Conflict:
    """The same for who asked for another stage or step, with the remedy."""
    of_words = all(each.key == "flare_plan" for each in problem.findings)
    remedy = "" if of_words else " Change its days first."
    return Conflict(f"this does not fit the prescription as it is.{remedy} {problem}")


def with_own_words(document: Prescription, plan: CarePlan, old: Prescription | None = None) -> Prescription:
    """The same with the patient's own numbers in the signed flare plan. Raises Unfit when they cannot be written there.

    What was signed in `old` stays where they cannot, as long as every number in it is the same.
    """
    if document.flare_plan is None:
        return document
    try:
        return document.model_copy(update={"flare_plan": flare_plan_text(plan, document.thresholds)})
    except ValueError as problem:
        if old is not None and old.flare_plan is not None and numbers_in_words(old) == numbers_in_words(document):
            return document.model_copy(update={"flare_plan": old.flare_plan})
        raise Unfit([Finding("flare_plan", str(problem))]) from None


def _times(plan: CarePlan, stage: str, old: Prescription) -> dict[int, time]:
    """Their own times of the same slots, and the patient's main time for one that has a message only now."""
    main = min((slot.at for slot in old.slots if slot.prompted), default=None)
    own = {slot.number: slot for slot in old.slots}
    times = {}
    for slot in plan.stage(stage).slots:
        before = own.get(slot.number)
        is_new = slot.prompted and not (before and before.prompted)
        times[slot.number] = main if main and is_new else before.at if before else slot.suggested_time
    return times


def _apart(document: Prescription, plan: CarePlan, old: Prescription) -> Prescription:
    """No two messages at one time of a day, of which only one would go out: the later slot keeps the time it had, or takes the plan's."""
    known = {slot.number: [slot.at] for slot in old.slots}
    for planned in plan.stage(document.stage).slots:
        known.setdefault(planned.number, []).append(planned.suggested_time)
    slots: list[PrescribedSlot] = []
    for slot in document.slots:
        taken = {each.at for each in slots if slot.prompted and each.prompted and set(each.days) & set(slot.days)}
        hours = (time((slot.at.hour + ahead) % HOURS_A_DAY, slot.at.minute) for ahead in (*range(2, HOURS_A_DAY), 1))
        at = next(each for each in (slot.at, *known.get(slot.number, ()), *hours) if each not in taken)
        slots.append(slot.model_copy(update={"at": at}))
    return document.model_copy(update={"slots": tuple(slots)})


def _still_running(document: Prescription, old: Prescription, course: ReturnToRun | None) -> Prescription:
    """Running stays open at its step within a stage; a clinician opens it anew in another one, or when no day is left for it."""
    if old.run_steps_open is None or document.stage != old.stage:
        return document
    try:
        return open_running(document, course, old.run_steps_open, old.run_step)
    except ValueError:
        return close_running(document)


def _chosen_slots(plan: CarePlan, old: Prescription) -> frozenset[int]:
    """Slots that the patient chose to be messaged about although the plan only names them."""
    named = {slot.number for stage in plan.stages if stage.id == old.stage for slot in stage.slots if not slot.prompted}
    return frozenset(slot.number for slot in old.slots if slot.prompted and slot.number in named)


def supersede(
    tx: Tx, episode: Episode, document: Prescription, staff_id: UUID, reason: str, now: datetime, starts_on: date | None = None
) -> None:
    """Supersede the prescription; a new stage starts its own count of days, and waiting prompts are looked at again when sent.

    What was proposed or offered on the old one is withdrawn. It begins today unless `starts_on` says otherwise.
    """
    today = local_today(now, episode.zone)
    new_id = prescriptions.add(
        tx, now, clinic_id=episode.clinic_id, episode_id=episode.id, patient_id=episode.patient_id, document=document,
        staff_id=staff_id, starts_on=starts_on or today, reason=reason,
    )  # fmt: skip
    values: dict[str, Any] = {"prescription_id": new_id, "stage": document.stage}
    if document.stage != episode.stage:
        values["stage_start"] = today
        reviews.release_held(tx, episode.id)
        outbox.cancel_waiting(tx, now, episode.patient_id, PLAN_CHANGED, ("nudge",))
    episodes.change(tx, episode.id, **values)
    episodes.count_evidence(tx, episode.id)
    reviews.withdraw_pending(tx, now, episode.id)
    reviews.withdraw_offers(tx, now, episode)
    if episode.patient_status == "opted_in" and episode.next_prompt_at is not None:
        move_cursor(tx, episodes.load(tx, episode.id), now)


def put_back(tx: Tx, episode: Episode, earlier: UUID, stage: str, stage_start: date, now: datetime) -> None:
    """Take the prescription in force back, of which nothing has reached the patient: the `earlier` one applies as if it had never ended."""
    prescriptions.take_back(tx, now, episode.prescription_id)
    episodes.change(tx, episode.id, prescription_id=earlier, stage=stage, stage_start=stage_start)
    if episode.patient_status == "opted_in" and episode.next_prompt_at is not None:
        move_cursor(tx, episodes.load(tx, episode.id), now)
