"""What a clinician decides: approve, hold or step back, look after cases, pause, resume and discharge. Each keeps the plan's version."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from bot_service.actions.assess import assess
from bot_service.actions.deciding import (
    NEWS_KEPT,
    Decision,
    before,
    episode_of,
    holds_news,
    keep_with,
    look_twice,
    note_decision,
    tell_patient,
    want_what_was_done,
)
from bot_service.actions.histories import local_today
from bot_service.actions.prescribing import following, numbers_for, refused, resolved, supersede
from bot_service.actions.prompt import queue_for_patient
from bot_service.actions.sealed_words import seal_words
from bot_service.actions.withheld import announce_release
from bot_service.clinical.catalogue import MESSAGE, RED_FLAG
from bot_service.clinical.flags import PAIN_RULES
from bot_service.clinical.rungs import has_climbed
from bot_service.errors import AlreadyDecided, Conflict, NotFound
from bot_service.storage import alerts, cases, conversations, episodes, outbox, patients, prescriptions, reviews
from bot_service.storage.cases import Case
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.reviews import HELD_FOR, OWN, Proposed
from plans.editing import Unfit, at_start
from plans.model import CarePlan, Prescription
from plans.running import close_running, open_running, run_text


def approve(db: Database, decision: Decision, proposal_id: UUID, now: datetime) -> None:
    """Carry a proposal out. Raises AlreadyDecided when it is not pending or its evidence changed, PainIsHigh, NotPermitted, NotFound."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        proposal = _pending(tx, episode, proposal_id)
        stood, key = before(tx, episode, f"approved:{proposal.id}", now), f"approved:{proposal.id}"
        _decide(tx, episode, proposal, "approved", decision, now)
        old = prescriptions.load(tx, episode.prescription_id)
        found = look_twice(tx, episode, decision, now, proposal.rule)
        plan = prescriptions.load_plan_of(tx, old)
        document = following(plan, old, proposal, numbers_for(tx, episode, plan))
        if document is not None:
            supersede(tx, episode, document, decision.member.id, decision.whole_reason, now)
        if proposal.to_stage:
            tell_patient(
                tx,
                episode,
                "plan_changed_forward",
                decision,
                key,
                now,
                was=episode.prescription_id,
                stage=plan.stage(proposal.to_stage).title,
            )
        elif document is not None:
            tell_patient(tx, episode, "plan_changed_same", decision, key, now, was=episode.prescription_id)
        keep_with(tx, proposal.id, decision, stood, found)
        note_decision(tx, now, decision, episode, "approved", {"rule": proposal.rule, "to": proposal.to_stage})


def step_up(db: Database, decision: Decision, now: datetime) -> None:
    """Move on to the next stage although nothing is proposed. Raises PainIsHigh, AlreadyDecided, and Conflict where there is none."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        old = prescriptions.load(tx, episode.prescription_id)
        plan = prescriptions.load_plan_of(tx, old)
        upper = plan.next_stage(episode.stage)
        if upper is None:
            raise Conflict("this is the last stage already")
        if decision.shown is not None and decision.shown != episode.evidence_version:
            raise AlreadyDecided("the patient's record has changed since; look at the page again")
        if holds_news(tx, episode, now):
            raise Conflict("somebody has to look at this patient first: clear the red flag or end the hold, then step up")
        found = look_twice(tx, episode, decision, now)
        own = reviews.record_own(
            tx, now, episode, "approved", decision.member.id, to_stage=upper.id, reason=decision.whole_reason, hold_until=None
        )
        stood = before(tx, episode, f"approved:{own}", now)
        document = _in_stage(tx, episode, plan, upper.id, old)
        supersede(tx, episode, document, decision.member.id, decision.whole_reason, now)
        tell_patient(tx, episode, "plan_changed_forward", decision, f"approved:{own}", now, was=episode.prescription_id, stage=upper.title)
        keep_with(tx, own, decision, stood, found)
        note_decision(tx, now, decision, episode, "approved", {"rule": OWN, "to": upper.id})


def hold(db: Database, decision: Decision, proposal_id: UUID | None, until: date | None, now: datetime) -> None:
    """Keep the present plan until a day: what is proposed, or any step when nothing is. Raises Conflict, NotPermitted, NotFound."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        today = local_today(now, episode.zone)
        end = until or today + HELD_FOR
        if end <= today:
            raise Conflict("the day until which to hold must lie ahead")
        stood = before(tx, episode, "", now)
        if proposal_id is not None:
            proposal = _pending(tx, episode, proposal_id)
            _decide(tx, episode, proposal, "held", decision, now, end)
            held, rule = proposal.id, proposal.rule
        else:
            held, rule = _hold_everything(tx, episode, decision, end, now), OWN
        tell_patient(tx, episode, "plan_held", decision, f"held:{held}", now)
        keep_with(tx, held, decision, {**stood, "news": f"news:held:{held}"})
        note_decision(tx, now, decision, episode, "held", {"rule": rule, "until": end.isoformat()})


