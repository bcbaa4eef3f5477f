"""Outcome measures asked in chat: which question is due, riding on an answer to the patient, and what became of the last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot_service.actions.asked_again import safety_waits
from bot_service.actions.care_record import record_told
from bot_service.actions.histories import local_today
from bot_service.clinical.catalogue import RED_FLAG
from bot_service.clinical.outcome_measures import FIRST_ASKED_AFTER, MEASURES, MOST_NAMED, counts_for, may_ask, round_of
from bot_service.conversation.situation import Ask, ForPhysio, Keep, Line, Measured, Named, RedFlagged, Turn
from bot_service.conversation.states import KINDS, MEASURED
from bot_service.storage import care_records, cases, conversations, episodes
from bot_service.storage.care_records import Activity
from bot_service.storage.conversations import Question
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode

FUNCTION, CHANGE = "psfs", "change"
_ASKED_IN = ("measure_intro", "ask_activity", "ask_another", "ask_function", "ask_global_change")
"""The sentences that ask a measure."""
_OF = {"activity": FUNCTION, "another": FUNCTION, "function": FUNCTION, "global_change": CHANGE}


@dataclass(frozen=True)
class _Care:
    """What the choice of the next question is made from."""

    start: date
    today: date
    activities: Sequence[Activity]
    values: Sequence[care_records.Outcome]
    asked: Sequence[tuple[Question, date]]


def keep_measure(tx: Tx, episode: Episode, told: Measured | Named, now: datetime) -> None:
    """Carry out what the patient told of a measure."""
    if isinstance(told, Measured) and told.kind == "global_change":
        record_told(tx, episode, CHANGE, "", told.value, told.day, now)
        return
    activity = _in_slot(care_records.list_activities(tx, episode, FUNCTION), told.slot)
    if isinstance(told, Named):
        if not told.words and activity is not None:
            care_records.withdraw_told(tx, now, episode, FUNCTION, activity.name, told.day, named=True)
            conversations.close_all(tx, episode.id, now, "withdrawn", ("function", "another"))
        elif told.words:
            record_told(tx, episode, FUNCTION, told.words, None, told.day, now)
    elif activity is not None:
        record_told(tx, episode, FUNCTION, activity.name, told.value, told.day, now)


def with_measure(tx: Tx, episode: Episode, turn: Turn, now: datetime) -> Turn:
    """The turn, with a question of a measure at its end when one is due.

    It comes with the answer to a pain score or to the question before it, never by itself: it costs no message that nobody asked for
    (`clinical.md` 0.12). Not when that answer asks something, and not while anything is held back or a red flag is open.
    """
    told = any(isinstance(effect, Measured | Named) for effect in turn.effects) or any(line.key == "measures_done" for line in turn.lines)
    scored = any(isinstance(effect, Keep) and effect.score is not None and effect.kind != "baseline" for effect in turn.effects)
    if not (told or scored) or turn.ask is not None or turn.safety or not _allows(tx, episode, turn, now):
        return turn
    care = _care_of(tx, episode, now)
    question = _next(care, turn) if told else _due(care)
    if question is None:
        return turn
    intro = () if told else (Line("measure_intro"),)
    lines = tuple(line for line in turn.lines if line.key != "measures_done")
    return Turn(turn.effects, (*lines, *intro, _line(question)), question, turn.change, turn.read)


def without_measure(tx: Tx, episode: Episode, content: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """The content without the measure that it would ask, when a question about pain or safety went out while it waited: the next answer
    is that one's."""
    if not any(key in _ASKED_IN for key, _ in content.get("lines", ())) or not _is_asked_something(tx, episode, now):
        return content
    return {**content, "lines": [line for line in content["lines"] if line[0] not in _ASKED_IN], "ask": None}


