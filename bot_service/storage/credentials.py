"""What the senders that were added prove themselves with, sealed under the installation's key; those of the settings are not kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from bot_service.errors import Conflict
from bot_service.storage import audit, clinics
from bot_service.storage.clinics import Clinic, Sender
from bot_service.storage.database import Tx
from bot_service.storage.tables import senders


@dataclass(frozen=True)
class Credentials:
    """A bot's token and the secret of its webhook, or an account's token (during a rotation `new,old`), its SID and its templates."""

    token: str = field(repr=False)
    webhook_secret: str = field(default="", repr=False)
    account: str = ""
    templates: Mapping[str, str] = field(default_factory=dict)

    @property
    def bot_id(self) -> str:
        """Which bot a Telegram token belongs to, by its first part."""
        return self.token.partition(":")[0]


def keep(tx: Tx, now: datetime, clinic: Clinic, channel: str, name: str, rate_per_s: float, credentials: Credentials) -> Sender:
    """Add a sender with its credentials, or replace those of one that the clinic has.

    Raises Conflict when another clinic sends from it, or when another sender has the same bot.
    """
    sender = clinics.find_or_add_sender(tx, clinic.id, channel, name, rate_per_s)
    if sender.clinic_id != clinic.id:
        raise Conflict(f"{name} is the sender of another clinic; each clinic needs a bot or number of its own")
    for other, kept in list_kept(tx):
        if channel == other.channel == "telegram" and other.id != sender.id and kept.bot_id == credentials.bot_id:
            raise Conflict(f"this token is that of the sender {other.name}; each clinic needs a bot of its own")
    sealed = tx.seal_raw(_place(sender.id), json.dumps(vars(credentials) | {"templates": dict(credentials.templates)}))
    tx.run(update(senders).where(senders.c.id == sender.id).values(credentials=sealed, status="active", reason=None))
    audit.record(tx, now, "command line", "sender_added", clinic_id=clinic.id, subject_id=sender.id)
    return sender


def list_kept(tx: Tx) -> list[tuple[Sender, Credentials]]:
    """The senders that were added, broken ones too, with their credentials."""
    query = select(senders.c.id, senders.c.credentials).where(senders.c.credentials.is_not(None))
    kept = {row.id: _credentials(tx, row) for row in tx.all(query)}
    return [(sender, kept[sender.id]) for sender in clinics.list_senders(tx) if sender.id in kept]


def _credentials(tx: Tx, row: Any) -> Credentials:
    return Credentials(**json.loads(tx.unseal_raw(_place(row.id), row.credentials)))


def _place(sender_id: UUID) -> str:
    return f"senders.credentials:{sender_id}"
