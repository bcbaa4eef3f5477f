"""WhatsApp against a real HTTP server in another process: the contract, long texts, templates, and nothing private in any error."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot_service import errors
from bot_service.channels.channel import PostsForms
from bot_service.channels.whatsapp import Account, WhatsApp
from bot_service.channels.whatsapp_texts import LONGEST_TEXT, invitation_link, split_text, with_choices
from bot_service.conversation.wording import load_catalogue
from bot_service.messages import Button, Outbound
from tests.channels.contract import IMPATIENT_S, ChannelContract, Subject, an_outbound, patience_for
from tests.fakes.twilio_api_process import DAILY, OURS, FakeTwilio
from tests.patience import PATIENT_S

PAT = "whatsapp:+447700900123"
PUBLIC = "https://stepwise.example.org"
YES = ((Button("Yes", "v1:q:yes"), Button("No", "v1:q:no")),)


def refusal(status: int, code: int) -> dict[str, Any]:
    return {"kind": "status", "status": status, "text": json.dumps({"code": code, "message": "x", "status": status})}


# What the server does, and what it means. Accepted or not, the meaning is the same when we cannot know.
FAILURES: dict[str, tuple[type[errors.DeliveryError], dict[str, Any]]] = {
    "too many requests": (errors.RateLimited, refusal(429, 20429)),
    "too many requests, from a proxy": (errors.RateLimited, {"kind": "status", "status": 429, "text": "slow down"}),
    "the sender's queue is full": (errors.RateLimited, refusal(400, 21611)),
    "stopped": (errors.RecipientStopped, refusal(400, 21610)),
    "not on WhatsApp": (errors.RecipientStopped, refusal(400, 63003)),
    "window closed": (errors.OutsideServiceWindow, refusal(400, 63016)),
    "too long": (errors.MessageRejected, refusal(400, 21617)),
    "a code nobody knows": (errors.MessageRejected, refusal(400, 99999)),
    "token refused": (errors.ChannelMisconfigured, refusal(401, 20003)),
    "a proxy's 401": (errors.ChannelMisconfigured, {"kind": "status", "status": 401, "text": "<html>"}),
    "no such account": (errors.ChannelMisconfigured, refusal(404, 20404)),
    "not a sender of ours": (errors.ChannelMisconfigured, refusal(400, 63007)),
    "a proxy's 403": (errors.OutcomeUnknown, {"kind": "status", "status": 403, "text": "<html>Forbidden</html>"}),
    "a proxy's 400": (errors.OutcomeUnknown, {"kind": "status", "status": 400, "text": "<html>Bad Request</html>"}),
    "500": (errors.OutcomeUnknown, refusal(500, 20500)),
    "503 with a code": (errors.OutcomeUnknown, refusal(503, 20503)),
    "502 after accepting": (errors.OutcomeUnknown, {"kind": "status_after", "status": 502, "text": "<html>"}),
    "a redirect": (errors.OutcomeUnknown, {"kind": "status", "status": 302, "text": ""}),
    "silence before accepting": (errors.OutcomeUnknown, {"kind": "hang_before"}),
    "silence after accepting": (errors.OutcomeUnknown, {"kind": "hang_after"}),
    "reset before accepting": (errors.OutcomeUnknown, {"kind": "reset_before"}),
    "reset after accepting": (errors.OutcomeUnknown, {"kind": "reset_after"}),
    "garbage": (errors.OutcomeUnknown, {"kind": "garbage"}),
    "a list": (errors.OutcomeUnknown, {"kind": "list"}),
    "truncated": (errors.OutcomeUnknown, {"kind": "truncated"}),
    "one byte at a time": (errors.OutcomeUnknown, {"kind": "slow", "seconds": 0.3}),
    "an answer without an id": (errors.OutcomeUnknown, {"kind": "no_result"}),
}


def account(fake: FakeTwilio, **changes: Any) -> Account:
    return Account(**({"sid": fake.account, "tokens": (fake.token,), "sender": OURS, "templates": {"daily:en": DAILY}} | changes))


def channel_to(fake: FakeTwilio, timeout_s: float = PATIENT_S, **changes: Any) -> WhatsApp:
    return WhatsApp(account(fake, **changes), PUBLIC, fake.url, fake.url, timeout_s)


@pytest.fixture
async def whatsapp(fake: FakeTwilio, request: pytest.FixtureRequest) -> AsyncIterator[WhatsApp]:
    channel = channel_to(fake, patience_for(request))
    await channel.start()
    yield channel
    await channel.close()
    assert fake.control("state")["offences"] == [], "only documented calls and parameters are sent"


def given(fake: FakeTwilio) -> list[dict[str, str]]:
    return [entry["given"] for entry in fake.ledger()]


class TestWhatsApp(ChannelContract):
    @pytest.fixture
    def subject(self, whatsapp: WhatsApp, fake: FakeTwilio) -> Subject:
        failures = {name: (error, lambda fault=fault: fake.fail(**fault)) for name, (error, fault) in FAILURES.items()}

        def accepted() -> list[tuple[str, str, list[list[tuple[str, str]]]]]:
            return [(entry["message"]["sid"], entry["given"]["Body"], []) for entry in fake.ledger()]

        return Subject(whatsapp, PAT, accepted, failures)

    @pytest.fixture(params=FAILURES)
    def failure(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    async def test_a_message_is_accepted_once_with_its_buttons_and_gets_an_id(self, subject: Subject) -> None:
        """Free messages show no buttons here, so their words are named in the text."""
        provider_id = await subject.channel.send(an_outbound(subject.address, rows=YES))
        assert subject.accepted() == [(provider_id, "Time for your exercises.\n\nYes · No", [])]


async def test_what_is_sent_names_us_and_where_receipts_go(whatsapp: WhatsApp, fake: FakeTwilio) -> None:
    outbound = an_outbound(PAT)
    await whatsapp.send(outbound)
    callback = f"{PUBLIC}/webhooks/twilio/status?m={outbound.id}"
    assert given(fake) == [{"To": PAT, "From": f"whatsapp:{OURS}", "Body": outbound.text, "StatusCallback": callback}]


@pytest.mark.parametrize(("left_s", "said"), [(0, "10"), (7200, "7200"), (10**6, "36000")])
async def test_twilio_is_told_for_how_long_a_message_is_of_use(whatsapp: WhatsApp, fake: FakeTwilio, left_s: int, said: str) -> None:
    await whatsapp.send(Outbound("m", "s", PAT, "hello", valid_for=timedelta(seconds=left_s)))
    assert [fields["ValidityPeriod"] for fields in given(fake)] == [said]


async def test_a_messaging_service_sends_in_place_of_a_number(fake: FakeTwilio) -> None:
    channel = channel_to(fake, sender="MG" + "a" * 32)
    await channel.start()
    await channel.send(an_outbound("whatsapp:GB.1234567890"))
    await channel.close()
    (fields,) = given(fake)
    assert fields["MessagingServiceSid"] == "MG" + "a" * 32
    assert "From" not in fields
    assert fields["To"] == "whatsapp:GB.1234567890", "somebody whose number we cannot see"


def a_template(language: str = "en", **values: str) -> Outbound:
    return Outbound("m", "s", PAT, "text", YES, template="daily", values=values, window_open=False, language=language)


@pytest.mark.parametrize("language", ["en", "en-GB", "pl"])
async def test_outside_the_window_the_approved_template_goes_out(whatsapp: WhatsApp, fake: FakeTwilio, language: str) -> None:
    outbound = a_template(language, **{"1": "Riverside\nPhysio  \x00 "})
    await whatsapp.send(outbound)
    (fields,) = given(fake)
    assert fields["ContentSid"] == DAILY, "in the reader's language, else in English like everything else"
    assert json.loads(fields["ContentVariables"]) == {"1": "Riverside Physio"}
    assert "Body" not in fields


async def test_without_a_template_nothing_is_sent_outside_the_window(fake: FakeTwilio) -> None:
    channel = channel_to(fake, templates={})
    await channel.start()
    with pytest.raises(errors.OutsideServiceWindow):
        await channel.send(a_template(**{"1": "Riverside"}))
    await channel.close()
    assert fake.ledger() == []


async def test_a_long_text_goes_in_parts_and_the_receipt_is_for_the_last(whatsapp: WhatsApp, fake: FakeTwilio) -> None:
    paragraphs = [f"{number}. " + "word " * 80 for number in range(8)]
    provider_id = await whatsapp.send(an_outbound(PAT, "\n\n".join(paragraphs), YES))
    ledger = fake.ledger()
    assert len(ledger) == 3
    assert ledger[-1]["message"]["sid"] == provider_id
    assert ["StatusCallback" in entry["given"] for entry in ledger] == [False, False, True]
    assert ledger[-1]["given"]["Body"].endswith("\n\nYes · No")


async def test_a_later_part_that_fails_is_never_retried(whatsapp: WhatsApp, fake: FakeTwilio) -> None:
    fake.control("faults", faults=[{"kind": "none"}, refusal(429, 20429)])
    with pytest.raises(errors.OutcomeUnknown, match="Part 2 of 2"):
        await whatsapp.send(an_outbound(PAT, "a" * LONGEST_TEXT + "\n\n" + "b" * 10))
    assert len(fake.ledger()) == 1


@pytest.mark.parametrize(
    "text", ["x", "a" * 1600, "a" * 1601, "𝟜" * 3000, "a b " * 3000, "a\n" * 5000, "\n\n" + "a" * 5000, "", " " * 5000]
)
def test_parts_are_within_the_limit_and_lose_nothing_but_white_space(text: str) -> None:
    parts = split_text(text)
    assert all(len(part.encode("utf-16-le")) // 2 <= LONGEST_TEXT for part in parts)
    assert "".join("".join(part.split()) for part in parts) == "".join(text.split())
    assert parts


def test_a_scale_is_named_by_its_ends_and_other_answers_by_their_words() -> None:
    scale = tuple(Button(str(score), f"v1:q:{score}") for score in range(11))
    hints = load_catalogue("en").hints
    assert with_choices("How was it?", [scale], hints) == "How was it?\n\nReply with a number from 0 to 10."
    both = with_choices("How was it?", [scale, (Button("Did some", "x"), Button("Not today", "x"))], hints)
    assert both == "How was it?\n\nReply with a number from 0 to 10, or write: Did some · Not today"
    assert with_choices("Hello.", (), hints) == "Hello."


def test_without_hints_the_answers_are_named_without_a_word_of_any_language() -> None:
    scale = tuple(Button(str(score), f"v1:q:{score}") for score in range(11))
    assert with_choices("¿Cómo fue?", [scale, (Button("Change", "v1:q:change"),)]) == "¿Cómo fue?\n\n0–10"


def test_the_invitation_opens_the_chat_with_the_words_ready() -> None:
    assert invitation_link(OURS, "Zx8_k-4QpL0abcdefghijk") == "https://wa.me/447700900999?text=Start%20Zx8_k-4QpL0abcdefghijk"


async def test_many_at_once_each_get_the_answer_to_their_own(whatsapp: WhatsApp, fake: FakeTwilio) -> None:
    """The library without its pool gave 398 of 400 another call's answer (measured)."""
    ids = await asyncio.gather(*(whatsapp.send(an_outbound(f"whatsapp:+4477009{number:05}")) for number in range(60)))
    sent = {entry["message"]["sid"]: entry["message"]["to"] for entry in fake.ledger()}
    assert [sent[provider_id] for provider_id in ids] == [f"whatsapp:+4477009{number:05}" for number in range(60)]


