"""Twilio's posts repeated, garbled and too many: each message counts once (D1), no good one is lost (D4, D10)."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bot_service.actions import consent
from bot_service.app import Service
from bot_service.channels.whatsapp import WhatsApp
from bot_service.clock import monotonic
from bot_service.messages import Inbound
from bot_service.storage import episodes, inbox, patients, tables
from bot_service.web.site import build_site
from tests.fakes.twilio_api_process import FakeTwilio, encoded
from tests.running_clinic import START, RunningClinic
from tests.sizes import Sized
from tests.twilio_clinic import TwilioClinic, with_twilio

SEED = 20261122
PATIENTS, TIMES = 30, 5
PEAK_PER_S = 54
"""As many answers a second as WhatsApp lets us ask questions; ten times as many are borne."""


class Forgetful(WhatsApp):
    """The wrong build of D1: it knows a message only by when it came."""

    def parse(self, raw: Mapping[str, Any]) -> Inbound | None:
        inbound = super().parse(raw)
        return inbound and replace(inbound, provider_id=uuid4().hex)


@dataclass(frozen=True)
class Verdict:
    """What was posted against what came of it."""

    posted: int
    kept: Counter[int]
    answered: Counter[int]

    @property
    def is_good(self) -> bool:
        return self.kept == self.answered == Counter({1: self.posted})


def a_crowd(whatsapp: TwilioClinic) -> list[str]:
    """Patients in care, by their addresses; where each patient is found again is by that address."""
    addresses = []
    for number in range(PATIENTS):
        address = f"whatsapp:+4477009{number:05}"
        invitation = whatsapp.clinic.enrol(baseline=2)
        with whatsapp.clinic.db.begin() as tx:
            patients.add_address(tx, START, patients.load(tx, invitation.patient_id), whatsapp.sender_id, address)
            consent.opt_in(tx, episodes.load(tx, invitation.episode_id), START)
        addresses.append(address)
    return addresses


async def posted_again_and_again(whatsapp: TwilioClinic, replicas: list[Service], messages: int) -> Verdict:
    """Every message five times, shuffled, at once, to whichever replica; what each led to."""
    crowd = a_crowd(whatsapp)
    forms = [whatsapp.form("help", crowd[number % PATIENTS]) for number in range(messages)]
    sites = [build_site(each) for each in replicas]
    posts = forms * TIMES
    random.Random(SEED).shuffle(posts)
    for begin in range(0, len(posts), 25):
        batch = enumerate(posts[begin : begin + 25])
        answers = await asyncio.gather(*(whatsapp.knock(encoded(form), sites[number % len(sites)]) for number, form in batch))
        assert set(answers) == {200}
    for service in replicas:
        await service.tick()
    replies = whatsapp.clinic.messages(kind="reply")
    with whatsapp.clinic.db.read() as tx:
        said = [each for patient in {reply.patient_id for reply in replies} if patient for each in inbox.list_of_patient(tx, patient)]
    return Verdict(
        posted=len(forms),
        kept=Counter(Counter(each.message_id for each in said).values()),
        answered=Counter({1: len(replies)} if len(replies) == len(forms) else {0: len(replies)}),
    )


def two_replicas(whatsapp: TwilioClinic) -> list[Service]:
    """The service twice over one database, each in threads of its own; SQLite has one service only."""
    service = whatsapp.clinic.service
    if service.db.is_sqlite:
        return [service]
    return [Service(service.settings, service.db, service.library, service.clock, dict(service.channels)) for _ in range(2)]


async def test_each_of_many_messages_posted_five_times_counts_once(whatsapp: TwilioClinic, sized: Sized) -> None:
    verdict = await posted_again_and_again(whatsapp, two_replicas(whatsapp), sized(150, 2000))
    sys.stdout.write(f"seed {SEED}: {verdict}; zero of {verdict.posted} is below {3 / verdict.posted:.2%} (95 %)\n")
    assert verdict.is_good, verdict


async def test_a_build_that_forgets_what_it_has_heard_is_caught(sqlite_clinic: RunningClinic, fake: FakeTwilio) -> None:
    async with with_twilio(sqlite_clinic, fake, Forgetful) as whatsapp:
        verdict = await posted_again_and_again(whatsapp, [sqlite_clinic.service], 30)
    assert not verdict.is_good


ODD = [
    "",
    "\0",
    "\ud800",
    "𝟜" * 50,
    "x" * 5000,
    "whatsapp:+1",
    "SM" + "z" * 32,
    "-1",
    "9" * 40,
    "1e9",
    "\u202e4",
    "nan",
    "{}",
    "%00",
    "\r\n",
]


def garbled(form: dict[str, str], chance: random.Random) -> bytes:
    """The bytes of a post with fields lost, odd, doubled or cut."""
    fields = dict(form)
    for name in chance.sample(sorted(fields), chance.randint(1, 4)):
        if chance.random() < 0.4:
            del fields[name]
        else:
            fields[name] = chance.choice(ODD)
    if chance.random() < 0.2:
        fields["NumMedia"], fields["MediaContentType0"] = chance.choice(["1", "10", "x"]), chance.choice(ODD)
    body = urlencode(fields, errors="surrogatepass").encode()
    return body[: chance.randrange(len(body))] if body and chance.random() < 0.1 else body


async def among_garbage(clinic: RunningClinic, fake: FakeTwilio, number: int, build: type[WhatsApp] = WhatsApp) -> tuple[Counter[int], int]:
    """So many posts, nine of ten garbled and all rightly signed: the statuses, and how many good ones were not kept."""
    chance = random.Random(SEED)
    async with with_twilio(clinic, fake, build) as whatsapp:
        crowd, site = a_crowd(whatsapp), build_site(clinic.service)
        good: list[str] = []
        answers: Counter[int] = Counter()
        for each in range(number):
            form = whatsapp.form("thanks", chance.choice(crowd))
            body = garbled(form, chance) if each % 10 else encoded(form)
            good += [] if each % 10 else [form["MessageSid"]]
            answers[await whatsapp.knock(body, site)] += 1
        await clinic.service.tick()
        with clinic.db.read() as tx:
            found = {row.message_id for row in tx.all(tables.inbox.select().where(tables.inbox.c.status == "handled"))}
    return answers, len(set(good) - found)


async def test_no_good_message_is_lost_among_garbage_and_none_of_it_breaks_the_door(
    sqlite_clinic: RunningClinic, fake: FakeTwilio, sized: Sized
) -> None:
    answers, lost = await among_garbage(sqlite_clinic, fake, sized(5000, 100_000))
    sys.stdout.write(f"seed {SEED}: {dict(answers)}\n")
    assert not [status for status in answers if status >= 500]
    assert lost == 0


class Picky(WhatsApp):
    """The wrong build of D4: it wants every field of a form to be what it knows."""

    def is_message(self, form: Mapping[str, str]) -> bool:
        return super().is_message(form) and form["NumMedia"].isdigit()


async def test_a_build_that_wants_forms_as_it_knows_them_is_caught(sqlite_clinic: RunningClinic, fake: FakeTwilio) -> None:
    with pytest.raises(KeyError):
        await among_garbage(sqlite_clinic, fake, 500, Picky)


@dataclass
class Limited:
    """The wrong build of D10: it answers 429 to more than the peak in a second, whoever they are."""

    site: FastAPI
    lately: list[float] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.lately = [*[at for at in self.lately if monotonic() - at < 1], monotonic()]
        too_many = PlainTextResponse("slow down", 429)
        await (too_many if len(self.lately) > PEAK_PER_S else self.site)(scope, receive, send)


async def at_ten_times_the_peak(whatsapp: TwilioClinic, seconds: int, site: ASGIApp) -> tuple[Counter[int], int, float]:
    """Ten seconds' messages in each second: the statuses, how many were not kept, and the longest wait for an answer."""
    crowd = a_crowd(whatsapp)
    forms = [whatsapp.form("thanks", crowd[number % PATIENTS]) for number in range(PEAK_PER_S * 10 * seconds)]
    waits: list[float] = []

    async def post(number: int, form: Mapping[str, str]) -> int:
        await asyncio.sleep(max(0.0, began + number / (PEAK_PER_S * 10) - monotonic()))
        asked = monotonic()
        status = await whatsapp.knock(encoded(form), site)
        waits.append(monotonic() - asked)
        return status

    began = monotonic()
    answers = Counter(await asyncio.gather(*(post(*each) for each in enumerate(forms))))
    with whatsapp.clinic.db.read() as tx:
        kept = len(tx.all(tables.inbox.select()))
    return answers, len(forms) - kept, max(waits)


