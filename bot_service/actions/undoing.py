"""Taking a decision or a message back while nothing of it has gone to the patient, and opening a case again. Nothing is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from bot_service.actions.assess import assess
from bot_service.actions.deciding import NEWS_KEPT, Decision, episode_of, note_decision
from bot_service.actions.histories import local_today, rhythm_for
from bot_service.actions.news_first import is_of_exercises, next_prompt_at
from bot_service.actions.prescribing import PLAN_CHANGED, put_back
from bot_service.actions.reminders import plan_seen_again
from bot_service.actions.sealed_words import with_words
from bot_service.actions.withheld import stop_unwanted_news
from bot_service.clinical.catalogue import RED_FLAG
from bot_service.errors import Conflict, NotFound
from bot_service.storage import case_care, cases, episodes, outbox, prescriptions, reviews, undone
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.outbox import NEVER_WENT_OUT, UNSOLICITED, Message
from bot_service.storage.reviews import Proposed
from schedules.quiet import is_quiet, out_of_quiet

UNDO_FOR = timedelta(seconds=30)
"""How long the news of what is decided on the page waits, so that it can be undone (default)."""
UNDOABLE = ("approved", "held", "stepped_back", "rewritten")
WAITS = ("due", "claimed")
HOLDS = ("now", "same_day")
"""How urgent a red flag is that holds the exercises: all tiers but PROMPT (`clinical.md` 0.10)."""
OF_A_CLINICIAN = "from_physio"


@dataclass(frozen=True)
class Undoable:
    """A decision, or a message when `decided` is None, of which nothing has gone out; `told_at` is when the patient hears of it."""

    id: UUID
    decided: Proposed | None
    told_at: datetime | None


def undo(db: Database, decision: Decision, decided_id: UUID, now: datetime) -> None:
    """Put things back as they were before a decision, with a row of its own that says so. Raises Conflict when it is too late, NotFound."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        decided = next((item for item in reviews.list_proposals(tx, episode) if item.id == decided_id), None)
        if decided is None:
            raise NotFound("no such decision")
        if why := _objection(tx, episode, decided, now):
            raise Conflict(why)
        stood = decided.detail["undo"]
        news = undone.find_of_key(tx, stood["news"])
        if news is not None and not _cancel(tx, news, decision, now):
            raise Conflict(_TOLD)
        if not reviews.mark_undone(tx, now, episode, decided, decision.member.id):
            raise Conflict(_NOT_IN_FORCE)
        if stood["after"] != stood["prescription"]:
            put_back(tx, episode, UUID(stood["prescription"]), stood["stage"], date.fromisoformat(stood["stage_start"]), now)
            stop_unwanted_news(tx, episode, now)
        if decided.decided_at is not None:
            undone.restore(tx, now, episode.patient_id, PLAN_CHANGED, decided.decided_at)
        reviews.put_back(tx, [UUID(each) for each in stood["held"]], "released", "held")
        reviews.withdraw_pending(tx, now, episode.id)
        reviews.put_back(tx, [UUID(each) for each in stood["offers"]], "withdrawn", "offered")
        for each in stood["cases"]:
            case_care.reopen_case(tx, now, episode, UUID(each), decision.member.name, decision.member.id)
        episodes.count_evidence(tx, episode.id)
        assess(tx, episodes.load(tx, episode.id), now)
        note_decision(tx, now, decision, episode, "decision_undone", {"was": decided.status})


