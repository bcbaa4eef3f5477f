"""The next rung, offered to a patient whose clinician has agreed to it beforehand: made, answered, withdrawn when no longer due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from bot_service.actions.histories import load_record, local_today
from bot_service.actions.looking import last_looked_at
from bot_service.actions.prescribing import resolved, supersede
from bot_service.clinical.flare import flare_state, severe_since
from bot_service.clinical.offers import BETWEEN_OFFERS, PastOffer, next_offer
from bot_service.clinical.progression import Proposal, standing
from bot_service.clinical.record import Record
from bot_service.clinical.running import due_step
from bot_service.conversation.choices import offer_line
from bot_service.conversation.situation import AnswerOffer, Ask, Keep, Line, Turn
from bot_service.storage import audit, cases, episodes, prescriptions, reviews
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.reviews import Proposed
from plans.model import Prescription
from plans.running import RUN, open_running, run_text


def with_offer(tx: Tx, episode: Episode, turn: Turn, now: datetime) -> Turn:
    """The turn, with an offer at its end when a rung is due.

    An offer comes with the answer to a pain score and never by itself, so it costs no message; not when that answer asks something.
    """
    scored = any(isinstance(effect, Keep) and effect.score is not None and effect.kind != "baseline" for effect in turn.effects)
    if not scored or turn.ask is not None or turn.safety or not _allows(tx, episode):
        return turn
    record = load_record(tx, episode, now)
    if (run := _run_to_offer(tx, episode, record)) is not None:
        return _with_run(tx, episode, turn, run, record, now)
    made = [item for item in reviews.list_proposals(tx, episode) if item.offered and (item.rule != RUN or item.status == "offered")]
    proposal = next_offer(_offers(tx, episode, record), [_past(item, episode.zone) for item in made], record)
    if proposal is None or proposal.exercise is None or proposal.rung is None:
        return turn
    offer = _made(tx, episode, proposal, now)
    item = record.prescription.exercise(proposal.exercise)
    line = offer_line(item, next(rung for rung in item.exercise.rungs if rung.id == proposal.rung), record.rules)
    ask = Ask("rung", detail={"offer": str(offer), "exercise": line.values["exercise"], "step": line.values["step"]})
    # The advice of a comfortable session is to keep the exercises as they are: the offer says it better.
    return Turn(turn.effects, (*(each for each in turn.lines if each.key != "advice"), line), ask, turn.change, turn.read)


def still_open(tx: Tx, episode: Episode, record: Record) -> frozenset[UUID]:
    """The offers without an answer whose rung is due at this moment: the record may have changed since they were made."""
    offered = reviews.list_offered(tx, episode) if _allows(tx, episode) else []
    due = {(each.exercise, each.rung) for each in (*_offers(tx, episode, record), *_runs(tx, episode, record))} if offered else set()
    return frozenset(item.id for item in offered if item.offered in due)


def answer_offer(tx: Tx, episode: Episode, answer: AnswerOffer, now: datetime) -> bool:
    """Carry the patient's answer out; True when the prescription has changed, from the next local day on."""
    offer = next((item for item in reviews.list_offered(tx, episode) if item.id == answer.offer_id), None)
    if offer is None or offer.offered is None:
        return False
    reviews.end_offer(tx, now, offer.id, "accepted" if answer.accepted else "declined")
    exercise, rung = offer.offered
    what = "rung_accepted" if answer.accepted else "rung_declined"
    audit.record(
        tx, now, "patient", what, clinic_id=episode.clinic_id, subject_id=episode.patient_id, detail={"exercise": exercise, "rung": rung}
    )
    if not answer.accepted:
        return False
    old = prescriptions.load(tx, episode.prescription_id)
    document, name = _stepped_up(tx, old, exercise, rung)
    author = prescriptions.find_agreed_by(tx, episode.patient_id, episode.id, lambda each: _same_agreement(each, old, runs=exercise == RUN))
    tomorrow = local_today(now, episode.zone) + timedelta(days=1)
    reason = f"next step of {name}, {prescriptions.AGREED_STEP}"
    supersede(tx, episode, document, author or episode.physio_id, reason, now, starts_on=tomorrow)
    return True


def held_back(tx: Tx, episode: Episode, rule: str, today: date) -> bool:
    """Whether a clinician held this very step, or every step, and the time is not over."""
    return any(held.rule in (rule, reviews.OWN) for held in reviews.list_held(tx, episode, today))


