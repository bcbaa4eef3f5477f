"""What is said while the safety question is open beside a question about pain: a number counts, and the question stays. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot_service.conversation.showing import same_again
from bot_service.conversation.situation import Ask, Asked, Line, Situation, Turn
from bot_service.conversation.states import KINDS
from bot_service.conversation.typed import means_nothing

_SAID_WITHOUT = frozenset({"exercises", "day_after_settled"})


def is_for_either(text: str, target: Asked | None, now: Situation) -> bool:
    """ "None" under a message that asks about safety and about pain may answer either: it is asked once which of the signs there is."""
    if target is None or target.kind != "safety" or not target.detail.get("beside") or target.asked_again:
        return False
    return any(KINDS[question.kind].scored for question in now.open) and means_nothing(text, now.language)


def safety_stays(turn: Turn | None, target: Asked) -> Turn | None:
    """The turn that recorded a number, with the safety question once more in the place of praise and of exercises, which wait for it."""
    if turn is None or target.kind != "safety" or not turn.read or (turn.ask is not None and turn.ask.kind != "session"):
        return turn
    lines = (*(line for line in turn.lines if line.key not in _SAID_WITHOUT), Line("again_safety"))
    if turn.ask is None:
        return replace(turn, lines=lines, ask=same_again(target))
    return replace(turn, lines=lines, ask=Ask("safety", target.day, target.slot, {**target.detail, "show": turn.ask.slot}))
