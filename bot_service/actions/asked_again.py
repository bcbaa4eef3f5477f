"""Questions that must not stay without an answer, the safety question and the usual pain: asked once more the next day, then shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from bot_service.actions.due import flag_due_by
from bot_service.actions.histories import local_day_span, local_today, rhythm_for
from bot_service.actions.prompt import queue_for_patient
from bot_service.actions.voices import prompt_time
from bot_service.clinical.in_words import long_day
from bot_service.storage import cases, check_ins, conversations, entries, episodes, outbox, prescriptions
from bot_service.storage.cases import Raised
from bot_service.storage.conversations import Question
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.outbox import Message
from schedules.follow_ups import out_of_quiet
from schedules.wall_time import instant

RULE = {"safety": "X4", "baseline": "X5", "what_is_wrong": "X8"}
"""The rule under which the physio sees that each of them has no answer."""
_LEFT_OPEN = {
    "safety": "No answer to the safety question. Please ask.",
    "what_is_wrong": "Tapped “Something's wrong” and wrote nothing. Please ask what it is.",
}
SENDABLE = timedelta(hours=12)
"""How late the question is still asked again (default)."""
WORDS_TAKE = timedelta(hours=1)
"""How long somebody who tapped *Something's wrong* has to write what (default): time to type it, and soon enough for the same day."""
_WORDS = {"safety": "safety_question", "baseline": "again_baseline"}
_CARRIED_BY = ("prompt", "check_in")
_ABOUT_SAFETY = ("safety", "what_is_wrong", "new_or_worse", "seen")
"""Questions whose answer nothing else that is asked may take."""
State = Literal["answered", "fresh", "waiting"]


def ask_tomorrow(tx: Tx, episode: Episode, ask: Mapping[str, Any], now: datetime) -> None:
    """Put a question that was asked just now in line once more: tomorrow, at the time the patient is used to."""
    plan, today = prescriptions.load(tx, episode.prescription_id), local_today(now, episode.zone)
    tomorrow, at = today + timedelta(days=1), prompt_time(plan.slots)
    due = instant(tomorrow, at, episode.zone) if at else now + timedelta(days=1)
    due = out_of_quiet(due, rhythm_for(tx, episode, plan), earlier=False)
    again = {"kind": ask["kind"], "day": ask.get("day"), "slot": ask.get("slot"), "detail": {"again": True}}
    content = {"lines": [["still_open", {"day": today.isoformat()}], [_WORDS[ask["kind"]], {}]], "ask": again}
    key = f"again:{episode.id}:{ask['kind']}:{today}"
    queue_for_patient(tx, episode, now, "again", key, due, due + SENDABLE, content, day=tomorrow)


def look_for_words(tx: Tx, episode: Episode, now: datetime) -> None:
    """Look at the rules again once there has been time to write what is wrong."""
    looked = episodes.load(tx, episode.id).next_review_at
    if episode.patient_status == "opted_in" and (looked is None or looked > now + WORDS_TAKE):
        episodes.change(tx, episode.id, next_review_at=now + WORDS_TAKE)


def no_longer_asked_again(tx: Tx, message: Message, episode: Episode, now: datetime) -> str | None:
    """Why the question need not go out by itself: it has its answer, or another message of the day carries it."""
    kind = message.content["ask"]["kind"]
    if _state_of(conversations.find_latest(tx, episode.id, kind), episode, now) == "answered" or (
        kind == "baseline" and episode.baseline is not None
    ):
        return "answered already"
    if kind == "baseline":
        return None
    start, end = local_day_span(local_today(now, episode.zone), episode.zone)
    if safety_to_ask(tx, episode, now) is None:
        return "asked together with another message"
    prompted = episode.next_prompt_at is not None and start <= episode.next_prompt_at < end
    return "asked together with another message" if prompted or check_ins.is_one_coming(tx, episode.id, end) else None


