"""What an outcome means beyond its one message: waits that grow and differ, and a provider that is down."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from bot_service import errors
from bot_service.actions.outcomes import LONGEST_PAUSE_S, NO_ANSWER, retry_delay
from bot_service.errors import ChannelUnavailable, DeliveryError, MessageRejected, OutcomeUnknown, RateLimited
from bot_service.storage import tables
from tests.actions.test_delivering import EIGHT, failing, the_prompt
from tests.running_clinic import Person, RunningClinic
from tests.simulated_time import rated


def several(clinic: RunningClinic, number: int) -> list[Person]:
    return [clinic.in_care(f"P {each}") for each in range(number)]


def failures(clinic: RunningClinic) -> int:
    with clinic.db.read() as tx:
        return int(tx.scalar(select(tables.rates.c.failures)) or 0)


def test_waits_grow_and_what_failed_together_does_not_come_back_together() -> None:
    for attempts, least in ((1, 30), (2, 120), (3, 480)):
        waits = [retry_delay(attempts, uuid4()).total_seconds() for _ in range(200)]
        assert least <= min(waits) < least * 1.05
        assert least * 1.2 < max(waits) <= least * 1.25
        assert len(set(waits)) > 80


def test_only_an_outcome_that_is_known_is_known() -> None:
    """The closed list, by reflection: a delivery error is about a message that was not accepted, or nobody knows."""
    not_accepted: set[type[DeliveryError]] = {
        errors.ChannelUnavailable, errors.RateLimited, errors.RecipientStopped, errors.OutsideServiceWindow, errors.MessageRejected,
        errors.ChannelMisconfigured, errors.TemporarilyRefused,
    }  # fmt: skip
    assert set(DeliveryError.__subclasses__()) == not_accepted | {errors.OutcomeUnknown}
    assert all(kind.accepted is False for kind in not_accepted)
    assert errors.OutcomeUnknown.accepted is None and DeliveryError.accepted is None
    assert {kind for kind in not_accepted if kind.retryable} == {
        errors.ChannelUnavailable,
        errors.RateLimited,
        errors.TemporarilyRefused,
    }
    assert not DeliveryError.retryable and not errors.OutcomeUnknown.retryable


async def test_an_error_that_nobody_has_heard_of_leaves_the_message_in_doubt(sqlite_clinic: RunningClinic) -> None:
    class Tomorrow(DeliveryError):
        pass

    jo = sqlite_clinic.in_care()
    failing(sqlite_clinic, lambda: Tomorrow("?"))
    await sqlite_clinic.service.move_clock(EIGHT + timedelta(hours=1))
    assert the_prompt(jo).status == "in_doubt" and sqlite_clinic.phones.tried == 1


async def test_waits_that_the_provider_asks_for_use_up_no_attempt(sqlite_clinic: RunningClinic) -> None:
    jo = sqlite_clinic.in_care()
    rated(sqlite_clinic)
    failing(sqlite_clinic, lambda: RateLimited("slow down", 40), 20)
    await sqlite_clinic.service.move_clock(EIGHT + timedelta(hours=1))
    assert sqlite_clinic.phones.tried == 21 and the_prompt(jo).status == "sent"


@pytest.mark.parametrize("fault", [ChannelUnavailable, OutcomeUnknown])
async def test_a_provider_that_answers_nobody_is_left_alone_and_tried_now_and_then(
    clinic: RunningClinic, fault: type[DeliveryError]
) -> None:
    people = several(clinic, 40)
    rated(clinic)
    failing(clinic, lambda: fault("no answer"))
    await clinic.service.move_clock(EIGHT)
    assert clinic.phones.tried == NO_ANSWER, "then the sender waits, not each message by itself"
    await clinic.service.move_clock(EIGHT + timedelta(minutes=30))
    assert NO_ANSWER < clinic.phones.tried < NO_ANSWER + 10 + 30 * 60 / LONGEST_PAUSE_S
    failing(clinic, None)
    await clinic.service.move_clock(EIGHT + timedelta(minutes=33))
    states = [the_prompt(person).status for person in people]
    assert "failed" not in states, "what is wrong with the provider is not held against a message"
    assert states.count("sent") == (40 if fault is ChannelUnavailable else 40 - states.count("in_doubt"))
    assert failures(clinic) == 0


async def test_an_answer_even_a_refusal_shows_that_the_provider_is_there(clinic: RunningClinic) -> None:
    several(clinic, 9)
    rated(clinic)
    outcomes: list[DeliveryError] = [*[ChannelUnavailable("no")] * 4, MessageRejected("no"), *[ChannelUnavailable("no")] * 4]
    failing(clinic, lambda: outcomes.pop(0), 9)
    await clinic.service.move_clock(EIGHT)
    assert clinic.phones.tried == 9
    assert failures(clinic) == 4


async def test_however_often_it_is_tried_while_the_provider_is_down_no_message_fails(sqlite_clinic: RunningClinic) -> None:
    people = several(sqlite_clinic, 6)
    rated(sqlite_clinic)
    failing(sqlite_clinic, lambda: ChannelUnavailable("no answer"))
    sqlite_clinic.clock.move_to(EIGHT)
    while sqlite_clinic.clock.now() < EIGHT + timedelta(minutes=100):
        await sqlite_clinic.service.tick()
        sqlite_clinic.clock.move_to(sqlite_clinic.clock.now() + timedelta(seconds=30))
    assert sqlite_clinic.phones.tried > 6 * 4
    failing(sqlite_clinic, None)
    await sqlite_clinic.service.move_clock(EIGHT + timedelta(minutes=105))
    assert [the_prompt(person).status for person in people] == ["sent"] * 6
