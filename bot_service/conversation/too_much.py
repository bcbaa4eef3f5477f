"""Words that may mean the exercises or everything ("honestly, can't go on"): for the physio that day, with a number to call. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot_service.clinical.words import tokens
from bot_service.conversation.language import language_for
from bot_service.conversation.parsing import Reading
from bot_service.conversation.requests import clauses_of
from bot_service.conversation.situation import CountAgain, ForPhysio, Line, OptOut, Situation, Told, Turn

_ASKS = ("ask_", "again_", "confirm_", "which", "safety_question", "safety_before_which")
_KEPT = ("safety", "which")
"""Questions about a number in the same words, which those words do not answer."""


def heard_too_much(turn: Turn, told: Told, reading: Reading, now: Situation) -> Turn:
    """What was recorded stays, and the questions about it; the answer speaks of nothing else but of who can help.

    Words that the red-flag screen takes for suicidal have their own text and come first. These are not certain, so nobody is told that
    they are: a person reads them the same working day. Nothing is sent after a STOP but in the answer to it.
    """
    if reading.red_flag is not None or turn.safety or not may_be_too_much(told.text, now.language):
        return turn
    own = [each for each in turn.effects if isinstance(each, ForPhysio) and each.rule == "X3" and each.words == told.text]
    effects = tuple(replace(each, same_day=True) if each in own else each for each in turn.effects if not isinstance(each, CountAgain))
    effects = effects if own else (*effects, ForPhysio("X3", told.text, same_day=True))
    if now.status in ("opted_out", "discharged"):
        return replace(turn, effects=effects)
    said = Line("too_much")
    if not turn.read and turn.ask is not None and turn.ask.kind in _KEPT:
        return replace(turn, effects=effects, lines=(said, *(line for line in turn.lines if line.key.startswith(_ASKS))))
    if not turn.read or not turn.lines:
        return Turn(effects, (said,), read=turn.read)
    asks = tuple(line for line in turn.lines[1:] if line.key.startswith(_ASKS))
    stops = any(isinstance(each, OptOut) for each in effects)
    return replace(turn, effects=effects, lines=(turn.lines[0], said, *asks), ask=turn.ask if asks and not stops else None)


def may_be_too_much(text: str, language: str) -> bool:
    """Whether a clause says that the patient cannot go on, and not with what: "can't go on with this exercise" says it."""
    known = language_for(language)
    return known is not None and any(known.pattern("too_much").search(clause) for clause in clauses_of(tokens(text), known))