def withdraw_lost(tx: Tx, episode: Episode, record: Record, offers: Sequence[Proposal], now: datetime) -> None:
    """Withdraw offers whose step is not due any more: of an exercise, other than these `offers`, or of running."""
    if _allows(tx, episode):
        due = {(each.exercise, each.rung) for each in (*offers, *_runs(tx, episode, record))}
        for item in reviews.list_offered(tx, episode):
            if item.offered not in due:
                reviews.end_offer(tx, now, item.id, "withdrawn")


def _offers(tx: Tx, episode: Episode, record: Record) -> tuple[Proposal, ...]:
    """The rungs that the patient may take now: none on hold, in a flare, over a blocker, or while a clinician has said to wait."""
    if _must_wait(tx, episode, record):
        return ()
    open_rules = _open_rules(tx, episode)
    plan = prescriptions.load_plan_of(tx, record.prescription)
    return standing(record, plan, open_rules).offers


def _runs(tx: Tx, episode: Episode, record: Record, declined: date | None = None) -> tuple[Proposal, ...]:
    """The running step that the patient may take now, in the range that a clinician opened."""
    if record.prescription.run_steps_open is None or _must_wait(tx, episode, record):
        return ()
    step = None if severe_since(record, last_looked_at(tx, episode, record)) else due_step(record, _open_rules(tx, episode), declined)
    return (step,) if step else ()


def _run_to_offer(tx: Tx, episode: Episode, record: Record) -> Proposal | None:
    """The running step to offer today: not one that waits for its answer, and after a *Not yet* only with as many runs again."""
    past = [_past(item, episode.zone) for item in reviews.list_proposals(tx, episode) if item.rule == RUN and item.status == "declined"]
    declined = max((offer.last_day for offer in past), default=None)
    open_runs = [_past(item, episode.zone) for item in reviews.list_offered(tx, episode) if item.rule == RUN]
    waiting = any(record.today - offer.last_day < BETWEEN_OFFERS for offer in open_runs)
    return None if waiting else next(iter(_runs(tx, episode, record, declined)), None)


def _with_run(tx: Tx, episode: Episode, turn: Turn, proposal: Proposal, record: Record, now: datetime) -> Turn:
    step = run_text(record.prescription, int(proposal.rung or 0))
    ask = Ask("rung", detail={"offer": str(_made(tx, episode, proposal, now)), "step": step})
    return Turn(turn.effects, (*turn.lines, Line("run_offer", {"step": step})), ask, turn.change, turn.read)


def _made(tx: Tx, episode: Episode, proposal: Proposal, now: datetime) -> UUID:
    """Keep the offer with what it rests on."""
    criteria = [{"text": item.text, "met": item.met, "detail": item.detail} for item in proposal.criteria]
    detail = {"sentence": proposal.sentence, "criteria": criteria, "evidence": [str(row) for row in proposal.evidence]}
    return reviews.offer(tx, now, episode, proposal.rule, (proposal.exercise or "", proposal.rung or ""), detail)


def _stepped_up(tx: Tx, old: Prescription, exercise: str, rung: str) -> tuple[Prescription, str]:
    """The prescription with the step that was taken, and the name of what it is a step of. A run's step is inside its range, or refused."""
    if exercise == RUN:
        return open_running(old, old.return_to_run, old.run_steps_open or (0, 0), int(rung)), "running"
    plan = prescriptions.load_plan_of(tx, old)
    return resolved(plan, old.stage, old, {exercise: rung}), old.exercise(exercise).exercise.name


def _same_agreement(document: Prescription, old: Prescription, *, runs: bool) -> bool:
    return document.run_steps_open == old.run_steps_open if runs else document.rungs_preauthorised


def _must_wait(tx: Tx, episode: Episode, record: Record) -> bool:
    """On hold, in a flare, or a clinician has said to wait."""
    if episodes.list_holds_in_force(tx, episode.id, record.today) or held_back(tx, episode, "C0", record.today):
        return True
    return flare_state(record, last_looked_at(tx, episode, record)) is not None


def _open_rules(tx: Tx, episode: Episode) -> set[str]:
    return {rule for case in cases.list_open(tx, episode) for rule in case.reasons}


def _allows(tx: Tx, episode: Episode) -> bool:
    document = prescriptions.load(tx, episode.prescription_id)
    allowed = document.rungs_preauthorised or document.run_steps_open is not None
    return allowed and episode.status == "active" and episode.patient_status == "opted_in"


def _past(item: Proposed, zone: str) -> PastOffer:
    exercise, _ = item.offered or ("", "")
    return PastOffer(exercise, local_today(item.decided_at or item.created_at, zone), item.status == "declined")
