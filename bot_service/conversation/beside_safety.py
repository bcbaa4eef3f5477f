"""What is said while the safety question is open beside a question about pain: a number counts, and the question stays. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot_service.conversation.parsing import Reading
from bot_service.conversation.showing import same_again
from bot_service.conversation.situation import Ask, Asked, CountAgain, Line, Situation, Told, Turn
from bot_service.conversation.states import KINDS
from bot_service.conversation.typed import means_nothing, plain_yes_or_no, typed_answer

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


def as_safety_answer(told: Told, reading: Reading, target: Asked | None, now: Situation) -> Told:
    """ "None of those" answers nothing that was asked since, and the safety question of the day before when that is still open."""
    safety = _older_safety(told, target, now)
    said_something_else = reading.score is not None or reading.session is not None or reading.answer != "ambiguous"
    if safety is None or said_something_else or plain_yes_or_no(told.text, now.language) is not None:
        return told
    answer = typed_answer(told.text, safety, now.language, now.today)
    return told if answer is None else replace(told, tapped=safety, answer=answer)


def asked_too(turn: Turn, told: Told, target: Asked | None, now: Situation) -> Turn:
    """A bare "no" may be the answer to the safety question of the day before as well: that is asked once more, and a number is not."""
    safety = _older_safety(told, target, now)
    if safety is None or turn.safety or plain_yes_or_no(told.text, now.language) is None:
        return turn
    ask = Ask("safety", safety.day, safety.slot, {**safety.detail, "again": True, "beside": False})
    if turn.ask is None:
        return replace(turn, lines=(*turn.lines, Line("again_safety")), ask=ask)
    if turn.read or turn.ask.again is None:
        return turn
    effects = tuple(effect for effect in turn.effects if not isinstance(effect, CountAgain))
    return replace(turn, effects=effects, lines=(Line("again_safety"),), ask=ask)


def _older_safety(told: Told, target: Asked | None, now: Situation) -> Asked | None:
    """The open safety question, where something about a session was asked since."""
    if told.tapped or told.replied_to or told.is_edit or target is None or not KINDS[target.kind].scored:
        return None
    return next((question for question in now.open if question.kind == "safety"), None)
