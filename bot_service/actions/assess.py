"""Look at an episode with every rule, and bring its cases and its proposal in line with what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, get_args

from bot_service.actions.asked_again import unanswered
from bot_service.actions.consent import next_review
from bot_service.actions.due import flag_due_by
from bot_service.actions.flag_rows import with_rows
from bot_service.actions.histories import load_record, local_today
from bot_service.actions.offers import held_back, withdraw_lost
from bot_service.actions.reminders import stop_for_silence
from bot_service.actions.unsent_days import found_unsent
from bot_service.clinical.catalogue import ENGAGEMENT, Flag, Urgency
from bot_service.clinical.engagement import no_longer_so, silent_days
from bot_service.clinical.flags import Closed, closes_itself, flags_for, may_open
from bot_service.clinical.progression import Proposal, progression_flags, standing
from bot_service.clinical.record import Record
from bot_service.storage import cases, episodes, prescriptions, reviews
from bot_service.storage.cases import Case, Raised
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode


def assess_due(db: Database, now: datetime, limit: int = 50) -> int:
    """The daily look at episodes that nobody wrote about; how many there were."""
    with db.begin() as tx:
        due = episodes.claim_due_reviews(tx, now, limit)
        for episode in due:
            episodes.change(tx, episode.id, next_review_at=next_review(now, episode.zone))
            tx.shielded(lambda episode=episode: assess(tx, episode, now))  # type: ignore[misc]  # bound now
    return len(due)


def assess(tx: Tx, episode: Episode, now: datetime) -> None:
    """Raise, join and close cases; make, refresh and withdraw proposals. Call it in the transaction that changed the record.

    Of an episode that has ended nothing new is asked: what was open stays open until somebody closes it.
    """
    if episode.status != "active":
        return
    record = load_record(tx, episode, now)
    closed = {rule: _closed(*found) for rule, found in cases.list_last_closed(tx, episode.id).items()}
    _ask_the_patient(tx, episode, now)
    if unsent := found_unsent(tx, episode, record, now):
        cases.raise_case(tx, now, episode, unsent, flag_due_by(tx, episode, "three_days", now))
    open_cases = _note_over(tx, _raise_flags(tx, episode, record, list(flags_for(record)), closed, now), record)
    for case in list(open_cases):
        if closes_itself(case.rule, record, local_today(case.opened_at, episode.zone)):
            cases.close_case(tx, now, episode, case.id, cases.SETTLED, "six settled loading days in a row")
            open_cases.remove(case)
    _propose(tx, episode, record, open_cases, closed, now)
    begun = episode.baseline is not None or episode.next_prompt_at is not None
    if begun and silent_days(record) >= record.rules.review.stop_prompts_days and episode.patient_status == "opted_in":
        stop_for_silence(tx, episode, now)


def _ask_the_patient(tx: Tx, episode: Episode, now: datetime) -> None:
    """Questions that may not stay without an answer: a case while they do, closed by the answer."""
    missing = unanswered(tx, episode, now) if episode.patient_status == "opted_in" else {}
    for case in cases.list_open(tx, episode):
        if case.rule in missing and missing[case.rule] is None:
            cases.close_case(tx, now, episode, case.id, cases.SETTLED, "the patient has answered")
    for raised in missing.values():
        if raised is not None:
            urgency: Any = raised.urgency
            cases.raise_case(tx, now, episode, raised, flag_due_by(tx, episode, urgency, now))


def _raise_flags(tx: Tx, episode: Episode, record: Record, flags: list[Flag], closed: Mapping[str, Closed], now: datetime) -> list[Case]:
    open_rules = {rule for case in cases.list_open(tx, episode) for rule in case.reasons}
    for flag in flags:
        if flag.digest_only or not (flag.rule in open_rules or may_open(flag, closed.get(flag.rule), now, record.rules)):
            continue
        detail = {
            "occurred": flag.occurred.isoformat(),
            "basis": flag.basis,
            "suggestion": flag.suggestion,
            "days": [day.isoformat() for day in flag.days],
        } | ({"since": flag.since.isoformat()} if flag.since else {})
        raised = with_rows(tx, episode, flag, Raised(flag.case, flag.rule, flag.urgency, flag.sentence, detail, flag.evidence))
        cases.raise_case(tx, now, episode, raised, flag_due_by(tx, episode, flag.urgency, now))
    return cases.list_open(tx, episode)


def _note_over(tx: Tx, open_cases: list[Case], record: Record) -> list[Case]:
    """Reasons on the engagement case come and go; one that no longer holds must not lead it."""
    over = no_longer_so(record)
    return [cases.note_over(tx, case, over, record.today) if case.case_key == ENGAGEMENT else case for case in open_cases]


def _propose(tx: Tx, episode: Episode, record: Record, open_cases: list[Case], closed: Mapping[str, Closed], now: datetime) -> None:
    plan = prescriptions.load_plan_of(tx, record.prescription)
    at = standing(record, plan, {rule for case in open_cases for rule in case.reasons})
    withdraw_lost(tx, episode, record, at.offers, now)
    proposal = at.proposal
    if proposal is not None and held_back(tx, episode, proposal.rule, record.today):
        proposal = None
    reviews.withdraw_pending(tx, now, episode.id, keep=proposal.rule if proposal else None)
    if proposal is None:
        return
    detail = proposal_detail(proposal, at.rungs if proposal.rule == "C0" else ())
    reviews.propose(tx, now, episode, proposal.rule, proposal.from_stage, proposal.to_stage, detail)
    if proposal.rule == "C5":
        _raise_flags(tx, episode, record, [flag for flag in progression_flags(at, record) if flag.rule == "C5"], closed, now)


def proposal_detail(proposal: Proposal, rungs: Sequence[Proposal] = ()) -> dict[str, Any]:
    """A proposal as stored: its sentence, the criteria as they stood, and the evidence. All `rungs` due are one decision."""
    return {
        "sentence": " ".join(each.sentence for each in rungs) or proposal.sentence,
        "rungs": {each.exercise: each.rung for each in rungs},
        "criteria": [{"text": item.text, "met": item.met, "detail": item.detail} for item in proposal.criteria],
        "evidence": [str(row) for row in proposal.evidence],
    }


def _closed(at: datetime, detail: Mapping[str, Any], urgency: str) -> Closed:
    known: Any = urgency if urgency in get_args(Urgency) else "routine"
    return Closed(at, date.fromisoformat(detail.get("occurred", at.date().isoformat())), known)
