"""Telegram's posts at our door: only with the secret, kept before they are acknowledged, once each for ever, whatever they hold."""

from __future__ import annotations

import asyncio
import copy
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import time, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot_service.actions import receive
from bot_service.app import Service
from bot_service.channels.telegram import Telegram
from bot_service.clock import MovableClock
from bot_service.storage import clinics, entries, tables
from bot_service.storage.database import Database
from bot_service.web.webhooks import LARGEST_FORM
from tests.channels.contract import PAYLOADS
from tests.crowds import a_crowd
from tests.fakes.bot_api_process import FakeBotApi
from tests.kept_database import KeptDatabase
from tests.running_clinic import START, Person, RunningClinic, open_clinic, open_quickly
from tests.sizes import Sized
from tests.telegram_clinic import SECRET, UPDATES, TelegramClinic, with_telegram

SEED = 20261122
STRANGER = 4004


@pytest.fixture
async def on_postgres(kept_postgres: KeptDatabase, clock: MovableClock, bot_api: FakeBotApi) -> AsyncIterator[TelegramClinic]:
    db = open_quickly(kept_postgres.emptied())
    async with with_telegram(open_clinic(db, clock), bot_api, replicas=2) as world:
        yield world
    db.close()


async def test_what_has_the_secret_is_kept_and_answered(telegram: TelegramClinic, bot_api: FakeBotApi) -> None:
    bot_api.control("meet", chats=[STRANGER])
    await telegram.say(STRANGER, "hello")
    assert telegram.stored() == ["handled"]
    assert ["not linked to a patient" in text for text in telegram.sent(STRANGER)] == [True]


@pytest.mark.parametrize("path", [f"{UPDATES}/stepwise_test_bot", f"{UPDATES}/{{id}}"])
async def test_a_bot_may_be_named_by_its_username_or_its_id(telegram: TelegramClinic, path: str) -> None:
    assert await telegram.post(telegram.said(1, "hi"), path=path.format(id=telegram.sender_id)) == 200
    assert len(telegram.stored()) == 1


async def test_there_is_no_such_page_for_another_bot_or_while_updates_are_fetched(telegram: TelegramClinic) -> None:
    assert await telegram.post(telegram.said(1, "hi"), path=f"{UPDATES}/another_bot") == 404
    telegram.clinic.service.channels[telegram.sender_id] = Telegram("1:x")
    assert await telegram.post(telegram.said(1, "hi")) == 404
    assert await telegram.post(telegram.said(1, "hi"), secret="") == 404
    assert telegram.stored() == []


def forged(drawn: random.Random) -> str | None:
    """A secret that is not ours, most of them close to it."""
    at = drawn.randrange(len(SECRET))
    other = drawn.choice("abcxyzABC019_-")
    match drawn.randrange(9):
        case 0:
            return drawn.choice(["", " ", "null", "undefined", "*"])
        case 1:
            return SECRET[:at]
        case 2:
            return SECRET[at + 1 :]
        case 3:
            return SECRET[:at] + SECRET[at].swapcase() + SECRET[at + 1 :]
        case 4:
            return SECRET[:at] + other + SECRET[at + 1 :]
        case 5:
            return SECRET + other
        case 6:
            return SECRET * 2
        case 7:
            return SECRET[:at] + "\u00e0\u00b2\u00f8"[at % 3] + SECRET[at + 1 :]  # the letters that look alike, as a header can carry them
        case _:
            return None


class Careless(Telegram):
    """Wrong on purpose: takes the beginning of the secret for the secret."""

    def admits(self, secret: str) -> bool:
        return SECRET.startswith(secret)


async def count_accepted(telegram: TelegramClinic, number: int) -> int:
    """How many of so many forged posts are answered other than 403."""
    drawn = random.Random(SEED)
    content, accepted = json.dumps(telegram.said(STRANGER, "4")).encode(), 0
    for _ in range(number):
        secret = forged(drawn)
        accepted += secret != SECRET and await telegram.knock(content, secret if secret is None else secret.encode("latin-1")) != 403
    return accepted


async def test_ten_thousand_forged_secrets_admit_nobody(telegram: TelegramClinic) -> None:
    drawn, channel = random.Random(SEED), Telegram("1:x", webhook_secrets=(SECRET,))
    assert not [forgery for _ in range(10_000) if channel.admits(forgery := forged(drawn) or "") and forgery != SECRET]
    assert await count_accepted(telegram, 1000) == 0, "zero of 11 000 is below 0.03 % (95 %)"
    two = [("x-telegram-bot-api-secret-token", SECRET)] * 2
    answer = await telegram.http.post(UPDATES, content=b"{}", headers=two)
    assert answer.status_code == 403, "one header, not two"
    assert telegram.stored() == []