@pytest.mark.parametrize("address", ["", "+447700900123", "whatsapp:", "whatsapp:447700900123", "whatsapp:+44 7700", "whatsapp:+1;x"])
async def test_what_is_no_whatsapp_address_is_refused_by_ourselves(whatsapp: WhatsApp, fake: FakeTwilio, address: str) -> None:
    with pytest.raises(errors.MessageRejected):
        await whatsapp.send(an_outbound(address))
    assert fake.ledger() == []


async def test_a_server_that_is_not_there_took_nothing(fake: FakeTwilio) -> None:
    for url in ("http://127.0.0.1:1", "http://nowhere.invalid"):
        channel = WhatsApp(account(fake), PUBLIC, url, timeout_s=PATIENT_S)
        with pytest.raises(errors.ChannelUnavailable):
            await channel.send(an_outbound(PAT))  # not started either
        await channel.start()
        with pytest.raises(errors.ChannelUnavailable):
            await channel.send(an_outbound(PAT))
        await channel.close()


async def test_a_connection_that_never_stands_took_nothing(fake: FakeTwilio) -> None:
    """A port that accepts nobody: its queue is full before the first byte of ours."""
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, backlog=1, start_serving=False)
    port = silent.sockets[0].getsockname()[1]
    channel = WhatsApp(account(fake), PUBLIC, f"https://127.0.0.1:{port}", timeout_s=0.3)
    await channel.start()
    with pytest.raises(errors.ChannelUnavailable):
        await channel.send(an_outbound(PAT))
    await channel.close()
    silent.close()


