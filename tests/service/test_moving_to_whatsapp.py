"""A patient moves from Telegram to WhatsApp: the history and the open question come along, and the old chat goes quiet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot_service.actions.enrol import Invitation, invite_again
from bot_service.storage import cases, clinics
from tests.actions.test_delivering import EIGHT
from tests.fakes.bot_api_process import running_bot_api
from tests.fakes.twilio_api_process import DAILY, running_twilio
from tests.running_clinic import RunningClinic
from tests.telegram_clinic import TelegramClinic, with_telegram
from tests.twilio_clinic import TwilioClinic, with_twilio

CHAT = 7001


@dataclass
class Both:
    """One clinic on both channels, with one patient in care on Telegram who has had the first prompt."""

    telegram: TelegramClinic
    whatsapp: TwilioClinic
    invitation: Invitation

    @property
    def clinic(self) -> RunningClinic:
        return self.telegram.clinic

    async def tell(self, words: str) -> None:
        """The patient writes on Telegram."""
        await self.telegram.say(CHAT, words)
        await self.clinic.service.tick()

    async def move(self) -> None:
        """The clinic gives the patient a new code, and the patient sends it on WhatsApp."""
        again = invite_again(self.clinic.db, self.clinic.physio, self.invitation.patient_id, self.clinic.clock.now())
        await self.whatsapp.say(f"Start {again.code}")

    async def at(self, hours: float) -> None:
        await self.clinic.service.move_clock(EIGHT + timedelta(hours=hours))

    def scores(self) -> list[int]:
        return [
            entry.score for entry in self.whatsapp.entries(self.whatsapp.episode(self.invitation.episode_id)) if entry.score is not None
        ]


@pytest.fixture
async def both(clinic: RunningClinic) -> AsyncIterator[Both]:
    with running_bot_api() as bot_api, running_twilio() as twilio:
        twilio.control("template", sid=DAILY, status="approved", category="UTILITY")
        bot_api.control("meet", chats=[CHAT])
        async with with_telegram(clinic, bot_api) as telegram, with_twilio(clinic, twilio) as whatsapp:
            world = Both(telegram, whatsapp, clinic.enrol(baseline=2))
            await world.tell(f"/start {world.invitation.code}")
            await world.tell("Yes")
            await world.at(0)
            await world.tell("done, 4")
            await world.at(24)
            yield world


async def test_the_question_asked_on_telegram_is_answered_on_whatsapp_and_telegram_goes_quiet(both: Both) -> None:
    before, scores = both.telegram.sent(CHAT), both.scores()
    assert scores == [4] and len(before) > 3
    await both.move()
    await both.whatsapp.say("done, 3")
    assert sorted(both.scores()) == [3, 4], "what was answered before and what was asked before both stand"
    [first, second] = both.clinic.messages(kind="prompt")
    assert (first.status, second.status) == ("sent", "sent"), "the question is not asked again"
    await both.at(24 * 4)
    sent = [row for row in both.clinic.messages(kind="prompt") if row.status == "sent"]
    assert len(sent) > 3 and {row.sender_id for row in sent[2:]} == {both.whatsapp.sender_id}
    assert both.telegram.sent(CHAT) == before, "nothing more comes on Telegram"
    await both.tell("hello?")
    [answer] = both.telegram.sent(CHAT)[len(before) :]
    assert "not linked to a patient" in answer, "who writes there still gets an answer"
    assert both.whatsapp.episode(both.invitation.episode_id).patient_status == "opted_in"


async def test_a_stop_in_the_chat_that_was_left_stops_the_new_one_too(both: Both) -> None:
    await both.move()
    on_whatsapp, on_telegram = len(both.whatsapp.sent()), len(both.telegram.sent(CHAT))
    await both.tell("/stop")
    assert both.whatsapp.episode(both.invitation.episode_id).patient_status == "opted_out"
    [goodbye] = both.telegram.sent(CHAT)[on_telegram:]
    assert goodbye.startswith("You will get no more messages")
    await both.at(24 * 5)
    await both.tell("STOP")
    assert len(both.whatsapp.sent()) == on_whatsapp, "nothing follows, not even the template"


async def test_red_flag_words_in_the_chat_that_was_left_are_answered_there_and_may_stop_too(both: Both) -> None:
    await both.move()
    on_whatsapp, on_telegram = len(both.whatsapp.sent()), len(both.telegram.sent(CHAT))
    for words in ("I can't feel my legs", "I can't feel my legs", "STOP, I can't feel my legs"):
        await both.tell(words)
    first, again, stopped = both.telegram.sent(CHAT)[on_telegram:]
    assert "go to A&E now or call 999" in first and "You will get no other messages" not in first and again == first
    assert "Their next hours: ." not in first and "go to A&E now or call 999" in stopped
    assert stopped.endswith("You will get no other messages from us.")
    episode = both.whatsapp.episode(both.invitation.episode_id)
    with both.clinic.db.read() as tx:
        assert {case.rule: case.urgency for case in cases.list_open(tx, episode)} == {"D1": "now", "X1": "routine"}
    assert episode.patient_status == "opted_out"
    await both.at(24 * 5)
    assert len(both.whatsapp.sent()) == on_whatsapp


async def test_what_waits_for_a_bot_that_is_stopped_leaves_by_whatsapp_after_the_move(both: Both) -> None:
    with both.clinic.db.begin() as tx:
        clinics.mark_sender(tx, both.telegram.sender_id, "broken", "the provider refused its credentials")
    await both.at(48.1)
    waiting = both.clinic.messages(status="due", kind="prompt")
    assert len(waiting) == 1
    await both.move()
    await both.clinic.service.tick()
    [row] = [row for row in both.clinic.messages(kind="prompt") if row.id == waiting[0].id]
    assert (row.status, row.sender_id) == ("sent", both.whatsapp.sender_id)
