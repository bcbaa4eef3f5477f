"""The whole flow on Telegram: the service as its own process, a Bot API server in another, and a patient who taps, types and edits."""

from __future__ import annotations

import signal
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot_service.actions import prompt
from bot_service.clock import real_now
from bot_service.storage import episodes, tables
from bot_service.storage.database import open_database
from tests.fakes.bot_api_process import FakeBotApi
from tests.patience import wait_for
from tests.service.running_service import SECRET, Installation

CHAT = 7001


@pytest.fixture
def installation(tmp_path: Path, bot_api: FakeBotApi) -> Installation:
    made = Installation(
        tmp_path, STEPWISE_CHANNELS="telegram", STEPWISE_TELEGRAM_TOKEN=bot_api.token, STEPWISE_TELEGRAM_API_URL=bot_api.url
    )
    made.set_up_clinic()
    return made


class Phone:
    """A patient's Telegram: what arrived, and what can be done about it."""

    def __init__(self, bot_api: FakeBotApi, chat: int) -> None:
        self.bot_api = bot_api
        self.chat = chat

    def received(self) -> list[dict[str, Any]]:
        return [message for message in self.bot_api.ledger() if message["chat"]["id"] == self.chat]

    def texts(self) -> list[str]:
        return [message["text"] for message in self.received()]

    def wait(self, words: str, number: int = 1) -> dict[str, Any]:
        """The `number`-th message with these words."""

        def found() -> dict[str, Any] | None:
            having = [message for message in self.received() if words in message["text"]]
            return having[number - 1] if len(having) >= number else None

        message: dict[str, Any] = wait_for(found, f"{words!r} on the phone, which has {self.texts()}")
        return message

    def now(self, message: dict[str, Any]) -> dict[str, Any]:
        """The message as it stands in the chat now."""
        return next(each for each in self.received() if each["message_id"] == message["message_id"])

    def say(self, text: str) -> int:
        update = self.bot_api.say(self.chat, text)
        return int(update["message"]["message_id"])

    def tap(self, message: dict[str, Any], label: str) -> None:
        buttons = [button for row in message["reply_markup"]["inline_keyboard"] for button in row]
        data = next(button["callback_data"] for button in buttons if button["text"] == label)
        self.bot_api.control("tap", chat=self.chat, message_id=message["message_id"], data=data)


def a_moment_ago() -> tuple[str, ...]:
    """The options of a patient whose prompt was due five minutes ago, and for whom it is about noon."""
    zone = f"Etc/GMT{real_now().hour - 12:+}"  # with its sign turned round: Etc/GMT-3 is three hours ahead
    return "--zone", zone, "--at", f"{real_now().astimezone(ZoneInfo(zone)) - timedelta(minutes=5):%H:%M}"


def let_today_s_prompt_fall_due(installation: Installation) -> None:
    """As if the only patient had agreed before the prompt's time; how long a test takes to get here decides nothing."""
    db = open_database(installation.settings["STEPWISE_DATABASE_URL"], [SECRET])
    with db.begin() as tx:
        [episode_id] = [row.id for row in tx.all(tables.episodes.select())]
        prompt.move_cursor(tx, episodes.load_locked(tx, episode_id), real_now() - timedelta(hours=1))
    db.close()


def test_a_patient_links_by_deep_link_agrees_exercises_answers_corrects_and_stops(installation: Installation, bot_api: FakeBotApi) -> None:
    phone = Phone(bot_api, CHAT)
    with installation.serving():
        link = installation.enrol("Jo Park", *a_moment_ago())["links"][0]
        code = link.partition("?start=")[2]
        assert link.startswith("https://t.me/") and len(code) >= 22

        phone.say(f"/start {code}")
        phone.tap(phone.wait("Do you agree?"), "Yes")
        phone.wait("usual pain")
        phone.say("3")
        phone.wait("Recorded: 3 out of 10.")

        let_today_s_prompt_fall_due(installation)
        ready = phone.wait("Your exercises for today are ready.")
        phone.tap(ready, "How to do them")
        steps = phone.wait("Step by step:")
        phone.tap(steps, "4")
        phone.wait("Recorded: 4 out of 10.")
        wait_for(lambda: phone.now(steps)["text"] == steps["text"] + "\n\n✓ 4/10", "the answer under the tapped question")
        assert "reply_markup" not in phone.now(steps), "answered, so there is nothing left to tap"
        assert "reply_markup" in phone.now(ready), "a button that answers nothing leaves the question as it was"
        answered = phone.say("sorry, 5")
        phone.wait("Corrected for today: 5 out of 10.")
        bot_api.control("edit", chat=CHAT, message_id=answered, text="sorry, 2")
        phone.wait("Corrected for today: 2 out of 10.")

        phone.say("STOP")
        phone.wait("no more messages")
        count = len(phone.received())
        phone.say("thanks")
        phone.say("4")
        wait_for(lambda: not bot_api.control("state")["waiting"], "the last words to be fetched")
    assert len(phone.received()) == count, "nothing is sent after STOP"
    shown = installation.run("patients", "list", "--json")
    assert '"opted_out"' in shown


