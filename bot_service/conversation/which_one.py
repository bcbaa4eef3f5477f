"""Which question a number is for, where several are open; asked behind the safety question for one that any of them would ask it for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from bot_service.clinical.pain import safety_question_due
from bot_service.conversation.showing import same_again
from bot_service.conversation.situation import Ask, Asked, Close, ForPhysio, Line, Situation, Turn
from bot_service.conversation.states import KINDS

_PAIN = frozenset({"session", "session_pain", "pain_24h"})


def ask_which(score: int, now: Situation) -> Turn:
    """Which of the questions that a number may answer it is for: those about pain, and the one about the time of the reminders."""
    scored = [question for question in now.open if KINDS[question.kind].scored or question.kind == "which_time"][:3]
    choices = [
        {"id": str(question.id), "kind": question.kind, "day": (question.day or now.today).isoformat(), "slot": question.slot}
        for question in scored
    ]
    detail = {"score": score, "choices": choices, "on": now.today.isoformat()}
    return Turn(lines=(Line("which", {"score": score}),), ask=Ask("which", detail=detail), read=False)


def safety_before_which(turn: Turn, now: Situation) -> Turn:
    """The safety question in the place of "which one is the 9 for?", which follows its answer; the physio sees the number at once.

    So it is as soon as one of the questions it may answer would ask: nobody waits with a 9 until it is known what it is about. Where the
    patient has just asked for another time, an 8 is most likely that, and is asked about as it stands.
    """
    if turn.ask is None or turn.ask.kind != "which" or turn.ask.again is not None or turn.ask.detail.get("safe"):
        return turn
    score, choices = int(turn.ask.detail["score"]), turn.ask.detail["choices"]
    closed = {effect.question_id for effect in turn.effects if isinstance(effect, Close)}
    if waiting := next((each for each in now.open if each.kind == "safety" and each.id not in closed), None):
        return _behind(waiting, turn, turn.ask, now)
    about = next((choice for choice in choices if _asks_safety(choice, score, now)), None)
    if about is None or any(choice["kind"] == "which_time" for choice in choices):
        return turn
    note = ForPhysio("X3", f"A score of {score}/10, not yet known for which question", same_day=True)
    said = tuple(line for line in turn.lines if line.key != "which")
    ask = Ask("safety", date.fromisoformat(about["day"]), about["slot"], {"which": dict(turn.ask.detail)})
    lines = (*said, Line("safety_before_which", {"score": score}), Line("safety_question"))
    return replace(turn, effects=(*turn.effects, note), lines=lines, ask=ask)


def _behind(safety: Asked, turn: Turn, which: Ask, now: Situation) -> Turn:
    """Another number while safety is asked about: it takes the place of the one before, and the same question is put again.

    The physio goes on reading the worst of them, and of a session whose number is known nothing else.
    """
    score, before = int(which.detail["score"]), safety.detail.get("which")
    worst = {"worst": max(score, *(int(before[name]) for name in ("score", "worst") if name in before))} if before else {"of_session": True}
    about = {name: value for name, value in safety.detail.items() if name != "beside"} | {"which": {**which.detail, **worst}}
    if before and before.get("of_session"):
        about["which"] = {**which.detail, "of_session": True}
    severe = any(_asks_safety(choice, score, now) for choice in which.detail["choices"])
    note = (ForPhysio("X3", f"A score of {score}/10, not yet known for which question", same_day=True),) if severe else ()
    said = tuple(line for line in turn.lines if line.key != "which")
    lines = (*said, Line("safety_before_which", {"score": score}), Line("safety_question"))
    return replace(turn, effects=(*turn.effects, *note), lines=lines, ask=Ask("safety", safety.day, safety.slot, about))


def severe_unasked(turn: Turn, now: Situation) -> Turn:
    """ "9" that nothing asks for, after a 4 was recorded: nothing is put right by it, but safety is asked about, and the physio sees it."""
    said = next((line for line in turn.lines if line.key in ("meant_instead", "meant_instead_24h")), None)
    if said is None or now.record is None or now.last is None:
        return turn
    severe, score, recorded = now.record.rules.session_pain.severe_min, int(said.values["score"]), int(said.values["recorded"])
    if score < severe or recorded >= severe:
        return turn
    note = ForPhysio("X3", f"A score of {score}/10 after {recorded}/10 was recorded, not known for what", same_day=True)
    turn = replace(turn, effects=(*turn.effects, note))
    if turn.ask is not None:
        return turn
    return replace(turn, lines=(*turn.lines, Line("safety_question")), ask=Ask("safety", now.last.day, now.last.slot))


def then_which(question: Asked, now: Situation) -> Turn | None:
    """What follows the answer to that safety question on the same day: which one the number is for, or the only one that is left."""
    which = question.detail.get("which")
    if which is None or not which["choices"] or which["on"] != now.today.isoformat():
        return None
    open_now = {str(each.id): each for each in now.open}
    left = [choice for choice in which["choices"] if not choice["id"] or choice["id"] in open_now]
    if len(left) == len(which["choices"]):
        return Turn(lines=(Line("which", {"score": which["score"]}),), ask=Ask("which", detail={**which, "safe": True}))
    if len(left) != 1 or not left[0]["id"]:
        return None
    about = open_now[left[0]["id"]]
    day = {"day": about.day.isoformat()} if about.day else {}
    return Turn(lines=(Line("also_wrote", {"score": which["score"]}), Line(f"again_{about.kind}", day)), ask=same_again(about))


def _asks_safety(choice: Mapping[str, Any], score: int, now: Situation) -> bool:
    if choice["kind"] not in _PAIN or now.record is None:
        return False
    return safety_question_due(now.record, score, on=None if choice["kind"] == "pain_24h" else date.fromisoformat(choice["day"]))
