"""News of a changed plan reaches the patient before the first prompt that shows the change, quiet hours or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from bot_service.actions.deciding import OF_EXERCISES
from bot_service.clinical.record import Record
from bot_service.conversation.exercise_text import next_day_with_slots
from bot_service.conversation.wording import Voice
from bot_service.storage import outbox, prescriptions
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.outbox import Message


def waits_for_news(tx: Tx, prompt: Message, now: datetime) -> bool:
    """Whether a prompt stands back for news that nobody has tried to send yet; what waits for a later time is due now."""
    if prompt.episode_id is None:
        return False
    untold = [each for each in outbox.find_waiting(tx, prompt.episode_id, "news") if each.attempts == 0 and is_of_exercises(each)]
    for each in untold:
        if each.due_at > now:
            outbox.move(tx, each.id, ("due",), "due", now, "goes before the exercises", due_at=now)
    return bool(untold)


def goes_first(tx: Tx, news: Message, now: datetime) -> bool:
    """Whether a prompt waits for this news: a time that the patient chose wins over quiet hours (`clinical.md` 0.11)."""
    if news.kind != "news" or news.episode_id is None or not is_of_exercises(news):
        return False
    return any(each.due_at <= now for each in outbox.find_waiting(tx, news.episode_id, "prompt"))


def plan_as_told(tx: Tx, episode: Episode) -> UUID | None:
    """The prescription that the patient knows, while the news of another one waits; None when they know the one in force."""
    waiting = [each for each in outbox.find_waiting(tx, episode.id, "news") if each.attempts == 0]
    known = [values["was"] for each in waiting for key, values in each.content.get("lines", ()) if key == "changes"]
    return UUID(known[0]) if known else None


def as_told(tx: Tx, episode: Episode, record: Record) -> tuple[Record, date | None]:
    """The record with the plan that the patient knows, and when the one begins that they have not been told of."""
    known = plan_as_told(tx, episode)
    if known is None:
        return record, None
    begins = episode.next_prompt_day or next_day_with_slots(record.prescription, record.today)
    return replace(record, prescription=prescriptions.load(tx, known)), begins


def voice_as_told(tx: Tx, message: Message, episode: Episode, voice: Voice) -> Voice:
    """What answers the patient speaks of the plan that they know."""
    known = plan_as_told(tx, episode) if message.kind == "reply" else None
    return voice if known is None else replace(voice, prescription=prescriptions.load(tx, known))


def next_prompt_at(tx: Tx, episode: Episode) -> datetime | None:
    """When the next exercises are due, in line already or not; None when none are planned."""
    waiting = [each.due_at for each in outbox.find_waiting(tx, episode.id, "prompt")]
    return min((at for at in (*waiting, episode.next_prompt_at) if at is not None), default=None)


def is_of_exercises(news: Message) -> bool:
    """Whether it tells of a change to the exercises, or of none."""
    return any(key in OF_EXERCISES for key, _ in news.content.get("lines", ()))