async def test_the_same_count_condemns_a_build_that_compares_carelessly(telegram: TelegramClinic, bot_api: FakeBotApi) -> None:
    telegram.clinic.service.channels[telegram.sender_id] = Careless(bot_api.token, bot_api.url, webhook_secrets=(SECRET,))
    assert await count_accepted(telegram, 200) > 0


def test_a_secret_that_is_being_replaced_is_admitted_beside_the_new_one() -> None:
    channel = Telegram("1:x", webhook_secrets=("n" * 32, "o" * 32))
    assert channel.admits("n" * 32) and channel.admits("o" * 32)
    assert not channel.admits("x" * 32) and not channel.admits("")
    assert not Telegram("1:x").admits("")


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[1]", b"4", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 20_000, b'{"update_id": ' + b"9" * 5000 + b"}", b"{}",
     b'{"update_id": 1e999, "message": {}}', b'{"update_id": 7, "message": {"chat": "\\ud800\\u0000"}}'],
    ids=range(12),
)  # fmt: skip
async def test_what_cannot_be_read_is_set_aside_once_and_acknowledged(telegram: TelegramClinic, body: bytes) -> None:
    assert [await telegram.post(body), await telegram.post(body)] == [200, 200]
    assert telegram.stored() == ["quarantined"]
    await telegram.say(STRANGER, "hello")
    assert telegram.stored() == ["quarantined", "handled"], "the others go on"


@dataclass
class Greedy:
    """Wrong on purpose: reads a body to its end before it looks at it."""

    site: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = [await receive()]
        while read[-1].get("more_body"):
            read.append(await receive())
        waiting = iter(read)

        async def again() -> Message:
            return next(waiting)

        await self.site(scope, again, send)


async def read_of(site: ASGIApp, size: int, secret: str = SECRET) -> tuple[int, int]:
    """The status of a post of that size, and how much of it was read."""
    read = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal read
        while read < size:
            read += 65536
            yield b" " * 65536

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://testserver") as http:
        answer = await http.post(UPDATES, content=pieces(), headers={"x-telegram-bot-api-secret-token": secret})
    return answer.status_code, read


async def test_more_than_a_provider_posts_is_not_read_to_the_end(telegram: TelegramClinic) -> None:
    status, read = await read_of(telegram.sites[0], 2**30)
    assert status == 413 and read < 2 * LARGEST_FORM
    assert (await read_of(telegram.sites[0], 2**30, "x")) == (403, 0)
    assert telegram.stored() == []
    status, read = await read_of(Greedy(telegram.sites[0]), 30 * 2**20)
    assert read > 2 * LARGEST_FORM, "the same measure condemns a build that reads first"
    assert await telegram.post(telegram.said(STRANGER, "x" * (LARGEST_FORM - 1000))) == 200


@dataclass(frozen=True)
class Effects:
    """What repeated posts came to."""

    statuses: Counter[int]
    rows: int
    scores: list[int | None]
    answers: Counter[str]


async def post_over_and_over(telegram: TelegramClinic, patients: int, questions: int = 1) -> Effects:
    """An answer and so many questions of each patient, each posted five times, shuffled, to the replicas in turn and twenty at a time."""
    here = replace(telegram.clinic, sender=_sender(telegram))
    crowd = a_crowd(here, [("Europe/London", time(8))] * patients, prefix="70")
    telegram.fake.control("meet", chats=[int(person.address) for person in crowd])
    telegram.clinic.clock.move_to(START + timedelta(hours=22, minutes=5))
    await telegram.clinic.service.tick()
    posts = [
        json.dumps(telegram.said(int(person.address), words)).encode() for person in crowd for words in ("done, 3", *["help"] * questions)
    ] * 5
    random.Random(SEED).shuffle(posts)
    statuses: Counter[int] = Counter()
    for start in range(0, len(posts), 20):
        batch = enumerate(posts[start : start + 20])
        statuses.update(await asyncio.gather(*(telegram.knock(update, door=at % len(telegram.sites)) for at, update in batch)))
    await telegram.clinic.service.tick()
    texts = [message["text"] for message in telegram.fake.ledger()]
    answers = Counter(words for text in texts for words in ("Recorded: 3", "You can") if words in text)
    return Effects(statuses, len(telegram.stored()), _scores(telegram.clinic.db, crowd), answers)


def _scores(db: Database, crowd: list[Person]) -> list[int | None]:
    with db.read() as tx:
        return [entry.score for person in crowd for entry in entries.list_all(tx, person.episode()) if entry.kind == "pain_during"]


def _sender(telegram: TelegramClinic) -> clinics.Sender:
    with telegram.clinic.db.read() as tx:
        return next(sender for sender in clinics.list_senders(tx) if sender.id == telegram.sender_id)


