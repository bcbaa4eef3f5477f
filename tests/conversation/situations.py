"""Readable situations for tests of a turn: `asked("session")` is an open question, `opted_in(asked(...))` what a turn is decided from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID

from bot_service.clinical.record import Record
from bot_service.conversation.situation import Asked, Effect, Situation, Told, Turn
from bot_service.conversation.states import KINDS
from bot_service.conversation.turn import take_turn
from tests.builders import TODAY, an_episode, week

YESTERDAY = TODAY - timedelta(days=1)
E_ = TypeVar("E_", bound=Effect)

_NUMBERS = {kind: number for number, kind in enumerate(KINDS, start=1)}
CHOICES = [
    {"id": str(UUID(int=_NUMBERS["session"])), "kind": "session", "day": TODAY.isoformat(), "slot": 1},
    {"id": str(UUID(int=_NUMBERS["pain_24h"])), "kind": "pain_24h", "day": YESTERDAY.isoformat(), "slot": 1},
]
_DETAILS: dict[str, dict[str, object]] = {
    "confirm_pause": {"until": (TODAY + timedelta(days=5)).isoformat()},
    "confirm_time": {"at": "19:00"},
    "which": {"score": 4, "choices": CHOICES},
    "confirm_not_done": {"about": str(UUID(int=_NUMBERS["session"]))},
    "rung": {"offer": str(UUID(int=99)), "exercise": "Bridge", "step": "Two legs."},
}
_DAYS = {"session": TODAY, "session_pain": TODAY, "safety": TODAY, "reason": TODAY, "confirm_not_done": TODAY, "pain_24h": YESTERDAY}


def asked(kind: str, *, day: date | None = None, asked_again: int = 0, is_open: bool = True, **detail: object) -> Asked:
    """A question of that kind: about today's session, or yesterday's when it asks for the day after."""
    about = day or _DAYS.get(kind)
    return Asked(UUID(int=_NUMBERS[kind]), kind, about, 1 if about else None, {**_DETAILS.get(kind, {}), **detail}, asked_again, is_open)


def a_record(history: str = "done 3/1, waiting", **more: object) -> Record:
    """An episode that was done yesterday at 3, settled, and is asked today."""
    return an_episode(week(history), **more)  # type: ignore[arg-type]  # the builder's own keywords


def opted_in(*open_questions: Asked, record: Record | None = None, **more: object) -> Situation:
    """A patient in care with those questions open, the youngest first."""
    values: dict[str, object] = {"status": "opted_in", "language": "en", "record": record or a_record()} | more
    return Situation(today=TODAY, open=open_questions, **values)  # type: ignore[arg-type]  # fields of a situation


def before_opt_in(*open_questions: Asked, status: str = "asked", **more: object) -> Situation:
    """A patient who has not agreed yet."""
    values: dict[str, object] = {"status": status, "language": "en", "record": an_episode(baseline=None), "baseline_known": False} | more
    return Situation(today=TODAY, open=open_questions, **values)  # type: ignore[arg-type]


def says(text: str, now: Situation, **more: object) -> Turn:
    """What follows when the patient writes that."""
    return take_turn(Told(text=text, **more), now)  # type: ignore[arg-type]  # fields of Told


def taps(answer: str, question: Asked, now: Situation) -> Turn:
    """What follows when the patient taps that button of that question."""
    return take_turn(Told(tapped=question, answer=answer), now)


def keys(turn: Turn) -> list[str]:
    """The sentences of the answer, by key."""
    return [line.key for line in turn.lines]


def found(turn: Turn, kind: type[E_]) -> list[E_]:
    """The effects of that kind."""
    return [effect for effect in turn.effects if isinstance(effect, kind)]


def kept(turn: Turn) -> Mapping[str, tuple[date, object]]:
    """What was recorded: kind -> (day, score or outcome)."""
    from bot_service.conversation.situation import Keep

    return {each.kind: (each.day, each.score if each.score is not None else each.outcome) for each in found(turn, Keep)}
