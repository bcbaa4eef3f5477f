"""A Twilio that fails three messages in ten in every way there is for half an hour (C1): none twice, and no doubt that its list leaves."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from random import Random
from typing import Any

from sqlalchemy import update

from bot_service.channels.whatsapp import Account, WhatsApp
from bot_service.errors import ChannelUnavailable, OutcomeUnknown
from bot_service.messages import Outbound
from bot_service.reconciling import EVERY, Reconciler
from bot_service.storage import clinics, patients, tables
from tests.actions.test_delivering import EIGHT
from tests.crowds import a_crowd
from tests.fakes.twilio_api_process import DAILY, FakeTwilio, running_twilio
from tests.patience import PATIENT_S
from tests.reliability.test_provider_faults import HASTY_S, WAITED_OUT
from tests.running_clinic import START, RunningClinic
from tests.simulated_time import rated
from tests.sizes import Sized
from tests.twilio_clinic import with_twilio

SEED = 20261122
STORM_ENDS = EIGHT + timedelta(minutes=30)
OVER = STORM_ENDS + timedelta(minutes=30)
SETTLED_WITHIN = timedelta(minutes=10)


def refusal(status: int, code: int) -> dict[str, Any]:
    """An error in Twilio's own form."""
    return {"kind": "status", "status": status, "text": json.dumps({"code": code, "message": "?", "more_info": "", "status": status})}


NOT_ACCEPTED = [refusal(429, 20429), refusal(400, 63010), refusal(400, 63018)]
UNKNOWN: list[dict[str, Any]] = [
    refusal(500, 20500),
    refusal(503, 20503),
    {"kind": "status", "status": 502, "text": "<html>Bad Gateway</html>"},
    {"kind": "status_after", "status": 504, "text": "<html>Gateway Timeout</html>"},
    *({"kind": kind} for kind in ("reset_before", "reset_after", "garbage", "truncated", "ok_false", "list")),
]
STORM = [fault | {"tag": "not accepted"} for fault in NOT_ACCEPTED * 9]
STORM += [fault | {"tag": "unknown"} for fault in UNKNOWN * 3 + WAITED_OUT]


class Remote(WhatsApp):
    """The real channel with little patience for a send; a share of messages finds the port closed or no such host."""

    def __init__(self, account: Account, public_url: str, api_url: str, timeout_s: float = PATIENT_S) -> None:
        super().__init__(account, public_url, api_url, timeout_s=timeout_s)
        urls = (api_url, "http://127.0.0.1:9", "http://nobody.invalid")
        self.hasty, *self.nobody = (WhatsApp(account, public_url, url, timeout_s=HASTY_S) for url in urls)
        self.chance, self.share = Random(SEED), 0.04

    async def start(self) -> None:
        for each in (self.hasty, *self.nobody):
            await each.start()
        await super().start()

    async def close(self) -> None:
        for each in (self.hasty, *self.nobody):
            await each.close()
        await super().close()

    async def send(self, outbound: Outbound) -> str:
        if self.chance.random() < self.share:
            return await self.chance.choice(self.nobody).send(outbound)
        return await self.hasty.send(outbound)


class RetriesTheUnknown(Remote):
    """A build that is wrong on purpose: a time-out counts as not sent."""

    async def send(self, outbound: Outbound) -> str:
        try:
            return await super().send(outbound)
        except OutcomeUnknown as error:
            raise ChannelUnavailable(str(error)) from None


@dataclass(frozen=True)
class Verdict:
    """Twilio's ledger against the service's own account."""

    messages: int
    doubtful: int
    duplicated: int
    lost: int
    longest_in_doubt: timedelta
    states: Mapping[str, int]

    @property
    def is_good(self) -> bool:
        settled = self.longest_in_doubt <= SETTLED_WITHIN and self.states == {"sent": self.messages}
        return not self.duplicated and not self.lost and settled


def moved_to_whatsapp(clinic: RunningClinic, sender_id: Any, number: int) -> list[str]:
    """So many patients, by their addresses; every second one wrote an hour ago, so that free text may be sent."""
    crowd = a_crowd(clinic, [("Europe/London", time(8))] * number)
    addresses = [f"whatsapp:+4477009{index:05}" for index in range(number)]
    with clinic.db.begin() as tx:
        for person, address in zip(crowd, addresses, strict=True):
            patients.add_address(tx, START, patients.load(tx, person.id), sender_id, address)
        of_every_second = tables.addresses.c.patient_id.in_([person.id for person in crowd[::2]])
        tx.run(update(tables.addresses).where(of_every_second).values(last_inbound_at=EIGHT - timedelta(hours=1)))
    return addresses


async def play(clinic: RunningClinic, fake: FakeTwilio, build: type[WhatsApp], number: int) -> Verdict:
    """A prompt for each patient, half an hour of storm, half an hour of calm; Twilio's list is asked as often as it really is."""
    fake.control("template", sid=DAILY, status="approved", category="UTILITY")
    fake.control("storm", share=0.27, faults=STORM, seed=SEED)
    async with with_twilio(clinic, fake, build) as world:
        addresses = moved_to_whatsapp(clinic, world.sender_id, number)
        rated(clinic)
        with clinic.db.read() as tx:
            [sender] = [each for each in clinics.list_senders(tx) if each.id == world.sender_id]
        rounds, next_round = Reconciler(clinic.service, sender, clinic.service.channels[sender.id]), EIGHT
        longest = timedelta(0)
        while (now := clinic.clock.now()) < OVER:
            now = max(now, EIGHT)
            clinic.clock.move_to(now)
            fake.control("clock", at=now.isoformat())
            if now >= STORM_ENDS:
                fake.control("storm", share=0.0, faults=[], seed=SEED)
            await clinic.service.tick()
            if now >= next_round:
                next_round += EVERY
                await rounds.catch_up()
                in_doubt = [row for row in clinic.messages(status="in_doubt") if row.kind == "prompt"]
                longest = max([longest, *(now - row.status_at for row in in_doubt)])
            clinic.clock.move_to(clinic.clock.now() + timedelta(seconds=10))
        accepted = Counter(fields["To"] for fields in world.sent())
        state = fake.control("state")
    assert state["offences"] == []
    rows = clinic.messages(kind="prompt")
    return Verdict(
        messages=len(rows),
        doubtful=len({to for to, tag in state["tags"] if tag == "unknown"}),
        duplicated=sum(times - 1 for times in accepted.values()),
        lost=sum(not accepted[address] for address in addresses),
        longest_in_doubt=longest,
        states=Counter(row.status for row in rows),
    )


async def test_a_storm_of_faults_doubles_nothing_and_leaves_no_doubt_for_long(sqlite_clinic: RunningClinic, sized: Sized) -> None:
    messages = sized(1000, 10_000)
    with running_twilio() as fake:
        verdict = await play(sqlite_clinic, fake, Remote, messages)
    sys.stdout.write(f"seed {SEED}: {verdict}; zero of {verdict.messages} is below {3 / verdict.messages:.2%} (95 %)\n")
    assert verdict.messages == messages and verdict.is_good, verdict
    assert verdict.doubtful > 50, "or there was no storm"


async def test_the_same_verdict_condemns_a_build_that_tries_again_after_a_time_out(sqlite_clinic: RunningClinic) -> None:
    with running_twilio() as fake:
        verdict = await play(sqlite_clinic, fake, RetriesTheUnknown, 100)
    assert verdict.duplicated > 0 and not verdict.is_good
