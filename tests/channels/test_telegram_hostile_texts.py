"""Reliability C4: whatever a name or a text holds, Telegram takes the message; a server that applies its rules is the judge."""

from __future__ import annotations

import random

import pytest

from bot_service.channels.telegram import Telegram, split_text
from bot_service.messages import Button
from tests.channels.contract import an_outbound
from tests.fakes.bot_api_process import FakeBotApi
from tests.fakes.bot_api_state import Refused, State, send_message

SEED = 20261122
PIECES = [
    "_*[]()~`>#+-=|{}.!", "<b>", "</b>", "&amp;", "<script>", "**", "__", "```", "](", "\u202e", "\u202c", "\u200f", "\x00", "\x1b[31m",
    "\r\n", "\ud83d", "\udc4b", "𝟜", "👩‍👩‍👧‍👦", "🇬🇧", "é\u0301", "\u0333", "\u2028", "ﷺ", "字", "%s", "${name}", "{0}", "'; --", "a", " ",
    "\n\n", "\t", "@all", "/stop",
]  # fmt: skip


def hostile(drawn: random.Random) -> str:
    """A name or a text: short, long, or one thing over and over."""
    match drawn.randrange(20):
        case 0:
            return drawn.choice(PIECES) * drawn.choice([1, 7, 2048, 5000])
        case 1:
            return "".join(drawn.choices(PIECES, k=5000))[:5000]
        case _:
            return "".join(drawn.choices(PIECES, k=drawn.randint(1, 40)))


def message(drawn: random.Random) -> str:
    """One of our sentences around it, as every message has one, in the places where names and clinic's words stand."""
    return f"Hello, this is {hostile(drawn)}.\n\nYour clinic writes:\n\n{hostile(drawn)}"


def refusals(texts: list[str], parse_mode: str = "") -> list[str]:
    """Why parts of these texts would be refused, by the rules of the fake server."""
    state, found = State(chats={5}), list[str]()
    for text in texts:
        for part in split_text(text):
            given = {"chat_id": "5", "text": part} | ({"parse_mode": parse_mode} if parse_mode else {})
            try:
                send_message(state, given)
            except Refused as refused:
                found.append(refused.body["description"])
    return found


def test_ten_thousand_hostile_texts_are_refused_by_no_rule() -> None:
    drawn = random.Random(SEED)
    assert refusals([message(drawn) for _ in range(10_000)]) == [], "zero of 10 000 is below 0.03 % (95 %)"


def test_the_same_rules_condemn_a_build_that_formats_its_texts() -> None:
    drawn = random.Random(SEED)
    assert any("can't parse entities" in why for why in refusals([message(drawn) for _ in range(50)], parse_mode="HTML"))


async def test_hostile_texts_go_through_a_server_as_they_are(bot_api: FakeBotApi) -> None:
    drawn = random.Random(SEED + 1)
    bot_api.control("meet", chats=[5])
    channel = Telegram(bot_api.token, bot_api.url)
    await channel.start()
    for _ in range(150):
        await channel.send(an_outbound("5", message(drawn), rows=((Button("Yes", "v1:q:yes"),),)))
    await channel.close()
    assert bot_api.control("state")["offences"] == []


@pytest.mark.parametrize("invisible", ["\u202e", "\u200f", "\u0333", "\x1b"])
def test_a_part_in_which_nothing_can_be_seen_is_left_out(invisible: str) -> None:
    assert split_text(f"Hello.\n\n{invisible * 9000}\n\nBye.")[0].startswith("Hello.")
    assert refusals([f"Hello.\n\n{invisible * 9000}\n\nBye."]) == []
