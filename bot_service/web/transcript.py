"""Both sides of the chat as staff read it: what was said, what became of each message, and what was recorded from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot_service.storage.inbox import Said
from bot_service.storage.transcripts import Shown
from bot_service.web.evidence import Noted, Notes
from bot_service.web.our_messages import kind_words, state_words
from bot_service.web.times import clock_time, local_day, long_day

SHORT = 40
MEDIA = "media"
_NOT_NEEDED = ("answered", "merged into", "asked together")
_ORDER = {"prompt": 0, "check_in": 0, "nudge": 0, "seen": 0, "again": 0, "silence": 0, "news": 0, "message_read": 0}


@dataclass(frozen=True)
class Turn:
    """One message. `ours` tells the sides apart, `trouble` marks what did not go out as meant, `before` is what an edit replaced.

    `raised` are the open cases that it is evidence of.
    """

    ours: bool
    time: str
    kind: str
    state: str
    trouble: bool
    text: str
    before: str
    noted: tuple[Noted, ...]
    id: str = ""
    raised: tuple[str, ...] = ()


@dataclass(frozen=True)
class Day:
    """The messages of one local day."""

    title: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Transcript:
    """The chat, the latest first, by day; `left_out` earlier messages, and `not_needed` ones nobody had to read. `whole`: all of it."""

    days: tuple[Day, ...]
    left_out: int
    not_needed: int
    whole: bool

    @property
    def messages(self) -> frozenset[str]:
        """The messages that are shown."""
        return frozenset(turn.id for day in self.days for turn in day.turns)


def transcript(shown: Sequence[Shown], said: Sequence[Said], notes: Notes, zone: str, *, whole: bool, unneeded: bool) -> Transcript:
    """The chat in the patient's own days, the latest message first."""
    wanted = [item for item in shown if item.status not in ("due", "claimed") and (unneeded or not _unneeded(item))]
    by_id = _originals(said)
    turns = [(item.at, _ORDER.get(item.kind, 2), _our_turn(item, notes, zone)) for item in wanted]
    turns += [(item.at, 1, _their_turn(item, by_id.get(item.id, ""), notes, zone)) for item in said]
    turns.sort(key=lambda found: found[:2])
    kept = turns if whole else turns[-SHORT:]
    return Transcript(tuple(_by_day(((at, turn) for at, _, turn in kept), zone)), len(turns) - len(kept), sum(map(_unneeded, shown)), whole)


def _unneeded(item: Shown) -> bool:
    return item.status == "cancelled" and (item.reason or "").startswith(_NOT_NEEDED)


def _our_turn(item: Shown, notes: Notes, zone: str) -> Turn:
    trouble, raised = item.status in ("failed", "in_doubt", "expired"), tuple(notes.of_messages.get(item.id, ()))
    return Turn(True, clock_time(item.at, zone), kind_words(item), state_words(item), trouble, item.text, "", (), str(item.id), raised)


def _their_turn(item: Said, before: str, notes: Notes, zone: str) -> Turn:
    kind = {"tap": "tapped", "edit": "edited", MEDIA: "sent", "text": "wrote"}.get(item.heard, item.heard)
    text = f"[{item.text}]" if item.heard == MEDIA else item.text
    return Turn(
        False,
        clock_time(item.at, zone),
        kind,
        "",
        False,
        text,
        before,
        tuple(notes.of_message(item.id)),
        str(item.id),
        tuple(notes.of_messages.get(item.id, ())),
    )


def _originals(said: Sequence[Said]) -> dict[object, str]:
    """For each edit the words it replaced."""
    latest: dict[str, str] = {}
    found: dict[object, str] = {}
    for item in said:
        if item.message_id is None:
            continue
        if item.heard == "edit" and item.message_id in latest:
            found[item.id] = latest[item.message_id]
        if item.heard in ("text", "edit"):
            latest[item.message_id] = item.text
    return found


def _by_day(turns: Iterable[tuple[datetime, Turn]], zone: str) -> Iterable[Day]:
    days: dict[str, list[Turn]] = {}
    for at, turn in turns:
        days.setdefault(long_day(local_day(at, zone)), []).append(turn)
    return (Day(title, tuple(reversed(found))) for title, found in reversed(days.items()))
