"""A severe number is asked about whatever else was understood of the message: never only read, and never lost behind a "not today"."""

from __future__ import annotations

from dataclasses import replace

from bot_service.clinical.words import tokens
from bot_service.conversation.items import items_of
from bot_service.conversation.language import language_for
from bot_service.conversation.numbers import amounts_of
from bot_service.conversation.parsing import Reading, read
from bot_service.conversation.situation import Ask, Asked, ForPhysio, Keep, Line, Measured, Situation, Told, Turn
from bot_service.conversation.states import KINDS
from bot_service.conversation.too_much import may_be_too_much

_HIGHEST = 10
_OF_SOMETHING_ELSE = frozenset({"reason", "confirm_not_done", "rung", "safety"})
"""Choices after which a number can only be pain; every other question that is no scale of pain may mean its number otherwise."""
_HEARD = frozenset({"meant_instead", "meant_instead_24h", "which_done"})
"""Sentences about a number that another one recorded stands for: see `which_one.severe_unasked`."""
_EMPTY = frozenset({"nothing_asked", "words_kept", "ask_reason"})


def severe_is_asked(turn: Turn, told: Told, reading: Reading, target: Asked | None, now: Situation) -> Turn:
    """The safety question, and the words for the physio the same day, for a severe number that the turn neither records nor asks about."""
    heavy = may_be_too_much(told.text, now.language)
    score = _severe(told, reading, now, heavy=heavy)
    if score is None or not _is_pain(target) or _is_heard(turn) or (turn.ask is not None and turn.ask.kind == "which"):
        return turn
    if turn.ask is not None and not turn.read and turn.ask.kind != "reason":
        return turn  # the number is asked for once more
    effects = tuple(each for each in turn.effects if not (isinstance(each, ForPhysio) and each.words == told.text))
    note = ForPhysio("X3", told.text, same_day=True)
    kept = tuple(line for line in turn.lines if line.key not in _EMPTY)
    day, slot = (target.day or now.today, target.slot) if target is not None else (now.today, None)
    ask = Ask("safety", day, slot, {"which": {"score": score, "choices": [], "on": now.today.isoformat()}})
    lines = (*(kept or (Line("words_kept"),)), Line("safety_question"))
    return replace(turn, effects=(*effects, note), lines=lines, ask=ask, read=True)


def _severe(told: Told, reading: Reading, now: Situation, *, heavy: bool) -> int | None:
    """The severe number of these words; None where there is none, or they may be about something else than pain."""
    if now.record is None or now.status != "opted_in" or "red_flag" in now.held or told.tapped or told.is_edit:
        return None
    if reading.red_flag is not None or reading.stop or reading.request is not None or reading.later:
        return None
    least = now.record.rules.session_pain.severe_min
    score = reading.score if reading.score is not None else read(told.text, "session_pain", now.language, now.today).score
    if score is None and (heavy or reading.session in ("yes", "partly")):
        items = items_of(tokens(told.text), language_for(now.language))
        said = [int(each.value) for each in amounts_of(items) if each.standing != "other" and each.value <= _HIGHEST]
        score = max(said, default=None)
    return score if score is not None and score >= least else None


def _is_pain(target: Asked | None) -> bool:
    return (
        target is None or target.kind in _OF_SOMETHING_ELSE or (KINDS[target.kind].scored and target.kind not in ("baseline", "function"))
    )


def _is_heard(turn: Turn) -> bool:
    """Whether the number was recorded, or is asked about with the safety question already."""
    recorded = any(isinstance(each, Measured) or (isinstance(each, Keep) and each.score is not None) for each in turn.effects)
    asks = turn.ask is not None and turn.ask.kind == "safety"
    return recorded or turn.safety or asks or any(line.key in _HEARD for line in turn.lines)
