"""What is shown of the plan when the patient asks for it: the exercises, how to do them, or why there are none now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot_service.conversation.exercise_text import next_day_with_slots, slots_on
from bot_service.conversation.situation import Ask, Asked, Line, Situation, Turn


def how_to(question: Asked | None, now: Situation) -> Turn:
    """The steps of the session that the message was about, or of today's."""
    day = question.day if question and question.day else now.today
    return Turn(lines=(Line("how_to", {"day": day.isoformat(), "slot": question.slot if question else 1}),), ask=same_again(question))


def show_exercises(slot: int | None, now: Situation) -> Turn:
    """The exercises that wait for an answer, else today's; on a day without any, when the next ones come."""
    if {"red_flag", "physio_first"} & now.held:
        return Turn(lines=(Line("held_for_physio"),))
    if "clinic_pause" in now.held:
        return Turn(lines=(Line("paused_by_team"),))
    if "pause" in now.held:
        return _while_paused(now)
    waiting = next((question for question in now.open if question.kind == "session" and slot in (None, question.slot)), None)
    plan = now.record.prescription if now.record else None
    today = slots_on(plan, now.today) if plan else [1]
    shown = waiting.slot if waiting is not None else slot if slot in today else next(iter(today), None)
    safety = next((question for question in now.open if question.kind == "safety"), None)
    if safety is not None and shown is not None:  # signs of something else are asked about before any exercise
        about = {**safety.detail, "show": shown}
        return Turn(lines=(Line("again_safety"),), ask=Ask("safety", safety.day, safety.slot, about))
    if waiting is not None and waiting.day is not None:
        return Turn(lines=(Line("exercises", {"day": waiting.day.isoformat(), "slot": waiting.slot}),), ask=same_again(waiting))
    if shown is None:
        coming = next_day_with_slots(plan, now.today) if plan else None
        return Turn(lines=(Line("rest_day", {"day": coming.isoformat()}) if coming else Line("nothing_asked"),))
    return Turn(lines=(Line("exercises", {"day": now.today.isoformat(), "slot": shown}),), ask=Ask("session", now.today, shown))


def same_again(question: Asked | None) -> Ask | None:
    """An open question under the next message too, without opening another."""
    if question is None or not question.is_open:
        return None
    return replace(Ask(question.kind, question.day, question.slot, question.detail), again=question.id)


def _while_paused(now: Situation) -> Turn:
    """No day is named before the pause is over: the next exercises are those of the first exercise day from its end on."""
    plan, until = now.record.prescription if now.record else None, now.paused_until
    coming = next_day_with_slots(plan, until - timedelta(days=1)) if plan and until else None
    return Turn(lines=(Line("plan_paused", {"day": coming.isoformat()}) if coming else Line("plan_paused_open"),))