def release_hold(db: Database, decision: Decision, now: datetime) -> None:
    """Let steps be proposed again. Raises Conflict when nothing is held."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        if not reviews.list_held(tx, episode, local_today(now, episode.zone)):
            raise Conflict("nothing is held for this patient")
        reviews.release_held(tx, episode.id)
        note_decision(tx, now, decision, episode, "hold_released", {})
        assess(tx, episode, now)


def step_back(db: Database, decision: Decision, now: datetime, *, answered: Collection[UUID] = ()) -> None:
    """Go back one stage; in the first stage, to the first rung of every exercise. Raises Conflict when there is nothing to go back to.

    `answered` are pain cases that it answers: they close with the same reason.
    """
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        old, key = prescriptions.load(tx, episode.prescription_id), f"back:{tx.new_id()}"
        plan = prescriptions.load_plan_of(tx, old)
        lower = plan.previous_stage(episode.stage)
        if lower is None and not has_climbed(old):
            raise Conflict("this is the first stage at its first step already; pause the patient or write to them instead")
        closing = [case.id for case in cases.list_open(tx, episode) if case.id in answered and case.rule in PAIN_RULES]
        stood, pending = before(tx, episode, key, now, closing), reviews.find_pending(tx, episode)
        if pending is not None:
            _decide(tx, episode, pending, "stepped_back", replace(decision, shown=None), now)
        to = lower.id if lower else None
        decided = (
            pending.id
            if pending
            else reviews.record_own(
                tx, now, episode, "stepped_back", decision.member.id, to_stage=to, reason=decision.reason, hold_until=None
            )
        )
        document = _in_stage(tx, episode, plan, lower.id, old) if lower else at_start(old)
        supersede(tx, episode, document, decision.member.id, decision.reason, now)
        title = lower.title if lower else old.stage_title
        tell_patient(
            tx, episode, "plan_changed_back" if lower else "plan_changed_same", decision, key, now, was=episode.prescription_id, stage=title
        )
        keep_with(tx, decided, decision, stood)
        note_decision(tx, now, decision, episode, "stepped_back", {"to": lower.id if lower else episode.stage})
        _close_answered(tx, episode, decision, closing, now)


def set_running(db: Database, decision: Decision, steps: tuple[int, int] | None, now: datetime) -> None:
    """Open a range of the plan's running steps, beginning at the first of it, or close running. Raises Conflict, NotPermitted, NotFound."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        old = prescriptions.load(tx, episode.prescription_id)
        if steps is None and old.run_steps_open is None:
            raise Conflict("running is not open for this patient")
        course = prescriptions.load_plan_of(tx, old).return_to_run
        if steps:
            look_twice(tx, episode, decision, now)
        try:
            document = open_running(old, course, steps) if steps else close_running(old)
        except ValueError as error:
            raise Conflict(str(error)) from None
        supersede(tx, episode, document, decision.member.id, decision.whole_reason, now)
        opened: dict[str, Any] = {"step": run_text(document), "rule": course.rule} if steps and course else {}
        tell_patient(tx, episode, "run_opened" if steps else "run_closed", decision, f"run:{tx.new_id()}", now, **opened)
        note_decision(tx, now, decision, episode, "running_opened" if steps else "running_closed", {"steps": steps})


