"""A tapped question on Telegram: answered at once, its answer shown under it, and nothing that goes wrong with that holds anybody up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot_service.channels.telegram import LONGEST_TEXT
from bot_service.messages import Button
from tests.channels.contract import an_outbound
from tests.patience import PATIENT_S, come
from tests.running_clinic import Person
from tests.telegram_clinic import TelegramClinic, asked_today


@pytest.fixture
async def people(telegram: TelegramClinic) -> list[Person]:
    """Two patients with today's question on their phones."""
    return await asked_today(telegram, 2)


def shown(telegram: TelegramClinic, person: Person, at: int = 0) -> dict[str, Any]:
    """A message as it stands in the patient's chat, the first unless `at` says otherwise."""
    found: dict[str, Any] = [message for message in telegram.fake.ledger() if str(message["chat"]["id"]) == person.address][at]
    return found


async def tap(telegram: TelegramClinic, person: Person, answer: str, message: dict[str, Any]) -> str:
    """Tap the button of a message as it was; the id of the tap."""
    buttons = [button for row in message["reply_markup"]["inline_keyboard"] for button in row]
    data = next(button["callback_data"] for button in buttons if button["text"] == answer)
    update = telegram.fake.control("tap", chat=int(person.address), message_id=message["message_id"], data=data)
    assert await telegram.post(update) == 200
    return str(update["callback_query"]["id"])


def edits(telegram: TelegramClinic) -> int:
    """How often an edit was tried."""
    return int(telegram.fake.control("state")["calls"].get("editMessageText", 0))


async def test_the_answer_is_shown_under_the_question_and_a_second_one_takes_its_place(
    telegram: TelegramClinic, people: list[Person]
) -> None:
    before = shown(telegram, people[0])
    query = await tap(telegram, people[0], "4", before)
    await come(lambda: shown(telegram, people[0])["text"] == before["text"] + "\n\n✓ 4/10", "the chat to show it")
    assert telegram.fake.control("state")["answered"][query] == "4"
    assert "reply_markup" not in shown(telegram, people[0])
    assert "Recorded: 4 out of 10." in shown(telegram, people[0], -1)["text"], "what the answer means still comes as a message"
    await tap(telegram, people[0], "5", before)  # from a phone that has not heard of the change
    await come(lambda: shown(telegram, people[0])["text"] == before["text"] + "\n\n✓ 5/10", "the chat to show it")


async def test_words_on_a_button_are_shown_as_they_are_and_a_button_that_answers_nothing_leaves_the_question(
    telegram: TelegramClinic, people: list[Person]
) -> None:
    before = shown(telegram, people[0])
    await tap(telegram, people[0], "Something's wrong", before)
    await come(lambda: shown(telegram, people[0], -1) != before, "the question what is wrong")
    assert shown(telegram, people[0]) == before
    other = shown(telegram, people[1])
    await tap(telegram, people[1], "Not today", other)
    await come(lambda: shown(telegram, people[1])["text"].endswith("\n\n✓ Not today"), "the chat to show it")


async def test_a_provider_that_hangs_or_refuses_the_courtesies_holds_nobody_up(telegram: TelegramClinic, people: list[Person]) -> None:
    hangs = [
        {"kind": "hang_before", "method": "answerCallbackQuery", "seconds": 5 * PATIENT_S},
        {"kind": "status", "method": "editMessageText", "status": 400},
    ]
    telegram.fake.control("faults", faults=hangs)
    await tap(telegram, people[0], "4", shown(telegram, people[0]))
    await telegram.say(int(people[1].address), "done, 3")
    assert "Recorded: 3" in shown(telegram, people[1], -1)["text"]
    assert "Recorded: 4" in shown(telegram, people[0], -1)["text"]
    assert edits(telegram) == 0, "all this while the first courtesy hangs, whose edit would come next"
    await tap(telegram, people[1], "Not today", shown(telegram, people[1]))
    await come(lambda: edits(telegram) == 1, "the edit that is refused")
    await asyncio.sleep(0.3)
    assert edits(telegram) == 1
    assert "Not today" not in shown(telegram, people[1])["text"], "the refused edit is not tried again"


async def test_a_text_without_room_for_the_answer_keeps_its_words_and_loses_its_buttons(telegram: TelegramClinic) -> None:
    telegram.fake.control("meet", chats=[5])
    channel: Any = telegram.clinic.service.channels[telegram.sender_id]
    long = "a" * (LONGEST_TEXT - 3)
    telegram.fake.say(5, "hi")
    sent = await channel.send(an_outbound("5", long, rows=((Button("4", "v1:q:4"),),)))
    assert await channel.edit("5", sent, f"{long}\n\n✓ 4/10")
    assert [(message["text"], "reply_markup" in message) for message in telegram.fake.ledger()] == [(long, False)]
