"""Another time for the exercises: which time, which half of the day, and the confirmation; nothing changes without a Yes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import time

from bot_service.conversation.exercise_text import prompted_slots
from bot_service.conversation.parsing import Reading
from bot_service.conversation.situation import Ask, Asked, ChangeTime, Close, Line, Situation, Turn
from bot_service.conversation.states import KINDS
from bot_service.conversation.times import halves, may_be_time, times_meant
from bot_service.conversation.which_one import ask_which
from bot_service.conversation.wording import load_catalogue


def which_time(now: Situation, said: Line | None = None, **detail: str) -> Turn:
    """What time suits, held open until it is answered, dropped, or the day is over."""
    held = next((question.id for question in now.open if question.kind == "which_time" and question.is_open), None)
    ask = Ask("which_time", detail={"on": now.today.isoformat(), **detail}, again=None if detail else held)
    closed = (Close(held),) if held is not None and ask.again is None else ()
    return Turn(closed, (said or Line("time_which"),), ask)


def answer_time(text: str, reading: Reading, question: Asked, now: Situation) -> Turn | None:
    """The time in an answer; a number that may as well be for a question about pain is asked about. None for other words."""
    if reading.score is not None and may_be_time(text, now.language) and any(KINDS[each.kind].scored for each in now.open):
        return ask_which(reading.score, now)
    return time_named(text, question, now)


def time_named(text: str, question: Asked, now: Situation) -> Turn | None:
    """What follows from a message that is a time and nothing else, while "what time suits you?" is open; None for other words."""
    hour = question.detail.get("hour")
    meant = times_meant(text, now.language, time.fromisoformat(hour) if hour else None)
    return _asked_about(meant, now) if meant else None


def hour_meant(hour: int, question: Asked, now: Situation) -> Turn:
    """A bare number that was said to be for the time."""
    if question.is_open and (meant := halves(hour)):
        return _asked_about(meant, now)
    return which_time(now)


def ask_time(at: time, now: Situation) -> Turn:
    """Another time for exercises that keep their place in the day at it; where there are others that day, which ones stay is said."""
    wanted = f"{at:%H:%M}"
    moot = tuple(Close(question.id) for question in now.open if question.kind == "which_time")
    slots = prompted_slots(now.record.prescription) if now.record else []
    if len(slots) < 2:
        return Turn(moot, (Line("confirm_time", {"at": wanted}),), Ask("confirm_time", detail={"at": wanted}))
    if any(slot.at == at for slot in slots):
        return which_time(now, Line("time_taken", {"at": wanted}))
    moved = next((slot for slot in reversed(slots) if slot.at < at), slots[0])
    comma = load_catalogue(now.language).words["comma"]
    first, other = f"{moved.at:%H:%M}", comma.join(f"{slot.at:%H:%M}" for slot in slots if slot is not moved)
    ask = Ask("confirm_time", detail={"at": wanted, "first": first, "other": other})
    return Turn(moot, (Line("confirm_time_one", {"at": wanted, "first": first, "other": other}),), ask)


def confirm_time(answer: str, question: Asked, now: Situation) -> Turn:
    """Yes or No to another time; asked anew where the plan was changed since."""
    if answer != "yes":
        return Turn((Close(question.id),), (Line("left_as_is"),))
    at, detail = time.fromisoformat(question.detail["at"]), question.detail
    as_of_now = ask_time(at, now)
    changed = as_of_now.ask is None or as_of_now.ask.kind != "confirm_time"
    if changed or any(detail.get(name) != as_of_now.ask.detail.get(name) for name in ("first", "other")):  # type: ignore[union-attr]
        return replace(as_of_now, effects=(Close(question.id), *as_of_now.effects))
    was = time.fromisoformat(detail["first"]) if "first" in detail else None
    if "other" in detail:
        moved = Line("time_changed_one", {"at": detail["at"], "first": detail["first"], "other": detail["other"]})
    else:
        moved = Line("time_changed", {"at": detail["at"]})
    return Turn((ChangeTime(at, was), Close(question.id)), (moved,))


def _asked_about(meant: Sequence[time], now: Situation) -> Turn:
    """Confirmed when it is one time; else which half of the day."""
    if len(meant) == 1:
        return ask_time(meant[0], now)
    first, second = (f"{each:%H:%M}" for each in meant)
    return which_time(now, Line("time_half", {"first": first, "second": second}), hour=first)