async def test_the_check_says_whether_account_and_templates_are_good(whatsapp: WhatsApp, fake: FakeTwilio) -> None:
    await whatsapp.check()
    assert await whatsapp.find_approval(DAILY) == ("approved", "utility")
    with pytest.raises(errors.ChannelMisconfigured):
        await whatsapp.find_approval("HX" + "0" * 32)
    fake.control("account", status="suspended")
    with pytest.raises(errors.ChannelMisconfigured):
        await whatsapp.check()
    stranger = channel_to(fake, tokens=("0" * 32,))
    await stranger.start()
    with pytest.raises(errors.ChannelMisconfigured):
        await stranger.check()
    await stranger.close()


async def test_token_number_and_text_are_in_no_log_no_error_and_no_traceback(fake: FakeTwilio, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = "my knee, " + "secretly"  # in two halves, since a traceback quotes this file
    number = PAT.removeprefix("whatsapp:")
    shown: list[str] = []
    chained: set[BaseException | None] = set()
    for url in [fake.url, "http://127.0.0.1:1", "http://nowhere.invalid", "no url at all", "ftp://127.0.0.1"]:
        channel = WhatsApp(account(fake), PUBLIC, url, url, IMPATIENT_S)
        await channel.start()
        for _, fault in FAILURES.values():
            fake.fail(**fault)
            try:
                await channel.send(an_outbound(PAT, said))
            except errors.DeliveryError as error:
                shown += [repr(error), repr(channel), repr(account(fake)), *traceback.format_exception(error)]
                chained |= {error.__cause__, error.__context__}
            if url != fake.url:
                break
        await channel.close()
    shown += [record.getMessage() for record in caplog.records if record.name != "tests"]
    assert len(shown) > len(FAILURES)
    assert chained == {None}
    assert not [text for text in shown if fake.token in text or number in text or said in text]


def test_it_is_told_by_forms(fake: FakeTwilio) -> None:
    assert isinstance(channel_to(fake), PostsForms)
