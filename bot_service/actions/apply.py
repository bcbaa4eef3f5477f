"""Carries a turn of the conversation out: entries, questions, holds, cases, and the one message that answers it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bot_service.actions import consent
from bot_service.actions.asked_again import ask_tomorrow, safety_waits
from bot_service.actions.assess import assess
from bot_service.actions.check_ins import plan_check_in
from bot_service.actions.corrections import restate_corrected
from bot_service.actions.due import flag_due_by
from bot_service.actions.histories import load_record, local_today, prescription_on
from bot_service.actions.measures_asked import keep_measure, with_measure
from bot_service.actions.offers import answer_offer, with_offer
from bot_service.actions.patient_cases import Heard, keep_for_physio, note_seen, note_told, raise_erasure, raise_red_flag
from bot_service.actions.prompt import move_cursor, queue_for_patient
from bot_service.actions.voices import time_in_words
from bot_service.clinical.record import STRIP_DAYS
from bot_service.conversation.exercise_text import prompted_slots
from bot_service.conversation.held import HOLD_IN_FULL, HOLD_TOLD
from bot_service.conversation.situation import (
    AnswerOffer,
    AskedErasure,
    ChangeTime,
    Close,
    CountAgain,
    Effect,
    ForPhysio,
    Keep,
    Line,
    Measured,
    Named,
    OptIn,
    OptOut,
    PauseUntil,
    RedFlagged,
    Resume,
    Seen,
    SetBaseline,
    Told,
    Turn,
)
from bot_service.conversation.wording import choice_label, load_catalogue
from bot_service.storage import audit, cases, conversations, entries, episodes, inbox, outbox, patients, prescriptions
from bot_service.storage.cases import Raised
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from plans.running import RUN_SLOT

BEFORE_CONSENT = ("invited", "opted_out")
"""From where the consent wording leads on; it is shown to nobody who stopped after they had agreed."""
ANSWER_KEPT = timedelta(hours=6)
"""How long an answer to the patient is worth sending after an outage (default)."""


def apply_turn(tx: Tx, episode: Episode, turn: Turn, told: Told, heard: Heard, now: datetime) -> str:
    """Carry out a turn; returns what the patient chose, in the words of the button when it was a tap.

    What the patient told belongs to the time they wrote it; what follows from it begins `now`.
    """
    chosen = _words_of_tap(told, episode.language, local_today(now, episode.zone))
    if chosen:
        inbox.set_words(tx, episode.patient_id, heard.inbox_id, chosen)
    in_care = episode.status == "active" and episode.patient_status == "opted_in"
    back = in_care and episodes.release_holds(tx, now, episode.id, ("lost_contact",), "patient wrote")
    if back:
        outbox.cancel_waiting(tx, now, episode.patient_id, "the patient wrote", ("silence",))
    changed = [_apply(tx, episode, effect, heard, now) for effect in turn.effects]
    _prove_asked(tx, turn, now)
    leaving = turn.safety or any(isinstance(effect, OptOut) for effect in turn.effects)
    today = local_today(now, episode.zone)
    on_again = back and not leaving and not episodes.list_holds_in_force(tx, episode.id, today)
    lines = [*([Line("back_from_silence")] if on_again else []), *turn.lines]
    if episode.patient_status in BEFORE_CONSENT and turn.ask is not None and turn.ask.kind == "consent":
        patients.set_status(tx, episode.patient_id, BEFORE_CONSENT, "asked", now)
    if any(changed):
        episodes.count_evidence(tx, episode.id)
        if episode.status == "active":
            assess(tx, episodes.load(tx, episode.id), now)
            restate_corrected(tx, episode, heard.inbox_id)
    if lines:
        episode = episodes.load(tx, episode.id)
        _reply(tx, episode, _with_more(tx, episode, replace(turn, lines=tuple(lines)), now), heard.inbox_id, now)
    return chosen


def _with_more(tx: Tx, episode: Episode, turn: Turn, now: datetime) -> Turn:
    """The turn, with an offer or a question of a measure that rides on it; neither while a question about safety waits for its answer."""
    if turn.ask is not None or safety_waits(tx, episode, now):
        return turn
    return with_measure(tx, episode, with_offer(tx, episode, turn, now), now)


def _prove_asked(tx: Tx, turn: Turn, now: datetime) -> None:
    """A typed answer proves that its question arrived, as a tap does."""
    for question_id in dict.fromkeys(effect.question_id for effect in turn.effects if isinstance(effect, Keep | Close)):
        if question_id is not None:
            outbox.prove_sent_by_answer(tx, question_id, now)


def _apply(tx: Tx, episode: Episode, effect: Effect, heard: Heard, now: datetime) -> bool:
    """One effect; True when the record that the rules read has changed."""
    match effect:
        case Keep():
            return _keep(tx, episode, effect, heard, now)
        case Close():
            conversations.close(tx, effect.question_id, now, effect.why)
        case CountAgain():
            conversations.count_asked_again(tx, effect.question_id)
        case RedFlagged():
            raise_red_flag(tx, episode, effect, heard, now)
            return True
        case ForPhysio():
            return keep_for_physio(tx, episode, effect, heard, now)
        case OptIn() | OptOut() | AskedErasure():
            _opt(tx, episode, effect, heard, now)
        case SetBaseline():
            _set_baseline(tx, episode, effect.score, heard, now)
        case PauseUntil() | Resume() | ChangeTime():
            _change_schedule(tx, episode, effect, now)
        case Seen():
            note_seen(tx, episode, effect, heard, now)
        case AnswerOffer():
            return answer_offer(tx, episode, effect, now)
        case Measured() | Named():
            keep_measure(tx, episode, effect, now)
    return False


def _opt(tx: Tx, episode: Episode, effect: OptIn | OptOut | AskedErasure, heard: Heard, now: datetime) -> None:
    match effect:
        case OptIn():
            consent.opt_in(tx, episode, now)
        case OptOut(declined):
            consent.opt_out(tx, episode, now, declined=declined, said=heard.inbox_id)
        case AskedErasure(words):
            raise_erasure(tx, episode, words, heard, now)


def _keep(tx: Tx, episode: Episode, keep: Keep, heard: Heard, now: datetime) -> bool:
    """Append an entry, superseding the one that holds for the same kind, day and slot; the same value again changes nothing."""
    current = [
        entry for entry in entries.list_current(tx, episode) if (entry.kind, entry.day, entry.slot) == (keep.kind, keep.day, keep.slot)
    ]
    old = next((entry for entry in reversed(current) if entry.confirmed), None) if keep.confirmed else None
    if old is not None and (old.score, old.outcome) == (keep.score, keep.outcome):
        return False
    done_at = None
    if keep.kind == "session" and keep.outcome != "not_done":
        done_at = (old.done_at if old else None) or _done_at(keep.day, heard.at, episode.zone)
    entries.add(
        tx, episode, heard.at, kind=keep.kind, day=keep.day, slot=keep.slot, score=keep.score, outcome=keep.outcome, done_at=done_at,
        inbox_id=heard.inbox_id, question_id=keep.question_id, supersedes_id=old.id if old else None, confirmed=keep.confirmed,
        note=keep.note, prescription_id=old.prescription_id if old else prescription_on(tx, episode, keep.day),
    )  # fmt: skip
    if keep.kind == "session":
        _after_session(tx, episode, keep, done_at, now)
    return keep.confirmed


def _after_session(tx: Tx, episode: Episode, keep: Keep, done_at: datetime | None, now: datetime) -> None:
    """No nudge is needed any more; a session done is asked about a day later, one not done gives its place to another of that day."""
    outbox.cancel_session(tx, now, episode.id, keep.day, keep.slot, ("nudge",) if done_at else ("nudge", "check_in"))
    slot = keep.slot or 1
    if done_at is None:
        done = [each for each in entries.list_current(tx, episode) if (each.kind, each.day) == ("session", keep.day) and each.confirmed]
        slot, done_at = max(((each.slot or 1, each.done_at) for each in done if each.done_at), key=itemgetter(1), default=(slot, None))
    if done_at is not None:
        plan_check_in(tx, episode, prescriptions.load(tx, episode.prescription_id), (keep.day, slot), done_at, now)


def _done_at(day: date, said_at: datetime, zone: str) -> datetime:
    """When a session was done: when the patient says so, or the evening of its day when it is reported later."""
    evening = datetime.combine(day, time(20), ZoneInfo(zone)).astimezone(UTC)
    return said_at if local_today(said_at, zone) <= day else min(said_at, evening)


def _set_baseline(tx: Tx, episode: Episode, score: int, heard: Heard, now: datetime) -> None:
    """The patient's own baseline counts until the schedule has begun; after that only a clinician changes it."""
    if episode.baseline is not None and episode.next_prompt_at is not None and episode.last_prompt_at is not None:
        return
    episodes.change(tx, episode.id, baseline=score)
    limit = prescriptions.load(tx, episode.prescription_id).rules.baseline_physio_first_above
    if score > limit:
        today = local_today(now, episode.zone)
        episodes.place_hold(tx, now, episode, "physio_first", why=f"usual pain above {limit}/10", by="rule 0.3", from_day=today)
        sentence = f"Usual pain {score}/10 at opt-in, above {limit}: physio first, no loading yet."
        raised = Raised("X6", "X6", "same_day", sentence, {"occurred": today.isoformat()}, inbox_id=heard.inbox_id)
        cases.raise_case(tx, now, episode, raised, flag_due_by(tx, episode, "same_day", now))
    else:
        episodes.release_holds(tx, now, episode.id, ("physio_first",), "patient corrected")
        for case in (each for each in cases.list_open(tx, episode) if each.rule == "X6"):
            reason = f"the usual pain was corrected to {score}/10 by the patient"
            cases.close_case(tx, now, episode, case.id, cases.SETTLED, reason)
    consent.start_schedule(tx, episodes.load(tx, episode.id), now)


