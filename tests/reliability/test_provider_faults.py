"""A Bot API server that fails three messages in ten in every way there is (C1), and one that refuses the token (C5)."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import time as time_of_day
from datetime import timedelta
from random import Random
from typing import Any

from bot_service.channels.telegram import Telegram
from bot_service.errors import ChannelMisconfigured, ChannelUnavailable, MessageRejected, OutcomeUnknown
from bot_service.messages import Inbound, Outbound
from bot_service.storage import measures
from tests.actions.test_delivering import EIGHT
from tests.crowds import a_crowd
from tests.fakes.bot_api_process import FakeBotApi, running_bot_api
from tests.patience import PATIENT_S
from tests.running_clinic import Person, RunningClinic
from tests.simulated_time import rated
from tests.sizes import Sized

SEED = 20261122
HASTY_S = 1.0
NOT_ACCEPTED: list[dict[str, Any]] = [
    {"kind": "status", "status": 429, "parameters": {"retry_after": 3}},
    {"kind": "status", "status": 429},
]
UNKNOWN: list[dict[str, Any]] = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502, "text": "<html>Bad Gateway</html>"},
    {"kind": "status_after", "status": 504},
    *({"kind": kind} for kind in ("reset_before", "reset_after", "garbage", "truncated", "ok_false", "no_result", "list")),
]
WAITED_OUT: list[dict[str, Any]] = [
    {"kind": "hang_before", "seconds": PATIENT_S},
    {"kind": "hang_after", "seconds": PATIENT_S},
    {"kind": "slow", "seconds": 0.1},
]
"""Unknown too. They are few, so that the patience with them may be long enough for all others on a slow machine."""
STORM_ENDS = EIGHT + timedelta(minutes=30)
STORM = [fault | {"tag": "not accepted"} for fault in NOT_ACCEPTED * 12]
STORM += [fault | {"tag": "unknown"} for fault in UNKNOWN * 3 + WAITED_OUT]
STORM += [{"kind": "odd_result", "tag": "accepted"}] * 2  # it says "ok": true


@dataclass
class ToTheFake:
    """The real channel, to the fake server; a share of messages finds the port closed or no such host."""

    channel: Telegram
    nobody: tuple[Telegram, ...] = ()
    share: float = 0.0
    chance: Random = field(default_factory=lambda: Random(SEED))
    name: str = "simulator"

    async def send(self, outbound: Outbound) -> str:
        away = self.nobody and self.chance.random() < self.share
        channel = self.chance.choice(self.nobody) if away else self.channel
        return await channel.send(replace(outbound, address=outbound.address.removeprefix("sim:")))

    def parse(self, raw: Mapping[str, Any]) -> Inbound | None:
        """Nobody writes to it."""
        raise ValueError(f"unexpected {raw}")


class RetriesTheUnknown(ToTheFake):
    """A build that is wrong on purpose: a time-out counts as not sent."""

    async def send(self, outbound: Outbound) -> str:
        try:
            return await super().send(outbound)
        except OutcomeUnknown as error:
            raise ChannelUnavailable(str(error)) from None


class BlamesTheMessage(ToTheFake):
    """A build that is wrong on purpose: a token that is refused counts as a message that is refused."""

    async def send(self, outbound: Outbound) -> str:
        try:
            return await super().send(outbound)
        except ChannelMisconfigured as error:
            raise MessageRejected(str(error)) from None


@dataclass(frozen=True)
class Verdict:
    """The server's ledger against the service's own account."""

    messages: int
    duplicated: int
    sent_but_never_accepted: int
    accepted_but_in_doubt: int
    silently_lost: int
    ambiguous_but_not_in_doubt: int
    states: Mapping[str, int]

    @property
    def is_good(self) -> bool:
        wrong = self.duplicated or self.sent_but_never_accepted or self.silently_lost
        wrong = wrong or self.accepted_but_in_doubt or self.ambiguous_but_not_in_doubt
        return not wrong and set(self.states) <= {"sent", "in_doubt", "expired"}


async def play(clinic: RunningClinic, fake: FakeBotApi, build: type[ToTheFake], patients: int) -> Verdict:
    """A prompt for each patient, through half an hour of storm and five minutes of calm, after which nothing may be due any more."""
    crowd = a_crowd(clinic, [("Europe/London", time_of_day(8))] * patients)
    rated(clinic)
    fake.control("meet", chats=[int(person.address.removeprefix("sim:")) for person in crowd])
    fake.control("storm", share=0.27, faults=STORM, seed=SEED)
    closed, nowhere = (Telegram(fake.token, url, timeout_s=HASTY_S) for url in ("http://127.0.0.1:9", "http://nobody.invalid"))
    channels = [Telegram(fake.token, fake.url, timeout_s=HASTY_S), closed, nowhere]
    for channel in channels:
        await channel.start()
    clinic.service.channels[clinic.sender.id] = remote = build(channels[0], (closed, nowhere), share=0.04)
    clinic.clock.move_to(EIGHT)
    while clinic.clock.now() < STORM_ENDS + timedelta(minutes=5):
        if clinic.clock.now() >= STORM_ENDS:
            fake.control("storm", share=0.0, faults=[], seed=SEED)
            remote.share = 0.0
        await clinic.service.tick()
        clinic.clock.move_to(clinic.clock.now() + timedelta(seconds=5))
    for channel in channels:
        await channel.close()
    return judge(clinic, fake, crowd)


def judge(clinic: RunningClinic, fake: FakeBotApi, crowd: list[Person]) -> Verdict:
    """Every patient has one prompt, so a chat stands for a message."""
    accepted = Counter(str(message["chat"]["id"]) for message in fake.ledger())
    ambiguous = {chat for chat, tag in fake.control("state")["tags"] if tag == "unknown"}
    taken = {chat for chat, tag in fake.control("state")["tags"] if tag == "accepted"} - ambiguous
    chats = {person.id: person.address.removeprefix("sim:") for person in crowd}
    rows = [(chats[row.patient_id], row.status) for row in clinic.messages(kind="prompt") if row.patient_id is not None]
    return Verdict(
        messages=len(rows),
        duplicated=sum(number - 1 for number in accepted.values()),
        sent_but_never_accepted=sum(status == "sent" and not accepted[chat] for chat, status in rows),
        accepted_but_in_doubt=sum(chat in taken and status != "sent" for chat, status in rows),
        silently_lost=sum(not accepted[chat] and status not in ("in_doubt", "failed", "expired", "cancelled") for chat, status in rows),
        ambiguous_but_not_in_doubt=sum(chat in ambiguous and status != "in_doubt" for chat, status in rows),
        states=Counter(status for _, status in rows),
    )


async def test_a_storm_of_faults_doubles_nothing_loses_nothing_and_leaves_no_doubt_unsaid(
    sqlite_clinic: RunningClinic, sized: Sized
) -> None:
    messages = sized(1000, 10_000)
    with running_bot_api() as fake:
        verdict = await play(sqlite_clinic, fake, ToTheFake, messages)
    sys.stdout.write(f"seed {SEED}: {verdict}; zero of {verdict.messages} is below {3 / verdict.messages:.2%} (95 %)\n")
    assert verdict.messages == messages and verdict.is_good, verdict
    assert verdict.states["in_doubt"] > 100, "or there was no storm"


async def test_the_same_verdict_condemns_a_build_that_tries_again_after_a_time_out(sqlite_clinic: RunningClinic) -> None:
    with running_bot_api() as fake:
        verdict = await play(sqlite_clinic, fake, RetriesTheUnknown, 100)
    assert verdict.duplicated > 0 and verdict.ambiguous_but_not_in_doubt > 0 and not verdict.is_good


async def refuse_the_token(clinic: RunningClinic, build: type[ToTheFake]) -> tuple[Counter[str], int, int]:
    """The states of twenty prompts after the token was revoked, how often it was tried, and how many senders are stopped."""
    crowd = a_crowd(clinic, [("Europe/London", time_of_day(8))] * 20)
    with running_bot_api() as fake:
        fake.control("meet", chats=[int(person.address.removeprefix("sim:")) for person in crowd])
        fake.control("storm", share=1.0, faults=[{"kind": "status", "status": 401}], seed=SEED)
        channel = Telegram(fake.token, fake.url, timeout_s=PATIENT_S)
        await channel.start()
        clinic.service.channels[clinic.sender.id] = build(channel)
        clinic.clock.move_to(EIGHT)
        for _ in range(3):
            await clinic.service.tick()
        with clinic.db.read() as tx:
            stopped = measures.count_stopped_senders(tx)
        states, tried = Counter(row.status for row in clinic.messages(kind="prompt")), len(fake.control("state")["tags"])
        fake.control("storm", share=0.0, faults=[], seed=SEED)
        name = clinic.sender.name
        clinic.service.add_channel(clinic.clinic.id, name, clinic.service.channels[clinic.sender.id], None)  # as a restart does
        await clinic.service.tick()
        await channel.close()
    return states, tried, stopped


async def test_a_token_that_is_refused_stops_the_sender_and_burns_no_message(sqlite_clinic: RunningClinic) -> None:
    assert await refuse_the_token(sqlite_clinic, ToTheFake) == (Counter(due=20), 1, 1)
    assert Counter(row.status for row in sqlite_clinic.messages(kind="prompt")) == Counter(sent=20)


async def test_the_same_verdict_condemns_a_build_that_blames_the_messages(sqlite_clinic: RunningClinic) -> None:
    states, tried, stopped = await refuse_the_token(sqlite_clinic, BlamesTheMessage)
    assert (states, stopped) == (Counter(failed=5, due=15), 1) and tried == 5, "five patients in a row are the sender's fault"
