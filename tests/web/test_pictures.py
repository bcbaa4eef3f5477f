"""Pictures on WhatsApp, over real HTTP: Twilio fetches each by a signed link, within minutes and once, and nobody else ever can."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from sqlalchemy import select, update

from bot_service.actions import pictures
from bot_service.app import Service
from bot_service.clock import real_now
from bot_service.conversation.wording import load_catalogue
from bot_service.settings import load_settings
from bot_service.storage import tables
from bot_service.storage.database import open_database
from bot_service.storage.episodes import Episode
from bot_service.web.media import HandedOver
from bot_service.web.site import build_site
from tests.fakes.twilio_api_process import DAILY, FakeTwilio
from tests.patience import come
from tests.running_clinic import SECRET, RunningClinic
from tests.twilio_clinic import TwilioClinic, with_twilio

PROGRESS = "progress"
TEXTS = load_catalogue("en")
PNG = b"\x89PNG\r\n\x1a\n"


@asynccontextmanager
async def serving(service: Service, listening: socket.socket) -> AsyncIterator[None]:
    """The pages of a service on a real socket."""
    web = uvicorn.Server(uvicorn.Config(build_site(service), log_config=None, access_log=False, lifespan="off"))
    task = asyncio.create_task(web.serve(sockets=[listening]))
    await come(lambda: web.started, "the pages to be served")
    try:
        yield
    finally:
        web.should_exit = True
        await task


@dataclass
class World:
    """A clinic that Twilio reaches, and a patient with pain scores on two days."""

    whatsapp: TwilioClinic
    episode: Episode
    public_url: str

    def media(self) -> list[dict[str, str]]:
        return [fields for fields in self.whatsapp.sent() if "MediaUrl" in fields]

    async def ask(self) -> str:
        """The patient asks how it is going; the address of the picture that comes."""
        before = len(self.media())
        await self.whatsapp.say(PROGRESS)
        found = self.media()
        assert len(found) == before + 1
        return found[-1]["MediaUrl"]

    async def fetch(self, url: str) -> dict[str, Any]:
        """What Twilio finds at that address: HEAD, then GET."""
        return await asyncio.to_thread(self.whatsapp.fake.control, "fetch", url=url)

    async def statuses(self, url: str) -> tuple[int, int]:
        found = await self.fetch(url)
        return found["HEAD"]["status"], found["GET"]["status"]


@pytest.fixture
async def world(clinic: RunningClinic, fake: FakeTwilio) -> AsyncIterator[World]:
    fake.control("fetching", on=False)
    listening = socket.create_server(("127.0.0.1", 0))
    public_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = {"database_url": clinic.service.settings.database_url, "secret_key": SECRET, "channels": "simulator"}
    clinic.service.settings = load_settings(**settings, public_url=public_url)
    async with with_twilio(clinic, fake) as whatsapp, serving(clinic.service, listening):
        episode = await whatsapp.opted_in()
        for hours, replies in ((22, ["done, 3"]), (24, ["2", "done, 2"])):
            clinic.clock.move_to(clinic.clock.now() + timedelta(hours=hours, minutes=5))
            await clinic.service.tick()
            for words in replies:
                await whatsapp.say(words)
        yield World(whatsapp, episode, public_url)
    assert fake.control("state")["offences"] == []


def rows(world: World) -> list[Any]:
    with world.whatsapp.clinic.db.read() as tx:
        return list(tx.all(select(tables.media_links)))


async def test_twilio_fetches_the_picture_after_its_text_and_nobody_does_again(world: World) -> None:
    world.whatsapp.fake.control("fetching", on=True)
    url = await world.ask()
    text, picture = world.whatsapp.sent()[-2:]
    assert "StatusCallback" in text and "MediaUrl" not in text, "the words stand by themselves"
    assert {"To", "From", "MediaUrl", "ValidityPeriod"} == set(picture)
    assert 0 < int(picture["ValidityPeriod"]) <= 600
    await come(lambda: world.whatsapp.fake.control("state")["fetched"], "the picture to be fetched")
    (found,) = world.whatsapp.fake.control("state")["fetched"]
    with world.whatsapp.clinic.db.read() as tx:
        drawn = pictures.draw(tx, world.episode, world.whatsapp.clinic.clock.now())
    assert drawn is not None and drawn.startswith(PNG)
    assert base64.b64decode(found["GET"]["body"]) == drawn
    for method in ("HEAD", "GET"):
        headers = found[method]["headers"]
        assert (found[method]["status"], headers["content-type"], headers["cache-control"]) == (200, "image/png", "no-store")
        assert headers["content-length"] == str(len(drawn))
    assert await world.statuses(url) == (404, 404)
    assert [message.status for message in world.whatsapp.clinic.messages(kind="reply")][-1] == "sent"


async def test_the_link_names_nobody_and_only_its_number_is_kept(world: World) -> None:
    url = await world.ask()
    token = url.removeprefix(f"{world.public_url}/media/")
    raw = base64.urlsafe_b64decode(token)
    (row,) = rows(world)
    assert raw[:16] == row.id.bytes
    ids = [value for value in vars(world.episode).values() if isinstance(value, UUID)]
    assert len(ids) > 2
    assert not [each for each in ids if each.bytes in raw or each.hex in token or str(each) in token]
    assert set(row._fields) == {"id", "clinic_id", "episode_id", "expires_at", "used_at"}
    lives_for = row.expires_at - real_now()
    assert timedelta(minutes=1) < lives_for <= timedelta(minutes=10)


async def test_an_expired_link_shows_nothing(world: World) -> None:
    url = await world.ask()
    with world.whatsapp.clinic.db.begin() as tx:
        tx.run(update(tables.media_links).values(expires_at=real_now() - timedelta(seconds=1)))
    assert await world.statuses(url) == (404, 404)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: ("B" if token[0] == "A" else "A") + token[1:],
        lambda token: token[:30] + ("B" if token[30] == "A" else "A") + token[31:],
        lambda token: token[:-1] + ("B" if token[-1] == "A" else "A"),
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: f"{token}%0A",
        lambda token: token[:22] + "A" * 42,
        lambda token: "A" * len(token),
        lambda token: token[:0],
        lambda token: f"{token}/x",
    ],
)
async def test_a_forged_link_shows_nothing_and_harms_nothing(world: World, change: Callable[[str], str]) -> None:
    url = await world.ask()
    base, _, token = url.rpartition("/")
    assert await world.statuses(f"{base}/{change(token)}") == (404, 404)
    assert await world.statuses(url) == (200, 200)


async def test_used_expired_and_unknown_links_answer_alike(world: World) -> None:
    used, expired = await world.ask(), await world.ask()
    await world.fetch(used)
    with world.whatsapp.clinic.db.begin() as tx:
        tx.run(update(tables.media_links).values(expires_at=real_now()))
    answers = [(await world.fetch(url))["GET"] for url in (used, expired, f"{world.public_url}/media/{'x' * 64}")]
    assert len({answer["body"] for answer in answers}) == 1
    assert {answer["status"] for answer in answers} == {404}


async def test_of_many_who_ask_at_once_one_gets_it(world: World) -> None:
    url = (await world.ask()).removeprefix(world.public_url)
    answers = await asyncio.gather(*(world.whatsapp.http.get(url) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[404] * 7]


async def test_a_link_of_one_replica_is_good_in_another_and_used_up_in_both(world: World) -> None:
    ours = world.whatsapp.clinic.service
    url = await world.ask()
    db = open_database(ours.settings.database_url, [SECRET])
    listening = socket.create_server(("127.0.0.1", 0))
    async with serving(Service(ours.settings, db, ours.library, ours.clock), listening):
        there = f"http://127.0.0.1:{listening.getsockname()[1]}" + url.removeprefix(world.public_url)
        assert await world.statuses(there) == (200, 200)
        assert await world.statuses(there) == (404, 404)
    db.close()
    assert await world.statuses(url) == (404, 404)


async def test_a_transfer_that_fails_leaves_the_link_for_another_try(world: World) -> None:
    """Whoever hangs up before the last byte has no picture; over a real socket the system's buffers would hide that."""
    path = (await world.ask()).removeprefix(world.public_url)
    app = build_site(world.whatsapp.clinic.service)
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": []}
    sent: list[dict[str, Any]] = []

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({**scope, "http_version": "1.1", "scheme": "http", "root_path": "", "server": ("t", 80)}, gone, send)
    assert sent[0]["status"] == 200
    assert not [message for message in sent if message["type"] == "http.response.body" and not message["more_body"]]
    assert await world.statuses(world.public_url + path) == (200, 200)
    assert await world.statuses(world.public_url + path) == (404, 404)


