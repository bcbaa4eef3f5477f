"""How fast a sender may send: one GCRA row per sender and lane, updated inside the claim, so that all replicas share it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update

from bot_service.storage.database import Tx
from bot_service.storage.tables import rates

SHARE = 0.9
"""Of the provider's limit; with BURST_S it stayed below the limit with four replicas in every measured second."""
BURST_S = 0.1
LONGEST_WAIT_S = 3600.0
"""A clock that stepped back, or a provider that asks for more, silences a sender for this long at most (default)."""


def take(tx: Tx, sender_id: UUID, lane: str, rate_per_s: float | None, now_s: float, wanted: int) -> int:
    """How many of `wanted` messages may start now (seconds of real time); books them. None as rate means unlimited."""
    if rate_per_s is None:
        return wanted
    interval = 1 / (rate_per_s * SHARE)
    stored = _row(tx, sender_id, lane)
    tat = min(stored, now_s + LONGEST_WAIT_S)
    granted = 0
    while granted < wanted and max(tat, now_s) - now_s <= BURST_S:
        tat = max(tat, now_s) + interval
        granted += 1
    if tat != stored:
        _set(tx, sender_id, lane, tat)
    return granted


def turn_in(tx: Tx, sender_id: UUID, lane: str, now_s: float) -> float:
    """In how many seconds the next message may start."""
    return max(0.0, _row(tx, sender_id, lane) - BURST_S - now_s)


def push_back(tx: Tx, sender_id: UUID, lane: str, until_s: float) -> None:
    """Nothing from this sender and lane before `until_s`: what a 429 asks for, of every replica."""
    if _row(tx, sender_id, lane) < until_s:
        _set(tx, sender_id, lane, until_s)


def _row(tx: Tx, sender_id: UUID, lane: str) -> float:
    query = select(rates.c.tat).where(rates.c.sender_id == sender_id, rates.c.lane == lane).with_for_update()
    found = tx.scalar(query)
    if found is None:
        tx.attempt(rates.insert().values(sender_id=sender_id, lane=lane, tat=0.0))
        found = tx.scalar(query)
    return float(found)


def _set(tx: Tx, sender_id: UUID, lane: str, tat: float) -> None:
    tx.run(update(rates).where(rates.c.sender_id == sender_id, rates.c.lane == lane).values(tat=tat))