async def test_each_update_posted_five_times_has_one_effect(telegram: TelegramClinic) -> None:
    seen = await post_over_and_over(telegram, patients=25)
    assert seen == Effects(Counter({200: 250}), 50, [3] * 25, Counter({"Recorded: 3": 25, "You can": 25}))


async def test_each_of_many_updates_posted_five_times_to_two_replicas_has_one_effect(on_postgres: TelegramClinic, sized: Sized) -> None:
    """D1: 2,000 posts, or 10,000."""
    patients, questions = sized(50, 100), sized(7, 19)
    updates = patients * (1 + questions)
    seen = await post_over_and_over(on_postgres, patients=patients, questions=questions)
    answers = Counter({"Recorded: 3": patients, "You can": patients * questions})
    assert seen == Effects(Counter({200: 5 * updates}), updates, [3] * patients, answers)


class Forgetful(Service):
    """Wrong on purpose: does not know an update again."""

    async def hear(self, sender_id: UUID, raw: Mapping[str, Any]) -> bool:
        return await super().hear(sender_id, {**raw, "update_id": random.getrandbits(40)})


async def test_the_same_account_condemns_a_build_that_knows_no_update_again(sqlite_clinic: RunningClinic, bot_api: FakeBotApi) -> None:
    first = sqlite_clinic.service
    wrong = Forgetful(first.settings, first.db, first.library, first.clock, dict(first.channels), in_threads=False)
    async with with_telegram(replace(sqlite_clinic, service=wrong), bot_api) as telegram:
        seen = await post_over_and_over(telegram, patients=3)
    assert seen.rows > 6
    assert seen.answers["You can"] > 3


class Hasty(Service):
    """Wrong on purpose: acknowledges first and keeps afterwards."""

    acknowledged = asyncio.Event()

    async def hear(self, sender_id: UUID, raw: Mapping[str, Any]) -> bool:
        self._do_beside(self._keep(sender_id, raw))
        return True

    async def _keep(self, sender_id: UUID, raw: Mapping[str, Any]) -> None:
        await self.acknowledged.wait()
        await super().hear(sender_id, raw)


class Draining(Service):
    """The real one amid a wave of prompts, which keeps it at work for minutes."""

    async def beat(self) -> None:
        await asyncio.sleep(600)


async def test_the_line_is_free_for_the_next_update_however_much_there_is_to_send(
    sqlite_clinic: RunningClinic, bot_api: FakeBotApi
) -> None:
    first = sqlite_clinic.service
    busy = Draining(first.settings, first.db, first.library, first.clock, dict(first.channels), in_threads=False)
    async with asyncio.timeout(60), with_telegram(replace(sqlite_clinic, service=busy), bot_api) as telegram:
        assert await asyncio.gather(*(telegram.post(telegram.said(STRANGER, "hello")) for _ in range(20))) == [200] * 20
    assert len(busy._beside) == 1, "one beat waits, not twenty"
    for task in busy._beside:
        task.cancel()


@pytest.mark.parametrize(("build", "kept"), [(Service, 1), (Hasty, 0)], ids=["real", "acknowledges first"])
async def test_an_update_is_in_the_database_at_the_moment_it_is_acknowledged(
    sqlite_clinic: RunningClinic, bot_api: FakeBotApi, build: type[Service], kept: int
) -> None:
    first, seen = sqlite_clinic.service, list[int]()
    service = build(first.settings, first.db, first.library, first.clock, in_threads=True)
    async with with_telegram(replace(sqlite_clinic, service=service), bot_api) as telegram:
        content = json.dumps(telegram.said(STRANGER, "hello")).encode()

        def answered() -> None:
            seen.append(len(telegram.stored()))
            Hasty.acknowledged.set()

        assert await telegram.knock(content, answered=answered) == 200
        await asyncio.gather(*service._beside)
    assert seen == [kept]


class Counting(Service):
    """Wrong on purpose: takes an update for known when its number is no higher than the last."""

    highest = 0

    async def hear(self, sender_id: UUID, raw: Mapping[str, Any]) -> bool:
        if raw["update_id"] <= self.highest:
            return False
        self.highest = raw["update_id"]
        return await super().hear(sender_id, raw)


async def kept_by(clinic: RunningClinic, bot_api: FakeBotApi, build: type[Service], updates: list[tuple[timedelta, int]]) -> list[str]:
    """What is stored of updates with these numbers, each so much later than the one before."""
    first = clinic.service
    service = build(first.settings, first.db, first.library, first.clock, dict(first.channels), in_threads=False)
    async with with_telegram(replace(clinic, service=service), bot_api) as telegram:
        for later, number in updates:
            clinic.clock.move_to(clinic.clock.now() + later)
            assert await telegram.post(telegram.said(STRANGER, "hello") | {"update_id": number}) == 200
        return telegram.stored()


