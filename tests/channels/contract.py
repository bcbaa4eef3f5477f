"""What every channel must do, as one table of tests: a channel's own test module subclasses `ChannelContract` and says how to fail it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot_service.channels.channel import Channel
from bot_service.errors import DeliveryError, OutcomeUnknown
from bot_service.messages import Button, Inbound, Outbound
from tests.patience import PATIENT_S

PAYLOADS = Path(__file__).parent / "payloads"
HOSTILE = [
    "_ * [ < & > ` ~ | { } . ! - ( )",
    "*bold _never closed",
    "<b>Pat & Sam</b> <script>",
    "\u202eright to left\u202c",
    "nul\x00inside",
    "half \ud83d a pair",
    "👩‍👩‍👧‍👦 🇬🇧 𝟜",
    "%s {0} ${x} \\n \\u0000",
    "plus+sign&amp=1;?#%20",
]


# Only what must not be answered in time is given little of it: the rest would fail on a busy machine for no fault of ours.
IMPATIENT_S = 1.5
WAITED_OUT = {"silence before accepting", "silence after accepting", "one byte at a time"}


@dataclass
class Subject:
    """A channel under test: how to see what its provider accepted, and how to make the provider fail the next message, by name."""

    channel: Channel
    address: str
    accepted: Callable[[], list[tuple[str, str, list[list[tuple[str, str]]]]]]
    failures: Mapping[str, tuple[type[DeliveryError], Callable[[], object]]] = field(default_factory=dict)


def an_outbound(address: str, text: str = "Time for your exercises.", rows: tuple[tuple[Button, ...], ...] = ()) -> Outbound:
    return Outbound(id="5f0c2f9e-0d5c-4f3e-9f43-2a1f3f2b7c11", sender_id="s", address=address, text=text, rows=rows)


def patience_for(request: pytest.FixtureRequest) -> float:
    """Seconds a call may take in this test, by the failure it is about, if any."""
    about = getattr(request.node, "callspec", None)
    return IMPATIENT_S if about and about.params.get("failure") in WAITED_OUT else PATIENT_S


def payloads(channel: str) -> list[Any]:
    """The provider's documented payloads with what they mean, as parameters of a test."""
    files = sorted(PAYLOADS.glob(f"{channel}_*.json"))
    assert files, f"no payloads for {channel}"
    return [pytest.param(json.loads(file.read_text(encoding="utf-8")), id=file.stem) for file in files]


def expected(written: dict[str, Any] | None) -> Inbound | None:
    if written is None:
        return None
    at = written.get("at")
    return Inbound(**(written | {"at": datetime.fromisoformat(at) if at else None}))


class ChannelContract:
    """Subclasses provide the fixture `subject`, a list `failure_names`, and a parametrised test that calls `reads_a_payload`."""

    async def test_a_message_is_accepted_once_with_its_buttons_and_gets_an_id(self, subject: Subject) -> None:
        rows = ((Button("Done", "v1:q:done"), Button("Not today", "v1:q:no")), (Button("Something's wrong", "v1:q:wrong"),))
        provider_id = await subject.channel.send(an_outbound(subject.address, rows=rows))
        written = [[(button.label, button.data) for button in row] for row in rows]
        assert subject.accepted() == [(provider_id, "Time for your exercises.", written)]

    async def test_two_messages_have_two_ids(self, subject: Subject) -> None:
        first = await subject.channel.send(an_outbound(subject.address))
        second = await subject.channel.send(an_outbound(subject.address))
        assert first != second
        assert [item[0] for item in subject.accepted()] == [first, second]

    @pytest.mark.parametrize("text", HOSTILE)
    async def test_no_text_is_refused_or_changed_beyond_what_cannot_be_written(self, subject: Subject, text: str) -> None:
        await subject.channel.send(an_outbound(subject.address, text))
        (accepted,) = subject.accepted()
        assert accepted[1] in {text, text.encode("utf-8", "replace").decode().replace("\0", "")}

    async def test_a_failure_is_one_of_the_closed_list_and_retryable_only_if_nothing_was_accepted(
        self, subject: Subject, failure: str
    ) -> None:
        error, arrange = subject.failures[failure]
        arrange()
        with pytest.raises(DeliveryError) as caught:
            await subject.channel.send(an_outbound(subject.address))
        assert type(caught.value) is error
        if subject.accepted():
            assert error is OutcomeUnknown
            assert not caught.value.retryable

    def test_it_has_a_name(self, subject: Subject) -> None:
        assert subject.channel.name.isidentifier()


def reads_a_payload(parse: Callable[[Mapping[str, Any]], Inbound | None], payload: dict[str, Any]) -> None:
    """The documented payload means what is written beside it; reading changes nothing and gives the same answer twice."""
    before = copy.deepcopy(payload["update"])
    assert parse(payload["update"]) == expected(payload["expect"])
    assert parse(payload["update"]) == expected(payload["expect"])
    assert payload["update"] == before
