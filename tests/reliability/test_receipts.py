"""Receipts lost, repeated, in any order, of other senders (C7), and of what failed after it was taken (C3)."""

from __future__ import annotations

import random
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, product
from uuid import UUID

import pytest

from bot_service.actions.receipts import record_receipt
from bot_service.channels.whatsapp import WhatsApp
from bot_service.channels.whatsapp_errors import meaning_of_code
from bot_service.messages import Receipt
from bot_service.storage import outbox
from bot_service.storage.database import Database
from tests.fakes.twilio_api_process import FakeTwilio
from tests.running_clinic import START, RunningClinic
from tests.twilio_clinic import TwilioClinic, with_twilio
from tests.web.test_webhooks import SID, a_message, state_of

SEED = 20261122
ORDERS, PLAYED = 10_000, 200
WORDS = ("sent", "delivered", "read", "failed")
RANK = {"sent": 1, "delivered": 2, "read": 3}
Build = Callable[[Database, UUID, Receipt, datetime], bool]
State = tuple[str, str | None]
"""A message's status, and Twilio's id of it as far as it is known."""


@pytest.fixture
async def whatsapp_on_sqlite(sqlite_clinic: RunningClinic, fake: FakeTwilio) -> AsyncIterator[TwilioClinic]:
    async with with_twilio(sqlite_clinic, fake) as world:
        yield world


def oracle(start: str, said: list[str]) -> str:
    """Forward only: failed ends what was not delivered yet, and nothing comes after it."""
    state = start
    for word in said:
        rank = RANK.get(state, 0)
        if state == "failed":
            continue
        if word == "failed":
            state = "failed" if rank < 2 else state
        elif RANK[word] > rank:
            state = word
    return state


def last_word(db: Database, sender_id: UUID, receipt: Receipt, now: datetime) -> bool:  # noqa: ARG001  (one signature for all builds)
    """A build that is wrong on purpose: whatever is said last holds."""
    everything = ("sending", "in_doubt", "sent", "delivered", "read", "failed")
    with db.begin() as tx:
        return outbox.move(tx, UUID(receipt.message_id), everything, receipt.status, now, provider_id=receipt.provider_id)


def anybodys(db: Database, sender_id: UUID, receipt: Receipt, now: datetime) -> bool:  # noqa: ARG001  (one signature for all builds)
    """A build that is wrong on purpose: any sender's receipt counts."""
    with db.read() as tx:
        message = outbox.load(tx, UUID(receipt.message_id))
    assert message is not None and message.sender_id is not None
    return record_receipt(db, message.sender_id, receipt, now)


@dataclass
class Asked:
    """What a build makes of receipts. Of one receipt in one state it is asked once: a message keeps nothing else about them."""

    world: TwilioClinic
    build: Build = record_receipt
    numbers: count[int] = field(default_factory=lambda: count(1))
    learned: dict[tuple[State, str], State] = field(default_factory=dict)

    def play(self, start: State, said: list[str], sender_id: UUID | None = None) -> State:
        """A message of its own in the database, and all receipts of it."""
        message = a_message(self.world, next(self.numbers), *start)
        for word in said:
            error = meaning_of_code(63005) if word == "failed" else None
            self.build(self.world.clinic.db, sender_id or self.world.sender_id, Receipt(SID, word, str(message.id), error), START)  # type: ignore[arg-type]
        return state_of(self.world, message)

    def walk(self, start: State, said: list[str]) -> State:
        """The same from one answer to the next."""
        state = start
        for word in said:
            if (state, word) not in self.learned:
                self.learned[state, word] = self.play(state, [word])
            state = self.learned[state, word]
        return state


def wrong_ends(asked: Asked, orders: int, played: int) -> int:
    """How many of so many drawn orders end otherwise than the oracle says; the first ones are played whole too."""
    drawn, wrong = random.Random(SEED), 0
    for number in range(orders):
        start: State = (drawn.choice(["sending", "in_doubt", "sent"]), drawn.choice([SID, None]))
        said = drawn.choices([*WORDS, "sent"], k=drawn.randint(1, 8))
        ends = asked.walk(start, said)
        assert number >= played or asked.play(start, said) == ends, "something else about a message counts too"
        wrong += ends != (oracle(start[0], said), SID)
    return wrong


async def test_ten_thousand_orders_of_receipts_end_where_they_should(whatsapp_on_sqlite: TwilioClinic) -> None:
    asked = Asked(whatsapp_on_sqlite)
    wrong = wrong_ends(asked, ORDERS, PLAYED)
    sys.stdout.write(f"seed {SEED}: {len(asked.learned)} steps; {wrong} of {ORDERS} wrong; zero is below {3 / ORDERS:.2%} (95 %)\n")
    assert wrong == 0


async def test_the_same_count_condemns_a_build_that_believes_the_last_word(whatsapp_on_sqlite: TwilioClinic) -> None:
    assert wrong_ends(Asked(whatsapp_on_sqlite, last_word), 500, 0) > 0


def moved_by_others(asked: Asked) -> int:
    """How many states a receipt of another sender changes."""
    other = asked.world.clinic.sender.id
    states: list[State] = [(status, SID) for status in ("due", "claimed", "sending", "in_doubt", "sent", "delivered", "read", "failed")]
    states += [(status, None) for status, _ in states[:5]]
    return sum(asked.play(state, [word], other) != state for state, word in product(states, WORDS))


async def test_a_receipt_of_another_sender_changes_no_message_in_any_state(whatsapp_on_sqlite: TwilioClinic) -> None:
    assert moved_by_others(Asked(whatsapp_on_sqlite)) == 0


async def test_the_same_count_condemns_a_build_that_believes_every_sender(whatsapp_on_sqlite: TwilioClinic) -> None:
    assert moved_by_others(Asked(whatsapp_on_sqlite, anybodys)) > 0


class Trusting(WhatsApp):
    """A build that is wrong on purpose: what was taken is sent, whatever is heard of it later."""

    def read_receipt(self, form: Mapping[str, str], message_id: str | None) -> Receipt | None:
        receipt = super().read_receipt(form, message_id)
        return None if receipt and receipt.status == "failed" else receipt


async def still_sent(clinic: RunningClinic, fake: FakeTwilio, build: type[WhatsApp], code: str) -> bool:
    """Whether a prompt that failed later still counts as sent under the same id, five minutes on."""
    async with with_twilio(clinic, fake, build) as world:
        await world.opted_in()
        await clinic.service.move_clock(START + timedelta(days=1, hours=-1))
        (prompt,) = clinic.messages(kind="prompt")
        await world.report(prompt, "undelivered", code)
        await clinic.service.move_clock(clinic.clock.now() + timedelta(minutes=5))
        (now,) = clinic.messages(kind="prompt")
    return (now.status, now.provider_id) == ("sent", prompt.provider_id)


@pytest.mark.parametrize("code", ["63016", "63024", "63018", "21610"])
@pytest.mark.parametrize(("build", "believes"), [(WhatsApp, False), (Trusting, True)], ids=["real", "trusts what was taken"])
async def test_what_failed_after_it_was_taken_is_not_left_as_sent(
    sqlite_clinic: RunningClinic, fake: FakeTwilio, build: type[WhatsApp], believes: bool, code: str
) -> None:
    assert await still_sent(sqlite_clinic, fake, build, code) is believes
