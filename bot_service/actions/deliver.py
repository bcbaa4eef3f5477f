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
from bot_service.errors import DeliveryError, OutcomeUnknown
from bot_service.logs import log
from bot_service.messages import Outbound
from bot_service.storage import claims, clinics, outbox, rates
from bot_service.storage.claims import Claimed, Line
from bot_service.storage.clinics import Sender
from bot_service.storage.database import Database
from bot_service.storage.rates import IN_FLIGHT

CLAIM_LEASE = timedelta(minutes=2)
SEND_LEASE = timedelta(minutes=10)
"""Generous: an engine that gives up a lease too soon sends twice after a pause (measured, `engine.md` section 4)."""
BEGIN_WITHIN = timedelta(seconds=30)
"""A process that was stopped for longer between preparing a message and sending it prepares it anew (default)."""
LOOK_AFTER_S = 15.0
"""How often leases that lapsed are looked for, in real seconds."""
LONGEST_TURN_S = 1.0
"""A sender whose rate lets the next message go within this time is waited for; a longer wait is the next tick's."""
LOOK_AGAIN_S = 0.1
"""How often, while messages are leaving, it is looked at what else has come up: looking for each of them costs more than sending it."""
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
    tried: int = field(default=0, init=False)
    flights: dict[UUID, Flight] = field(default_factory=dict, init=False)
    is_ending: bool = field(default=False, init=False)

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
        """Begin nothing more, and wait for what is being sent."""
        self.is_ending = True
        while self.is_under_way:
            await asyncio.gather(*self.under_way, return_exceptions=True)

    @property
    def under_way(self) -> list[asyncio.Task[None]]:
        """Everything that is not over, or of which nobody has looked at the end."""
        return [task for flight in self.flights.values() for task in flight.tasks]

    @property
    def is_under_way(self) -> bool:
        return any(not task.done() for task in self.under_way)


@dataclass
class Flight:
    """What of one sender is under way: the go that begins messages, and those that are in the air with their patients.

    `width` is how many may be in the air at once: one after a failure, which may be everybody's, and one more with each success.
    """

    go: asyncio.Task[None] | None = None
    sends: dict[asyncio.Task[None], frozenset[UUID]] = field(default_factory=dict)
    width: int = 1

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        return [*self.sends, *([self.go] if self.go else [])]

    @property
    def room(self) -> int:
        return max(0, self.width - sum(not task.done() for task in self.sends))

    @property
    def patients(self) -> list[UUID]:
        """Whose messages are in the air: their next ones wait, or they might overtake."""
        return [patient for task, patients in self.sends.items() if not task.done() for patient in patients]

    def heard(self, *, good: bool) -> None:
        """One message is through."""
        self.width = min(IN_FLIGHT, self.width + 1) if good else 1

    def collect(self) -> None:
        """Forget what is over. Raises what went wrong beside the call, such as the database being away."""
        over = [task for task in self.tasks if task.done()]
        for task in over:
            self.sends.pop(task, None)
            if task is self.go:
                self.go = None
        for task in over:
            task.result()


async def deliver_due(delivery: Delivery) -> int:
    """Send what is due; how many messages were tried since the last time, or await their turn.

    Senders do not wait for each other: one whose provider hangs is left to itself after a moment, and goes on when it answers.
    """
    waiting = await delivery.run(lambda: _with_work(delivery))
    if not delivery.in_threads:
        return await _deliver_in_line(delivery, waiting)
    for sender in waiting:
        flight = delivery.flights.setdefault(sender.id, Flight())
        if flight.go is None and not delivery.is_ending:
            flight.go = asyncio.create_task(_go(delivery, sender, flight))
    return await _some_tried(delivery)


async def _some_tried(delivery: Delivery) -> int:
    """How many messages were tried: a little after the first, or when a moment has passed, or nothing is under way."""
    began = monotonic()
    while True:
        for flight in delivery.flights.values():
            flight.collect()
        left = began + (LOOK_AGAIN_S if delivery.tried else LONGEST_TURN_S) - monotonic()
        if not delivery.under_way or left <= 0:
            break
        await asyncio.wait(delivery.under_way, timeout=left, return_when=asyncio.FIRST_COMPLETED)
    tried, delivery.tried = delivery.tried, 0
    return tried


