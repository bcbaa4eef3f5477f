"""What every decision of a clinician has in common: who may decide, the news for the patient, what is written down, what undo needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bot_service.actions.histories import load_record, local_today
from bot_service.actions.prompt import queue_for_patient
from bot_service.clinical.catalogue import RED_FLAG
from bot_service.clinical.concerns import concerns
from bot_service.clinical.duty import may_acknowledge
from bot_service.clinical.record import Record
from bot_service.errors import Conflict, NotFound, NotPermitted
from bot_service.storage import audit, cases, episodes, notices, reviews
from bot_service.storage.cases import Case
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.staff import Member
from plans.model import ProgressionRule

NEWS_KEPT = timedelta(days=3)
"""How long news of a decision is worth sending (default)."""
MAY_DECIDE = ("physio",)
LONGEST_REASON = 1000
LEAST_WORDS, LEAST_LETTERS = 2, 8
"""What the reason for clearing a red flag has at least (default): "Rang her, fine" is short, and says it."""
NO_NEWS = ("red_flag", "physio_first")
"""Holds under which the patient is told nothing of exercises (`clinical.md` 0.10); they hear of it when it is over."""
OF_EXERCISES = (
    "plan_changed_forward",
    "plan_changed_back",
    "plan_changed_same",
    "plan_changed_advice",
    "plan_held",
    "run_opened",
    "run_closed",
)


@dataclass(frozen=True)
class Decision:
    """Who decides, why, and for which patient. `shown` is the evidence version that was on the page.

    `grace` is how long the patient's news waits, so that it can be undone. `ticked` and `unticked` are the clinician's own checks;
    `despite` says why a step up although pain is high.
    """

    member: Member
    episode_id: UUID
    reason: str
    shown: int | None = None
    grace: timedelta = timedelta(0)
    ticked: tuple[str, ...] = ()
    unticked: tuple[str, ...] = ()
    despite: str = ""

    @property
    def whole_reason(self) -> str:
        """The reason as the record keeps it."""
        return f"{self.reason} All the same, because: {self.despite}" if self.despite else self.reason


class TooShort(Conflict):
    """A reason that says too little for what it decides."""


class PainIsHigh(Conflict):
    """A step up that wants a second look first. `found` says what is high, with figures and days."""

    def __init__(self, found: tuple[str, ...]) -> None:
        super().__init__("pain is high; say why you step up all the same")
        self.found = found


def want_what_was_done(case: Case, decision: Decision) -> None:
    """A red flag is cleared with words that tell a colleague what was done; "x", "ok" and "seen" do not. Raises TooShort."""
    words, letters = decision.reason.split(), sum(sign.isalnum() for sign in decision.reason)
    if case.case_key == RED_FLAG and case.closed_at is None and (len(words) < LEAST_WORDS or letters < LEAST_LETTERS):
        raise TooShort("say in a few words what was done before you clear the red flag: who looked or rang, and what was found")


def episode_of(tx: Tx, decision: Decision, *, takes_on: bool = False, sees_to: bool = False) -> Episode:
    """The episode, locked, if this member may decide about it, or take it on: another clinic's is not told apart from none.

    Of one that has ended only the cases and notes are seen to; nothing else is decided. Raises NotFound, NotPermitted, Conflict.
    """
    episode, member = episodes.load_locked(tx, decision.episode_id), decision.member
    if episode.clinic_id != member.clinic_id:
        raise NotFound("no such episode of care")
    if member.role not in MAY_DECIDE and not (takes_on and may_acknowledge(member.id, notices.list_colleagues(tx, member.clinic_id))):
        raise NotPermitted("only a physiotherapist can decide this")
    if episode.status != "active" and not sees_to:
        raise Conflict("this patient's care has ended; what is open can be looked after and closed, and nothing else decided")
    if max(len(decision.reason), len(decision.despite)) > LONGEST_REASON:
        raise Conflict(f"the reason is too long; keep it under {LONGEST_REASON} characters")
    return episode


def look_twice(tx: Tx, episode: Episode, decision: Decision, now: datetime, rule: str = "") -> tuple[str, ...]:
    """What speaks against a step up now, which the record keeps. Raises PainIsHigh when nobody has said why all the same."""
    found = list_concerns(tx, episode, now, rule)
    if found and not decision.despite:
        raise PainIsHigh(found)
    return found


def list_concerns(tx: Tx, episode: Episode, now: datetime, rule: str = "") -> tuple[str, ...]:
    """What speaks against a step up now, by the thresholds that `rule` proposes it with, or those of the stage."""
    record = load_record(tx, episode, now)
    open_rules = {each for case in cases.list_open(tx, episode) for each in case.reasons}
    return concerns(record, _limits(record, rule), open_rules)


def before(tx: Tx, episode: Episode, news: str, now: datetime, closing: Collection[UUID] = ()) -> dict[str, Any]:
    """How things stand before a decision, for whoever undoes it. `news` is the key of what the patient is told."""
    return {
        "news": f"news:{news}",
        "prescription": str(episode.prescription_id),
        "stage": episode.stage,
        "stage_start": episode.stage_start.isoformat(),
        "held": [str(item.id) for item in reviews.list_held(tx, episode, local_today(now, episode.zone))],
        "offers": [str(item.id) for item in reviews.list_offered(tx, episode)],
        "cases": [str(each) for each in closing],
    }


def keep_with(tx: Tx, decided_id: UUID, decision: Decision, stood: Mapping[str, Any], found: Collection[str] = ()) -> None:
    """Write beside a decision what was ticked, what spoke against it, and what undoing it would put back."""
    episode = episodes.load(tx, decision.episode_id)
    more: dict[str, Any] = {"undo": {**stood, "after": str(episode.prescription_id)}}
    if decision.ticked or decision.unticked:
        more |= {"ticked": list(decision.ticked), "unticked": list(decision.unticked)}
    reviews.keep_beside(tx, decided_id, more | ({"concerns": list(found)} if found else {}))


# fmt: off
def tell_patient(
    tx: Tx, episode: Episode, key: str, decision: Decision, once: str, now: datetime, *, was: UUID | None = None, **values: object
) -> None:
    # fmt: on
    """News for the patient, after the decision's grace; nothing to those who get no messages here, and nothing of exercises while a red
    flag holds them. `was` is the prescription before, whose differences the news tells."""
    if episode.patient_status != "opted_in" or (key in OF_EXERCISES and holds_news(tx, episode, now)):
        return
    lines: list[list[Any]] = [[key, {"physio": decision.member.name, **values}]]
    if was is not None:
        lines.append(["changes", {"was": str(was), "will": str(episodes.load(tx, episode.id).prescription_id)}])
    content = {"lines": lines}
    queue_for_patient(tx, episode, now, "news", f"news:{once}", now + decision.grace, now + NEWS_KEPT, content, lane="now")


def holds_news(tx: Tx, episode: Episode, now: datetime) -> bool:
    """Whether nothing may be said of exercises: somebody has to look at the patient first."""
    return any(hold.kind in NO_NEWS for hold in episodes.list_holds_in_force(tx, episode.id, local_today(now, episode.zone)))


def note_decision(tx: Tx, now: datetime, decision: Decision, episode: Episode, what: str, detail: dict[str, Any]) -> None:
    """Who decided what about whom, in the audit trail."""
    audit.record(tx, now, decision.member.email, what, clinic_id=episode.clinic_id, subject_id=episode.patient_id, detail=detail)


def _limits(record: Record, rule: str) -> ProgressionRule:
    """A rung asks for the green band and a settled next day only."""
    plan = record.prescription
    if rule == "C0":
        return plan.progression.model_copy(update={"session_max": plan.rules.session_pain.green_max, "next_max": plan.rules.pain_ceiling})
    return plan.plyometric_unlock or plan.progression if rule == "C3" else plan.progression
