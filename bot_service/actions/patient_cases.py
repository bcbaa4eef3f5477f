"""Cases that the patient's own words open or join: red-flag words, a message for the physio, whether they were seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from bot_service.actions.due import flag_due_by
from bot_service.actions.histories import local_today
from bot_service.actions.reminders import queue_seen_question, wrote_of_suicide
from bot_service.actions.withheld import stop_unwanted_news
from bot_service.clinical.catalogue import LAWFUL_MONTH, MESSAGE, RED_FLAG, Urgency
from bot_service.clinical.in_words import long_day
from bot_service.clinical.working_hours import a_month_after
from bot_service.conversation.safety import told_as
from bot_service.conversation.situation import ForPhysio, RedFlagged, Seen
from bot_service.conversation.states import MEASURED
from bot_service.storage import cases, conversations, episodes, escalations, outbox
from bot_service.storage.cases import Case, Raised
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode

MEDIA = {
    "photo": "a photo", "video": "a video", "video_note": "a video message", "voice": "a voice message", "audio": "a sound file",
    "location": "a location", "venue": "a place", "document": "a document", "contact": "a contact", "poll": "a poll",
}  # fmt: skip
"""What came that is no words, as the physio reads it."""

PUT_ASIDE = "put_aside"
ERASURE = "X7"
_CHORES = (
    "which_time",
    "confirm_time",
    "confirm_pause",
    "cancel_pause",
    "pause_days",
    "confirm_not_done",
    "rung",
    "reason",
    "which",
    *MEASURED,
)
"""What nobody is asked beside "go to A&E now". A number for a session is still taken, and no more asked for: see `conversation/held.py`."""


@dataclass(frozen=True)
class Heard:
    """The message that a turn answers: its row, and when the patient wrote it."""

    inbox_id: UUID
    at: datetime


def raise_red_flag(tx: Tx, episode: Episode, flagged: RedFlagged, heard: Heard, now: datetime) -> None:
    """Open the case or add to it, and hold the exercises where the tier says so."""
    today = local_today(now, episode.zone)
    sentence = {
        "EMERGENCY": "Emergency wording in the patient's message. Read it now.",
        "URGENT": "Wording in the patient's message that should be checked the same day.",
        "PROMPT": "Wording in the patient's message that should be looked at within three working days.",
    }[flagged.tier]
    urgency: Any = {"EMERGENCY": "now", "URGENT": "same_day", "PROMPT": "three_days"}[flagged.tier]
    open_case = cases.find_open(tx, episode, RED_FLAG)
    told = dict(open_case.reasons.get(RED_FLAG, {}).get("told", {})) if open_case else {}
    told[told_as(flagged)] = today.isoformat()
    detail = {"occurred": local_today(heard.at, episode.zone).isoformat(), "tier": flagged.tier, "family": flagged.family, "told": told}
    raised = Raised(RED_FLAG, RED_FLAG, urgency, sentence, detail, inbox_id=heard.inbox_id, words=flagged.words)
    cases.raise_case(tx, now, episode, raised, flag_due_by(tx, episode, urgency, now))
    if flagged.tier != "PROMPT":
        if episodes.place_hold(tx, now, episode, "red_flag", why="red-flag wording", by="rule D1", from_day=today):
            outbox.cancel_waiting(tx, now, episode.patient_id, "on hold: red_flag", ("prompt", "nudge", "check_in"))
            stop_unwanted_news(tx, episode, now)
            conversations.close_all(tx, episode.id, now, PUT_ASIDE, _CHORES)
        queue_seen_question(tx, episode, now)


def raise_erasure(tx: Tx, episode: Episode, words: str, heard: Heard, now: datetime) -> None:
    """A request to erase what is kept about the patient, for the clinic to answer; one case, however often it is asked."""
    asked_on = local_today(heard.at, episode.zone)
    answered_by = long_day(a_month_after(asked_on))
    sentence = f"The patient asked for their data to be erased. By law the clinic answers within one month: by {answered_by}."
    if (before := cases.find_open(tx, episode, ERASURE)) is not None:  # the month counts from the first time
        sentence = before.sentence
    detail = {"occurred": asked_on.isoformat(), "basis": LAWFUL_MONTH}
    raised = Raised(ERASURE, ERASURE, "three_days", sentence, detail, inbox_id=heard.inbox_id, words=words)
    cases.raise_case(tx, now, episode, raised, flag_due_by(tx, episode, "three_days", now))


def keep_for_physio(tx: Tx, episode: Episode, note: ForPhysio, heard: Heard, now: datetime) -> bool:
    """What a person should read, on a case of its own; True when the rules look again: it joins a red flag, or says what is wrong."""
    detail = {"occurred": local_today(heard.at, episode.zone).isoformat()}
    red_flag = _held_by(tx, episode, now)
    urgency: Urgency = "routine" if note.media else "same_day" if note.same_day else "three_days"
    if note.media is not None:
        sentence = f"The patient sent {MEDIA.get(note.media, 'something that is not text')}. It is not kept here: ask them about it."
        raised = Raised("media", note.rule, urgency, sentence, detail, inbox_id=heard.inbox_id)
    elif note.rule == "X2":
        sentence = "Could not be read as an answer: please read the patient's words."
        raised = Raised("X2", "X2", urgency, sentence, detail, inbox_id=heard.inbox_id, words=note.words)
    else:
        before = red_flag or cases.find_open(tx, episode, MESSAGE)
        unread = str(heard.inbox_id) if note.tell_when_read else before and before.reasons.get(MESSAGE, {}).get("unread")
        detail |= {"unread": unread} if unread else {}
        due_at = flag_due_by(tx, episode, urgency, now)
        detail |= {"newest_due": due_at.isoformat()}
        sentence = _written(tx, red_flag, before)
        raised = Raised(MESSAGE, MESSAGE, urgency, sentence, detail, inbox_id=heard.inbox_id, words=note.words)
    if red_flag is None:
        cases.raise_case(tx, now, episode, raised, flag_due_by(tx, episode, urgency, now))
        return note.same_day  # the words after *Something's wrong* settle what stood there without words
    _join(tx, episode, red_flag, raised, now)
    return True


def _written(tx: Tx, red_flag: Case | None, before: Case | None) -> str:
    """How many messages have come together on one case, whose words are the latest."""
    count = 1 + len(cases.list_evidence(tx, before.id)) if before is not None and red_flag is None else 1
    return "The patient has written to you." if count == 1 else f"The patient has written to you: {count} messages."


def _held_by(tx: Tx, episode: Episode, now: datetime) -> Case | None:
    """The open red flag that holds the exercises."""
    holds = episodes.list_holds_in_force(tx, episode.id, local_today(now, episode.zone))
    if not any(hold.kind == "red_flag" for hold in holds):
        return None
    return cases.find_open(tx, episode, RED_FLAG)


def _join(tx: Tx, episode: Episode, red_flag: Case, raised: Raised, now: datetime) -> None:
    """What was written after the red-flag words, as evidence beside them; who has acknowledged those has not seen it."""
    urgency: Any = red_flag.urgency
    due_at = flag_due_by(tx, episode, urgency, now)
    escalations.reopen(tx, now, red_flag.id, due_at)
    cases.raise_case(tx, now, episode, replace(raised, case_key=RED_FLAG), due_at)


def note_seen(tx: Tx, episode: Episode, seen: Seen, heard: Heard, now: datetime) -> None:
    """What the patient says about having been seen, on the open red flag; a No that comes after it was cleared is told all the same."""
    open_case = cases.find_open(tx, episode, RED_FLAG)
    asked = conversations.find_latest(tx, episode.id, "seen")
    talked = wrote_of_suicide(open_case) if open_case else asked is not None and asked.detail.get("of") == "suicide"
    if talked:
        words = "Could talk to somebody" if seen.yes else "Has not talked to anybody"
    else:
        words = "Was seen about it" if seen.yes else "Has not been seen about it"
    if open_case is None:
        if not seen.yes:
            keep_for_physio(tx, episode, ForPhysio("X3", f"{words} (asked after the red flag)", same_day=True), heard, now)
        return
    raised = Raised(RED_FLAG, RED_FLAG, open_case.urgency, open_case.sentence, open_case.reasons.get(RED_FLAG, {}), inbox_id=heard.inbox_id)
    cases.raise_case(tx, now, episode, raised, open_case.due_at)
    what = f"{'talked' if talked else 'seen'}_{'yes' if seen.yes else 'no'}"
    cases.record_event(tx, now, open_case.id, what, f"patient: {words}")
    if seen.unasked:
        outbox.cancel_waiting(tx, now, episode.patient_id, "answered already", ("seen",))


def note_told(tx: Tx, episode: Episode, what: str, now: datetime) -> None:
    """Let the open red flag remember that this was said in full today."""
    case = cases.find_open(tx, episode, RED_FLAG)
    if case is not None:
        cases.note_told(tx, case, what, local_today(now, episode.zone))
