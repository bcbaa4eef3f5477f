"""The only place that sends: claim, look again, commit `sending`, call the channel with no transaction open, record what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from bot_service.actions import window
from bot_service.actions.check_ins import put_back_check_in
from bot_service.actions.prepare import prepare
from bot_service.actions.unreachable import cannot_be_reached
from bot_service.channels.channel import Channel
from bot_service.clock import Clock, monotonic, real_now
from bot_service.errors import (
    ChannelMisconfigured,
    ChannelUnavailable,
    DeliveryError,
    OutcomeUnknown,
    OutsideServiceWindow,
    RateLimited,
    RecipientStopped,
)
from bot_service.logs import log
from bot_service.messages import Outbound
from bot_service.storage import clinics, conversations, outbox, rates
from bot_service.storage.clinics import Sender
from bot_service.storage.database import Database, Tx
from bot_service.storage.outbox import Message

CLAIM_LEASE = timedelta(minutes=2)
SEND_LEASE = timedelta(minutes=10)
"""Generous: an engine that gives up a lease too soon sends twice after a pause (measured, `engine.md` section 4)."""
LOOK_AFTER_S = 15.0
"""How often leases that lapsed are looked for, in real seconds."""
ATTEMPTS = 4
LONGEST_TURN_S = 1.0
"""A sender whose rate lets the next message go within this time is waited for; a longer wait is the next tick's."""
LANES = (("now",), ("bulk",))
"""Answers and safety texts before prompts, each lane with a rate of its own, so that neither waits for the other."""
T = TypeVar("T")


@dataclass
class Delivery:
    """What delivering needs: the database, the channels by sender, the clock, and how to run blocking work.

    `in_threads` is False only where one thread does everything and order must not vary: the headless demo.
    """

    db: Database
    channels: Mapping[UUID, Channel]
    clock: Clock
    worker: str
    in_threads: bool = True
    batch: int = 20
    looked_after_at: float = field(default=-1e9, init=False)

    def wants_to_look_after(self) -> bool:
        """Whether it is time to look for leases that lapsed."""
        return monotonic() - self.looked_after_at > LOOK_AFTER_S

    async def run(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work) if self.in_threads else work()


async def deliver_due(delivery: Delivery) -> int:
    """Send what is due, lane by lane and sender by sender, one message of a sender at a time; how many were tried, or await their turn.

    With one send in flight a crash leaves at most one message in doubt for each sender.
    """
    tried, stopped, turns = 0, set[UUID](), list[float]()
    senders, waiting = await delivery.run(lambda: _with_work(delivery))
    for lanes in LANES:
        for sender in senders:
            if sender.id in stopped or not waiting & {(sender.id, lane) for lane in lanes}:
                continue
            claimed, turn = await delivery.run(lambda s=sender, lanes=lanes: _claim(delivery, s, lanes))  # type: ignore[misc]  # bound now
            turns += [turn] if 0 < turn <= LONGEST_TURN_S else []
            for index, message_id in enumerate(claimed, 1):
                tried += 1
                if not await _deliver_one(delivery, message_id):
                    stopped.add(sender.id)
                    rest = claimed[index:]
                    await delivery.run(lambda rest=rest: _give_back(delivery, rest))  # type: ignore[misc]  # bound now
                    break
    if turns and not tried:
        await asyncio.sleep(min(turns))  # the rate's next moment comes long before the next tick
    return tried + len(turns)


def _give_back(delivery: Delivery, message_ids: list[UUID]) -> None:
    """Claimed, but never tried: due again at once."""
    with delivery.db.begin() as tx:
        for message_id in message_ids:
            outbox.move(tx, message_id, ("claimed",), "due", delivery.clock.now(), claimed_by=None, lease_until=None)


async def _deliver_one(delivery: Delivery, message_id: UUID) -> bool:
    """Send one claimed message; False when its sender should send nothing more for now."""
    now = delivery.clock.now()
    outbound: Outbound | None = None
    error: DeliveryError | None = None
    provider_id = ""
    try:
        outbound = await delivery.run(lambda: prepare(delivery.db, message_id, delivery.worker, now, real_now() + SEND_LEASE))
        if outbound is None:
            return True
        channel = delivery.channels.get(UUID(outbound.sender_id))
        if channel is None:
            raise ChannelUnavailable("this process does not run the patient's channel")
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
    await delivery.run(lambda: record_outcome(delivery.db, sent, delivery.clock.now(), provider_id, error))
    return not isinstance(error, RateLimited | ChannelMisconfigured)


def record_outcome(db: Database, outbound: Outbound, now: datetime, provider_id: str, error: DeliveryError | None) -> None:
    """Write down what became of a call."""
    with db.begin() as tx:
        message_id = UUID(outbound.id)
        if error is None:
            if not outbox.move(tx, message_id, ("sending", "in_doubt"), "sent", now, provider_id=provider_id, sent_at=now):
                outbox.record_provider_id(tx, message_id, provider_id)  # a quick answer has proved it already
            return
        message = outbox.load(tx, message_id)
        if message is None:
            return
        log().warning("not sent", message=outbound.id, error=type(error).__name__, attempt=message.attempts)
        if error.retryable:
            _try_later(tx, message, now, error)
        elif isinstance(error, ChannelMisconfigured):
            _take_back(tx, message, "due", now, "the sender's credentials were refused", attempts=message.attempts - 1)
            clinics.mark_sender(tx, UUID(outbound.sender_id), "broken", "the provider refused its credentials")
        elif isinstance(error, OutcomeUnknown):
            outbox.move(tx, message.id, ("sending",), "in_doubt", now, "the provider did not say whether it accepted")
            send_again_if_it_must_arrive(tx, message.id, now)
        elif not (isinstance(error, OutsideServiceWindow) and outbound.window_open and window.back_to_template(tx, message, None, now)):
            _take_back(tx, message, "failed", now, _WHY.get(type(error).__name__, "refused by the provider"))
            if isinstance(error, RecipientStopped):
                cannot_be_reached(tx, message, error, now)


