"""Decisions in words: what was decided, by whom and why, what was ticked, what was undone, and what still can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot_service.actions.undoing import Undoable
from bot_service.storage.reviews import OWN, Proposed
from bot_service.web.case_cards import title_of
from bot_service.web.times import day_words, moment, zone_words

DONE = {"approved": "Approved", "held": "Held", "released": "Held", "stepped_back": "Stepped back", "rewritten": "Prescribed anew"}
SOON = timedelta(minutes=2)
"""Within this a time is told to the second (default)."""


@dataclass(frozen=True)
class UndoLine:
    """Something that can be taken back: the form's field and value, and what it is in words."""

    kind: str
    id: str
    words: str


def decisions_in_words(found: Sequence[Proposed], names: Mapping[object, str], zone: str) -> list[tuple[str, str]]:
    """What clinicians decided, the latest first, each with the rule that had proposed it; an undoing stands with what it undid."""
    undoings = {str(item.detail.get("undoes")): item for item in found if item.status == "undid"}
    made = [item for item in found if item.decided_by and item.status != "undid"]
    made.sort(key=lambda item: item.decided_at or item.created_at, reverse=True)
    return [(_decided(item, undoings.get(str(item.id)), names, zone), "" if item.rule == OWN else item.rule) for item in made]


def last_decision(found: Sequence[Proposed], names: Mapping[object, str], zone: str) -> str | None:
    """Of the last decision that was not undone: what, when and by whom, with the clinician's own checks."""
    made = [item for item in found if item.decided_by and item.decided_at and item.status not in ("undid", "undone")]
    if not made:
        return None
    last = max(made, key=lambda item: item.decided_at or item.created_at)
    what = DONE.get(last.status, last.status).lower() + (", released since" if last.status == "released" else "")
    by = names.get(last.decided_by, "staff")
    return f"{what}, {moment(last.decided_at or last.created_at, zone)}, by {by}.{ticks_in_words(last, last.status)}"


def ticks_in_words(item: Proposed, status: str) -> str:
    """The clinician's own checks, as they were ticked with the decision; empty when there were none.

    They are for a step up: what was not ticked is missing from that alone, not from a hold or a step back.
    """
    shown = _TICKS if status == "approved" else _TICKS[:1]
    parts = [(name, [str(text).rstrip(".") for text in item.detail.get(key, ())]) for name, key in shown]
    return "".join(f" {name}: {'; '.join(texts)}." for name, texts in parts if texts)


def unticked_in_words(proposals: Sequence[Proposed]) -> str:
    """What of the clinician's own checks was left open with the last step up; empty when nothing was."""
    approved = [item for item in proposals if item.status == "approved" and item.decided_at]
    last = max(approved, key=lambda item: item.decided_at or item.created_at, default=None)
    texts = [str(text).rstrip(".") for text in last.detail.get("unticked", ())] if last else []
    checks = "one of your own checks was" if len(texts) == 1 else f"{len(texts)} of your own checks were"
    return f"Note: {checks} not ticked, which the record keeps: {'; '.join(texts)}." if texts else ""


def undoable_in_words(item: Undoable, names: Mapping[object, str], now: datetime, zone: str) -> UndoLine:
    """What can be taken back, and until when; `zone` is the patient's, as of all that waits to be sent."""
    when = _when(item.told_at, now, zone) if item.told_at else ""
    if item.decided is None:
        return UndoLine("message", str(item.id), f"The message has not gone out yet. It goes {when}.")
    told = f"The patient hears of it {when}." if when else "The patient is told nothing of it."
    what = _what(item.decided, item.decided.status)
    return UndoLine("decided", str(item.id), f"{what}, by {names.get(item.decided.decided_by, 'staff')}. {told}")


_TICKS = (("Ticked", "ticked"), ("Not ticked", "unticked"))


def _decided(item: Proposed, undoing: Proposed | None, names: Mapping[object, str], zone: str) -> str:
    status = str(undoing.detail.get("was")) if undoing else item.status
    until = f" until {day_words(item.hold_until)}" if item.hold_until else ""
    until += ", released since" if item.status == "released" else ""
    when = moment(item.decided_at, zone) if item.decided_at else ""
    words = f"{when}: {_what(item, status)}{until}, by {names.get(item.decided_by, 'staff')}: {item.reason or 'no reason given'}"
    against = [str(each).rstrip(".") for each in item.detail.get("concerns", ())]
    words += f" Shown before: {'; '.join(against)}." if against else ""
    words += ticks_in_words(item, status)
    if undoing and undoing.decided_at:
        words += f" Undone {moment(undoing.decided_at, zone)} by {names.get(undoing.decided_by, 'staff')}."
    return words


def _what(item: Proposed, status: str) -> str:
    about = "" if item.rule == OWN else f" “{title_of(item.rule)}”"
    return DONE.get(status, status) + about


def _when(at: datetime, now: datetime, zone: str) -> str:
    return f"at {at.astimezone(ZoneInfo(zone)):%H:%M:%S}" if at - now < SOON else f"on {moment(at, zone)}, {zone_words(zone)}"
