"""The simulated phones keep the contract that the real channels keep."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from bot_service.channels.channel import Editable
from bot_service.channels.simulator import Simulator
from bot_service.errors import ChannelUnavailable, DeliveryError, MessageRejected, OutcomeUnknown, RateLimited, RecipientStopped
from bot_service.messages import Button, Outbound
from tests.channels.contract import ChannelContract, Subject, payloads, reads_a_payload

FAULTS: list[DeliveryError] = [
    ChannelUnavailable("the network is down"),
    RateLimited("slower", 3),
    RecipientStopped("blocked"),
    MessageRejected("refused"),
    OutcomeUnknown("timed out"),
]


def a_simulator(**given: Any) -> Simulator:
    numbers = count(1)
    return Simulator(lambda: f"m{next(numbers)}", **({"sink": lambda *_: None} | given))


class TestSimulator(ChannelContract):
    @pytest.fixture
    def subject(self) -> Subject:
        phone: list[tuple[str, Outbound]] = []
        waiting: list[DeliveryError] = []
        channel = a_simulator(sink=lambda number, sent: phone.append((number, sent)), faults=lambda _: waiting.pop() if waiting else None)

        def accepted() -> list[tuple[str, str, list[list[tuple[str, str]]]]]:
            return [(number, sent.text, [[(button.label, button.data) for button in row] for row in sent.rows]) for number, sent in phone]

        failures = {type(fault).__name__: (type(fault), lambda fault=fault: waiting.append(fault)) for fault in FAULTS}
        return Subject(channel, "sim-1", accepted, failures)

    @pytest.fixture(params=[type(fault).__name__ for fault in FAULTS])
    def failure(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)


@pytest.mark.parametrize("payload", payloads("simulator"))
def test_what_a_simulated_phone_posts_is_read(payload: dict[str, Any]) -> None:
    reads_a_payload(a_simulator().parse, payload)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kind": "shout"}, "cannot do 'shout'"),
        ({"kind": None}, "cannot do None"),
        ({"id": ""}, "needs 'id'"),
        ({"address": None}, "needs 'address'"),
        ({"text": 5}, "'text'"),
        ({"at": "yesterday"}, "isoformat"),
        ({"at": "2026-01-05T10:00:00"}, "zone"),
    ],
)
def test_a_post_that_makes_no_sense_is_refused_with_a_sentence(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        a_simulator().parse({"id": "1", "address": "sim-1", "kind": "text", "text": "4"} | wrong)


async def test_edits_and_taps_go_to_the_phone() -> None:
    seen: list[tuple[Any, ...]] = []

    def edited(*change: Any) -> bool:
        seen.append(change)
        return True

    phone, without = a_simulator(edited=edited), a_simulator()
    assert await phone.edit("sim-1", "m1", "You answered 3.", ((Button("Undo", "v1:q:undo"),),))
    assert seen == [("sim-1", "m1", "You answered 3.", ((Button("Undo", "v1:q:undo"),),))]
    assert not await without.edit("sim-1", "m1", "You answered 3.")
    assert await without.answer_tap("s3")


def test_it_is_editable() -> None:
    assert isinstance(a_simulator(), Editable)