def test_a_stranger_gets_one_sentence_and_a_used_link_binds_nobody_else(installation: Installation, bot_api: FakeBotApi) -> None:
    with installation.serving():
        code = installation.enrol("Jo Park", "--zone", "UTC")["code"]
        stranger = Phone(bot_api, 9009)
        stranger.say("hello?")
        stranger.wait("not linked to a patient")
        Phone(bot_api, CHAT).say(f"/start {code}")
        Phone(bot_api, CHAT).wait("Do you agree?")
        stranger.say(f"/start {code}")
        stranger.wait("does not work any more")


def test_replies_that_were_fetched_before_a_kill_are_not_lost_and_not_doubled(installation: Installation, bot_api: FakeBotApi) -> None:
    phone = Phone(bot_api, CHAT)
    with installation.serving() as process:
        code = installation.enrol("Jo Park", *a_moment_ago())["code"]
        phone.say(f"/start {code}")
        phone.tap(phone.wait("Do you agree?"), "Yes")
        phone.wait("usual pain")
        process.send_signal(signal.SIGKILL)
        process.wait()
    phone.say("3")
    with installation.serving():
        phone.wait("Recorded: 3 out of 10.")
        let_today_s_prompt_fall_due(installation)
        phone.wait("Your exercises for today are ready.")
    assert sum("Recorded: 3" in text for text in phone.texts()) == 1
    assert sum("usual pain" in text for text in phone.texts()) == 1


BARE = {"kind": "status_after", "status": 200, "text": '{"ok": true, "result": null}'}
UNKNOWN = {"kind": "status", "status": 500, "text": '{"message": "not supported"}'}


def test_a_server_that_knows_few_methods_and_says_no_more_than_ok_serves_a_patient_all_the_same(
    installation: Installation, bot_api: FakeBotApi
) -> None:
    """As test servers of third parties do: no menus, no message in the answer, and a tap under a message without a number."""
    me = {"kind": "status", "status": 200, "text": '{"ok": true, "result": {"id": 666, "username": "Test Name", "first_name": "Test"}}'}
    answers = dict.fromkeys(("sendMessage", "answerCallbackQuery", "editMessageText"), BARE)
    answers |= dict.fromkeys(("getMyCommands", "setMyCommands", "getWebhookInfo"), UNKNOWN) | {"getMe": me}
    bot_api.control("faults", faults=[{"method": method, "times": 10**6, **fault} for method, fault in answers.items()])
    phone = Phone(bot_api, CHAT)
    with installation.serving():
        phone.say(f"/start {installation.enrol('Jo Park', *a_moment_ago())['code']}")
        there, who = {"id": CHAT, "type": "private"}, {"id": CHAT, "is_bot": False, "first_name": "Pat"}
        [yes] = [key for row in phone.wait("Do you agree?")["reply_markup"]["inline_keyboard"] for key in row if key["text"] == "Yes"]
        tap = {"id": "1", "from": who, "message": {"from": who, "chat": there}, "data": yes["callback_data"]}
        bot_api.control("update", kind="callback_query", content=tap)
        phone.wait("usual pain")
        phone.say("3")
        phone.wait("Recorded: 3 out of 10.")
        let_today_s_prompt_fall_due(installation)
        phone.wait("Your exercises for today are ready.")
    assert sum("Do you agree?" in text for text in phone.texts()) == 1


def test_a_wrong_token_is_refused_with_one_sentence(installation: Installation) -> None:
    installation.settings["STEPWISE_TELEGRAM_TOKEN"] = "123456789:not-the-token-that-it-should-be"
    with pytest.raises(AssertionError, match="copy the token from BotFather"), installation.serving():
        pass
    assert "not-the-token" not in installation.log()
    assert "Unclosed" not in installation.log(), "what was opened is closed again"