def _change_schedule(tx: Tx, episode: Episode, effect: PauseUntil | Resume | ChangeTime, now: datetime) -> None:
    today = local_today(now, episode.zone)
    match effect:
        case PauseUntil(day, first):
            begins = first or today
            episodes.place_hold(tx, now, episode, "pause", why="the patient asked for it", by="patient", from_day=begins, until_day=day)
            if begins <= today:
                outbox.cancel_waiting(tx, now, episode.patient_id, "on hold: pause", ("prompt", "nudge", "check_in"))
            detail = {"until": day.isoformat()} | ({"from": begins.isoformat()} if begins > today else {})
            audit.record(tx, now, "patient", "paused", clinic_id=episode.clinic_id, subject_id=episode.patient_id, detail=detail)
        case Resume(planned):
            if episodes.release_own_pauses(tx, now, episode.id, None if planned else today):
                audit.record(tx, now, "patient", "resumed", clinic_id=episode.clinic_id, subject_id=episode.patient_id)
            conversations.withdraw_all(tx, episode.id, now, ("pause_days", "confirm_pause"))
        case ChangeTime(at, was):
            _change_time(tx, episode, at, was, now)


def _change_time(tx: Tx, episode: Episode, at: time, was: time | None, now: datetime) -> None:
    """The prescription as it was, prompting at another time; the clinician who prescribed it stays its author. Runs go with the first."""
    plan = prescriptions.load(tx, episode.prescription_id)
    prompted = [(slot.number, slot.at) for slot in prompted_slots(plan)]
    moved = next((number for number, now_at in prompted if now_at == was), prompted[0][0] if prompted else RUN_SLOT)
    moving = {moved, RUN_SLOT} if not prompted or moved == prompted[0][0] else {moved}
    slots = tuple(slot.model_copy(update={"at": at}) if slot.number in moving else slot for slot in plan.slots)
    new_id = prescriptions.add(
        tx, now, clinic_id=episode.clinic_id, episode_id=episode.id, patient_id=episode.patient_id,
        document=plan.model_copy(update={"slots": slots}), staff_id=episode.physio_id,
        starts_on=max(local_today(now, episode.zone), prescriptions.list_starts(tx, episode.id)[-1][0]),  # a step taken is tomorrow's
        reason=prescriptions.OWN_TIME,
    )  # fmt: skip
    episodes.change(tx, episode.id, prescription_id=new_id)
    move_cursor(tx, episodes.load(tx, episode.id), now)
    audit.record(tx, now, "patient", "time_changed", clinic_id=episode.clinic_id, subject_id=episode.patient_id)


