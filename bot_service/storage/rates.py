"""How fast a sender may send: one GCRA row for each, updated inside the claim, so that its lanes and all replicas share one budget."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from sqlalchemy import and_, bindparam, select, update

from bot_service.storage.database import Tx
from bot_service.storage.tables import rates

SHARE = 0.9
"""Of the provider's limit; with BURST_S it stayed below the limit with four replicas in every measured second."""
IN_FLIGHT = 8
"""How many messages of a sender may be in the air at once (default): 25 a second at an answer's usual 50 to 300 ms (`channels.md` 3)."""
SLOW_ANSWER_S = 0.3
"""How long a provider takes to answer when it is slow, and not so slow that something is wrong."""
BURST_S = {"now": 0.1, "bulk": 0.05}
"""How far ahead of its time each lane may start. What prompts leave is kept: an answer that waits always gets the sender's next moment."""
LONGEST_WAIT_S = 3600.0
"""A clock that stepped back, or a provider that asks for more, silences a sender for this long at most (default)."""
_ALL_LANES = "all"
Told = Literal["all", "receipts"]
"""Where a provider said what: in its answers, or afterwards. What it takes says nothing about what it then delivers."""


def sure_pace(rate_per_s: float) -> float:
    """How many messages a second leave through a sender also while answers are slow: its share of the limit, or what the air holds."""
    return min(rate_per_s * SHARE, IN_FLIGHT / SLOW_ANSWER_S)


def take(tx: Tx, sender_id: UUID, lane: str, rate_per_s: float | None, now_s: float, wanted: int) -> int:
    """How many of `wanted` messages may start now (seconds of real time); books them. None as rate means unlimited."""
    if rate_per_s is None:
        return wanted
    interval = 1 / (rate_per_s * SHARE)
    stored = _row(tx, sender_id)
    tat = min(stored, now_s + LONGEST_WAIT_S)
    granted = 0
    while granted < wanted and max(tat, now_s) - now_s <= BURST_S[lane]:
        tat = max(tat, now_s) + interval
        granted += 1
    if tat != stored:
        _set(tx, sender_id, tat=tat)
    return granted


def lock(tx: Tx, sender_id: UUID) -> None:
    """Until the end of this transaction nobody else takes of this sender's messages."""
    _row(tx, sender_id)


def turn_in(tx: Tx, sender_id: UUID, lane: str, now_s: float) -> float:
    """In how many seconds the next message of this lane may start."""
    return max(0.0, _row(tx, sender_id) - BURST_S[lane] - now_s)


def push_back(tx: Tx, sender_id: UUID, until_s: float) -> None:
    """Nothing from this sender before `until_s`, in any lane and of any replica: what a 429 asks for, or a provider that is down."""
    # Past the burst, or it would end that much early.
    until_s += max(BURST_S.values())
    if _row(tx, sender_id) < until_s:
        _set(tx, sender_id, tat=until_s)


def count_failure(tx: Tx, sender_id: UUID) -> int:
    """One more call in a row to which the provider gave no answer; how many that makes."""
    _row(tx, sender_id)
    return int(tx.scalar(_COUNT, {"of_sender": sender_id}))


def clear_failures(tx: Tx, sender_id: UUID) -> None:
    """The provider answers."""
    tx.run(_CLEAR, {"of_sender": sender_id, "failures": 0})


def count_refusal(tx: Tx, sender_id: UUID, told: Told, why: str, patient_id: UUID) -> int:
    """One more message refused for this reason; how many different patients that makes with no other outcome in between."""
    _row(tx, sender_id, told)
    before = tx.scalar(_REFUSED, {"of_sender": sender_id, "in_lane": told}) or {}
    patients = {*before["patients"], patient_id.hex} if before.get("why") == why else {patient_id.hex}
    _set(tx, sender_id, told, refused={"why": why, "patients": sorted(patients)})
    return len(patients)


def clear_refusals(tx: Tx, sender_id: UUID, *told: Told) -> None:
    """A message was taken or arrived, so it is not all of them that are refused."""
    tx.run(_TAKEN, {"of_sender": sender_id, "in_lanes": list(told), "refused": None})


# Built once: putting a statement together costs several times what running it does.
_OF = and_(rates.c.sender_id == bindparam("of_sender"), rates.c.lane == _ALL_LANES)
_OF_LANE = and_(rates.c.sender_id == bindparam("of_sender"), rates.c.lane == bindparam("in_lane"))
_INSERT = rates.insert()
_TAT = select(rates.c.tat).where(_OF_LANE).with_for_update()
_REFUSED = select(rates.c.refused).where(_OF_LANE)
_SET = update(rates).where(_OF_LANE)
_COUNT = update(rates).where(_OF).values(failures=rates.c.failures + 1).returning(rates.c.failures)
_CLEAR = update(rates).where(_OF, rates.c.failures > 0)
_TAKEN = update(rates).where(
    rates.c.sender_id == bindparam("of_sender"), rates.c.lane.in_(bindparam("in_lanes", expanding=True)), rates.c.refused.is_not(None)
)


def _row(tx: Tx, sender_id: UUID, lane: str = _ALL_LANES) -> float:
    found = tx.scalar(_TAT, {"of_sender": sender_id, "in_lane": lane})
    if found is None:
        tx.attempt(_INSERT, {"sender_id": sender_id, "lane": lane, "tat": 0.0})
        found = tx.scalar(_TAT, {"of_sender": sender_id, "in_lane": lane})
    return float(found)


def _set(tx: Tx, sender_id: UUID, lane: str = _ALL_LANES, **values: Any) -> None:
    tx.run(_SET, {"of_sender": sender_id, "in_lane": lane, **values})