def take_message_back(db: Database, decision: Decision, message_id: UUID, now: datetime) -> str:
    """Cancel the clinician's own words before they go out; the words, to be written anew. Raises Conflict when it is too late, NotFound."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        message = outbox.load(tx, message_id)
        if message is None or message.patient_id != episode.patient_id or not _is_own_words(message):
            raise NotFound("no such message")
        if not _cancel(tx, message, decision, now):
            raise Conflict("it is too late to take this message back: it has gone out, or was taken back before")
        words = with_words(tx, episode, message.content)["lines"][0][1]["words"]
        note_decision(tx, now, decision, episode, "message_taken_back", {})
    return str(words)


def reopen_case(db: Database, decision: Decision, case_id: UUID, now: datetime) -> None:
    """Open a closed case again. Raises Conflict when it is open, NotFound.

    A red flag of a tier that holds the exercises holds them again, and the patient is asked again whether they were seen.
    """
    with db.begin() as tx:
        episode = episode_of(tx, decision, sees_to=True)
        case = cases.load_case(tx, episode, case_id)
        if case is None:
            raise NotFound("no such case for this patient")
        if not case_care.reopen_case(tx, now, episode, case.id, decision.member.name, decision.member.id):
            raise Conflict("this case is open already, or another one like it is")
        if case.case_key == RED_FLAG:
            reviews.withdraw_pending(tx, now, episode.id)
        if case.case_key == RED_FLAG and case.urgency in HOLDS and episode.status == "active":
            today = local_today(now, episode.zone)
            episodes.place_hold(tx, now, episode, "red_flag", why=decision.reason, by=decision.member.name, from_day=today)
            outbox.cancel_waiting(tx, now, episode.patient_id, "on hold: red_flag", ("prompt", "nudge", "check_in"))
            stop_unwanted_news(tx, episode, now)
            if episode.patient_status == "opted_in":
                plan_seen_again(tx, episode, now)
        note_decision(tx, now, decision, episode, "case_reopened", {"rule": case.rule})


def list_undoable(tx: Tx, episode: Episode, now: datetime) -> list[Undoable]:
    """What can be taken back at this moment: the last decision, and messages that wait."""
    decided = [item for item in reviews.list_proposals(tx, episode) if item.status in UNDOABLE and not _objection(tx, episode, item, now)]
    found = [Undoable(item.id, item, _told_at(tx, episode, undone.find_of_key(tx, item.detail["undo"]["news"]), now)) for item in decided]
    waiting = [message for message in outbox.find_waiting(tx, episode.id, "news") if _is_own_words(message)]
    return found + [Undoable(message.id, None, _told_at(tx, episode, message, now)) for message in waiting]


def goes_out_at(tx: Tx, episode: Episode, kind: str, due_at: datetime) -> datetime:
    """When a message that is due then goes out: what answers nothing waits for the end of quiet hours, but a prompt at a chosen time."""
    rhythm = rhythm_for(tx, episode, prescriptions.load(tx, episode.prescription_id))
    waits = kind in UNSOLICITED and not (kind == "prompt" and is_quiet(due_at, rhythm))
    return out_of_quiet(due_at, rhythm, earlier=False) if waits else due_at


_TOLD = "it is too late to undo this: the patient has been told, or is being told now; decide anew instead"
_NOT_IN_FORCE = "this decision is not in force any more; look at the page again"


def _objection(tx: Tx, episode: Episode, decided: Proposed, now: datetime) -> str | None:
    """Why a decision cannot be undone."""
    if decided.status not in UNDOABLE or decided.decided_at is None or "undo" not in decided.detail:
        return _NOT_IN_FORCE
    stood = decided.detail["undo"]
    times = [item.decided_at for item in reviews.list_proposals(tx, episode) if item.status in UNDOABLE and item.decided_at]
    if max(times) > decided.decided_at or stood["after"] != str(episode.prescription_id):
        return "something else was decided since; decide anew instead"
    if now - decided.decided_at > NEWS_KEPT or episode.status != "active":
        return "it is too late to undo this; decide anew instead"
    news = undone.find_of_key(tx, stood["news"])
    if news is not None and news.status not in (*WAITS, *NEVER_WENT_OUT):
        return _TOLD
    if stood["after"] != stood["prescription"] and undone.shown_since(tx, episode.patient_id, UUID(stood["after"])):
        return "it is too late to undo this: the patient has had a message under the new plan; decide anew instead"
    return None


def _cancel(tx: Tx, message: Message, decision: Decision, now: datetime) -> bool:
    """Whether the message never goes out: this very moment decides, since whoever sends it swaps the same state."""
    reason = f"taken back by {decision.member.name}"
    return outbox.move(tx, message.id, WAITS, "cancelled", now, reason) or message.status in NEVER_WENT_OUT


def _told_at(tx: Tx, episode: Episode, message: Message | None, now: datetime) -> datetime | None:
    """When it goes out at the earliest, quiet hours included: no later than the next exercises, which it goes before; None when never."""
    if message is None or message.status not in WAITS:
        return None
    at, first = goes_out_at(tx, episode, message.kind, message.due_at), next_prompt_at(tx, episode)
    return min(at, max(first, now)) if first and is_of_exercises(message) else at


def _is_own_words(message: Message) -> bool:
    return message.kind == "news" and any(key == OF_A_CLINICIAN for key, _ in message.content.get("lines", ()))
