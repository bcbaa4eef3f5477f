"""News of a changed plan reaches the patient before the first prompt that shows the change, quiet hours or not."""

from __future__ import annotations

from datetime import datetime

from bot_service.actions.deciding import OF_EXERCISES
from bot_service.storage import outbox
from bot_service.storage.database import Tx
from bot_service.storage.outbox import Message


def waits_for_news(tx: Tx, prompt: Message, now: datetime) -> bool:
    """Whether a prompt stands back for news that nobody has tried to send yet; what waits for a later time is due now."""
    if prompt.episode_id is None:
        return False
    untold = [each for each in outbox.find_waiting(tx, prompt.episode_id, "news") if each.attempts == 0 and _is_of_exercises(each)]
    for each in untold:
        if each.due_at > now:
            outbox.move(tx, each.id, ("due",), "due", now, "goes before the exercises", due_at=now)
    return bool(untold)


def goes_first(tx: Tx, news: Message, now: datetime) -> bool:
    """Whether a prompt waits for this news: a time that the patient chose wins over quiet hours (`clinical.md` 0.11)."""
    if news.kind != "news" or news.episode_id is None or not _is_of_exercises(news):
        return False
    return any(each.due_at <= now for each in outbox.find_waiting(tx, news.episode_id, "prompt"))


def _is_of_exercises(news: Message) -> bool:
    return any(key in OF_EXERCISES for key, _ in news.content.get("lines", ()))
