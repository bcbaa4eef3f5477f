"""A prescription as the clinician wrote it, or in another version of its plan: looked at first, then prescribed; the old one stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot_service.actions.assess import assess
from bot_service.actions.deciding import Decision, before, episode_of, keep_with, note_decision, tell_patient
from bot_service.actions.prescribing import in_version, numbers_for, supersede, with_own_words
from bot_service.errors import AlreadyDecided, Conflict
from bot_service.storage import episodes, prescriptions, reviews
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode
from plans.editing import Choices, rewritten
from plans.model import CarePlan, Prescription

REWRITTEN = "rewritten"
Library = Mapping[str, CarePlan]
_SEEN_BY_PATIENT = ("slots", "exercises", "flare_plan")


@dataclass(frozen=True)
class Draft:
    """What a prescription would become."""

    before: Prescription
    after: Prescription
    plan: CarePlan


def draft(tx: Tx, episode: Episode, choices: Choices) -> Draft:
    """What the prescription in force would become. Raises Unfit with everything that is wrong, Conflict when nothing would change."""
    old = prescriptions.load(tx, episode.prescription_id)
    plan = prescriptions.load_plan_of(tx, old)
    new = with_own_words(rewritten(old, plan, choices), plan, old)
    if new == old:
        raise Conflict("nothing is different from the prescription as it is")
    return Draft(old, new, plan)


def draft_move(tx: Tx, episode: Episode, library: Library) -> Draft:
    """What the prescription would become in the version that the library has now. Raises Unfit, and Conflict when it is the same one."""
    old = prescriptions.load(tx, episode.prescription_id)
    was, plan = prescriptions.load_plan_of(tx, old), library.get(old.plan_id)
    if plan is None or plan.version == old.plan_version:
        raise Conflict("there is no other version of this plan to move to")
    return Draft(old, in_version(old, was, plan, numbers_for(tx, episode, plan)), plan)


def rewrite(db: Database, decision: Decision, based_on: UUID, choices: Choices, now: datetime) -> None:
    """Prescribe what was chosen. `based_on` is the prescription that was on the page.

    Raises AlreadyDecided when another one is in force by now, and what `draft` and every decision raise.
    """
    with db.begin() as tx:
        episode = _as_shown(tx, decision, based_on)
        drafted = draft(tx, episode, choices)
        _prescribe(tx, episode, decision, drafted, now)
        note_decision(tx, now, decision, episode, "prescription_rewritten", {"fields": changed_fields(drafted)})


def move_to_version(db: Database, decision: Decision, based_on: UUID, library: Library, version: str, now: datetime) -> None:
    """Prescribe the same stage as `version` of the plan has it: the only way from one version to another.

    Raises AlreadyDecided when the library has another version by now, and what `draft_move`, `rewrite` and every decision raise.
    """
    with db.begin() as tx:
        episode = _as_shown(tx, decision, based_on)
        drafted = draft_move(tx, episode, library)
        if drafted.after.plan_version != version:
            raise AlreadyDecided(f"the newest version is {drafted.after.plan_version} by now; look at its changes, then prescribe")
        _prescribe(tx, episode, decision, drafted, now)
        versions = {"plan_version": version, "was": {"plan_version": drafted.before.plan_version}}
        note_decision(tx, now, decision, episode, "plan_version_moved", {**versions, "fields": changed_fields(drafted)})


def _as_shown(tx: Tx, decision: Decision, based_on: UUID) -> Episode:
    episode = episode_of(tx, decision)
    if episode.prescription_id != based_on:
        raise AlreadyDecided("the prescription was changed meanwhile; look at the page again")
    if decision.shown != episode.evidence_version:
        raise AlreadyDecided("the patient's record has changed since you opened this; look at their page, then prescribe")
    return episode


def _prescribe(tx: Tx, episode: Episode, decision: Decision, drafted: Draft, now: datetime) -> None:
    own = reviews.record_own(tx, now, episode, REWRITTEN, decision.member.id, to_stage=None, reason=decision.reason, hold_until=None)
    stood = before(tx, episode, f"{REWRITTEN}:{own}", now)
    supersede(tx, episode, drafted.after, decision.member.id, decision.reason, now)
    if shown_to_patient(drafted):
        # fmt: off
        tell_patient(
            tx, episode, "plan_changed_advice" if _only_advice(drafted) else "plan_changed_same", decision, f"{REWRITTEN}:{own}", now,
            was=episode.prescription_id,
        )
        # fmt: on
    keep_with(tx, own, decision, stood)
    assess(tx, episodes.load(tx, episode.id), now)


def shown_to_patient(drafted: Draft) -> bool:
    """Whether the patient would notice: other exercises, times or agreements, or another ceiling."""
    same_ceiling = drafted.before.rules.pain_ceiling == drafted.after.rules.pain_ceiling
    return not same_ceiling or any(getattr(drafted.before, name) != getattr(drafted.after, name) for name in _SEEN_BY_PATIENT)


def _only_advice(drafted: Draft) -> bool:
    """Whether what the patient does, and when, stays as it was: only the ceiling or the signed words differ."""
    was, will = (
        (each.exercises, [slot.model_copy(update={"optional": False}) for slot in each.slots]) for each in (drafted.before, drafted.after)
    )
    return was == will


def changed_fields(drafted: Draft) -> list[str]:
    """The names of the parts that differ, for the audit trail."""
    return sorted(name for name in type(drafted.before).model_fields if getattr(drafted.before, name) != getattr(drafted.after, name))
