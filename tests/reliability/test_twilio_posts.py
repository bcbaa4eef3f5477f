"""Twilio's posts repeated, garbled and forged: each message counts once (D1), no good one is lost (D4), none is forged (D7)."""

from __future__ import annotations

import asyncio
import random
import string
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import httpx

from bot_service.actions import consent
from bot_service.app import Service
from bot_service.channels.whatsapp import WhatsApp
from bot_service.messages import Inbound
from bot_service.storage import episodes, inbox, patients, tables
from bot_service.web.site import build_site
from tests.channels.test_whatsapp_forms import CHANNEL, TOKEN, URL, a_form
from tests.fakes.twilio_api_process import FakeTwilio, encoded, signature
from tests.running_clinic import START, RunningClinic
from tests.twilio_clinic import INBOUND, TwilioClinic, with_twilio

SEED = 20261122
PATIENTS, MESSAGES_EACH, TIMES = 30, 5, 5


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


async def posted_again_and_again(whatsapp: TwilioClinic, replicas: list[Service]) -> Verdict:
    """Every message five times, shuffled, at once, to whichever replica; what each led to."""
    forms = [whatsapp.form("help", address) for address in a_crowd(whatsapp) for _ in range(MESSAGES_EACH)]
    doors = [httpx.AsyncClient(transport=httpx.ASGITransport(app=build_site(each)), base_url="http://testserver") for each in replicas]
    posts = forms * TIMES
    random.Random(SEED).shuffle(posts)

    async def post(number: int, form: Mapping[str, str]) -> int:
        url = whatsapp.public_url + INBOUND
        headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature(whatsapp.fake.token, url, form)}
        return (await doors[number % len(doors)].post(INBOUND, content=encoded(form), headers=headers)).status_code

    for begin in range(0, len(posts), 25):
        answers = await asyncio.gather(*(post(number, form) for number, form in enumerate(posts[begin : begin + 25])))
        assert set(answers) == {200}
    for service in replicas:
        await service.tick()
    for door in doors:
        await door.aclose()
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


async def test_each_of_many_messages_posted_five_times_counts_once(whatsapp: TwilioClinic) -> None:
    verdict = await posted_again_and_again(whatsapp, two_replicas(whatsapp))
    sys.stdout.write(f"seed {SEED}: {verdict}; zero of {verdict.posted} is below {3 / verdict.posted:.2%} (95 %)\n")
    assert verdict.is_good, verdict


async def test_a_build_that_forgets_what_it_has_heard_is_caught(sqlite_clinic: RunningClinic, fake: FakeTwilio) -> None:
    async with with_twilio(sqlite_clinic, fake, Forgetful) as whatsapp:
        verdict = await posted_again_and_again(whatsapp, [sqlite_clinic.service])
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


async def test_no_good_message_is_lost_among_garbage_and_none_of_it_breaks_the_door(sqlite_clinic: RunningClinic, fake: FakeTwilio) -> None:
    """Two thousand posts, nine of ten garbled and all rightly signed: no 5xx, and every good one is kept (D4)."""
    chance = random.Random(SEED)
    async with with_twilio(sqlite_clinic, fake) as whatsapp:
        crowd = a_crowd(whatsapp)
        good: list[str] = []
        answers: Counter[int] = Counter()
        for number in range(2000):
            form = whatsapp.form("thanks", chance.choice(crowd))
            if number % 10:
                body = garbled(form, chance)
            else:
                body = encoded(form)
                good.append(form["MessageSid"])
            answers[await whatsapp.post_bytes(INBOUND, body)] += 1
        await sqlite_clinic.service.tick()
        with sqlite_clinic.db.read() as tx:
            found = {row.message_id for row in tx.all(tables.inbox.select().where(tables.inbox.c.status == "handled"))}
    sys.stdout.write(f"seed {SEED}: {dict(answers)}\n")
    assert not [status for status in answers if status >= 500]
    assert set(good) <= found


def test_of_ten_thousand_changed_requests_none_is_admitted() -> None:
    """A letter of the body, the address or the signature changed, dropped or added (D7)."""
    chance = random.Random(SEED)
    form = a_form(Body="my pain was 4 out of 10, thank you")
    body, signed = encoded(form).decode(), signature(TOKEN, URL, form)
    assert CHANNEL.admit(URL, body.encode(), signed) == form
    admitted = 0
    for _ in range(10_000):
        parts = [URL, body, signed]
        chosen = chance.randrange(3)
        changed = "https://" + altered(URL[8:], chance) if chosen == 0 else altered(parts[chosen], chance)
        if changed == parts[chosen] or (chosen == 1 and dict(parse_qsl(changed, keep_blank_values=True)) == form):
            continue
        parts[chosen] = changed
        admitted += CHANNEL.admit(parts[0], parts[1].encode(), parts[2]) is not None
    assert admitted == 0


def altered(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    letter = chance.choice(string.ascii_letters + string.digits + "+/=&%")
    return chance.choice([text[:at] + text[at + 1 :], text[:at] + letter + text[at + 1 :], text[:at] + letter + text[at:]])
