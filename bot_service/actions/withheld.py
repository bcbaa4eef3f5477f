"""News of exercises while somebody has to look at the patient first: it is stopped, and what still stands is told when that is over."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from bot_service.actions.deciding import NEWS_KEPT, NO_NEWS, OF_EXERCISES, Decision, holds_news, tell_patient
from bot_service.actions.histories import local_today
from bot_service.storage import episodes, outbox, prescriptions, undone
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.outbox import Message

UNTOLD = "nothing is said of exercises before somebody has looked at this patient"


def unwanted_news(tx: Tx, episode: Episode, message: Message, now: datetime) -> str | None:
    """Why waiting news of exercises must not go out: nothing is said of them now, or what it tells of was undone."""
    if message.kind != "news":
        return None
    lines = message.content.get("lines", ())
    if any(key in (*OF_EXERCISES, "holds_released") for key, _ in lines) and holds_news(tx, episode, now):
        return UNTOLD
    since = _tells_since(message)
    return "what it tells of was undone" if since and not _changed_since(tx, episode, since) else None


def stop_unwanted_news(tx: Tx, episode: Episode, now: datetime) -> None:
    """Stop at once what would be stopped before it goes out."""
    for message in outbox.find_waiting(tx, episode.id, "news"):
        if why := unwanted_news(tx, episode, message, now):
            outbox.move(tx, message.id, ("due",), "cancelled", now, why)


def announce_release(tx: Tx, episode: Episode, decision: Decision, once: str, now: datetime) -> None:
    """Exercises go on, unless something else still holds them back; with what was decided about them meanwhile, or told too late."""
    if episodes.list_holds_in_force(tx, episode.id, local_today(now, episode.zone)):
        return
    tell_patient(tx, episode, "holds_released", decision, once, now)
    holds = episodes.list_holds(tx, episode.id)
    # A pause that outlasted the red flag kept its end from being announced: it is told of both now.
    ended = min((hold.created_at for hold in holds if hold.released_at == now), default=now)
    quiet = [hold.created_at for hold in holds if hold.kind in NO_NEWS and hold.released_at is not None and hold.released_at >= ended]
    if not quiet:
        return
    stopped = undone.list_cancelled(tx, episode.id, UNTOLD, min(quiet))
    since = min([*quiet, *(_tells_since(each) or each.expires_at - NEWS_KEPT for each in stopped)])
    if _changed_since(tx, episode, since):
        was = _in_force_at(tx, episode, since)
        tell_patient(tx, episode, "plan_changed_same", decision, f"{once}:plan", now, was=was, since=since.isoformat())


def _tells_since(message: Message) -> datetime | None:
    """From when on it tells of changes that were not told at once."""
    since = next((values["since"] for _, values in message.content.get("lines", ()) if "since" in values), None)
    return since and datetime.fromisoformat(since)


def _in_force_at(tx: Tx, episode: Episode, since: datetime) -> UUID | None:
    """The prescription that the patient knows of."""
    past = prescriptions.list_of_episode(tx, episode.patient_id, episode.id)
    return next((item.id for item in reversed(past) if item.created_at < since), None)


def _changed_since(tx: Tx, episode: Episode, since: datetime) -> bool:
    past = prescriptions.list_of_episode(tx, episode.patient_id, episode.id)
    return any(item.created_at >= since and not item.by_patient for item in past[1:])
