"""Reliability D14: voice, pictures, stickers, polls, forwarded words and edits all leave a row that staff see, and are answered once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from bot_service.channels.telegram import Telegram
from bot_service.conversation.progress_picture import WIDTH
from bot_service.messages import Inbound
from bot_service.storage import cases, inbox
from tests.channels.contract import PAYLOADS
from tests.running_clinic import Person
from tests.telegram_clinic import SECRET, TelegramClinic, asked_today

SENT = [file.stem for pattern in ("telegram_media_*", "telegram_text*") for file in sorted(PAYLOADS.glob(f"{pattern}.json"))]


@pytest.fixture
async def patient(telegram: TelegramClinic) -> Person:
    """Somebody who has just been asked about today's exercises."""
    return (await asked_today(telegram, 1))[0]


@pytest.mark.parametrize("name", SENT)
async def test_whatever_a_patient_sends_is_on_their_page_and_answered_once(telegram: TelegramClinic, patient: Person, name: str) -> None:
    update: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))["update"]
    update["message"]["chat"]["id"] = int(patient.address)
    before = len(telegram.sent(int(patient.address)))
    assert [await telegram.post(update) for _ in range(3)] == [200] * 3
    with telegram.clinic.db.read() as tx:
        rows = inbox.list_of_patient(tx, patient.id)
    assert len(rows) == 1 and rows[0].text
    assert len(telegram.sent(int(patient.address))) <= before + 1
    assert telegram.stored() == ["handled"]


class Literal(Telegram):
    """Wrong on purpose: hears words and nothing else."""

    def parse(self, raw: Mapping[str, Any]) -> Inbound | None:
        heard = super().parse(raw)
        return heard if heard and heard.heard == "text" else None


async def test_a_build_that_hears_words_alone_leaves_nothing_on_the_page(telegram: TelegramClinic, patient: Person) -> None:
    telegram.clinic.service.channels[telegram.sender_id] = Literal(telegram.fake.token, telegram.fake.url, webhook_secrets=(SECRET,))
    for name in ("telegram_media_voice", "telegram_media_photo"):
        update: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))["update"]
        update["message"]["chat"]["id"] = int(patient.address)
        await telegram.post(update)
    with telegram.clinic.db.read() as tx:
        assert inbox.list_of_patient(tx, patient.id) == []


async def test_an_edit_from_three_to_eight_raises_the_flag(telegram: TelegramClinic, patient: Person) -> None:
    said = telegram.said(int(patient.address), "done, 3")
    await telegram.post(said)
    with telegram.clinic.db.read() as tx:
        assert cases.list_open(tx, patient.episode()) == []
    edited = {"update_id": said["update_id"] + 1, "edited_message": said["message"] | {"text": "done, 8", "edit_date": 1790000060}}
    assert [await telegram.post(edited) for _ in range(2)] == [200] * 2
    with telegram.clinic.db.read() as tx:
        rules = [case.rule for case in cases.list_open(tx, patient.episode())]
    assert len(rules) == 1 and rules[0].startswith("A"), rules
    assert "Corrected for today: 8 out of 10." in telegram.sent(int(patient.address))[-1]


async def test_progress_comes_with_a_picture_once_there_are_two_scores(telegram: TelegramClinic, patient: Person) -> None:
    await telegram.say(int(patient.address), "done, 3")
    await telegram.say(int(patient.address), "/progress")
    assert "photo" not in telegram.fake.ledger()[-1]
    telegram.clinic.clock.move_to(telegram.clinic.clock.now() + timedelta(days=1))
    await telegram.clinic.service.tick()
    for words in ("2", "done, 2", "/progress"):  # the day after, the exercises, and how it is going
        await telegram.say(int(patient.address), words)
    newest = telegram.fake.ledger()[-1]
    assert newest["photo"][0]["width"] == WIDTH and "2" in newest["caption"]
    assert telegram.fake.control("state")["offences"] == []
