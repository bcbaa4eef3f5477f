"""The picture beside the words about how it is going: drawn from the record when it is needed, never kept, and fetched by a link."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bot_service.actions.histories import load_record
from bot_service.conversation.progress_picture import draw_progress
from bot_service.storage import episodes, media_links, receipts
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.sealing import Keyring

FETCHED_BY = ("whatsapp",)
"""Channels whose provider fetches a picture from us; the others take it along with the text."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{64}")
_ID_BYTES = 16


@dataclass(frozen=True)
class Shown:
    """A picture behind a link that may be opened."""

    link_id: UUID
    png: bytes


def shown_with(
    tx: Tx, content: Mapping[str, Any], episode: Episode, sender_id: UUID, now: datetime, lease_until: datetime
) -> dict[str, Any]:
    """The fields of an `Outbound` that show a picture: itself, or where the provider fetches it as long as the lease holds (real time).

    Not for a template: it shows none, and what it stands for is shown again, picture and all, once the patient answers it.
    """
    if not any(key in ("progress", "progress_so_far") for key, _ in content.get("lines", ())):
        return {}
    picture = draw(tx, episode, now)
    if picture is not None and receipts.channel_of(tx, sender_id) in FETCHED_BY:
        return {"picture_token": make_link(tx, episode, lease_until)}
    return {"picture": picture}


def draw(tx: Tx, episode: Episode, now: datetime) -> bytes | None:
    """The pain scores of the last weeks as a PNG; None before there are two to compare."""
    record = load_record(tx, episode, now)
    pains = {day.day: day.pain for day in record.rated_days if day.pain is not None}
    return draw_progress(pains, record.rules.pain_ceiling, record.today) if len(pains) > 1 else None


def make_link(tx: Tx, episode: Episode, expires_at: datetime) -> str:
    """A token that shows the episode's picture once, until `expires_at` in real time: a drawn number and our signature of it."""
    link_id = media_links.add(tx, episode, expires_at)
    return urlsafe_b64encode(link_id.bytes + _signature(tx.db.keys, link_id)).decode()


def look(db: Database, token: str, now: datetime, real_now: datetime) -> Shown | None:
    """The picture behind a token; None for one that is used, expired, forged or unknown alike. Looking uses nothing up."""
    link_id = _signed_id(db.keys, token)
    if link_id is None:
        return None
    with db.read() as tx:
        link = media_links.find_open(tx, link_id, real_now)
        png = draw(tx, episodes.load(tx, link.episode_id), now) if link else None
    return None if png is None else Shown(link_id, png)


def take(db: Database, shown: Shown, real_now: datetime) -> bool:
    """Use the link up; of several who try, one succeeds."""
    with db.begin() as tx:
        return media_links.use(tx, shown.link_id, real_now)


def give_back(db: Database, shown: Shown, taken_at: datetime) -> None:
    """Whoever took it went away before they had it."""
    with db.begin() as tx:
        media_links.give_back(tx, shown.link_id, taken_at)


def _signed_id(keys: Keyring, token: str) -> UUID | None:
    if not _TOKEN.fullmatch(token):
        return None
    raw = urlsafe_b64decode(token)
    link_id = UUID(bytes=raw[:_ID_BYTES])
    return link_id if hmac.compare_digest(raw[_ID_BYTES:], _signature(keys, link_id)) else None


def _signature(keys: Keyring, link_id: UUID) -> bytes:
    return keys.index("media", link_id.hex)