@pytest.mark.parametrize(("build", "effects"), [(Service, 1), (Forgetful, 4)], ids=["real", "forgets"])
async def test_an_update_that_comes_again_after_a_year_is_still_the_same(
    sqlite_clinic: RunningClinic, bot_api: FakeBotApi, build: type[Service], effects: int
) -> None:
    again = [(later, 7) for later in (timedelta(0), timedelta(seconds=1), timedelta(days=1), timedelta(days=365))]
    assert await kept_by(sqlite_clinic, bot_api, build, again) == ["handled"] * effects


@pytest.mark.parametrize(("build", "lost"), [(Service, 0), (Counting, 100)], ids=["real", "counts upwards"])
async def test_numbers_that_begin_again_below_after_a_quiet_week_are_accepted(
    sqlite_clinic: RunningClinic, bot_api: FakeBotApi, build: type[Service], lost: int
) -> None:
    drawn = random.Random(SEED)
    numbers = [500_000, *drawn.sample(range(1, 400_000), 100)]
    kept = await kept_by(sqlite_clinic, bot_api, build, [(timedelta(0), number) for number in numbers])
    assert kept == ["handled"] * (101 - lost)


def mutated(drawn: random.Random, update: dict[str, Any]) -> object:
    """The update with something replaced, removed or added somewhere."""
    broken = copy.deepcopy(update)
    strange: list[Any] = [None, True, -1, 2**70, 1e308, "", "\ud800", "x" * 3000, [], {}, [[]], {"id": None}, "\u202e\u0000", "٣"]
    for _ in range(drawn.randint(1, 4)):
        target: Any = broken
        while isinstance(target, dict) and target:
            key = drawn.choice(sorted(target))
            if not isinstance(target[key], dict) or drawn.random() < 0.3:
                match drawn.randrange(3):
                    case 0:
                        target[key] = copy.deepcopy(drawn.choice(strange))
                    case 1:
                        del target[key]
                    case _:
                        target[drawn.choice(["chat", "text", "id", "new", key])] = copy.deepcopy(drawn.choice(strange))
                break
            target = target[key]
    return broken


class Still(Service):
    """Only stores; what is to be done is done when the test says so."""

    async def beat(self) -> None:
        """Not now."""


class Trusting(Still):
    """Wrong on purpose: reads an update before it keeps it."""

    async def hear(self, sender_id: UUID, raw: Mapping[str, Any]) -> bool:
        self.channels[sender_id].parse(raw)
        return await super().hear(sender_id, raw)


@dataclass(frozen=True)
class Flood:
    """What became of broken and good updates in one stream."""

    statuses: Counter[int]
    good: Counter[str]


async def flood(clinic: RunningClinic, bot_api: FakeBotApi, number: int, build: type[Service] = Still) -> Flood:
    """Post so many updates, one in ten of them good, and see what was stored of the good ones."""
    first, drawn = clinic.service, random.Random(SEED)
    still = build(first.settings, first.db, first.library, first.clock, in_threads=False)
    samples = [json.loads(file.read_text(encoding="utf-8"))["update"] for file in sorted(PAYLOADS.glob("telegram_*.json"))]
    async with with_telegram(replace(clinic, service=still), bot_api) as telegram:
        good = [telegram.said(9_000_000 + at, "4") | {"update_id": 10**9 + at} for at in range(number // 10)]
        posts = [*good, *(mutated(drawn, drawn.choice(samples)) for _ in range(number - len(good)))]
        drawn.shuffle(posts)
        statuses: Counter[int] = Counter()
        for update in posts:
            clinic.clock.move_to(clinic.clock.now() + timedelta(milliseconds=10))
            statuses[await telegram.knock(json.dumps(update).encode())] += 1
        failed: set[UUID] = set()
        while receive.receive_next(clinic.db, still.channels, clinic.clock.now(), failed)[0]:
            pass  # handled, but not answered: strangers would be by the thousand
        with clinic.db.read() as tx:
            states = {row.provider_hash: row.status for row in tx.all(tables.inbox.select())}
    keys = clinic.db.keys
    return Flood(statuses, Counter(states.get(keys.index("update", str(update["update_id"])), "lost") for update in good))


async def test_five_thousand_updates_of_which_most_are_broken_stop_none_of_the_good_ones(
    sqlite_clinic: RunningClinic, bot_api: FakeBotApi, sized: Sized
) -> None:
    number = sized(5000, 100_000)
    assert await flood(sqlite_clinic, bot_api, number) == Flood(Counter({200: number}), Counter({"handled": number // 10}))


async def test_the_same_account_condemns_a_build_that_reads_before_it_keeps(sqlite_clinic: RunningClinic, bot_api: FakeBotApi) -> None:
    with pytest.raises(ValueError, match="'"):
        await flood(sqlite_clinic, bot_api, 100, Trusting)
