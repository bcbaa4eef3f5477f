"""How many prompts fall due at the same instant through the same sender."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Select, bindparam, func, or_, select

from bot_service.storage.database import Tx
from bot_service.storage.rates import SHARE, sure_pace
from bot_service.storage.tables import addresses, episodes, senders


@dataclass(frozen=True)
class Wave:
    """Prompts of one instant through one sender, which sends `per_s` of them a second."""

    sender_id: UUID
    sender: str
    at: datetime
    prompts: int
    per_s: float


def find_waves(tx: Tx, at: datetime) -> dict[UUID, Wave]:
    """The wave of one instant through each sender that has a rate, those planned already included: the same before, amid and after."""
    rows = tx.all(_AT, {"at": at})
    return {row.id: Wave(row.id, row.name, at, row.prompts, row.rate_per_s * SHARE) for row in rows}


def list_largest(tx: Tx) -> list[Wave]:
    """The largest wave to come of each sender that has a rate, at the pace that it keeps also while answers are slow."""
    largest: dict[UUID, Wave] = {}
    for row in tx.all(_TO_COME):
        largest.setdefault(row.id, Wave(row.id, row.name, row.next_prompt_at, row.prompts, sure_pace(row.rate_per_s)))
    return list(largest.values())


_PROMPTS = func.count().label("prompts")
_IN_USE = addresses.c.status.not_in(("left", "alias"))


def _through_senders(*more: Column[Any]) -> Select[Any]:
    return (
        select(senders.c.id, senders.c.name, senders.c.rate_per_s, _PROMPTS, *more)
        .join_from(episodes, addresses, addresses.c.patient_id == episodes.c.patient_id)
        .join(senders, senders.c.id == addresses.c.sender_id)
        .where(episodes.c.status == "active", _IN_USE, senders.c.rate_per_s.is_not(None))
        .group_by(senders.c.id, senders.c.name, senders.c.rate_per_s, *more)
    )


_AT = _through_senders().where(or_(episodes.c.next_prompt_at == bindparam("at"), episodes.c.last_prompt_at == bindparam("at")))
_TO_COME = (
    _through_senders(episodes.c.next_prompt_at)
    .where(episodes.c.next_prompt_at.is_not(None))
    .order_by(_PROMPTS.desc(), senders.c.name, episodes.c.next_prompt_at)
)
