"""The 24-hour question: put in line when a session was done, and put back when the prompt that took it along did not go out."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from bot_service.actions.histories import local_today, rhythm_for
from bot_service.actions.prompt import queue_for_patient
from bot_service.conversation.exercise_text import time_of_several
from bot_service.storage import check_ins, entries, episodes, prescriptions
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.outbox import Message
from plans.model import Prescription
from schedules.follow_ups import check_in_time
from schedules.occurrences import next_occurrence


def plan_check_in(tx: Tx, episode: Episode, plan: Prescription, session: tuple[date, int], done_at: datetime, now: datetime) -> None:
    """Put the 24-hour question about a session in line: with a prompt that falls 16-36 hours after it, else by itself.

    Once for each day, unless the earlier ones never went out: taken back by a correction, or lost with the prompt that carried them.
    """
    day, slot = session
    low, high = (done_at + timedelta(hours=hours) for hours in plan.rules.after_24h.window_h)
    earlier = check_ins.list_of_day(tx, episode.id, day)
    if high <= now or any(check_ins.stands(tx, each) for each in earlier):
        return
    rhythm = rhythm_for(tx, episode, plan)
    upcoming = next_occurrence(rhythm, None, not_before=low)
    due = upcoming.due_at if upcoming and upcoming.due_at <= high else check_in_time(done_at, rhythm, plan.rules.after_24h.window_h)
    which = {"at": at} if (at := time_of_several(plan, slot, day)) else {}
    content = {
        "lines": [["ask_24h", {"day": day.isoformat(), **which}]],
        "ask": {"kind": "pain_24h", "day": day.isoformat(), "slot": slot},
    }
    key = ":".join(["check_in", str(episode.id), str(day), *([str(len(earlier))] if earlier else [])])
    queue_for_patient(tx, episode, now, "check_in", key, max(due, now), high, content, day=day, slot=slot)


def put_back_check_in(tx: Tx, lost: Message, now: datetime) -> None:
    """A prompt that would have asked about the last session never went out: the question goes by itself while it still can."""
    ask = lost.content.get("ask") or {}
    if lost.kind != "prompt" or ask.get("kind") != "pain_24h" or lost.episode_id is None:
        return
    episode = episodes.load(tx, lost.episode_id)
    in_care = episode.patient_status == "opted_in" and episode.status == "active"
    if not in_care or episodes.list_holds_in_force(tx, episode.id, local_today(now, episode.zone)):
        return
    day, slot = date.fromisoformat(ask["day"]), ask.get("slot") or 1
    told = [entry for entry in entries.list_current(tx, episode) if entry.confirmed and entry.day == day]
    done = next((entry for entry in told if entry.kind == "session" and (entry.slot or 1) == slot), None)
    if done is None or done.done_at is None:
        return
    plan = prescriptions.load(tx, episode.prescription_id)
    opens = done.done_at + timedelta(hours=plan.rules.after_24h.window_h[0])  # a number that was told before answers nothing
    if not any(entry.kind == "pain_24h" and entry.at >= opens for entry in told):
        plan_check_in(tx, episode, plan, (day, slot), done.done_at, now)
