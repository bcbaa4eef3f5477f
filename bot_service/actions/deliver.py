"""The only place that sends: claim, look again, commit `sending`, call the channel with no transaction open, record what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from bot_service.actions.check_ins import put_back_check_in
from bot_service.actions.outcomes import ATTEMPTS, record_outcome, recover_after_crash, retry_delay, take_back
from bot_service.actions.prepare import may_begin, prepare
from bot_service.channels.channel import Channel
from bot_service.clock import Clock, monotonic, real_now
from bot_service.errors import ChannelUnavailable, DeliveryError, OutcomeUnknown
from bot_service.logs import log
from bot_service.messages import Outbound
from bot_service.storage import clinics, outbox, rates
from bot_service.storage.clinics import Sender
from bot_service.storage.database import Database

CLAIM_LEASE = timedelta(minutes=2)
SEND_LEASE = timedelta(minutes=10)
"""Generous: an engine that gives up a lease too soon sends twice after a pause (measured, `engine.md` section 4)."""
BEGIN_WITHIN = timedelta(seconds=30)
"""A process that was stopped for longer between preparing a message and sending it prepares it anew (default)."""
LOOK_AFTER_S = 15.0
"""How often leases that lapsed are looked for, in real seconds."""
LONGEST_TURN_S = 1.0
"""A sender whose rate lets the next message go within this time is waited for; a longer wait is the next tick's."""
LANES = ("now", "bulk")
"""Answers and safety texts before prompts, out of one budget for each sender (`rates.py`)."""
T = TypeVar("T")


@dataclass
class Delivery:
    """What delivering needs: the database, the channels by sender, the clock, and how to run blocking work.

    `in_threads` is False only where one thread does everything and order must not vary: the headless demo. `real` is the time that
    leases and rates go by, and `sleep` waits in it.
    """

    db: Database
    channels: Mapping[UUID, Channel]
    clock: Clock
    worker: str
    in_threads: bool = True
    batch: int = 20
    real: Callable[[], datetime] = real_now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    looked_after_at: float = field(default=-1e9, init=False)
    under_way: dict[UUID, asyncio.Task[tuple[int, float]]] = field(default_factory=dict, init=False)

    def wants_to_look_after(self) -> bool:
        """Whether it is time to look for leases that lapsed."""
        return monotonic() - self.looked_after_at > LOOK_AFTER_S

    def may_begin(self, outbound: Outbound, prepared_at: datetime) -> bool:
        """The last look, right before the call: a process may have been stopped, or a STOP recorded, since the message was prepared."""
        real = self.real()
        if real - prepared_at > BEGIN_WITHIN:
            return False
        return may_begin(self.db, UUID(outbound.id), self.worker, self.clock.now(), real)

    async def run(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work) if self.in_threads else work()

    async def finish(self) -> None:
        """Wait for what is being sent."""
        await asyncio.gather(*self.under_way.values(), return_exceptions=True)
        self.under_way.clear()


async def deliver_due(delivery: Delivery) -> int:
    """Send what is due, one message of a sender at a time; how many were tried, or await their turn.

    With one send in flight a crash leaves at most one message in doubt for each sender. Senders do not wait for each other: one whose
    provider hangs is left to itself after a moment, and has its next go when this one is over.
    """
    waiting = await delivery.run(lambda: _with_work(delivery))
    if delivery.in_threads:
        for sender, lanes in waiting:
            if sender.id not in delivery.under_way:
                delivery.under_way[sender.id] = asyncio.create_task(_deliver_of(delivery, sender, lanes))
        gone = await _gather_some(delivery)
    else:
        gone = [await _deliver_of(delivery, sender, lanes) for sender, lanes in waiting]
    tried = sum(number for number, _ in gone)
    turns = [turn for _, turn in gone if 0 < turn <= LONGEST_TURN_S]
    if turns and not tried:
        await delivery.sleep(min(turns))  # the rate's next moment comes long before the next tick
    return tried + len(turns)