def recover_after_crash(db: Database, now: datetime, *, everything: bool) -> int:
    """Put leased messages back in line and those caught in the call in doubt; how many are in doubt now."""
    with db.begin() as tx:
        _, doubtful = outbox.recover(tx, now, real_now(), everything=everything)
        for message_id in doubtful:
            send_again_if_it_must_arrive(tx, message_id, now)
    return len(doubtful)


def send_again_if_it_must_arrive(tx: Tx, message_id: UUID, now: datetime) -> None:
    """A safety text or a plan change in doubt gets a new message that names the old one; a second copy does less harm than none."""
    message = outbox.load(tx, message_id)
    if message is None or message.kind not in outbox.MUST_ARRIVE or message.expires_at <= now:
        return
    before = outbox.count_replaced(tx, message.id)
    if before + 1 >= ATTEMPTS:
        return
    outbox.queue(
        tx, now, clinic_id=message.clinic_id, patient_id=message.patient_id, episode_id=message.episode_id, kind=message.kind,
        key=f"again:{message.id}", due_at=now + outbox.retry_delay(before + 1), expires_at=message.expires_at,
        content=message.content, lane="now", sender_id=message.sender_id, replaces_id=message.id,
    )  # fmt: skip


_WHY = {
    "RecipientStopped": "the patient cannot be reached at this address",
    "OutsideServiceWindow": "only an approved template may be sent now",
    "MessageRejected": "refused by the provider",
}


def _try_later(tx: Tx, message: Message, now: datetime, error: DeliveryError) -> None:
    """Back to `due`, since the provider surely did not accept."""
    wait = outbox.retry_delay(message.attempts)
    if isinstance(error, RateLimited) and message.sender_id is not None:
        wait = timedelta(seconds=error.retry_after)
        for lane, *_ in LANES:  # the provider counts the sender's messages, whatever our reason for them
            rates.push_back(tx, message.sender_id, lane, real_now().timestamp() + error.retry_after)
    if message.attempts >= ATTEMPTS and not isinstance(error, RateLimited):
        _take_back(tx, message, "failed", now, "the provider could not be reached")
    elif now + wait >= message.expires_at:
        _take_back(tx, message, "expired", now, "the provider could not be reached in time")
    else:
        _take_back(tx, message, "due", now, "the provider could not be reached", due_at=now + wait)


def _take_back(tx: Tx, message: Message, status: str, now: datetime, reason: str, **values: Any) -> None:
    """The message surely did not go out, and neither did its question."""
    if outbox.move(tx, message.id, ("sending",), status, now, reason, sent_at=None, **values):
        conversations.withdraw(tx, message.id)
        if status in outbox.NEVER_WENT_OUT:
            put_back_check_in(tx, message, now)


def _put_off(delivery: Delivery, message_id: UUID) -> None:
    """It could not even be prepared; after as many tries as any other message it has failed, where staff see it."""
    with delivery.db.begin() as tx:
        now, message = delivery.clock.now(), outbox.load_claimed(tx, message_id, delivery.worker)
        if message is None:
            return
        attempts = message.attempts + 1
        status, due_at = ("failed", message.due_at) if attempts >= ATTEMPTS else ("due", now + outbox.retry_delay(attempts))
        outbox.move(tx, message_id, ("claimed",), status, now, "could not be prepared", attempts=attempts, due_at=due_at)
        if status == "failed":
            put_back_check_in(tx, message, now)


def _with_work(delivery: Delivery) -> tuple[list[Sender], set[tuple[UUID, str]]]:
    """The senders that may send, and in which of their lanes something is due."""
    if delivery.wants_to_look_after():
        delivery.looked_after_at = monotonic()
        recover_after_crash(delivery.db, delivery.clock.now(), everything=False)
    with delivery.db.begin() as tx:
        now = delivery.clock.now()
        for lost in outbox.expire_stale(tx, now):
            put_back_check_in(tx, lost, now)
        active = [sender for sender in clinics.list_senders(tx) if sender.status == "active" and sender.id in delivery.channels]
        return active, outbox.lanes_with_work(tx, now)


def _claim(delivery: Delivery, sender: Sender, lanes: tuple[str, ...]) -> tuple[list[UUID], float]:
    """What may be sent now; or nothing, and in how many seconds the rate allows more."""
    real = real_now()
    with delivery.db.begin() as tx:
        now = delivery.clock.now()
        waiting = outbox.count_due(tx, now, sender.id, lanes, delivery.batch)
        if not waiting:
            return [], 0.0
        may_start = rates.take(tx, sender.id, lanes[0], sender.rate_per_s, real.timestamp(), waiting)
        if not may_start:
            return [], rates.turn_in(tx, sender.id, lanes[0], real.timestamp())
        lease = real + CLAIM_LEASE
        limit = may_start
        return outbox.claim(tx, now, sender_ids=[sender.id], worker=delivery.worker, lease_until=lease, limit=limit, lanes=lanes), 0.0