class Storing(Service):
    """Only stores: what is answered, and when, is another matter (A7)."""

    async def beat(self) -> None:
        """Not now."""


async def test_signed_posts_at_ten_times_the_peak_are_all_taken(sqlite_clinic: RunningClinic, fake: FakeTwilio, sized: Sized) -> None:
    seconds, first = sized(2, 10), sqlite_clinic.service
    storing = Storing(first.settings, first.db, first.library, first.clock, first.channels)
    async with with_twilio(replace(sqlite_clinic, service=storing), fake) as whatsapp:
        answers, lost, longest = await at_ten_times_the_peak(whatsapp, seconds, build_site(storing))
    sys.stdout.write(f"{dict(answers)}, {lost} lost, the longest wait {longest:.2f} s\n")
    assert (answers, lost) == (Counter({200: PEAK_PER_S * 10 * seconds}), 0)
    if seconds == 10:
        assert longest < 15, "what Twilio waits for an answer, on two cores"


async def test_a_build_that_limits_whoever_posts_is_caught(sqlite_clinic: RunningClinic, fake: FakeTwilio) -> None:
    async with with_twilio(sqlite_clinic, fake) as whatsapp:
        answers, lost, _ = await at_ten_times_the_peak(whatsapp, 1, Limited(build_site(sqlite_clinic.service)))
    assert answers[429] > 0 and lost > 0
