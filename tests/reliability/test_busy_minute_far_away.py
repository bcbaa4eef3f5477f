"""A7 against a server that takes a tenth of a second to answer and keeps to Telegram's limits: the full rate, and answers at once."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from datetime import time as time_of_day
from datetime import timedelta

from sqlalchemy import update

from bot_service.actions.consent import CONSENT_LINES
from bot_service.actions.deliver import Flight
from bot_service.actions.prompt import queue_for_patient
from bot_service.app import TELEGRAM_PER_S
from bot_service.channels.telegram import Telegram
from bot_service.clock import real_now
from bot_service.storage import tables
from tests.actions.test_delivering import EIGHT
from tests.crowds import a_crowd
from tests.fakes.bot_api_process import FakeBotApi, running_bot_api
from tests.reliability.test_provider_faults import ToTheFake
from tests.running_clinic import Person, RunningClinic
from tests.sizes import Sized

PROMPTS, ANSWERS = 130, 8
ALL, LONGEST_S = 5000, 240
"""What A7 asks for; the rate of a part tells how long all of them take."""
LATENCY_S = 0.1
STRETCH = 20


class OneByOne(Flight):
    """A build that is wrong on purpose: it waits for each answer before the next message."""

    def heard(self, *, good: bool) -> None:
        """As narrow as ever."""


@dataclass(frozen=True)
class Verdict:
    """What the server saw."""

    prompts: int
    refused: int
    all_would_take_s: float
    slowest_answer_s: float

    @property
    def is_good(self) -> bool:
        return not self.refused and self.all_would_take_s <= LONGEST_S and self.slowest_answer_s <= 30


def chat_of(person: Person) -> str:
    return person.address.removeprefix("sim:")


def answer(person: Person, number: int) -> None:
    """Somebody is to be answered, beside the prompts."""
    now, lines = person.clinic.clock.now(), {"lines": CONSENT_LINES}
    with person.clinic.db.begin() as tx:
        queue_for_patient(tx, person.episode(), now, "reply", f"a:{number}", now, now + timedelta(hours=1), lines, lane="now")


async def play(clinic: RunningClinic, fake: FakeBotApi, prompts: int, build: type[Flight] = Flight) -> Verdict:
    """All prompts are due at once, and now and then somebody without one is to be answered."""
    crowd = a_crowd(clinic, [("Europe/London", time_of_day(8))] * prompts)
    others = a_crowd(clinic, [("Europe/London", time_of_day(20))] * ANSWERS)
    fake.control("meet", chats=[int(chat_of(person)) for person in crowd + others])
    fake.control("pace", latency_s=LATENCY_S)
    channel = Telegram(fake.token, fake.url)
    await channel.start()
    service = clinic.service
    service.delivery = replace(service.delivery, in_threads=True)
    service.channels[clinic.sender.id] = ToTheFake(channel)
    service.delivery.flights[clinic.sender.id] = build()
    with clinic.db.begin() as tx:
        tx.run(update(tables.senders).values(rate_per_s=TELEGRAM_PER_S))
    clinic.clock.move_to(EIGHT + timedelta(minutes=10))  # the service was away at eight: nothing was spread
    running = asyncio.create_task(service.tick())
    asked = dict[str, float]()
    for number, person in enumerate(others):
        await asyncio.sleep(0.5)
        asked[chat_of(person)] = real_now().timestamp()
        await asyncio.to_thread(answer, person, number)
    await running
    await service.tick()
    await service.delivery.finish()
    await channel.close()
    arrivals = fake.control("state")["arrivals"]
    moments = [at for at, _, accepted in arrivals if accepted]
    waits = [at - asked[chat] for at, chat, accepted in arrivals if accepted and chat in asked]
    assert len(waits) == ANSWERS
    # The quickest stretch of a part: what else this machine does meanwhile is not what is asked.
    per_s = STRETCH / min(later - at for at, later in zip(moments, moments[STRETCH:], strict=False))
    all_take_s = moments[-1] - moments[0] if prompts == ALL else ALL / per_s
    return Verdict(len(moments) - ANSWERS, sum(not accepted for *_, accepted in arrivals), all_take_s, max(waits))


async def test_all_prompts_leave_at_the_full_rate_however_long_an_answer_takes(sqlite_clinic: RunningClinic, sized: Sized) -> None:
    prompts = sized(PROMPTS, ALL)
    with running_bot_api() as fake:
        verdict = await play(sqlite_clinic, fake, prompts)
    sys.stdout.write(f"{verdict}\n")
    assert verdict.prompts == prompts and verdict.is_good, verdict
    assert verdict.slowest_answer_s < 2


async def test_the_same_verdict_condemns_a_build_that_waits_for_each_answer(sqlite_clinic: RunningClinic) -> None:
    with running_bot_api() as fake:
        verdict = await play(sqlite_clinic, fake, 40, OneByOne)
    assert verdict.prompts == 40 and verdict.all_would_take_s > LONGEST_S and not verdict.is_good
