"""What an edited message was before: the values that it has recorded, and when it was first written."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot_service.conversation.situation import Answered
from bot_service.storage import entries, inbox
from bot_service.storage.database import Tx
from bot_service.storage.entries import Entry
from bot_service.storage.episodes import Episode
from bot_service.storage.inbox import Said

EDITABLE = timedelta(days=7)
"""Providers let people edit a message for minutes or two days; a week covers every one."""


def recorded_from(tx: Tx, episode: Episode, message_id: str, current: list[Entry], edited_at: datetime) -> tuple[Answered, ...]:
    """The values that hold now of what any version of a message had answered, corrected since or not."""
    versions = {said.id for said in _versions(tx, episode, message_id, edited_at)}
    told = {(entry.kind, entry.day, entry.slot) for entry in entries.list_all(tx, episode) if entry.inbox_id in versions}
    return tuple(
        answered(entry) for entry in current if entry.score is not None and entry.confirmed and (entry.kind, entry.day, entry.slot) in told
    )


def first_written(tx: Tx, episode: Episode, message_id: str | None, edited_at: datetime) -> datetime:
    """When the first version of an edited message was written, as far as we have it."""
    return min((said.at for said in _versions(tx, episode, message_id, edited_at)), default=edited_at)


def answered(entry: Entry) -> Answered:
    """A recorded value as a correction needs it."""
    return Answered(entry.kind, entry.day, entry.slot, entry.score, entry.question_id)


def _versions(tx: Tx, episode: Episode, message_id: str | None, edited_at: datetime) -> list[Said]:
    said = inbox.list_of_patient(tx, episode.patient_id, edited_at - EDITABLE) if message_id else []
    return [each for each in said if each.message_id == message_id]
