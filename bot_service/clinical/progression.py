"""Rules C0-C5: where a patient stands in the stage, what blocks the next step, and what may be proposed to a clinician.

Nothing here changes a plan. Which answer counts: every criterion met by the record and no blocker open.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from bot_service.clinical.adherence import done_share
from bot_service.clinical.catalogue import ENGAGEMENT, RULES, Flag, basis_of
from bot_service.clinical.criteria import Criterion, checklist, plyometric_block, stage_criteria
from bot_service.clinical.in_words import percent, sentence
from bot_service.clinical.record import Record
from bot_service.clinical.rungs import agreed_beforehand, due_rungs
from plans.model import CarePlan, PrescribedExercise, ProgressionRule, Rung

BLOCKERS = {
    "D1": "A red flag is open",
    "A4": "The flag on severe or repeated session pain is open",
    "B3": "The flag on a clearly worse next day is open",
    "A3": "The flag on session pain above the ceiling is open",
    "B4": "The flag on pain rising week on week is open",
}


@dataclass(frozen=True)
class Proposal:
    """A step for a clinician to approve, hold or refuse. `exercise` and `rung` belong to C0; `to_stage` to a change of stage."""

    rule: str
    from_stage: str
    to_stage: str | None
    sentence: str
    criteria: tuple[Criterion, ...]
    evidence: tuple[UUID, ...]
    exercise: str | None = None
    rung: str | None = None


@dataclass(frozen=True)
class Standing:
    """The progression card: criteria with their figures, blockers in words, the most important proposal, and every rung due.

    `rungs` are for the clinician to decide; `offers` are the due rungs that a clinician has agreed to beforehand, for the patient to
    take. There are none while a bigger step waits for the clinician.
    """

    criteria: tuple[Criterion, ...]
    blockers: tuple[str, ...]
    proposal: Proposal | None
    rungs: tuple[Proposal, ...] = ()
    offers: tuple[Proposal, ...] = ()


def standing(record: Record, plan: CarePlan, open_rules: Collection[str]) -> Standing:
    """Where the patient stands, given the rules of the cases that are open (an A3 that is a digest line only is not open).

    Raises KeyError when the plan has no such stage.
    """
    rule_id, rule = _question(record, plan)
    required = stage_criteria(record, rule)
    if rule_id == "C4" and _locked_slots(record, plan):
        required = (*required, plyometric_block(record, plan))
    card = (*required, *checklist(rule))
    blockers = tuple(words for rule, words in BLOCKERS.items() if rule in open_rules)
    if blockers:
        return Standing(card, blockers, None)
    step = _step(rule_id, rule, required, card, record, plan)
    due = [
        (_rung_proposal(item, rung, criteria, record), agreed_beforehand(item, record.prescription))
        for item, rung, criteria in due_rungs(record)
    ]
    rungs = tuple(proposal for proposal, agreed in due if not agreed)
    offers = tuple(proposal for proposal, agreed in due if agreed and step is None)
    return Standing(card, (), step or (rungs[0] if rungs else None), rungs, offers)


def progression_flags(now: Standing, record: Record) -> tuple[Flag, ...]:
    """The proposal of a standing as flags for the physio; rungs are lines in the digest, C5 a reason on the engagement case."""
    proposals = dict.fromkeys((*([now.proposal] if now.proposal else []), *now.rungs))
    return tuple(_flag(proposal, record) for proposal in proposals)


def _question(record: Record, plan: CarePlan) -> tuple[str, ProgressionRule]:
    """Which step this stage leads to, and the rule that judges it.

    First stage C1, middle stages C2, last stage C4; a last stage whose slots are still locked asks first whether to open them (C3).
    """
    own, unlock = record.prescription.progression, record.prescription.plyometric_unlock
    if plan.next_stage(record.stage) is not None:
        return ("C1" if plan.previous_stage(record.stage) is None else "C2"), own
    if unlock is not None and not record.prescription.plyometrics_unlocked:
        return "C3", unlock
    return "C4", own


def _locked_slots(record: Record, plan: CarePlan) -> bool:
    return any(slot.locked for slot in plan.stage(record.stage).slots)


def _step(
    rule_id: str, rule: ProgressionRule, required: tuple[Criterion, ...], card: tuple[Criterion, ...], record: Record, plan: CarePlan
) -> Proposal | None:
    unmet = {item.key for item in required if item.met is not True}
    share = done_share(record, rule.adherence_days)
    if unmet - {"adherence"} or share is None or 100 * share < record.rules.adherence_soft_pct:
        return None
    following = plan.next_stage(record.stage)
    fired = "C5" if unmet else rule_id
    return Proposal(
        rule=fired,
        from_stage=record.stage,
        to_stage=following.id if following else None,
        sentence=_step_words(rule_id, percent(share), rule, record, following.title if following else None, low=bool(unmet)),
        criteria=card,
        evidence=tuple(dict.fromkeys(row for item in required for row in item.evidence)),
    )


def _step_words(rule_id: str, share: int, rule: ProgressionRule, record: Record, following: str | None, *, low: bool) -> str:
    figures = (
        f"last {rule.last_n} loading days at {rule.session_max}/10 or below and settled at {rule.next_max} or below, "
        f"{share} % done over {rule.adherence_days} days"
    )
    step = {"C3": "opening the faster block", "C4": "the return-to-sport conversation"}.get(rule_id, f"moving to {following}")
    if low:
        return sentence(f"pain meets the criteria for {step}, but adherence is low: {figures}; your decision")
    return sentence(f"{record.prescription.stage_title}: {figures}; {step} can be considered, your decision")


def _rung_proposal(item: PrescribedExercise, rung: Rung, criteria: tuple[Criterion, ...], record: Record) -> Proposal:
    return Proposal(
        rule="C0",
        from_stage=record.stage,
        to_stage=None,
        sentence=sentence(f"{item.exercise.name}: settled weeks at this rung; next rung due: {rung.text}"),
        criteria=criteria,
        evidence=tuple(dict.fromkeys(row for each in criteria for row in each.evidence)),
        exercise=item.exercise.id,
        rung=rung.id,
    )


def _flag(proposal: Proposal, record: Record) -> Flag:
    key = {"C0": "deload.rung_settled_days", "C5": "adherence_soft_pct"}.get(proposal.rule)
    return Flag(
        rule=proposal.rule,
        urgency="routine",
        sentence=proposal.sentence,
        evidence=proposal.evidence,
        days=(),
        occurred=record.today,
        basis=basis_of(record.rules, key) if key else RULES[proposal.rule].basis,
        suggestion="Approve, hold or step back.",
        case=ENGAGEMENT if proposal.rule == "C5" else proposal.rule,
        digest_only=proposal.rule == "C0",
    )
