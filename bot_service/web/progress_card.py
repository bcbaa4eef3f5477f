"""The progression card: every criterion with its figures, what blocks it, and the decision that is open."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot_service.actions.histories import load_record
from bot_service.clinical.catalogue import RULES
from bot_service.clinical.progression import Standing, standing
from bot_service.clinical.record import Record
from bot_service.clinical.rungs import has_climbed
from bot_service.storage import cases, prescriptions, reviews
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.reviews import Proposed
from bot_service.web.case_cards import basis_words
from bot_service.web.times import moment
from plans.model import CarePlan, Prescription
from plans.running import RUN


@dataclass(frozen=True)
class Line:
    """One criterion. `state`: met, unmet, yours (for the physio to test) or unknown."""

    state: str
    text: str
    detail: str


@dataclass(frozen=True)
class Open:
    """The proposal that waits for a decision; `shown` is the evidence version that the form carries back."""

    id: str
    shown: int
    rule: str
    title: str
    why: str
    basis: str
    sentence: str
    approve: str
    since: str


@dataclass(frozen=True)
class ProgressCard:
    """The card. `back` says where a step back leads, empty when there is nowhere."""

    lines: tuple[Line, ...]
    met: int
    needed: int
    blockers: tuple[str, ...]
    open: Open | None
    back: str
    next_stage: str

    @property
    def checks(self) -> list[str]:
        """What only the clinician can test."""
        return [line.text for line in self.lines if line.state == "yours"]


def card_of(tx: Tx, episode: Episode, record: Record, zone: str) -> ProgressCard:
    """The card of an episode as it stands."""
    plan = prescriptions.load_plan_of(tx, record.prescription)
    open_rules = {rule for case in cases.list_open(tx, episode) for rule in case.reasons}
    return progress_card(standing(record, plan, open_rules), reviews.find_pending(tx, episode), plan, record.prescription, zone)


def own_checks(tx: Tx, episode: Episode, now: datetime) -> list[str]:
    """What only the clinician can test for the step that the card is about, in the card's order."""
    return card_of(tx, episode, load_record(tx, episode, now), episode.zone).checks


def progress_card(at: Standing, pending: Proposed | None, plan: CarePlan, prescription: Prescription, zone: str) -> ProgressCard:
    """The criteria as they stand; those of the open proposal as they were when it was made, since that is what is decided on."""
    lines = _stored(pending) if pending is not None else tuple(_line(item.met, item.text, item.detail, item.key) for item in at.criteria)
    following = plan.next_stage(prescription.stage)
    return ProgressCard(
        lines=lines,
        met=sum(line.state == "met" for line in lines),
        needed=sum(line.state != "yours" for line in lines),
        blockers=at.blockers,
        open=_open(pending, plan, zone) if pending is not None else None,
        back=_back(plan, prescription),
        next_stage=following.title if following else "",
    )


def offer_words(item: Proposed, plan: CarePlan, zone: str) -> str:
    """An offer to the patient: when, which step of which exercise, and what became of it."""
    exercise, rung = item.offered or ("", "")
    found = next((each for stage in plan.stages for each in stage.exercises if each.id == exercise), None)
    step = next((each.text for each in found.rungs if each.id == rung), "") if found else ""
    if exercise == RUN and plan.return_to_run:
        step = f"step {rung}: {plan.return_to_run.steps[int(rung) - 1]}"
    became = {"offered": "no answer yet", "accepted": "taken", "declined": "not yet", "withdrawn": "no longer due, or no answer"}
    end = f" on {moment(item.decided_at, zone)}" if item.decided_at else ""
    return (
        f"{moment(item.created_at, zone)}: {found.name if found else 'Running'}: {step} Offered to the patient; {became[item.status]}{end}."
    )


def approve_words(rule: str, to_stage: str | None, rungs: Collection[str], plan: CarePlan) -> str:
    """What approving does, as the button says it."""
    if to_stage:
        return f"Approve: move to {plan.stage(to_stage).title}"
    if rule == "C0" and len(rungs) == 1:
        names = {item.id: item.name for stage in plan.stages for item in stage.exercises}
        return f"Approve the next step of {names.get(next(iter(rungs)), 'this exercise')}"
    if rule == "C0":
        return f"Approve the next step of {len(rungs)} exercises"
    return {"C3": "Approve: open the faster block", "C4": "Approve: conversation held"}.get(rule, "Approve")


def _open(pending: Proposed, plan: CarePlan, zone: str) -> Open:
    text = RULES[pending.rule]
    return Open(
        id=str(pending.id),
        shown=pending.evidence_version,
        rule=pending.rule,
        title=text.title,
        why=text.why,
        basis=basis_words(text.basis),
        sentence=str(pending.detail.get("sentence", "")),
        approve=approve_words(pending.rule, pending.to_stage, pending.detail.get("rungs", {}), plan),
        since=moment(pending.created_at, zone),
    )


def _stored(pending: Proposed) -> tuple[Line, ...]:
    criteria: Sequence[dict[str, object]] = pending.detail.get("criteria", ())
    return tuple(_line(item.get("met"), str(item.get("text", "")), str(item.get("detail", "")), "") for item in criteria)


def _line(met: object, text: str, detail: str, key: str) -> Line:
    if met is None:
        yours = key.startswith("checklist") or detail == "for the physio to test"
        return Line("yours" if yours else "unknown", text, "for you to test" if yours else detail)
    return Line("met" if met else "unmet", text, detail)


def _back(plan: CarePlan, prescription: Prescription) -> str:
    before = plan.previous_stage(prescription.stage)
    if before is not None:
        return f"Step back to {before.title}"
    return "Step back to the first step of every exercise" if has_climbed(prescription) else ""
