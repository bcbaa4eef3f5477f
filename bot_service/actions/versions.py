"""Which version of each exercise a message shows, as of the moment at which it goes out, and whether any exercise is left at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from bot_service.actions.histories import load_record
from bot_service.actions.looking import last_looked_at
from bot_service.clinical.flare import Flare, advice_since, flare_state, has_just_settled
from bot_service.conversation.exercise_text import WEEKDAYS
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from plans.model import Prescription
from plans.running import RUN_SLOT

_SHOWING = ("exercises", "optional", "how_to")


def with_flare(tx: Tx, content: Mapping[str, Any], episode: Episode, plan: Prescription | None, now: datetime) -> Mapping[str, Any]:
    """The signed flare plan decides which version of each exercise is shown; unsigned, the advice comes along.

    Nothing is asked about exercises of which none is left.
    """
    if plan is None or not any(key in _SHOWING for key, _ in content.get("lines", ())):
        return content
    record = replace(load_record(tx, episode, now), prescription=plan)
    flare = flare_state(record, last_looked_at(tx, episode, record))
    since = (flare.since, flare.settled_so_far) if flare else advice_since(record)
    if since is None:
        return content
    extra: dict[str, Any] = {"lighter": True}
    if flare:
        extra = {"easier": list(flare.easier), "left_out": list(flare.leave_out), "hurt_on": [day.isoformat() for day in flare.hurt_on]}
    if has_just_settled(record):  # "it has not settled yet" would be wrong
        extra["settling"] = {"day": since[0].isoformat(), "settled": since[1], "days": record.rules.deload.settled_days_to_return}
    lines = [[key, {**values, **extra} if key in _SHOWING else values] for key, values in content["lines"]]
    ask = content.get("ask") or {}
    if flare and ask.get("kind") == "session" and _none_left(flare, plan, ask.get("slot") or 1, date.fromisoformat(ask["day"])):
        return {**content, "lines": lines, "ask": None}
    return {**content, "lines": lines}


def nothing_left(tx: Tx, episode: Episode, plan: Prescription, slot: int, day: date, now: datetime) -> bool:
    """Whether the flare plan leaves out every exercise of a slot on a day."""
    record = load_record(tx, episode, now)
    flare = flare_state(record, last_looked_at(tx, episode, record))
    return flare is not None and _none_left(flare, plan, slot, day)


def _none_left(flare: Flare, plan: Prescription, slot: int, day: date) -> bool:
    """Runs stand aside: their prompts are held back after any severe score."""
    if slot == RUN_SLOT or not flare.leave_out or slot not in {each.number for each in plan.slots}:
        return False
    return all(item.exercise.id in flare.leave_out for item in plan.for_day(slot, WEEKDAYS[day.weekday()]))
