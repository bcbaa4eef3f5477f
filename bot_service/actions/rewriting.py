"""A prescription as the clinician wrote it: looked at first, then prescribed as a new version; the old one stays as it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot_service.actions.assess import assess
from bot_service.actions.deciding import Decision, before, episode_of, keep_with, note_decision, tell_patient
from bot_service.actions.prescribing import supersede, with_own_words
from bot_service.errors import AlreadyDecided, Conflict
from bot_service.storage import episodes, prescriptions, reviews
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode
from plans.editing import Choices, rewritten
from plans.model import CarePlan, Prescription

REWRITTEN = "rewritten"
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
    plan = prescriptions.load_plan_version(tx, old.plan_id, old.plan_version)
    new = with_own_words(rewritten(old, plan, choices), plan)
    if new == old:
        raise Conflict("nothing is different from the prescription as it is")
    return Draft(old, new, plan)


def rewrite(db: Database, decision: Decision, based_on: UUID, choices: Choices, now: datetime) -> None:
    """Prescribe what was chosen. `based_on` is the prescription that was on the page.

    Raises AlreadyDecided when another one is in force by now, and what `draft` and every decision raise.
    """
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        if episode.prescription_id != based_on:
            raise AlreadyDecided("the prescription was changed meanwhile; look at the page again")
        if decision.shown != episode.evidence_version:
            raise AlreadyDecided("the patient's record has changed since you opened this; look at their page, then prescribe")
        drafted = draft(tx, episode, choices)
        own = reviews.record_own(tx, now, episode, REWRITTEN, decision.member.id, to_stage=None, reason=decision.reason, hold_until=None)
        stood = before(tx, episode, f"{REWRITTEN}:{own}", now)
        supersede(tx, episode, drafted.after, decision.member.id, decision.reason, now)
        if shown_to_patient(drafted):
            tell_patient(tx, episode, "plan_changed_same", decision, f"{REWRITTEN}:{own}", now, was=episode.prescription_id)
        keep_with(tx, own, decision, stood)
        assess(tx, episodes.load(tx, episode.id), now)
        note_decision(tx, now, decision, episode, "prescription_rewritten", {"fields": changed_fields(drafted)})


def shown_to_patient(drafted: Draft) -> bool:
    """Whether the patient would notice: other exercises, times or agreements, or another ceiling."""
    same_ceiling = drafted.before.rules.pain_ceiling == drafted.after.rules.pain_ceiling
    return not same_ceiling or any(getattr(drafted.before, name) != getattr(drafted.after, name) for name in _SEEN_BY_PATIENT)


def changed_fields(drafted: Draft) -> list[str]:
    """The names of the parts that differ, for the audit trail."""
    return sorted(name for name in type(drafted.before).model_fields if getattr(drafted.before, name) != getattr(drafted.after, name))
