"""Readable test histories: `an_episode(week("done 3/1, -, missed"))` is a patient's record that ends on a fixed Sunday."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import cast
from uuid import UUID

from bot_service.clinical.record import Asked, NextDay, Outcome, Reason, Record, Scheduled, Session, SkipReason
from plans.loading import load_library
from plans.model import CarePlan, Prescription, prescribe

TODAY = date(2026, 11, 22)  # a Sunday
PRESCRIPTION_ID = UUID(int=7)

_ASKED: dict[str, Asked] = {"missed": "sent", "unsent": "not_sent", "paused": "paused", "waiting": "waiting"}
_OUTCOMES: dict[str, Outcome] = {"done": "done", "partly": "partly", "no": "not_done"}


@dataclass(frozen=True)
class Told:
    """One slot of one day: what the schedule asked (None on a rest day), what was answered, the pain during and 24 hours after."""

    asked: Asked | None = None
    outcome: Outcome | None = None
    pain: int | None = None
    pain_24h: int | None = None
    reason: Reason | None = None
    optional: bool = False


Day = tuple[Told, ...]


@cache
def a_plan() -> CarePlan:
    """The plan that comes with the product."""
    return load_library()["proximal_hamstring_tendinopathy"]


@cache
def a_prescription(stage: str = "early", *, signed: bool = False, unlocked: bool = False, preauthorised: bool = False) -> Prescription:
    """A stage of it as prescribed, its flare plan signed, its rungs allowed beforehand and its plyometrics unlocked if so wished."""
    return prescribe(a_plan(), stage, flare_plan_signed=signed, plyometrics_unlocked=unlocked, rungs_preauthorised=preauthorised)


def week(text: str) -> tuple[Day, ...]:
    """Days from words, separated by commas; any number of them.

    `-` rest day · `done 3/1` done, pain 3, 1 the day after (either may be missing) · `partly 4` · `no`, `no pain` not done, with a
    reason · `missed` no reply · `unsent` · `paused` · `waiting` · `extra 6` an optional slot · `done 2 + done 5` two slots in a day.
    """
    return tuple(tuple(_told(part) for part in day.split("+")) for day in text.split(","))


def days_of(text: str, count: int) -> tuple[Day, ...]:
    """The same pattern over and over until it fills `count` days."""
    pattern = week(text)
    return (pattern * (count // len(pattern) + 1))[:count]


def an_episode(
    history: tuple[Day, ...] = (),
    *,
    stage: str = "early",
    today: date = TODAY,
    baseline: int | None = 2,
    episode_start: date | None = None,
    stage_start: date | None = None,
    prescription: Prescription | None = None,
    replies: tuple[date, ...] | None = None,
    rung_since: Mapping[str, date] | None = None,
) -> Record:
    """The record of an episode whose history ends today; it began, and so did the stage, on the first day of the history."""
    first = today - timedelta(days=max(len(history), 1) - 1)
    told = [(first + timedelta(days=i), slot, item) for i, day in enumerate(history) for slot, item in enumerate(day, 1)]
    answered = {day for day, _, item in told if item.outcome} | {_next(day) for day, _, item in told if item.pain_24h is not None}
    return Record(
        today=today,
        zone="Europe/London",
        episode_start=episode_start or first,
        stage=stage,
        stage_start=stage_start or episode_start or first,
        baseline=baseline,
        scheduled=tuple(Scheduled(day, slot, item.asked, stage, item.optional) for day, slot, item in told if item.asked),
        sessions=tuple(_session(day, slot, item, stage) for day, slot, item in told if item.outcome),
        next_days=tuple(_answer(day, slot, item.pain_24h) for day, slot, item in told if item.pain_24h is not None),
        prescription=prescription or a_prescription(stage),
        replies=tuple(sorted(answered)) if replies is None else replies,
        skip_reasons=tuple(SkipReason(day, item.reason, (row_id(day, slot),)) for day, slot, item in told if item.reason),
        rung_since=rung_since or {},
    )


def later(record: Record, days: int) -> Record:
    """The same record, read `days` later with nothing new in it."""
    return replace(record, today=record.today + timedelta(days=days))


def ago(days: int) -> date:
    """The date so many days before today."""
    return TODAY - timedelta(days=days)


def row_id(day: date, slot: int = 1, *, after: bool = False) -> UUID:
    """The id of the row that a session, or the 24-hour answer about it, was read from."""
    return UUID(int=day.toordinal() * 100 + slot * 10 + after)


def _told(part: str) -> Told:
    word, _, rest = part.strip().partition(" ")
    if word == "-":
        return Told()
    if word in _ASKED:
        return Told(asked=_ASKED[word])
    if word == "no":
        return Told("sent", "not_done", reason=cast(Reason, rest) if rest else None)
    during, _, after = rest.partition("/")
    pain, pain_24h = int(during) if during.strip() else None, int(after) if after.strip() else None
    if word == "extra":
        return Told("sent", "done", pain, pain_24h, optional=True)
    return Told("sent", _OUTCOMES[word], pain, pain_24h)


def _session(day: date, slot: int, item: Told, stage: str) -> Session:
    assert item.outcome is not None
    return Session(
        day=day,
        slot=slot,
        outcome=item.outcome,
        pain=item.pain,
        done_at=datetime.combine(day, time(18), UTC),
        stage=stage,
        prescription_id=PRESCRIPTION_ID,
        optional=item.optional,
        evidence=(row_id(day, slot),),
    )


def _answer(day: date, slot: int, score: int) -> NextDay:
    return NextDay(day, score, datetime.combine(_next(day), time(18), UTC), (row_id(day, slot, after=True),))


def _next(day: date) -> date:
    return day + timedelta(days=1)
