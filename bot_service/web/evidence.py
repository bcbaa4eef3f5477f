"""What patients recorded, in a clinician's words: entries with their values, the words they came from, and what corrected them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from bot_service.actions.flag_rows import UNANSWERED
from bot_service.storage.cases import Piece
from bot_service.storage.entries import Entry
from bot_service.storage.inbox import Said
from bot_service.storage.outbox import WENT_OUT
from bot_service.storage.prescriptions import Prescribed
from bot_service.storage.transcripts import Shown
from bot_service.web.our_messages import kind_words, state_words
from bot_service.web.times import day_words, local_day, moment

KINDS = {
    "session": "Exercises",
    "load": "Load used",
    "pain_during": "Worst pain in the session",
    "pain_24h": "Pain 24 hours after",
    "pain_24h_late": "Pain told too late for the 24 hours",
    "baseline": "Usual pain",
    "safety": "Safety question",
    "reason": "Why not",
    "note": "Note",
}
OUTCOMES = {
    "done": "done",
    "partly": "partly done",
    "not_done": "not done",
    "none": "none of these",
    "one_of_these": "one of these",
    "pain": "pain",
    "forgot": "forgot",
    "time": "no time",
    "unsure": "not sure how",
    "unwell": "unwell",
    "other": "something else",
}


@dataclass(frozen=True)
class Noted:
    """One entry as shown. `instead_of` is the value that it replaced, `now` the value that replaced it."""

    day: str
    what: str
    value: str
    words: str
    instead_of: str | None
    now: str | None
    confirmed: bool


@dataclass(frozen=True)
class Evidence:
    """A row of evidence on a case: the day it is about, what it is, its value, the patient's words, and the value that holds instead.

    `message` is the message that it came from, as the transcript names it; empty when it came from none.
    """

    day: str
    what: str
    value: str
    words: str
    now: str = ""
    message: str = ""


Raised = tuple[str, Piece]
"""What a case is called, and a piece of its evidence."""


class Notes:
    """All entries of an episode with the messages they came from; `heard` is the local day of the patient's last message.

    `raised` is the evidence of the open cases, so that the record marks it where it stands: in messages, days, and the scores of days.
    """

    def __init__(
        self,
        entries: Iterable[Entry],
        said: Iterable[Said],
        zone: str,
        raised: Iterable[Raised] = (),
        sent: Iterable[Shown] = (),
        past: Iterable[Prescribed] = (),
    ) -> None:
        self._entries = {entry.id: entry for entry in entries}
        self._after = {entry.supersedes_id: entry for entry in self._entries.values() if entry.supersedes_id}
        self._said: Mapping[UUID, Said] = {item.id: item for item in said}
        self._sent: Mapping[UUID, Shown] = {item.id: item for item in sent}
        self._past: Mapping[UUID, Prescribed] = {item.id: item for item in past}
        self.zone = zone
        self.heard = max((local_day(item.at, zone) for item in self._said.values()), default=None)
        self.of_messages: dict[UUID, list[str]] = {}
        self.of_days: dict[date, list[str]] = {}
        self.of_scores: dict[tuple[date, str], list[str]] = {}
        for title, piece in raised:
            self._mark(title, piece)

    def of_message(self, inbox_id: UUID) -> list[Noted]:
        """What was recorded from one message."""
        return [self.noted(entry) for entry in self._entries.values() if entry.inbox_id == inbox_id]

    def noted(self, entry: Entry) -> Noted:
        """One entry in words."""
        before = self._entries.get(entry.supersedes_id) if entry.supersedes_id else None
        after = self._last(entry)
        said = self._said.get(entry.inbox_id) if entry.inbox_id else None
        return Noted(
            day_words(entry.day),
            KINDS.get(entry.kind, entry.kind),
            value_of(entry),
            said.text if said else (entry.note or ""),
            value_of(before) if before else None,
            value_of(after) if after else None,
            entry.confirmed,
        )

    def row(self, piece: Piece) -> tuple[tuple[datetime, int], Evidence] | None:
        """A piece of evidence and what sorts it, when and as which entry it was recorded; None when its row is not the patient's."""
        entry = self._entries.get(piece.entry_id) if piece.entry_id else None
        if entry is not None:
            noted = self.noted(entry)
            return (entry.at, entry.seq), Evidence(
                noted.day, noted.what, noted.value, noted.words, noted.now or "", str(entry.inbox_id or "")
            )
        said = self._said.get(piece.inbox_id or _NOBODY)
        if said is not None:
            return (said.at, 0), Evidence(moment(said.at, self.zone), "Message", "", said.text, message=str(said.id))
        return self._row_of_ours(piece)

    def _row_of_ours(self, piece: Piece) -> tuple[tuple[datetime, int], Evidence] | None:
        """A message that we sent or could not send, or the prescription from which time is counted."""
        if (sent := self._sent.get(piece.outbox_id or _NOBODY)) is not None:
            became = state_words(sent) + (", no answer" if piece.rule in UNANSWERED and sent.status in WENT_OUT else "")
            return (sent.at, 0), Evidence(moment(sent.at, self.zone), kind_words(sent), became, "", message=str(sent.id))
        if (begun := self._past.get(piece.prescription_id or _NOBODY)) is not None:
            return (begun.created_at, 0), Evidence(day_words(begun.starts_on), "Prescription", begun.document.stage_title, "")
        return None

    def _mark(self, title: str, piece: Piece) -> None:
        entry = self._entries.get(piece.entry_id or _NOBODY)
        found = self._said.get(piece.inbox_id or (entry.inbox_id if entry else None) or _NOBODY) or self._sent.get(
            piece.outbox_id or _NOBODY
        )
        day = entry.day if entry else local_day(found.at, self.zone) if found else None
        marked = [self.of_messages.setdefault(found.id, [])] if found else []
        marked += [self.of_days.setdefault(day, [])] if day else []
        marked += [self.of_scores.setdefault((entry.day, entry.kind), [])] if entry else []
        for titles in marked:
            if title not in titles:
                titles.append(title)

    def _last(self, entry: Entry) -> Entry | None:
        """What holds now instead of this entry."""
        after = self._after.get(entry.id)
        while after is not None and after.id in self._after:
            after = self._after[after.id]
        return after


_NOBODY = UUID(int=0)


def joined(rows: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The rows, with what one message said about one day in one row: "done, 4" is an outcome and a score."""
    found: list[Evidence] = []
    for row in rows:
        last = found[-1] if found else None
        if last is not None and (last.day, last.words, last.now, row.now) == (row.day, row.words, "", "") and row.words and row.value:
            found[-1] = replace(last, what=f"{row.what}, {last.what.lower()}", value=f"{row.value}, {last.value}")
        else:
            found.append(row)
    return tuple(found)


def value_of(entry: Entry) -> str:
    """4/10, or the outcome in words."""
    if entry.score is not None:
        return f"{entry.score}/10"
    return OUTCOMES.get(entry.outcome or "", entry.outcome or "")