def with_open_safety(tx: Tx, message: Message, episode: Episode, now: datetime) -> Mapping[str, Any]:
    """What the day's message says now: yesterday's safety question before everything else; what it would have said follows the answer.

    The 24-hour question does not wait for that: it is put in the same message, and a number answers it.
    For this try only: when it does not go out, the question may have its answer before the next.
    """
    if message.kind not in _CARRIED_BY or (question := safety_to_ask(tx, episode, now)) is None:
        return message.content
    asked = message.content.get("ask") or {}
    detail: dict[str, Any] = {"again": True} | ({"which": question.detail["which"]} if "which" in question.detail else {})
    if message.kind == "prompt":
        detail["show"] = message.slot
    said: Mapping[str, str] = next((values for key, values in message.content["lines"] if key == "ask_24h"), {})
    if asked.get("kind") == "pain_24h":
        then = {"day": asked["day"], "slot": asked.get("slot"), "until": _last_moment(tx, episode, asked, now).isoformat()}
        at = {"at": said["at"]} if "at" in said else {}
        detail |= {"then": then | at, "beside": True}
    lines: list[list[Any]] = [["still_open", {"day": local_today(question.opened_at, episode.zone).isoformat()}], ["safety_question", {}]]
    if asked.get("kind") == "pain_24h":
        lines.append(["then_24h", {"day": asked["day"], **said}])
    if message.kind == "prompt":
        of_day = (message.day or local_today(now, episode.zone)).isoformat()
        lines.append(["exercises_follow", {"day": of_day, "slot": message.slot}])
    ask = {"kind": "safety", "day": question.day and question.day.isoformat(), "slot": question.slot, "detail": detail}
    return {"lines": lines, "ask": ask} | ({"also": asked} if asked.get("kind") == "pain_24h" else {})


