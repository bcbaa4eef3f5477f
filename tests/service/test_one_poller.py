"""Only one replica fetches a bot's updates: when it dies another takes over, and nothing is lost, handled twice or refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from bot_service.app import Service
from bot_service.channels.telegram import Telegram
from bot_service.clock import MovableClock
from bot_service.polling import Poller
from bot_service.storage import tables
from tests.fakes.bot_api_process import FakeBotApi, running_bot_api
from tests.kept_database import KeptDatabase
from tests.patience import PATIENT_S, come
from tests.running_clinic import RunningClinic, open_clinic, open_quickly

PEOPLE = 40
FIRST = 7001


class Quick(Poller):
    """The real one, with a lease that lapses while a test can wait."""

    lease = timedelta(seconds=5)


class Everybody(Poller):
    """A build that is wrong on purpose: every replica fetches."""

    def _take(self) -> bool:
        return True


@dataclass
class Replica:
    """A service with a poller, and its own way to the bot."""

    service: Service
    poller: Poller
    channel: Telegram

    async def die(self) -> None:
        """It stops amid what it does, and leaves its lease behind."""
        self.service.delivery.is_ending = True
        assert self.poller._task is not None
        self.poller._task.cancel()
        await asyncio.gather(self.poller._task, return_exceptions=True)


@asynccontextmanager
async def two_replicas(clinic: RunningClinic, fake: FakeBotApi, build: type[Poller]) -> AsyncIterator[list[Replica]]:
    """Two services over one database that both would fetch, the first a moment earlier."""
    replicas = list[Replica]()
    for _ in range(2):
        first = clinic.service
        service = Service(first.settings, clinic.db, first.library, clinic.clock, in_threads=True)
        channel = Telegram(fake.token, fake.url)
        await channel.start()
        sender = service.add_channel(clinic.clinic.id, (await channel.whoami()).username, channel, None)
        replicas.append(Replica(service, build(service, sender, channel), channel))
        replicas[-1].poller.start()
        await come(lambda: fake.control("state")["calls"].get("getUpdates"), "the first to fetch")
    yield replicas
    for replica in replicas:
        await replica.poller.stop()
        await replica.service.finish()
        await replica.channel.close()


async def everybody_writes(fake: FakeBotApi, names: range) -> None:
    for number in names:
        await asyncio.to_thread(fake.say, number, "hello")
        await asyncio.sleep(0.1)


async def until_answered(fake: FakeBotApi, number: int) -> Counter[int]:
    """How often each chat was answered, once that many are."""

    def answers() -> Counter[int]:
        return Counter(message["chat"]["id"] for message in fake.ledger())

    await come(lambda: len(answers()) >= number, f"{number} chats to be answered")
    return await asyncio.to_thread(answers)


async def test_when_the_one_that_fetches_dies_the_other_goes_on_and_each_is_answered_once(
    kept_postgres: KeptDatabase, clock: MovableClock
) -> None:
    clinic = open_clinic(open_quickly(kept_postgres.emptied()), clock)
    with running_bot_api() as fake:
        async with two_replicas(clinic, fake, Quick) as (leader, other):
            writing = asyncio.create_task(everybody_writes(fake, range(FIRST, FIRST + PEOPLE)))
            await until_answered(fake, PEOPLE // 4)
            with clinic.db.read() as tx:
                holders = {row.poller for row in tx.all(tables.senders.select()) if row.poller}
            assert holders == {leader.service.worker}
            await leader.die()
            await writing
            answers = await until_answered(fake, PEOPLE)
            with clinic.db.read() as tx:
                holders = {row.poller for row in tx.all(tables.senders.select()) if row.poller}
                stored = Counter(row.status for row in tx.all(tables.inbox.select()))
            assert holders == {other.service.worker}
        assert answers == Counter(dict.fromkeys(range(FIRST, FIRST + PEOPLE), 1))
        assert stored == {"handled": PEOPLE}
    clinic.db.close()


async def refused(clinic: RunningClinic, build: type[Poller], within_s: float) -> bool:
    """Whether one of two replicas is refused because another one fetches."""
    with running_bot_api() as fake:
        async with two_replicas(clinic, fake, build):
            with suppress(AssertionError):
                return await come(lambda: fake.control("state")["polls_ended"] > 0, "a poll that another one ended", within_s)
    return False


async def test_two_replicas_do_not_end_each_others_polls(sqlite_clinic: RunningClinic) -> None:
    assert not await refused(sqlite_clinic, Poller, within_s=2.0)


async def test_the_same_verdict_condemns_a_build_in_which_every_replica_fetches(sqlite_clinic: RunningClinic) -> None:
    assert await refused(sqlite_clinic, Everybody, within_s=PATIENT_S)