def with_activities(tx: Tx, episode: Episode, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content with the names of activities in the place of their slots, for the moment of sending: kept names are sealed."""
    if not any("activity" in values for _, values in content.get("lines", ())):
        return content
    names = {item.slot: item.name for item in care_records.list_activities(tx, episode, FUNCTION)}
    lines = [
        [key, {**values, "activity": names.get(values["activity"], "")} if "activity" in values else values]
        for key, values in content["lines"]
    ]
    return {**content, "lines": lines}


def last_asked(tx: Tx, episode: Episode) -> Question | None:
    """The question of a measure that was asked last."""
    found = [conversations.find_latest(tx, episode.id, kind) for kind in MEASURED]
    return max((question for question in found if question is not None), key=lambda question: question.opened_at, default=None)


def _allows(tx: Tx, episode: Episode, turn: Turn, now: datetime) -> bool:
    if episode.status != "active" or episode.patient_status != "opted_in" or care_records.find_off(tx, episode.id) is not None:
        return False
    if any(isinstance(effect, RedFlagged | ForPhysio) for effect in turn.effects):
        return False
    if _is_asked_something(tx, episode, now):
        return False
    if episodes.list_holds_in_force(tx, episode.id, local_today(now, episode.zone)):
        return False
    return cases.find_open(tx, episode, RED_FLAG) is None


def _is_asked_something(tx: Tx, episode: Episode, now: datetime) -> bool:
    """Whether a number, or a "none", that is written now answers a question about pain or safety."""
    return safety_waits(tx, episode, now) or any(KINDS[each.kind].scored for each in conversations.list_open(tx, episode.id, now))


def _care_of(tx: Tx, episode: Episode, now: datetime) -> _Care:
    asked = conversations.list_of_kinds(tx, episode.id, MEASURED)
    return _Care(
        episode.start_date,
        local_today(now, episode.zone),
        care_records.list_activities(tx, episode, FUNCTION),
        care_records.list_outcomes(tx, episode),
        [(question, local_today(question.opened_at, episode.zone)) for question in asked],
    )


def _due(care: _Care) -> Ask | None:
    """The first question of a measure that is due and may be asked for today."""
    if care.today - care.start < FIRST_ASKED_AFTER:
        return None
    return next((ask for measure in (FUNCTION, CHANGE) if _may_ask(care, measure) and (ask := _first(care, measure))), None)


def _next(care: _Care, turn: Turn) -> Ask | None:
    """What follows an answer at once: the rating of what was named, the next activity, or the next measure."""
    for told in turn.effects:
        if isinstance(told, Named):
            slot = next((item.slot for item in care.activities if item.name.casefold() == told.words.casefold()), None)
            return Ask("function", care.today, slot, _week(care, FUNCTION)) if slot else None
    asked_today = {(question.kind, question.slot) for question, day in care.asked if day == care.today}
    rating = _first(care, FUNCTION)
    if rating is not None and rating.kind == "function" and (rating.kind, rating.slot) not in asked_today:
        return rating
    if any(isinstance(told, Measured) and told.kind == "function" for told in turn.effects) and _wants_another(care, asked_today):
        return Ask("another", care.today, len(care.activities) + 1, _week(care, FUNCTION))
    change = _first(care, CHANGE)
    return change if change is not None and ("global_change", None) not in asked_today and _may_ask(care, CHANGE) else None


def _wants_another(care: _Care, asked_today: set[tuple[str, int | None]]) -> bool:
    """Somebody who is naming activities today may name another, up to as many as are asked for."""
    standing = [item for item in care.activities if item.stands]
    naming = any(item.named_on == care.today for item in standing)
    return naming and len(standing) < MOST_NAMED and ("another", len(care.activities) + 1) not in asked_today


def _may_ask(care: _Care, measure: str) -> bool:
    week = _week(care, measure).get("week")
    days = [day for question, day in care.asked if _OF[question.kind] == measure and question.detail.get("week") == week]
    return may_ask(days, care.today)


def _week(care: _Care, measure: str) -> dict[str, int]:
    week = round_of(MEASURES[measure], care.start, care.today)
    return {} if week is None else {"week": week}


def _first(care: _Care, measure: str) -> Ask | None:
    """The first question that the measure still wants answered for its week."""
    kind, detail = MEASURES[measure], _week(care, measure)
    if not detail:
        return None
    week = detail["week"]
    known = {item.activity.casefold() for item in care.values if item.measure == measure and counts_for(care.start, week, item.day)}
    if measure == CHANGE:
        return None if known else Ask("global_change", care.today, None, detail)
    standing = [item for item in care.activities if item.stands]
    if not standing:  # at the last of its weeks there is nothing left to compare with
        return Ask("activity", care.today, len(care.activities) + 1, detail) if week != kind.weeks[-1] else None
    slot = next((item.slot for item in standing if item.name.casefold() not in known), None)
    return None if slot is None else Ask("function", care.today, slot, detail)


def _line(ask: Ask) -> Line:
    match ask.kind:
        case "activity":
            return Line("ask_activity")
        case "another":
            return Line("ask_another")
        case "function":
            return Line("ask_function", {"activity": ask.slot})
    return Line("ask_global_change")


def _in_slot(activities: Sequence[Activity], slot: int | None) -> Activity | None:
    return next((item for item in activities if item.slot == slot), None)
