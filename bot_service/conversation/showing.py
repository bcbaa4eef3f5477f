"""What is shown of the plan when the patient asks for it: the exercises, how to do them, or why there are none now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import takewhile

from bot_service.conversation.exercise_text import WEEKDAYS, next_day_with_slots, optional_on, slots_on
from bot_service.conversation.language import language_for
from bot_service.conversation.situation import Ask, Asked, Line, Situation, Turn
from bot_service.conversation.typed import plain
from bot_service.conversation.wording import load_catalogue
from plans.loading import load_words_for
from plans.tongues import in_words

_ROOT = 4
"""Letters that two forms of a word share at least (default)."""
_THE = "ال"


def how_to(question: Asked | None, now: Situation) -> Turn:
    """The steps of the session that the message was about, or of today's."""
    day = question.day if question and question.day else now.today
    return Turn(lines=(Line("how_to", {"day": day.isoformat(), "slot": question.slot if question else 1}),), ask=same_again(question))


def how_to_named(text: str, question: Asked | None, now: Situation) -> Turn | None:
    """The steps of the exercise of the plan, today's first, that a plain "how do I do the bridge?" names; None for anything else."""
    known, catalogue = language_for(now.language), load_catalogue(now.language)
    asked = known.pattern("how_to").fullmatch(plain(text, catalogue)) if known else None
    if asked is None or now.record is None or {"red_flag", "physio_first"} & now.held:
        return None
    plan = now.record.prescription
    names = [plan, in_words(plan, load_words_for(plan, now.language))]
    said = next(group for group in asked.groups() if group).split()
    found = [
        item.exercise.id
        for each in names
        for slot in each.slots
        for weekday in WEEKDAYS[now.today.weekday() :] + WEEKDAYS[: now.today.weekday()]
        for item in each.for_day(slot.number, weekday)
        if all(any(_alike(word, other) for other in plain(item.exercise.name, catalogue).split()) for word in said)
    ]
    if not found:
        return None
    about = {"day": now.today.isoformat(), "slot": 1, "exercises": list(dict.fromkeys(found))}
    again = once_more(question) if question is not None and question.kind != "session" else ()
    return Turn(lines=(Line("how_to", about), *again), ask=same_again(question))


def _alike(word: str, other: str) -> bool:
    """The same word, whatever its ending: "bridges", "mostka"; and with or without the Arabic article."""
    word, other = word.removeprefix(_THE), other.removeprefix(_THE)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, other, strict=False)))
    return word == other or same >= max(_ROOT, min(len(word), len(other)) - 2, max(len(word), len(other)) - 3)


def show_exercises(slot: int | None, now: Situation) -> Turn:
    """The exercises that wait for an answer, else today's; on a day without any, when the next ones come.

    They are those of the plan that the patient knows, with the day on which another one begins that was decided and not told yet.
    """
    turn = _shown(slot, now)
    keys = {line.key for line in turn.lines}
    if now.changes_on is None or not keys & {"exercises", "optional", "rest_day"}:
        return turn
    changes = Line("plan_changes_on", {"day": now.changes_on.isoformat()})
    if now.changes_on <= now.today or "rest_day" in keys:
        return Turn(lines=(changes,))
    return replace(turn, lines=(changes, *(line for line in turn.lines if line.key != "next_ones")))


def _shown(slot: int | None, now: Situation) -> Turn:
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
        about = {name: value for name, value in safety.detail.items() if name != "beside"} | {"show": shown}
        return Turn(lines=(Line("again_safety"),), ask=Ask("safety", safety.day, safety.slot, about))
    if waiting is not None and waiting.day is not None:
        return Turn(lines=(Line("exercises", {"day": waiting.day.isoformat(), "slot": waiting.slot}),), ask=same_again(waiting))
    if shown is None:
        coming = next_day_with_slots(plan, now.today) if plan else None
        if coming and plan and optional_on(plan, now.today):
            about = {"day": now.today.isoformat(), "slot": None}
            return Turn(lines=(Line("optional", about), Line("next_ones", {"day": coming.isoformat()})))
        return Turn(lines=(Line("rest_day", {"day": coming.isoformat()}) if coming else Line("nothing_asked"),))
    return Turn(lines=(Line("exercises", {"day": now.today.isoformat(), "slot": shown}),), ask=Ask("session", now.today, shown))


def same_again(question: Asked | None) -> Ask | None:
    """An open question under the next message too, without opening another."""
    if question is None or not question.is_open:
        return None
    return replace(Ask(question.kind, question.day, question.slot, question.detail), again=question.id)


def once_more(question: Asked | None) -> tuple[Line, ...]:
    """An open question in words once more, for the buttons that stand under the message."""
    if question is None or not question.is_open or question.kind == "what_is_wrong":
        return ()
    return (Line(f"again_{question.kind}", {"day": question.day.isoformat()} if question.day else {}),)


def _while_paused(now: Situation) -> Turn:
    """No day is named before the pause is over: the next exercises are those of the first exercise day from its end on."""
    plan, until = now.record.prescription if now.record else None, now.paused_until
    coming = next_day_with_slots(plan, until - timedelta(days=1)) if plan and until else None
    return Turn(lines=(Line("plan_paused", {"day": coming.isoformat()}) if coming else Line("plan_paused_open"),))
