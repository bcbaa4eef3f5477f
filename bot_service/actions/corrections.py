"""When a patient corrects a value, the open cases that it raised lead with what holds now."""

from __future__ import annotations

from uuid import UUID

from bot_service.clinical.in_words import corrected_words
from bot_service.storage import cases, entries
from bot_service.storage.database import Tx
from bot_service.storage.entries import Entry
from bot_service.storage.episodes import Episode


def restate_corrected(tx: Tx, episode: Episode, inbox_id: UUID) -> None:
    """Call it after the rules have looked: a case whose rule speaks again about the new value says so itself and is left alone."""
    corrected = [entry for entry in entries.list_current(tx, episode) if entry.inbox_id == inbox_id and entry.supersedes_id]
    if not corrected:
        return
    known = {entry.id: entry for entry in entries.list_all(tx, episode)}
    for entry in corrected:
        for old in _before(entry, known):
            words = corrected_words(entry.kind, entry.day, entry.score, entry.outcome, old.score, old.outcome)
            cases.restate(tx, old.id, entry.id, words)


def _before(entry: Entry, known: dict[UUID, Entry]) -> list[Entry]:
    """Every value that the entry took the place of."""
    found: list[Entry] = []
    while entry.supersedes_id is not None:
        entry = known[entry.supersedes_id]
        found.append(entry)
    return found