async def test_the_last_byte_waits_until_the_rest_has_left() -> None:
    sent: list[Any] = []

    async def there() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await HandedOver(b"abc", lambda: sent.append("given back"))({"type": "http"}, there, send)
    assert [(message.get("body"), message.get("more_body")) for message in sent[1:]] == [(b"ab", True), (b"c", False)]


async def test_a_picture_that_is_refused_or_in_doubt_takes_no_word_from_the_patient(world: World) -> None:
    for fault in ({"kind": "status", "status": 400, "text": '{"code": 21620, "message": "x"}'}, {"kind": "reset_after"}):
        world.whatsapp.fake.control("faults", faults=[{"kind": "none"}, fault])
        before = len([fields for fields in world.whatsapp.sent() if "Body" in fields])
        await world.whatsapp.say(PROGRESS)
        assert len([fields for fields in world.whatsapp.sent() if "Body" in fields]) == before + 1
        assert {message.status for message in world.whatsapp.clinic.messages(kind="reply")} == {"sent"}


async def test_outside_the_window_the_picture_waits_for_the_answer_to_the_template(world: World) -> None:
    whatsapp, clinic = world.whatsapp, world.whatsapp.clinic
    whatsapp.fake.refuse(400, 63016)
    await whatsapp.say(PROGRESS)
    assert whatsapp.last() == DAILY and world.media() == [] and rows(world) != []
    await whatsapp.tap_template()
    (picture,) = world.media()
    assert await world.statuses(picture["MediaUrl"]) == (200, 200)
    assert clinic.messages(status="in_doubt") == []


async def test_links_that_expired_long_ago_are_taken_away(world: World) -> None:
    await world.ask()
    with world.whatsapp.clinic.db.begin() as tx:
        tx.run(update(tables.media_links).values(expires_at=real_now() - timedelta(days=2)))
    await world.ask()
    assert len(rows(world)) == 1
