"""Single messages that a rule queues for later: asking whether the patient was seen, and the one message after a week of silence."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from bot_service.actions.histories import local_today, rhythm_for
from bot_service.actions.prompt import queue_for_patient
from bot_service.actions.voices import prompt_time
from bot_service.clinical.catalogue import RED_FLAG
from bot_service.storage import cases, conversations, episodes, outbox, prescriptions
from bot_service.storage.cases import Case
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from schedules.follow_ups import out_of_quiet
from schedules.wall_time import instant

SEEN_ASKED = 2
"""On how many days it is asked, until there is an answer (default)."""
MORNING = time(8)
"""When it is asked where there are neither quiet hours nor a time for exercises (default)."""


def queue_seen_question(tx: Tx, episode: Episode, now: datetime) -> None:
    """The day after red-flag words: "were you seen?" (`clinical.md` 0.10), in the morning, when quiet hours end.

    After suicidal words it asks whether they could talk to somebody, and speaks of nothing else.

    It is asked once more the day after that, unless there is an answer by then. What an earlier hit would still ask gives way to this.
    """
    if episode.patient_status != "opted_in":
        return
    outbox.cancel_waiting(tx, now, episode.patient_id, "asked about the latest message", ("seen",))
    _queue_seen(tx, episode, now, now)


def plan_seen_again(tx: Tx, episode: Episode, now: datetime) -> None:
    """What a STOP cancelled, or what nobody who had not agreed yet was asked: the same question, while the red flag still holds."""
    held = any(hold.kind == "red_flag" for hold in episodes.list_holds_in_force(tx, episode.id, local_today(now, episode.zone)))
    case = cases.find_open(tx, episode, RED_FLAG)
    if held and case is not None and no_longer_asked(tx, episode) is None:
        _queue_seen(tx, episode, cases.last_hit_at(tx, case.id) or now, now)


def _queue_seen(tx: Tx, episode: Episode, said_at: datetime, now: datetime) -> None:
    hit = tx.new_id()
    plan = prescriptions.load(tx, episode.prescription_id)
    today, rhythm = local_today(now, episode.zone), rhythm_for(tx, episode, plan)
    never_quiet = rhythm.quiet.start == rhythm.quiet.end
    at = (prompt_time(plan.slots) or MORNING) if never_quiet else rhythm.quiet.end
    said_on = local_today(said_at, episode.zone)
    of_suicide = wrote_of_suicide(cases.find_open(tx, episode, RED_FLAG))
    content = {
        "lines": [["ask_talked" if of_suicide else "ask_seen", {"day": said_on.isoformat()}]],
        "ask": {"kind": "seen", "detail": {"of": "suicide"} if of_suicide else {}},
    }
    for ahead in range(1, SEEN_ASKED + 1):
        day = today + timedelta(days=ahead)
        due = out_of_quiet(instant(day, at, episode.zone), rhythm, earlier=False)
        queue_for_patient(tx, episode, now, "seen", f"seen:{hit}:{day}", due, due + timedelta(hours=10), content, day=day)


def wrote_of_suicide(case: Case | None) -> bool:
    """Whether the latest red-flag words of that case were suicidal."""
    return case is not None and case.reasons.get(RED_FLAG, {}).get("family") == "suicide"


def no_longer_asked(tx: Tx, episode: Episode) -> str | None:
    """Why nobody need ask any more whether the patient was seen; an answer to what was asked before the last hit is not one."""
    case = cases.find_open(tx, episode, RED_FLAG)
    if case is None:
        return "cleared by a clinician"
    hit, answered = cases.last_hit_at(tx, case.id), conversations.last_answered(tx, episode.id, "seen")
    return "answered already" if answered is not None and (hit is None or answered > hit) else None


def stop_for_silence(tx: Tx, episode: Episode, now: datetime) -> None:
    """After a week without a word: one message, then no more prompts until the patient writes (`clinical.md` 0.12)."""
    today = local_today(now, episode.zone)
    if not episodes.place_hold(tx, now, episode, "lost_contact", why="no reply for a week", by="rule D5", from_day=today):
        return
    outbox.cancel_waiting(tx, now, episode.patient_id, "on hold: lost_contact", ("prompt", "nudge", "check_in"))
    plan = prescriptions.load(tx, episode.prescription_id)
    at = prompt_time(plan.slots)
    due = max(now, instant(today, at, episode.zone)) if at else now
    due = out_of_quiet(due, rhythm_for(tx, episode, plan), earlier=False)
    content = {"lines": [["silence", {}]]}
    queue_for_patient(tx, episode, now, "silence", f"silence:{episode.id}:{today}", due, due + timedelta(hours=12), content, day=today)