def close_case(db: Database, decision: Decision, case_id: UUID, now: datetime) -> None:
    """Close a case; closing a red flag also lets exercise prompts go on, and the patient is told. Raises Conflict, TooShort."""
    with db.begin() as tx:
        episode = episode_of(tx, decision, sees_to=True)
        case = cases.load_case(tx, episode, case_id)
        if case is None:
            raise NotFound("no such case for this patient")
        if case.case_key == RED_FLAG and decision.shown is not None and decision.shown != episode.evidence_version:
            raise AlreadyDecided("the patient has written since; look at the page again before you clear the red flag")
        want_what_was_done(case, decision)
        if not cases.close_case(tx, now, episode, case.id, decision.member.name, decision.reason):
            raise Conflict("this case is closed already")
        if case.case_key == RED_FLAG and episodes.release_holds(tx, now, episode.id, ("red_flag",), decision.member.name):
            outbox.cancel_waiting(tx, now, episode.patient_id, "cleared by a clinician", ("seen",))
            announce_release(tx, episode, decision, f"cleared:{case.id}:{tx.new_id()}", now)
        _say_it_was_read(tx, episode, case, now)
        note_decision(tx, now, decision, episode, "case_closed", {"rule": case.rule})
        assess(tx, episodes.load(tx, episode.id), now)


def acknowledge_case(db: Database, decision: Decision, case_id: UUID, now: datetime) -> None:
    """Say that somebody is looking after it."""
    with db.begin() as tx:
        episode = episode_of(tx, decision, takes_on=True, sees_to=True)
        case = cases.load_case(tx, episode, case_id)
        if case is None:
            raise NotFound("no such case for this patient")
        if acknowledge_in(tx, episode, decision, case, now):
            _say_it_was_read(tx, episode, case, now)


def acknowledge_in(tx: Tx, episode: Episode, decision: Decision, case: Case, now: datetime) -> bool:
    """The same inside a transaction that holds the episode, perhaps unread; False when somebody looks after it already."""
    done = cases.acknowledge_case(tx, now, case.id, decision.member.name, decision.member.id)
    if done:
        note_decision(tx, now, decision, episode, "case_acknowledged", {"rule": case.rule})
    return done


def pause(db: Database, decision: Decision, until: date | None, now: datetime) -> None:
    """Pause exercise prompts until a day (the first one with prompts again), or until resumed."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        today = local_today(now, episode.zone)
        if until is not None and until <= today:
            raise Conflict("the day to start again must lie ahead")
        episodes.place_hold(tx, now, episode, "pause", why=decision.reason, by=decision.member.name, from_day=today, until_day=until)
        outbox.cancel_waiting(tx, now, episode.patient_id, "on hold: pause", ("prompt", "nudge", "check_in"))
        if until is not None:
            tell_patient(tx, episode, "paused_by_clinic", decision, f"paused:{tx.new_id()}", now, until=until.isoformat())
        note_decision(tx, now, decision, episode, "paused", {"until": until and until.isoformat()})


def resume(db: Database, decision: Decision, now: datetime) -> None:
    """End a pause, or let a patient start whom a physio had to see first."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        if not episodes.release_holds(tx, now, episode.id, ("pause", "physio_first", "lost_contact"), decision.member.name):
            raise Conflict("nothing is paused for this patient")
        announce_release(tx, episode, decision, f"resumed:{tx.new_id()}", now)
        note_decision(tx, now, decision, episode, "resumed", {})


