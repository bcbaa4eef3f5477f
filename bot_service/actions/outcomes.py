"""What became of a call to the provider, written down: the state that each outcome leads to, and what it means for the whole sender."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bot_service.actions import window
from bot_service.actions.check_ins import put_back_check_in
from bot_service.actions.prepare import STOPPED, has_stopped
from bot_service.actions.staff_messages import is_not_told, sealed, unsealed
from bot_service.actions.unreachable import is_refused
from bot_service.clock import real_now
from bot_service.errors import ChannelMisconfigured, ChannelUnavailable, DeliveryError, OutsideServiceWindow, RateLimited
from bot_service.logs import log
from bot_service.messages import Outbound
from bot_service.storage import clinics, conversations, episodes, outbox, rates
from bot_service.storage.database import Database, Tx
from bot_service.storage.outbox import Message

ATTEMPTS = 4
"""The first and three more; a provider that asks us to wait, or is known to be down, does not use them up."""
NO_ANSWER = 5
"""Calls in a row without an answer after which a provider counts as down, and is only tried now and then (`channels.md` 1C)."""
LONGEST_PAUSE_S = 120.0
"""How long at most a provider that is down is left alone: when it is back, messages go out again within minutes (default)."""
_WHY = {
    "RecipientStopped": "the patient cannot be reached at this address",
    "OutsideServiceWindow": "only an approved template may be sent now",
    "MessageRejected": "refused by the provider",
    "ChannelMisconfigured": "the provider refused the set-up for this message",
}


def record_outcome(
    db: Database, outbound: Outbound, now: datetime, provider_id: str, error: DeliveryError | None, real: datetime | None = None
) -> None:
    """Write down what became of a call. `real` is the real time, for how long the sender waits."""
    real = real or real_now()
    with db.begin() as tx:
        message_id = UUID(outbound.id)
        if error is None:
            if not outbox.move(tx, message_id, ("sending", "in_doubt"), "sent", now, provider_id=provider_id, sent_at=now):
                outbox.record_provider_id(tx, message_id, provider_id)  # a quick answer has proved it already
            rates.clear_failures(tx, UUID(outbound.sender_id))
            rates.clear_refusals(tx, UUID(outbound.sender_id), "all")
            return
        message = outbox.load(tx, message_id)
        if message is None:
            return
        episode = None if message.patient_id is None else episodes.find_of_patient(tx, message.patient_id, lock=True)
        log().warning("not sent", message=outbound.id, error=type(error).__name__, attempt=message.attempts)
        is_down = _look_at_the_provider(tx, UUID(outbound.sender_id), error, real)
        _record_failure(tx, message, outbound, now, error, is_down=is_down)
        if episode is not None and has_stopped(episode, message):
            outbox.move(tx, message.id, ("due",), "cancelled", now, STOPPED)  # nothing waits for who stopped meanwhile


def _record_failure(tx: Tx, message: Message, outbound: Outbound, now: datetime, error: DeliveryError, *, is_down: bool) -> None:
    if error.retryable:
        _try_later(tx, message, now, error, is_down=is_down)
    elif isinstance(error, ChannelMisconfigured) and error.scope == "sender":
        take_back(tx, message, "due", now, "the sender's credentials were refused", attempts=message.attempts - 1)
        clinics.mark_sender(tx, UUID(outbound.sender_id), "broken", "the provider refused its credentials")
        log().error("sender stopped", sender=outbound.sender_id, error=type(error).__name__)
    elif error.accepted is None:
        outbox.move(tx, message.id, ("sending",), "in_doubt", now, "the provider did not say whether it accepted")
        send_again_if_it_must_arrive(tx, message.id, now)
    elif not (isinstance(error, OutsideServiceWindow) and outbound.window_open and window.back_to_template(tx, message, None, now)):
        take_back(tx, message, "failed", now, _WHY.get(type(error).__name__, "refused by the provider"))
        is_refused(tx, message, error, now, "all")
        if message.staff_id is not None:
            is_not_told(tx, message, error, now)


def _look_at_the_provider(tx: Tx, sender_id: UUID, error: DeliveryError, real: datetime) -> bool:
    """Make the whole sender wait when the provider asks for it, or has not answered several times in a row; whether it is down."""
    if isinstance(error, RateLimited):
        rates.push_back(tx, sender_id, real.timestamp() + error.retry_after)
    if error.accepted is False and not isinstance(error, ChannelUnavailable):
        rates.clear_failures(tx, sender_id)
        return False
    over = rates.count_failure(tx, sender_id) - NO_ANSWER
    if over < 0:
        return False
    rates.push_back(tx, sender_id, real.timestamp() + min(LONGEST_PAUSE_S, 5.0 * 2 ** min(over, 10)))
    return True


def recover_after_crash(db: Database, now: datetime, *, everything: bool, real: datetime | None = None) -> int:
    """Put leased messages back in line and those caught in the call in doubt; how many are in doubt now."""
    with db.begin() as tx:
        _, doubtful = outbox.recover(tx, now, real or real_now(), everything=everything)
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
    new_id = tx.new_id()
    content = dict(message.content)
    if message.staff_id is not None:  # what is sealed opens in its own row only
        content |= sealed(tx, new_id, **unsealed(tx, message.id, content))
    outbox.queue(
        tx, now, new_id=new_id, clinic_id=message.clinic_id, patient_id=message.patient_id, episode_id=message.episode_id,
        kind=message.kind, key=f"again:{message.id}", due_at=now + retry_delay(before + 1, message.id), expires_at=message.expires_at,
        content=content, lane="now", sender_id=message.sender_id, replaces_id=message.id, staff_id=message.staff_id,
    )  # fmt: skip


def retry_delay(attempts: int, message_id: UUID) -> timedelta:
    """How long to wait after that many attempts that were surely not accepted: 30 s, 2 min, 8 min (default), and up to a quarter more.

    How much more comes from the message's id, which is drawn at random: what failed together does not come back together.
    """
    drawn = (message_id.int >> 8 * attempts) % 256 / 256
    return timedelta(seconds=30 * 4 ** (attempts - 1) * (1 + drawn / 4))


def take_back(tx: Tx, message: Message, status: str, now: datetime, reason: str, **values: Any) -> None:
    """The message surely did not go out, and neither did its question."""
    if outbox.move(tx, message.id, ("sending",), status, now, reason, sent_at=None, **values):
        conversations.withdraw(tx, message.id)
        if status in outbox.NEVER_WENT_OUT:
            put_back_check_in(tx, message, now)


def _try_later(tx: Tx, message: Message, now: datetime, error: DeliveryError, *, is_down: bool) -> None:
    """Back to `due`, since the provider surely did not accept. Quiet hours, holds and the rest are looked at again then."""
    attempts = message.attempts
    if message.staff_id is not None:  # tried until it expires, and within minutes of the mail server's return
        attempts = min(attempts, 2 if isinstance(error, ChannelUnavailable) else 3)
    wait = retry_delay(attempts, message.id)
    if isinstance(error, RateLimited):
        wait = timedelta(seconds=error.retry_after)
    if isinstance(error, RateLimited) or is_down:
        attempts -= 1
    if attempts >= ATTEMPTS:
        take_back(tx, message, "failed", now, "the provider could not be reached")
    elif now + wait >= message.expires_at:
        take_back(tx, message, "expired", now, "the provider could not be reached in time")
    else:
        again = {"due_at": now + wait, "late_since": message.late_since or message.due_at, "attempts": attempts}
        take_back(tx, message, "due", now, "the provider could not be reached", **again)
