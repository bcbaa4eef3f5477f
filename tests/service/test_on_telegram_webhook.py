"""Webhook mode with real processes: the Bot API server posts, the service is killed and restarted, and no word is lost or doubled."""

from __future__ import annotations

import random
import signal
from collections import Counter
from pathlib import Path

import pytest

from bot_service.channels.telegram import Telegram
from bot_service.conversation.wording import SHIPPED
from bot_service.errors import SettingsError
from bot_service.polling import Poller
from bot_service.running import Posting
from bot_service.storage import measures
from bot_service.storage.database import open_database
from bot_service.storage.tables import inbox
from tests.fakes.bot_api_process import FakeBotApi
from tests.patience import wait_for
from tests.running_clinic import RunningClinic
from tests.service.running_service import SECRET, Installation
from tests.sizes import Sized

CHAT = 7001
WEBHOOK_SECRET = "only-for-tests_0123456789abcdef0123456789"
WEBHOOK = {"STEPWISE_TELEGRAM_MODE": "webhook", "STEPWISE_TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET}


@pytest.fixture
def installation(tmp_path: Path, bot_api: FakeBotApi) -> Installation:
    made = Installation(
        tmp_path, STEPWISE_CHANNELS="telegram", STEPWISE_TELEGRAM_TOKEN=bot_api.token, STEPWISE_TELEGRAM_API_URL=bot_api.url, **WEBHOOK
    )
    made.set_up_clinic()
    return made


def texts(bot_api: FakeBotApi, chat: int = CHAT) -> list[str]:
    return [message["text"] for message in bot_api.ledger() if message["chat"]["id"] == chat]


def in_inbox(installation: Installation, updates: list[int]) -> Counter[str]:
    """What became of these updates."""
    db = open_database(installation.settings["STEPWISE_DATABASE_URL"], (SECRET,))
    with db.read() as tx:
        states = {row.provider_hash: row.status for row in tx.all(inbox.select())}
        found = Counter(states.get(db.keys.index("update", str(number)), "lost") for number in updates)
    db.close()
    return found


def test_what_was_written_during_an_outage_and_between_kills_arrives_once(
    installation: Installation, bot_api: FakeBotApi, sized: Sized
) -> None:
    """D2: as many posts between the kills as make 2,000 for 200 of them, or a few more."""
    drawn, said = random.Random(7), list[int]()
    kills, posts = sized(3, 200), sized(30, 10)

    def write(count: int) -> None:
        said.extend(bot_api.say(CHAT + drawn.randrange(40), "hello")["update_id"] for _ in range(count))

    write(5)
    for _ in range(kills):
        with installation.serving() as process:
            state = bot_api.control("state")
            assert state["secret"] == WEBHOOK_SECRET
            assert state["webhook"] == f"http://127.0.0.1:{installation.port}/webhooks/telegram"
            assert state["allowed_updates"] == ["message", "edited_message", "callback_query", "my_chat_member"]
            menus = {code: [command["command"] for command in menu] for code, menu in state["commands"].items()}
            assert menus == {code: ["start", "plan", "progress", "pause", "time", "help", "stop"] for code in ("", *SHIPPED)}
            enough = len(bot_api.control("state")["posted"]) + drawn.randrange(posts - 4)
            write(posts)
            wait_for(lambda enough=enough: len(bot_api.control("state")["posted"]) > enough, "some posts")  # type: ignore[misc]  # bound now
            process.send_signal(signal.SIGKILL)
            process.wait()
        acknowledged = [number for number, status in bot_api.control("state")["posted"] if status == 200]
        assert in_inbox(installation, acknowledged)["lost"] == 0, "what was answered 200 is on the disk"
        write(5)
    with installation.serving():
        wait_for(lambda: not bot_api.control("state")["waiting"], "everything to be taken")
        wait_for(lambda: in_inbox(installation, said) == Counter(handled=len(said)), "everything to be handled")
    assert bot_api.control("state")["offences"] == []


def test_modes_are_switched_both_ways_without_losing_what_waits(installation: Installation, bot_api: FakeBotApi) -> None:
    with installation.serving():
        bot_api.say(CHAT, "one")
        wait_for(lambda: texts(bot_api), "an answer by webhook")
    bot_api.say(CHAT + 1, "two")
    installation.settings["STEPWISE_TELEGRAM_MODE"] = "polling"
    with installation.serving():
        wait_for(lambda: texts(bot_api, CHAT + 1), "an answer by polling")
        assert bot_api.control("state")["webhook"] == ""
        bot_api.control("webhook", url="https://somebody.else.example/")
        wait_for(lambda: "Another poller or a webhook uses this bot" in installation.log(), "the reason in the log")
    bot_api.say(CHAT + 2, "three")
    installation.settings["STEPWISE_TELEGRAM_MODE"] = "webhook"
    with installation.serving():
        wait_for(lambda: texts(bot_api, CHAT + 2), "an answer by webhook again")
        assert bot_api.control("state")["webhook"].endswith("/webhooks/telegram")


async def test_a_server_that_cannot_say_what_waits_is_asked_for_it_and_posts_from_then_on(
    bot_api: FakeBotApi, sqlite_clinic: RunningClinic
) -> None:
    channel = Telegram(bot_api.token, bot_api.url, webhook_secrets=(WEBHOOK_SECRET,))
    await channel.start()
    sender = sqlite_clinic.service.add_channel(sqlite_clinic.clinic.id, "bot", channel, None)
    bot_api.say(CHAT, "STOP")
    bot_api.fail("status", method="getWebhookInfo", status=500)
    await Posting(Poller(sqlite_clinic.service, sender, channel), channel, f"{bot_api.url}/somewhere").catch_up()
    with sqlite_clinic.db.read() as tx:
        assert measures.count_inbound(tx) == {"received": 1}
    assert bot_api.control("state")["webhook"].endswith("/somewhere")
    await channel.close()


async def test_an_address_that_telegram_refuses_is_one_sentence(bot_api: FakeBotApi, sqlite_clinic: RunningClinic) -> None:
    channel = Telegram(bot_api.token, bot_api.url, webhook_secrets=(WEBHOOK_SECRET,))
    await channel.start()
    sender = sqlite_clinic.service.add_channel(sqlite_clinic.clinic.id, "bot", channel, None)
    posting = Posting(Poller(sqlite_clinic.service, sender, channel), channel, "http://clinic.example/webhooks/telegram")
    with pytest.raises(SettingsError, match="STEPWISE_PUBLIC_URL must be an https address"):
        await posting.catch_up()
    bot_api.say(CHAT, "STOP")
    posting = Posting(Poller(sqlite_clinic.service, sender, channel), channel, f"{bot_api.url}/nobody")
    await posting.catch_up()
    with sqlite_clinic.db.read() as tx:
        assert measures.count_inbound(tx) == {"received": 1}, "what waits is stored before anything is sent"
    assert bot_api.control("state")["webhook"].endswith("/nobody")
    await posting.stop()
    await channel.close()