async def _gather_some(delivery: Delivery) -> list[tuple[int, float]]:
    """What senders have done that are through with their go: until one of them has tried something, or a moment has passed."""
    gone, until = list[tuple[int, float]](), monotonic() + LONGEST_TURN_S
    while delivery.under_way and not any(tried for tried, _ in gone) and (left := until - monotonic()) > 0:
        await asyncio.wait(delivery.under_way.values(), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        through = [sender_id for sender_id, task in delivery.under_way.items() if task.done()]
        gone += [delivery.under_way.pop(sender_id).result() for sender_id in through]
    return gone


async def _deliver_of(delivery: Delivery, sender: Sender, lanes: list[str]) -> tuple[int, float]:
    """One go of a sender, lane by lane: how many messages were tried, and in how many seconds its rate allows more (0: nothing waits)."""
    tried, turns = 0, list[float]()
    for lane in lanes:
        claimed, turn = await delivery.run(lambda lane=lane: _claim(delivery, sender, lane))  # type: ignore[misc]  # bound now
        turns += [turn] if turn else []
        for index, message_id in enumerate(claimed, 1):
            tried += 1
            if not await _deliver_one(delivery, message_id):
                rest = claimed[index:]
                await delivery.run(lambda rest=rest: _give_back(delivery, rest))  # type: ignore[misc]  # bound now
                return tried, 0.0
    return tried, min(turns, default=0.0)


def _give_back(delivery: Delivery, message_ids: list[UUID]) -> None:
    with delivery.db.begin() as tx:
        outbox.give_back(tx, delivery.clock.now(), message_ids, delivery.worker)


async def _deliver_one(delivery: Delivery, message_id: UUID) -> bool:
    """Send one claimed message; False after a failure: it may have stopped the sender, and the next go begins with the answers again."""
    now, prepared_at = delivery.clock.now(), delivery.real()
    outbound: Outbound | None = None
    error: DeliveryError | None = None
    provider_id = ""
    try:
        outbound = await delivery.run(lambda: prepare(delivery.db, message_id, delivery.worker, now, prepared_at + SEND_LEASE))
        if outbound is None:
            return True
        channel, prepared = delivery.channels.get(UUID(outbound.sender_id)), outbound
        if channel is None:
            raise ChannelUnavailable("this process does not run the patient's channel")
        if not await delivery.run(lambda: delivery.may_begin(prepared, prepared_at)):
            await delivery.run(lambda: _not_begun(delivery, prepared))
            return True
        provider_id = await channel.send(outbound)
    except DeliveryError as raised:
        error = raised
    except Exception as raised:  # noqa: BLE001  # the others go on; before the call this one waits, after it nobody knows
        if outbound is None:
            log().error("message not prepared", message=str(message_id), error=type(raised).__name__)
            await delivery.run(lambda: _put_off(delivery, message_id))
            return True
        error = OutcomeUnknown(type(raised).__name__)
    assert outbound is not None  # or it would have been put off
    sent = outbound
    await delivery.run(lambda: record_outcome(delivery.db, sent, delivery.clock.now(), provider_id, error, delivery.real()))
    return error is None


def _not_begun(delivery: Delivery, outbound: Outbound) -> None:
    """Nobody but this worker can have sent it, and it has not: in line again, to be looked at afresh, unless it was given up meanwhile."""
    with delivery.db.begin() as tx:
        message = outbox.load(tx, UUID(outbound.id))
        if message is not None and message.claimed_by == delivery.worker:
            log().warning("stopped before the call", message=outbound.id)
            take_back(tx, message, "due", delivery.clock.now(), "not begun in time", attempts=message.attempts - 1)


def _put_off(delivery: Delivery, message_id: UUID) -> None:
    """It could not even be prepared; after as many tries as any other message it has failed, where staff see it."""
    with delivery.db.begin() as tx:
        now, message = delivery.clock.now(), outbox.load_claimed(tx, message_id, delivery.worker)
        if message is None:
            return
        attempts = message.attempts + 1
        status, due_at = ("failed", message.due_at) if attempts >= ATTEMPTS else ("due", now + retry_delay(attempts, message.id))
        outbox.move(tx, message_id, ("claimed",), status, now, "could not be prepared", attempts=attempts, due_at=due_at)
        if status == "failed":
            put_back_check_in(tx, message, now)


def _with_work(delivery: Delivery) -> list[tuple[Sender, list[str]]]:
    """The senders that may send and have something due, and in which of their lanes, in the order in which these go."""
    if delivery.wants_to_look_after():
        delivery.looked_after_at = monotonic()
        recover_after_crash(delivery.db, delivery.clock.now(), everything=False, real=delivery.real())
    with delivery.db.begin() as tx:
        now = delivery.clock.now()
        for lost in outbox.expire_stale(tx, now):
            put_back_check_in(tx, lost, now)
        waiting = outbox.lanes_with_work(tx, now)
        active = [sender for sender in clinics.list_senders(tx) if sender.status == "active" and sender.id in delivery.channels]
    return [(sender, lanes) for sender in active if (lanes := [lane for lane in LANES if (sender.id, lane) in waiting])]


def _claim(delivery: Delivery, sender: Sender, lane: str) -> tuple[list[UUID], float]:
    """What may be sent now; or nothing, and in how many seconds the rate allows more."""
    real = delivery.real()
    with delivery.db.begin() as tx:
        now = delivery.clock.now()
        waiting = outbox.count_due(tx, now, sender.id, [lane], delivery.batch)
        if not waiting:
            return [], 0.0
        may_start = rates.take(tx, sender.id, lane, sender.rate_per_s, real.timestamp(), waiting)
        if not may_start:
            return [], rates.turn_in(tx, sender.id, lane, real.timestamp())
        lease = real + CLAIM_LEASE
        return outbox.claim(tx, now, sender_ids=[sender.id], worker=delivery.worker, lease_until=lease, limit=may_start, lanes=[lane]), 0.0
