"""What a simulated phone shows: bubbles by day, buttons, ticks, and which of them can be edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from bot_service.conversation.tokens import button_data
from bot_service.storage.inbox import Said
from bot_service.storage.transcripts import Shown
from bot_service.web.times import clock_time, day_words, local_day

MOST = 80
"""Messages on the screen; older ones are asked for."""
OPEN_BUTTONS = 2
"""How many of the latest messages with buttons show them at once."""
_SOLICITED = ("reply", "safety", "goodbye")


@dataclass(frozen=True)
class Key:
    """A button: its words and what it sends."""

    label: str
    data: str


@dataclass(frozen=True)
class Bubble:
    """One message on the phone. `keys` are its buttons, row by row; `shown` when they are open at once."""

    id: str
    mine: bool
    time: str
    text: str
    edited: bool
    photo: bool
    keys: tuple[tuple[Key, ...], ...] = ()
    shown: bool = False
    message_id: str = ""
    can_edit: bool = False


@dataclass(frozen=True)
class ChatDay:
    """The bubbles of one local day."""

    id: str
    title: str
    bubbles: tuple[Bubble, ...]


def chat_days(shown: Sequence[Shown], said: Sequence[Said], zone: str, today: datetime, *, whole: bool) -> tuple[list[ChatDay], int]:
    """The chat by day, oldest first, and how many older messages are left out."""
    found = [(item.at, 2 if item.kind in _SOLICITED else 0, _ours(item, zone)) for item in shown]
    found += [(at, 1, bubble) for at, bubble in _theirs(said, zone)]
    found.sort(key=lambda item: item[:2])
    kept = found if whole else found[-MOST:]
    with_keys = [bubble.id for _, _, bubble in kept if bubble.keys][-OPEN_BUTTONS:]
    last_own = next((bubble.id for _, _, bubble in reversed(kept) if bubble.mine and bubble.message_id and not bubble.photo), None)
    days: dict[str, list[Bubble]] = {}
    for at, _, bubble in kept:
        open_now = _with(bubble, shown=bubble.id in with_keys, can_edit=bubble.id == last_own)
        days.setdefault(local_day(at, zone).isoformat(), []).append(open_now)
    return [ChatDay(day, _title(day, zone, today), tuple(bubbles)) for day, bubbles in days.items()], len(found) - len(kept)


def _ours(item: Shown, zone: str) -> Bubble:
    keys = tuple(tuple(Key(cell["label"], button_data(UUID(cell["question"]), cell["answer"])) for cell in row) for row in item.buttons)
    return Bubble(str(item.id), False, clock_time(item.at, zone), item.text, False, False, keys, message_id=item.provider_id or "")


def _theirs(said: Sequence[Said], zone: str) -> list[tuple[datetime, Bubble]]:
    """The patient's own bubbles: an edit changes the one it edits and stays in its place."""
    found: list[tuple[datetime, Bubble]] = []
    place: dict[str, int] = {}
    for item in said:
        if item.heard in ("blocked", "unblocked"):
            continue
        own = item.message_id if item.heard in ("text", "edit", "media") and item.message_id else ""
        at, old = item.at, place.get(own) if item.heard == "edit" else None
        if old is not None:
            at = found[old][0]
        text = item.text or ("/start" if item.heard == "text" else "")
        bubble = Bubble(str(item.id), True, clock_time(at, zone), text, item.heard == "edit", item.heard == "media", message_id=own)
        if old is not None:
            found[old] = (at, bubble)
            continue
        if own:
            place[own] = len(found)
        found.append((at, bubble))
    return found


def _with(bubble: Bubble, *, shown: bool, can_edit: bool) -> Bubble:
    return Bubble(**{**vars(bubble), "shown": shown, "can_edit": can_edit})


def _title(day: str, zone: str, now: datetime) -> str:
    today = now.astimezone(ZoneInfo(zone)).date()
    found = today.fromisoformat(day)
    return {0: "Today", 1: "Yesterday"}.get((today - found).days, day_words(found))