def _reply(tx: Tx, episode: Episode, turn: Turn, inbox_id: UUID, now: datetime) -> None:
    content: dict[str, Any] = {"lines": [_filled(tx, episode, line, turn, now) for line in turn.lines]}
    if turn.ask is not None:
        ask = turn.ask
        content["ask"] = {"kind": ask.kind, "day": ask.day and ask.day.isoformat(), "slot": ask.slot, "detail": dict(ask.detail)}
        if ask.again is not None:
            content["ask"]["again"] = str(ask.again)
        if ask.kind == "safety" and ask.again is None and "again" not in ask.detail:
            ask_tomorrow(tx, episode, content["ask"], now)
    if turn.change is not None:
        content["change"] = str(turn.change)
    if any(line.key in HOLD_IN_FULL for line in turn.lines):
        note_told(tx, episode, HOLD_TOLD, now)
    said_no = any(isinstance(effect, OptOut) for effect in turn.effects) or any(line.key == "how_to_begin" for line in turn.lines)
    kind = "safety" if turn.safety else "goodbye" if said_no else "reply"
    queue_for_patient(tx, episode, now, kind, f"reply:{inbox_id}", now, now + ANSWER_KEPT, content, lane="now")


def _filled(tx: Tx, episode: Episode, line: Line, turn: Turn, now: datetime) -> list[Any]:
    """A line's key and values, with those that only the history and the clinic's hours know."""
    if line.key == "passed_on":
        soon = any(isinstance(effect, ForPhysio) and effect.same_day for effect in turn.effects)
        by = flag_due_by(tx, episode, "same_day" if soon else "three_days", now)
        return [line.key, {"by": time_in_words(by, episode.zone, now, episode.language)}]
    if line.key != "progress":
        return [line.key, dict(line.values)]
    record = load_record(tx, episode, now)
    strip = [status for _, status in record.strip() if status in ("done", "partly", "not_done", "no_reply")]
    rated = [day.pain for day in record.rated_days if day.pain is not None]
    words = load_catalogue(episode.language)
    pain = words.texts["progress_pain"].replace("${first}", str(rated[0])).replace("${last}", str(rated[-1])) if len(rated) > 1 else ""
    if not strip:
        return ["progress_none", {}]
    replied = sum(status != "no_reply" for status in strip)
    done = sum(status in ("done", "partly") for status in strip)
    whole = (record.today - record.episode_start).days >= STRIP_DAYS
    return ["progress" if whole else "progress_so_far", {"done": done, "asked": len(strip), "replied": replied, "pain": pain}]


def _words_of_tap(told: Told, language: str, today: date) -> str:
    if told.tapped is None or told.answer is None:
        return ""
    catalogue, choices = load_catalogue(language), told.tapped.detail.get("choices", ())
    if told.tapped.kind == "which" and told.answer.isdecimal() and int(told.answer) < len(choices):
        return choice_label(choices[int(told.answer)], today, catalogue)
    return told.answer if told.answer.isdecimal() else catalogue.buttons.get(told.answer, told.answer)
