"""Links under which a provider fetches one picture of an episode, once: who may is in the link, whether it was used is here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update

from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.tables import media_links

KEPT = timedelta(days=1)
"""How long an expired link's row stays; without one it is refused just the same."""


@dataclass(frozen=True)
class MediaLink:
    """A link that may be opened, and whose picture it shows."""

    id: UUID
    episode_id: UUID


def add(tx: Tx, episode: Episode, expires_at: datetime) -> UUID:
    """A link to a picture of the episode, in real time until `expires_at`. Those that expired long ago are taken away."""
    tx.run(delete(media_links).where(media_links.c.expires_at < expires_at - KEPT))
    link_id = tx.new_id()
    tx.run(media_links.insert().values(id=link_id, clinic_id=episode.clinic_id, episode_id=episode.id, expires_at=expires_at))
    return link_id


def find_open(tx: Tx, link_id: UUID, real_now: datetime) -> MediaLink | None:
    """The link, unless it was used, has expired, or never was."""
    where = (media_links.c.id == link_id, media_links.c.used_at.is_(None), media_links.c.expires_at > real_now)
    row = tx.first(select(media_links.c.id, media_links.c.episode_id).where(*where))
    return None if row is None else MediaLink(row.id, row.episode_id)


def use(tx: Tx, link_id: UUID, real_now: datetime) -> bool:
    """Use it up; False when somebody did already, in whichever replica, or it has expired."""
    where = (media_links.c.id == link_id, media_links.c.used_at.is_(None), media_links.c.expires_at > real_now)
    return tx.scalar(update(media_links).where(*where).values(used_at=real_now).returning(media_links.c.id)) is not None


def give_back(tx: Tx, link_id: UUID, used_at: datetime) -> None:
    """The one who used it then went away without the picture: they may come again."""
    tx.run(update(media_links).where(media_links.c.id == link_id, media_links.c.used_at == used_at).values(used_at=None))