async def _go(delivery: Delivery, sender: Sender, flight: Flight) -> None:
    """Begin a sender's messages as its rate and those in the air allow, for a moment: then whoever watches looks at it all afresh."""
    until = monotonic() + LONGEST_TURN_S
    while not delivery.is_ending and (left := until - monotonic()) > 0:
        if not flight.room:
            in_the_air = [task for task in flight.sends if not task.done()]
            await asyncio.wait(in_the_air, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            continue
        room, busy = flight.room, flight.patients
        claimed, turn = await delivery.run(lambda room=room, busy=busy: _claim(delivery, sender, room, busy))  # type: ignore[misc]  # bound now
        for ids, patients in _by_patient(claimed):
            flight.sends[asyncio.create_task(_deliver_in_turn(delivery, ids, flight))] = patients
        if not claimed:
            if not 0 < turn <= LONGEST_TURN_S:
                return
            await delivery.sleep(turn)


def _by_patient(claimed: list[Claimed]) -> list[tuple[list[UUID], frozenset[UUID]]]:
    """The messages that may be in the air together: those of one patient follow each other."""
    chains: dict[UUID, list[UUID]] = {}
    for each in claimed:
        chains.setdefault(each.patient_id or each.id, []).append(each.id)
    return [(ids, frozenset({key} - set(ids))) for key, ids in chains.items()]


async def _deliver_in_line(delivery: Delivery, waiting: list[Sender]) -> int:
    """The same where one thread does everything: one go of each sender, one message after another."""
    tried, turns = 0, list[float]()
    for sender in waiting:
        claimed, turn = _claim(delivery, sender, delivery.batch, [])
        await _deliver_in_turn(delivery, [each.id for each in claimed], Flight())
        turns += [turn] if not claimed and 0 < turn <= LONGEST_TURN_S else []
    tried, delivery.tried = delivery.tried, 0
    if turns and not tried:
        await delivery.sleep(min(turns))  # the rate's next moment comes long before the next tick
    return tried + len(turns)


async def _deliver_in_turn(delivery: Delivery, message_ids: list[UUID], flight: Flight) -> None:
    """Send claimed messages one after another; after a failure the rest goes back: the sender may be stopped, and answers go first."""
    left = list(message_ids)
    good = True
    while left and good:
        good = await _deliver_one(delivery, left.pop(0))
        flight.heard(good=good)
        delivery.tried += 1
    if left:
        await delivery.run(lambda: _give_back(delivery, left))


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
        if channel is None:  # the patient has moved: the next to look through that sender's messages sends it
            await delivery.run(lambda: _not_begun(delivery, prepared, "another process runs the patient's channel"))
            return True
        if not await delivery.run(lambda: delivery.may_begin(prepared, prepared_at)):
            await delivery.run(lambda: _not_begun(delivery, prepared, "not begun in time"))
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


def _not_begun(delivery: Delivery, outbound: Outbound, why: str) -> None:
    """Nobody but this worker can have sent it, and it has not: in line again, to be looked at afresh, unless it was given up meanwhile."""
    with delivery.db.begin() as tx:
        message = outbox.load(tx, UUID(outbound.id))
        if message is not None and message.claimed_by == delivery.worker:
            log().warning("stopped before the call", message=outbound.id)
            take_back(tx, message, "due", delivery.clock.now(), why, attempts=message.attempts - 1)


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


def _with_work(delivery: Delivery) -> list[Sender]:
    """The senders that may send and have something due."""
    if delivery.wants_to_look_after():
        delivery.looked_after_at = monotonic()
        recover_after_crash(delivery.db, delivery.clock.now(), everything=False, real=delivery.real())
    with delivery.db.begin() as tx:
        now = delivery.clock.now()
        for lost in outbox.expire_stale(tx, now):
            put_back_check_in(tx, lost, now)
        waiting = claims.senders_with_work(tx, now)
        return [
            sender
            for sender in clinics.list_senders(tx)
            if sender.status == "active" and sender.id in delivery.channels and sender.id in waiting
        ]


def _claim(delivery: Delivery, sender: Sender, room: int, busy: list[UUID]) -> tuple[list[Claimed], float]:
    """What may begin now, answers and safety texts first; or nothing, and in how many seconds the rate allows more."""
    real = delivery.real()
    claimed, turns = list[Claimed](), list[float]()
    with delivery.db.begin() as tx:
        if not clinics.is_active(tx, sender.id):
            return [], 0.0  # stopped by one that was in the air, or by a receipt
        now, lease = delivery.clock.now(), real + CLAIM_LEASE
        for lane in LANES:
            line = Line(sender.id, lane, busy)
            waiting = claims.count_due(tx, now, line, room - len(claimed))
            if not waiting:
                continue
            may_start = rates.take(tx, sender.id, lane, sender.rate_per_s, real.timestamp(), waiting)
            if not may_start:
                turns.append(rates.turn_in(tx, sender.id, lane, real.timestamp()))
                continue
            claimed += claims.claim(tx, now, line, worker=delivery.worker, lease_until=lease, limit=may_start)
    return claimed, min(turns, default=0.0)