def discharge(db: Database, decision: Decision, now: datetime) -> None:
    """End the episode of care: nothing more is sent. Open cases stay open and shown, but no longer climb to the lead."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        episodes.end(tx, now, episode, "discharged", decision.reason)
        patients.set_status(tx, episode.patient_id, ("invited", "asked", "opted_in"), "discharged", now)
        outbox.cancel_waiting(tx, now, episode.patient_id, "discharged")
        conversations.close_all(tx, episode.id, now, "discharged")
        reviews.withdraw_pending(tx, now, episode.id)
        reviews.withdraw_offers(tx, now, episode)
        alerts.stop_of(tx, episode.id)
        note_decision(tx, now, decision, episode, "discharged", {})


def write_to_patient(db: Database, decision: Decision, words: str, now: datetime) -> None:
    """Send the patient the clinician's own words. Raises Conflict for an empty message or a patient who stopped."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        if not words.strip():
            raise Conflict("write something first")
        if episode.patient_status != "opted_in":
            raise Conflict("this patient does not get messages here; get in touch another way")
        tell_patient(
            tx, episode, "from_physio", decision, f"words:{tx.new_id()}", now, sealed=seal_words(tx, episode, words.strip()[:1500])
        )
        note_decision(tx, now, decision, episode, "wrote_to_patient", {})


def _in_stage(tx: Tx, episode: Episode, plan: CarePlan, stage: str, old: Prescription) -> Prescription:
    """Another stage for this patient. Raises Conflict with the remedy when what was made different for them does not fit it."""
    try:
        return resolved(plan, stage, old, clinic=numbers_for(tx, episode, plan))
    except Unfit as problem:
        raise refused(problem) from None


def _close_answered(tx: Tx, episode: Episode, decision: Decision, case_ids: Collection[UUID], now: datetime) -> None:
    for case in [case for case in cases.list_open(tx, episode) if case.id in case_ids]:
        cases.close_case(tx, now, episode, case.id, decision.member.name, decision.reason)
        note_decision(tx, now, decision, episode, "case_closed", {"rule": case.rule})
    if case_ids:
        assess(tx, episodes.load(tx, episode.id), now)


def _say_it_was_read(tx: Tx, episode: Episode, case: Case, now: datetime) -> None:
    """What the patient wrote to the physio has been read: they were promised to hear so, once for each message."""
    unread = case.reasons.get(MESSAGE, {}).get("unread")
    if unread and episode.patient_status == "opted_in":
        content = {"lines": [["message_read", {}]]}
        queue_for_patient(tx, episode, now, "message_read", f"message_read:{unread}", now, now + NEWS_KEPT, content, lane="now")


def _pending(tx: Tx, episode: Episode, proposal_id: UUID) -> Proposed:
    proposal = next((item for item in reviews.list_proposals(tx, episode) if item.id == proposal_id), None)
    if proposal is None:
        raise NotFound("no such proposal")
    return proposal


def _decide(
    tx: Tx, episode: Episode, proposal: Proposed, status: str, decision: Decision, now: datetime, until: date | None = None
) -> None:
    done = reviews.decide(
        tx, now, episode, proposal.id, status, decision.member.id, decision.shown, reason=decision.whole_reason, hold_until=until
    )
    if not done:
        raise AlreadyDecided("this was decided meanwhile, or the patient's record has changed; look at the page again")


def _hold_everything(tx: Tx, episode: Episode, decision: Decision, until: date, now: datetime) -> UUID:
    """A hold on every step out of the stage; it takes the place of the one before, and of what was proposed meanwhile."""
    reviews.release_held(tx, episode.id, (reviews.OWN,))
    reviews.withdraw_pending(tx, now, episode.id)
    return reviews.record_own(tx, now, episode, "held", decision.member.id, to_stage=None, reason=decision.reason, hold_until=until)