def still_to_follow(detail: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """A question's detail without the 24-hour question that should follow its answer, once it is too late for that one."""
    until = (detail.get("then") or {}).get("until")
    if until is None or now <= datetime.fromisoformat(until):
        return detail
    return {name: value for name, value in detail.items() if name != "then"}


def _last_moment(tx: Tx, episode: Episode, asked: Mapping[str, Any], now: datetime) -> datetime:
    """Until when the 24-hour question about a session may be put (`clinical.md` 0.4: 36 hours after it was done)."""
    hours = prescriptions.load(tx, episode.prescription_id).rules.after_24h.window_h[1]
    sessions = [entry for entry in entries.list_current(tx, episode) if entry.kind == "session" and entry.day.isoformat() == asked["day"]]
    done = [entry.done_at for entry in sessions if (entry.slot or 1) == (asked.get("slot") or 1) and entry.done_at is not None]
    return max(done, default=now) + timedelta(hours=hours)


def safety_to_ask(tx: Tx, episode: Episode, now: datetime) -> Question | None:
    """The safety question of an earlier day that is still open and was asked only once."""
    today = local_today(now, episode.zone)
    waiting = (each for each in conversations.list_open(tx, episode.id, now) if each.kind == "safety" and not each.detail.get("again"))
    return next((each for each in waiting if local_today(each.opened_at, episode.zone) < today), None)


def safety_waits(tx: Tx, episode: Episode, now: datetime) -> bool:
    """Whether a question about safety is open, or about to be: nothing that could take its answer is asked beside it."""
    asked = {each.kind for each in conversations.list_open(tx, episode.id, now)} | set(_about_to_ask(tx, episode))
    return not asked.isdisjoint(_ABOUT_SAFETY)


def _about_to_ask(tx: Tx, episode: Episode) -> dict[str, Mapping[str, Any]]:
    """What the answers that have not gone out yet ask, by kind."""
    return {
        each.content["ask"]["kind"]: each.content["ask"] for each in outbox.find_waiting(tx, episode.id, "reply") if each.content.get("ask")
    }


def raise_left_open(tx: Tx, episode: Episode, now: datetime, said: UUID | None) -> None:
    """The patient stops all messages with a question about safety unanswered, or what is wrong unsaid: the physio sees it at once.

    `said` is the message in which they stop. Nobody can ask here again. Call it before what is open is closed and what waits is cancelled.
    """
    opened = {each.kind: each for each in reversed(conversations.list_open(tx, episode.id, now))}
    waiting = _about_to_ask(tx, episode)
    for kind, sentence in _LEFT_OPEN.items():
        question, rule = opened.get(kind), RULE[kind]
        detail = question.detail if question is not None else waiting.get(kind, {}).get("detail", {})
        if (question is None and kind not in waiting) or detail.get("flagged"):
            continue
        raised = _raised(tx, episode, question, rule) if question is not None else None
        about = {"occurred": local_today(now, episode.zone).isoformat(), "basis": "default"}
        raised = raised or Raised(rule, rule, "same_day", sentence, about)
        raised = replace(raised, sentence=f"{raised.sentence} The patient has stopped all messages.", inbox_id=said)
        cases.raise_case(tx, now, episode, raised, flag_due_by(tx, episode, "same_day", now))


def unanswered(tx: Tx, episode: Episode, now: datetime) -> dict[str, Raised | None]:
    """For each rule about a missing answer what the physio should see: None when it has its answer, no entry when it is too early."""
    found: dict[str, Raised | None] = {}
    closed = cases.list_last_closed(tx, episode.id)
    for kind, rule in RULE.items():
        question = conversations.find_latest(tx, episode.id, kind)
        if question is None and kind != "baseline":
            continue
        state = _state_of(question, episode, now)
        if state == "answered" or (kind == "baseline" and episode.baseline is not None):
            found[rule] = None
        elif state == "waiting" and question is not None and (rule not in closed or closed[rule][0] < question.opened_at):
            found[rule] = _raised(tx, episode, question, rule)
    return found


def _without_words(question: Question, now: datetime) -> State:
    """What is wrong, with no words: where a red flag was raised by the same answer, that is what the physio sees."""
    if question.detail.get("flagged") or question.closed_at is not None:
        return "answered"
    return "waiting" if now - question.opened_at >= WORDS_TAKE else "fresh"


def _state_of(question: Question | None, episode: Episode, now: datetime) -> State:
    """Whether the question that was asked last of its kind has its answer, may still get one, or waits since an earlier day."""
    if question is None or question.closed_why == "answered":
        return "answered"
    if question.closed_why not in (None, "asked_again"):
        return "fresh"  # the patient stopped: nobody waits for an answer, and there is none
    if question.kind == "what_is_wrong":
        return _without_words(question, now)
    days = (local_today(now, episode.zone) - local_today(question.opened_at, episode.zone)).days
    if question.kind == "safety":  # it cannot wait for the second day to be over
        return "waiting" if days >= 1 or question.detail.get("again") else "fresh"
    return "waiting" if days >= (1 if question.detail.get("again") else 2) else "fresh"


def _raised(tx: Tx, episode: Episode, question: Question, rule: str) -> Raised:
    asked_on = local_today(question.opened_at, episode.zone)
    detail, asked_in = {"occurred": asked_on.isoformat(), "basis": "default"}, [question.outbox_id] if question.outbox_id else []
    if rule == RULE["baseline"]:
        sentence = "Agreed to the reminders, but has not said how the usual pain is, asked twice. Exercises begin only when it is known."
        return Raised(rule, rule, "three_days", sentence, detail, messages=asked_in)
    if rule == RULE["what_is_wrong"]:
        return Raised(rule, rule, "same_day", _LEFT_OPEN["what_is_wrong"], detail, messages=asked_in)
    rows = [entry for entry in entries.list_current(tx, episode) if (entry.day, entry.slot or 1) == (question.day, question.slot or 1)]
    which = question.detail.get("which")
    which = None if which is None or which.get("of_session") else which
    scored = [entry for entry in rows if entry.score is not None and entry.at <= question.opened_at and which is None]
    asked_by = sorted(scored, key=lambda entry: entry.score or 0)[-1:]  # never the day after's 3 in the place of the 9 that asked
    worst = which.get("worst", which["score"]) if which else None
    why = f" after pain {asked_by[0].score}/10" if asked_by else f" after pain {worst}/10, not known for which session" if which else ""
    session = f" ({long_day(question.day)})" if isinstance(question.day, date) and which is None else ""
    sentence = (
        f"No answer to the safety question{why}{session}: new bruising, weakness, numbness and the like are not ruled out. Please ask."
    )
    return Raised(rule, rule, "same_day", sentence, detail, tuple(entry.id for entry in asked_by), messages=asked_in)
