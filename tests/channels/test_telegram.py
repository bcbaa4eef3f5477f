"""Telegram against a real HTTP server in another process: the contract, long texts, polling, courtesies, and a token that never shows."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bot_service import errors
from bot_service.channels.channel import Editable
from bot_service.channels.telegram import LONGEST_TEXT, Identity, Telegram, split_text
from bot_service.conversation.progress_picture import draw_progress
from bot_service.messages import Button
from tests.channels.contract import IMPATIENT_S, ChannelContract, Subject, an_outbound, patience_for
from tests.fakes.bot_api_process import FakeBotApi, running_bot_api
from tests.patience import PATIENT_S, come

PAT = 1001
YES = ((Button("Yes", "v1:q:yes"),),)

# What the server does, and what it means. Accepted or not, the meaning is the same when we cannot know.
FAILURES: dict[str, tuple[type[errors.DeliveryError], dict[str, Any]]] = {
    "too many requests": (errors.RateLimited, {"kind": "status", "status": 429, "parameters": {"retry_after": 3}}),
    "too many requests, no number": (errors.RateLimited, {"kind": "status", "status": 429, "text": "slow down"}),
    "too many requests inside a 200": (
        errors.RateLimited,
        {"kind": "status", "status": 429, "http": 200, "parameters": {"retry_after": 3}},
    ),
    "blocked": (errors.RecipientStopped, {"kind": "status", "status": 403, "description": "Forbidden: bot was blocked by the user"}),
    "deactivated": (errors.RecipientStopped, {"kind": "status", "status": 403, "description": "Forbidden: user is deactivated"}),
    "chat not found": (errors.RecipientStopped, {"kind": "status", "status": 400, "description": "Bad Request: chat not found"}),
    "migrated": (errors.RecipientStopped, {"kind": "status", "status": 400, "parameters": {"migrate_to_chat_id": -100123}}),
    "refused": (errors.MessageRejected, {"kind": "status", "status": 400, "description": "Bad Request: message is too long"}),
    "token revoked": (errors.ChannelMisconfigured, {"kind": "status", "status": 401, "description": "Unauthorized"}),
    "no such bot": (errors.ChannelMisconfigured, {"kind": "status", "status": 404, "description": "Not Found"}),
    "a proxy's 403": (errors.OutcomeUnknown, {"kind": "status", "status": 403, "text": "<html>Forbidden</html>"}),
    "a proxy's 400": (errors.OutcomeUnknown, {"kind": "status", "status": 400, "text": "<html>Bad Request</html>"}),
    "500": (errors.OutcomeUnknown, {"kind": "status", "status": 500}),
    "502 after accepting": (errors.OutcomeUnknown, {"kind": "status_after", "status": 502, "text": "<html>"}),
    "503 that says when": (errors.OutcomeUnknown, {"kind": "status", "status": 503, "parameters": {"retry_after": 3}}),
    "a redirect": (errors.OutcomeUnknown, {"kind": "status", "status": 302, "text": ""}),
    "silence before accepting": (errors.OutcomeUnknown, {"kind": "hang_before"}),
    "silence after accepting": (errors.OutcomeUnknown, {"kind": "hang_after"}),
    "reset before accepting": (errors.OutcomeUnknown, {"kind": "reset_before"}),
    "reset after accepting": (errors.OutcomeUnknown, {"kind": "reset_after"}),
    "garbage": (errors.OutcomeUnknown, {"kind": "garbage"}),
    "a list": (errors.OutcomeUnknown, {"kind": "list"}),
    "truncated": (errors.OutcomeUnknown, {"kind": "truncated"}),
    "one byte at a time": (errors.OutcomeUnknown, {"kind": "slow", "seconds": 0.3}),
    "200 and not ok": (errors.OutcomeUnknown, {"kind": "ok_false"}),
    "200 without a result": (errors.OutcomeUnknown, {"kind": "no_result"}),
}


@pytest.fixture
def fake(bot_api: FakeBotApi) -> FakeBotApi:
    bot_api.say(PAT, "hello")
    return bot_api


@pytest.fixture
async def telegram(fake: FakeBotApi, request: pytest.FixtureRequest) -> AsyncIterator[Telegram]:
    channel = Telegram(fake.token, fake.url, timeout_s=patience_for(request))
    await channel.start()
    yield channel
    await channel.close()
    assert fake.control("state")["offences"] == [], "only documented methods and parameters are sent"


def written(message: dict[str, Any]) -> tuple[str, str, list[list[tuple[str, str]]]]:
    keyboard = message.get("reply_markup", {}).get("inline_keyboard", [])
    return str(message["message_id"]), message["text"], [[(key["text"], key["callback_data"]) for key in row] for row in keyboard]


class TestTelegram(ChannelContract):
    @pytest.fixture
    def subject(self, telegram: Telegram, fake: FakeBotApi) -> Subject:
        failures = {name: (error, lambda fault=fault: fake.fail(**fault)) for name, (error, fault) in FAILURES.items()}
        return Subject(telegram, str(PAT), lambda: [written(message) for message in fake.ledger()], failures)

    @pytest.fixture(params=FAILURES)
    def failure(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)


async def test_the_wait_that_telegram_asks_for_is_passed_on(telegram: Telegram, fake: FakeBotApi) -> None:
    fake.fail("status", status=429, parameters={"retry_after": 37})
    with pytest.raises(errors.RateLimited) as caught:
        await telegram.send(an_outbound(str(PAT)))
    assert caught.value.retry_after == 37


async def test_real_refusals_of_the_server_are_understood(telegram: Telegram, fake: FakeBotApi) -> None:
    with pytest.raises(errors.RecipientStopped):
        await telegram.send(an_outbound("99999"))
    with pytest.raises(errors.MessageRejected):
        await telegram.send(an_outbound("somebody"))
    with pytest.raises(errors.MessageRejected):
        await telegram.send(an_outbound(str(PAT), rows=((Button("x", "x" * 65),),)))
    with pytest.raises(errors.MessageRejected):
        await telegram.send(an_outbound(str(PAT), text="  "))
    fake.control("block", chat=PAT)
    with pytest.raises(errors.RecipientStopped):
        await telegram.send(an_outbound(str(PAT)))
    assert fake.ledger() == []


def called(fake: FakeBotApi, method: str) -> int:
    """How often a method was called since the server began, or forgot."""
    return int(fake.control("state")["calls"].get(method, 0))


async def test_a_refused_connection_is_not_sent_and_the_next_one_works(telegram: Telegram, fake: FakeBotApi) -> None:
    fake.control("refuse", on=True)
    with pytest.raises(errors.ChannelUnavailable):
        await telegram.send(an_outbound(str(PAT)))
    fake.control("refuse", on=False)
    await telegram.send(an_outbound(str(PAT)))
    assert len(fake.ledger()) == 1


@pytest.mark.parametrize("url", ["http://nowhere.invalid", "http://127.0.0.1:1", "https://127.0.0.1:{port}"])
async def test_a_name_that_is_not_found_a_closed_port_and_a_failed_handshake_are_not_sent(fake: FakeBotApi, url: str) -> None:
    channel = Telegram(fake.token, url.format(port=fake.url.rsplit(":", 1)[1]))
    await channel.start()
    with pytest.raises(errors.ChannelUnavailable):
        await channel.send(an_outbound(str(PAT)))
    await channel.close()
    with pytest.raises(errors.ChannelUnavailable):
        await channel.send(an_outbound(str(PAT)))


async def test_a_server_that_is_stopped_or_killed_in_the_middle_leaves_the_outcome_unknown_and_then_unavailable() -> None:
    with running_bot_api() as fake:
        fake.say(PAT, "hello")
        impatient, channel = Telegram(fake.token, fake.url, timeout_s=IMPATIENT_S), Telegram(fake.token, fake.url, timeout_s=PATIENT_S)
        await impatient.start()
        await channel.start()
        fake.signal(signal.SIGSTOP)
        with pytest.raises(errors.OutcomeUnknown):
            await impatient.send(an_outbound(str(PAT)))
        await impatient.close()
        fake.signal(signal.SIGCONT)
        fake.fail("hang_before", chat_id=PAT + 1)
        sending = asyncio.create_task(channel.send(an_outbound(str(PAT + 1))))
        await come(lambda: not fake.control("state")["faults"], "the message to be there")
        fake.signal(signal.SIGKILL)
        with pytest.raises(errors.OutcomeUnknown):
            await sending
        with pytest.raises(errors.ChannelUnavailable):
            await channel.send(an_outbound(str(PAT)))
        await channel.close()


async def test_a_long_text_goes_in_parts_cut_between_paragraphs_with_the_buttons_last(telegram: Telegram, fake: FakeBotApi) -> None:
    paragraphs = [f"{number}. " + "word " * 150 for number in range(12)]
    provider_id = await telegram.send(an_outbound(str(PAT), "\n\n".join(paragraphs), YES))
    parts = [written(message) for message in fake.ledger()]
    assert len(parts) == 3
    assert parts[-1][0] == provider_id
    assert [part[2] for part in parts] == [[], [], [[("Yes", "v1:q:yes")]]]
    assert [line.strip() for part in parts for line in part[1].split("\n\n")] == [paragraph.strip() for paragraph in paragraphs]


async def test_a_picture_carries_the_text_as_its_caption_and_is_left_out_rather_than_the_words(
    telegram: Telegram, fake: FakeBotApi
) -> None:
    picture = draw_progress({date(2026, 10, 20): 4}, 5, date(2026, 10, 20))
    told = replace(an_outbound(str(PAT), "You did 5 of 7. <b>", YES), picture=picture)
    sent = await telegram.send(told)
    (message,) = fake.ledger()
    assert (str(message["message_id"]), message["caption"], message["photo"][0]["file_size"]) == (sent, "You did 5 of 7. <b>", len(picture))
    assert message["reply_markup"]["inline_keyboard"][0][0]["text"] == "Yes"
    await telegram.send(replace(told, text="long " * 300))
    await telegram.send(replace(told, picture=b"no picture at all"))
    fake.fail("status", method="sendPhoto", status=404, description="Not Found")
    await telegram.send(told)
    assert [message.get("text", "")[:7] for message in fake.ledger()] == ["", "long lo", "You did", "You did"]


@pytest.mark.parametrize("picture", [None, draw_progress({}, 5, date(2026, 10, 20))], ids=["words", "picture"])
async def test_what_the_server_says_it_sent_was_sent_whatever_else_it_says(
    telegram: Telegram, fake: FakeBotApi, picture: bytes | None
) -> None:
    told = replace(an_outbound(str(PAT)), picture=picture)
    method = "sendPhoto" if picture else "sendMessage"
    for result, number in ((None, ""), (True, ""), ({"message_id": 7}, "7"), ({"message_id": 7, "date": 10**14, "chat": {}}, "7")):
        fake.control(
            "faults", faults=[{"method": method, "kind": "status_after", "status": 200, "text": json.dumps({"ok": True, "result": result})}]
        )
        assert await telegram.send(told) == number


async def test_who_the_bot_is_needs_no_more_than_its_id_and_name(telegram: Telegram, fake: FakeBotApi) -> None:
    fake.fail("status_after", method="getMe", status=200, text='{"ok": true, "result": {"id": 666, "username": "test"}}')
    assert await telegram.whoami() == Identity("666", "test")
    fake.fail("odd_result", method="getMe")
    with pytest.raises(errors.OutcomeUnknown):
        await telegram.whoami()


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_picture_that_fails_means_what_a_text_that_fails_means(telegram: Telegram, fake: FakeBotApi, failure: str) -> None:
    error, fault = FAILURES[failure]
    fake.control("faults", faults=[{"method": "sendPhoto", **fault}, {"method": "sendMessage", **fault}])
    told = replace(an_outbound(str(PAT)), picture=draw_progress({}, 5, date(2026, 10, 20)))
    with pytest.raises(errors.DeliveryError) as caught:
        await telegram.send(told)
    assert type(caught.value) is error
    if error not in (errors.MessageRejected, errors.ChannelMisconfigured):
        assert fake.control("state")["calls"].get("sendMessage", 0) == 0, "only a picture that was surely refused is followed by its words"


async def test_a_later_part_that_fails_is_never_retried(telegram: Telegram, fake: FakeBotApi) -> None:
    long = "a" * LONGEST_TEXT + "\n\n" + "b" * 10
    fake.control("faults", faults=[{"kind": "none"}, {"kind": "status", "status": 429, "parameters": {"retry_after": 3}}])
    with pytest.raises(errors.OutcomeUnknown, match="Part 2 of 2"):
        await telegram.send(an_outbound(str(PAT), long))
    assert len(fake.ledger()) == 1


@pytest.mark.parametrize(
    "text", ["x", "a" * 4096, "a" * 4097, "𝟜" * 3000, "a b " * 3000, "a\n" * 5000, "\n\n" + "a" * 5000, "", " " * 5000]
)
def test_parts_are_within_the_limit_and_lose_nothing_but_white_space(text: str) -> None:
    parts = split_text(text)
    assert all(len(part.encode("utf-16-le")) // 2 <= LONGEST_TEXT for part in parts)
    assert "".join("".join(part.split()) for part in parts) == "".join(text.split())
    assert parts


async def test_updates_come_raw_and_in_order_and_again_until_confirmed(telegram: Telegram, fake: FakeBotApi) -> None:
    fake.say(PAT, "done")
    fake.control("update", kind="message", content={"broken": True})
    fake.say(PAT, "4")
    first = await telegram.poll(None, seconds=0)
    assert [update["message"].get("text") for update in first] == ["hello", "done", None, "4"]
    assert await telegram.poll(None, seconds=0) == first
    rest = await telegram.poll(first[2]["update_id"] + 1, seconds=0)
    assert [update["message"]["text"] for update in rest] == ["4"]
    assert await telegram.poll(rest[-1]["update_id"] + 1, seconds=0) == []
    assert fake.control("state")["allowed_updates"] == ["message", "edited_message", "callback_query", "my_chat_member"]


async def test_a_long_poll_waits_longer_than_a_send_and_ends_when_something_arrives(fake: FakeBotApi) -> None:
    impatient = Telegram(fake.token, fake.url, timeout_s=IMPATIENT_S)
    await impatient.start()
    (hello,) = await impatient.poll(None, seconds=50)
    waiting = asyncio.create_task(impatient.poll(hello["update_id"] + 1, seconds=50))
    await asyncio.sleep(IMPATIENT_S + 0.3)
    assert not waiting.done()
    await asyncio.to_thread(fake.say, PAT, "here I am")
    assert [update["message"]["text"] for update in await asyncio.wait_for(waiting, PATIENT_S)] == ["here I am"]
    await impatient.close()


async def test_a_second_poller_and_a_webhook_are_a_set_up_fault_and_the_webhook_can_be_removed(
    telegram: Telegram, fake: FakeBotApi
) -> None:
    (hello,) = await telegram.poll(None, seconds=0)
    waiting = asyncio.create_task(telegram.poll(hello["update_id"] + 1, seconds=50))
    await come(lambda: called(fake, "getUpdates") == 2, "the first poller to wait")
    await telegram.poll(hello["update_id"] + 1, seconds=0)
    with pytest.raises(errors.ChannelMisconfigured, match="Another poller"):
        await waiting
    fake.control("webhook", url="https://example.org/hook")
    with pytest.raises(errors.ChannelMisconfigured):
        await telegram.poll(None, seconds=0)
    await telegram.prepare_polling()
    assert await telegram.poll(None, seconds=0) == []


async def test_polling_through_an_outage_raises_only_delivery_errors(telegram: Telegram, fake: FakeBotApi) -> None:
    for kind in ["garbage", "truncated", "no_result", "reset_after"]:
        fake.fail(kind, method="getUpdates")
        with pytest.raises(errors.OutcomeUnknown):
            await telegram.poll(None, seconds=0)
    fake.fail("odd_result", method="getUpdates")
    assert await telegram.poll(None, seconds=0) == []
    assert [update["message"]["text"] for update in await telegram.poll(None, seconds=0)] == ["hello"]


async def test_a_tap_is_answered_once_and_too_late_is_no_error(telegram: Telegram, fake: FakeBotApi) -> None:
    asked = await telegram.send(an_outbound(str(PAT), rows=YES))
    update = fake.control("tap", chat=PAT, message_id=int(asked), data="v1:q:yes")
    heard = telegram.parse(update)
    assert heard is not None
    assert (heard.heard, heard.data, heard.reply_to, heard.text) == ("tap", "v1:q:yes", asked, "Yes")
    assert heard.callback_id is not None
    assert await telegram.answer_tap(heard.callback_id, "Noted. " * 100)
    assert fake.control("state")["answered"] == {heard.callback_id: ("Noted. " * 100)[:200]}
    fake.control("skip", seconds=20)
    assert not await telegram.answer_tap(heard.callback_id)


async def test_the_tapped_question_can_be_edited_and_failing_to_is_no_error(telegram: Telegram, fake: FakeBotApi) -> None:
    asked = await telegram.send(an_outbound(str(PAT), "Did you exercise?", YES))
    assert await telegram.edit(str(PAT), asked, "Did you exercise?\nYes")
    assert [written(message)[1:] for message in fake.ledger()] == [("Did you exercise?\nYes", [])]
    assert await telegram.edit(str(PAT), asked, "Did you exercise?\nYes"), "unchanged counts as done"
    assert not await telegram.edit(str(PAT), "1", "gone")
    assert not await telegram.edit("somebody", "x", "gone")
    fake.fail("status", method="editMessageText", status=500)
    assert not await telegram.edit(str(PAT), asked, "again")


async def test_the_bot_knows_its_name_and_its_menu(telegram: Telegram, fake: FakeBotApi) -> None:
    identity = await telegram.whoami()
    assert (identity.id, identity.username) == ("4242", "stepwise_test_bot")
    assert await telegram.set_commands({"help": "What I can do"})
    assert await telegram.set_commands({"help": "Was ich kann"}, "de")
    assert fake.control("state")["commands"]["de"] == [{"command": "help", "description": "Was ich kann"}]


async def test_a_wrong_or_missing_token_is_a_set_up_fault(fake: FakeBotApi) -> None:
    channel = Telegram("4242:wrong", fake.url)
    await channel.start()
    with pytest.raises(errors.ChannelMisconfigured):
        await channel.whoami()
    with pytest.raises(errors.ChannelMisconfigured):
        await channel.poll(None, seconds=0)
    await channel.close()
    with pytest.raises(errors.ChannelMisconfigured, match="STEPWISE_TELEGRAM_TOKEN"):
        Telegram("")


async def test_the_token_and_the_text_are_in_no_log_no_error_and_no_traceback(fake: FakeBotApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = "my knee, " + "secretly"  # in two halves, since a traceback quotes this file
    shown: list[str] = []
    chained: list[BaseException | None] = []
    for url in [fake.url, "http://127.0.0.1:1", "http://nowhere.invalid", "no url at all", "ftp://127.0.0.1", "http://[::1"]:
        channel = Telegram(fake.token, url, timeout_s=IMPATIENT_S)
        await channel.start()
        for _, fault in FAILURES.values():
            fake.fail(**fault)
            try:
                await channel.send(an_outbound(str(PAT), said))
            except errors.DeliveryError as error:
                shown += [repr(error), repr(channel), *traceback.format_exception(error)]
                chained += [error.__cause__, error.__context__]
            if url != fake.url:
                break
        await channel.close()
    shown += [record.getMessage() for record in caplog.records if record.name != "tests"]
    assert len(shown) > len(FAILURES)
    assert set(chained) == {None}
    assert not [text for text in shown if fake.token in text or fake.token.split(":")[1] in text or said in text]


def test_it_is_editable() -> None:
    assert isinstance(Telegram("1:x"), Editable)
