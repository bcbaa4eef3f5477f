"""A7 against a server that takes a quarter of a second to answer and keeps to Telegram's limits: the full rate, and answers at once."""

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
from bot_service.storage.rates import IN_FLIGHT
from tests.actions.test_delivering import EIGHT
from tests.crowds import a_crowd
from tests.fakes.bot_api_process import FakeBotApi, running_bot_api
from tests.patience import come
from tests.reliability.test_provider_faults import ToTheFake
from tests.running_clinic import Person, RunningClinic
from tests.sizes import Sized

PROMPTS, ANSWERS = 130, 8
ALL, LONGEST_S = 5000, 240
"""What A7 asks for; the rate of a part tells how long all of them take."""
LATENCY_S = 0.25
STRETCH = 20
AT_ONCE = 2 * STRETCH


class OneByOne(Flight):
    """A build that is wrong on purpose: it waits for each answer before the next message."""

    def heard(self, *, good: bool) -> None:
        """As narrow as ever."""


@dataclass(frozen=True)
class Verdict:
    """What the server saw; `most_overtaking` is how many prompts it was sent between an answer's falling due and that answer."""

    prompts: int
    refused: int
    all_would_take_s: float
    at_best_s: float
    slowest_answer_s: float
    most_overtaking: int

    @property
    def is_good(self) -> bool:
        """Whether all take no longer than A7 allows, or twice as long as this machine takes when each answer comes at once."""
        quick = self.all_would_take_s <= max(LONGEST_S, 2 * self.at_best_s) and self.slowest_answer_s <= 30
        return not self.refused and quick and self.most_overtaking <= 2 * IN_FLIGHT


def chat_of(person: Person) -> str:
    return person.address.removeprefix("sim:")


def answer(person: Person) -> None:
    """Somebody is to be answered, beside the prompts."""
    now, lines = person.clinic.clock.now(), {"lines": CONSENT_LINES}
    with person.clinic.db.begin() as tx:
        queue_for_patient(tx, person.episode(), now, "reply", f"a:{person.id}", now, now + timedelta(hours=1), lines, lane="now")


async def play(clinic: RunningClinic, fake: FakeBotApi, prompts: int, build: type[Flight] = Flight, per_s: int = 60) -> Verdict:
    """All prompts are due at once, and now and then somebody without one is to be answered. The first few are answered without delay.

    A slow machine stands still at times, and what it has begun meanwhile arrives together: the server takes `per_s` messages a second.
    """
    crowd = a_crowd(clinic, [("Europe/London", time_of_day(8))] * prompts)
    others = a_crowd(clinic, [("Europe/London", time_of_day(20))] * ANSWERS)
    fake.control("meet", chats=[int(chat_of(person)) for person in crowd + others])
    fake.control("pace", per_s=per_s)
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
    await come(lambda: len(fake.control("state")["arrivals"]) >= AT_ONCE, "those that are answered without delay")
    fake.control("pace", latency_s=LATENCY_S, per_s=per_s)
    asked = dict[str, float]()
    for person in others:
        await asyncio.sleep(0.5)
        await asyncio.to_thread(answer, person)
        asked[chat_of(person)] = real_now().timestamp()
    await running
    await service.tick()
    await service.delivery.finish()
    await channel.close()
    arrivals = fake.control("state")["arrivals"]
    moments = [at for at, _, accepted in arrivals if accepted]
    answered = {chat: at for at, chat, accepted in arrivals if accepted and chat in asked}
    assert len(answered) == ANSWERS
    overtaking = [sum(asked[chat] < at < answered[chat] for at in moments) for chat in asked]
    all_take_s = moments[-1] - moments[0] if prompts == ALL else all_would_take(moments[AT_ONCE + IN_FLIGHT :])
    slowest = max(at - asked[chat] for chat, at in answered.items())
    refused, at_best_s = sum(not accepted for *_, accepted in arrivals), all_would_take(moments[:AT_ONCE])
    return Verdict(len(moments) - ANSWERS, refused, all_take_s, at_best_s, slowest, max(overtaking))


def all_would_take(moments: list[float]) -> float:
    """At the pace of the quickest stretch of a part: what else this machine does meanwhile is not what is asked."""
    return ALL / STRETCH * min(later - at for at, later in zip(moments, moments[STRETCH:], strict=False))


async def test_all_prompts_leave_at_the_full_rate_however_long_an_answer_takes(sqlite_clinic: RunningClinic, sized: Sized) -> None:
    prompts = sized(PROMPTS, ALL)
    with running_bot_api() as fake:
        verdict = await play(sqlite_clinic, fake, prompts, per_s=sized(60, 30))
    sys.stdout.write(f"{verdict}\n")
    assert verdict.prompts == prompts and verdict.is_good, verdict


async def test_the_same_verdict_condemns_a_build_that_waits_for_each_answer(sqlite_clinic: RunningClinic) -> None:
    with running_bot_api() as fake:
        verdict = await play(sqlite_clinic, fake, AT_ONCE + 40, OneByOne)
    assert verdict.prompts == AT_ONCE + 40 and verdict.all_would_take_s > LONGEST_S and not verdict.is_good
