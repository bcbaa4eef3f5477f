"""Several messages of a sender at once: not too many, each patient's in order, one alone after a failure, none begun at the end."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from bot_service.actions.consent import CONSENT_LINES
from bot_service.actions.deliver import Flight, deliver_due
from bot_service.actions.prompt import queue_for_patient
from bot_service.errors import ChannelMisconfigured, DeliveryError, OutcomeUnknown
from bot_service.messages import Inbound, Outbound
from bot_service.storage import claims
from bot_service.storage.rates import IN_FLIGHT
from tests.actions.test_delivering import EIGHT
from tests.crowds import a_crowd
from tests.patience import PATIENT_S
from tests.running_clinic import RunningClinic

PATIENTS, EACH = 12, 4


@dataclass
class FarAway:
    """A provider that takes its time, and keeps who was on the way when.

    From the sixteenth message on it answers none until it has seen `awaited`, which then does not hang on how quick the machine is.
    """

    name: str = "simulator"
    fault: Callable[[Outbound], DeliveryError | None] = lambda _outbound: None
    chance: Random = field(default_factory=lambda: Random(1))
    in_the_air: list[Outbound] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    most: int = 0
    most_of_one: int = 0
    awaited: Callable[[FarAway], bool] = lambda _: True
    seen: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    async def send(self, outbound: Outbound) -> str:
        self.begun.append(outbound.id)
        self.in_the_air.append(outbound)
        self.most = max(self.most, len(self.in_the_air))
        self.most_of_one = max(self.most_of_one, sum(each.address == outbound.address for each in self.in_the_air))
        if self.awaited(self):
            self.seen.set()
        if len(self.begun) > 15:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.seen.wait(), PATIENT_S)
        await asyncio.sleep(self.chance.uniform(0.01, 0.1))
        self.in_the_air.remove(outbound)
        if error := self.fault(outbound):
            raise error
        self.arrived[outbound.address].append(outbound.id)
        return f"p{outbound.id}"

    def parse(self, raw: Mapping[str, Any]) -> Inbound | None:
        """Nobody writes to it."""
        raise ValueError(f"unexpected {raw}")


class LooksAtNobody(Flight):
    """A build that is wrong on purpose: it begins a patient's next message while one is on its way."""

    @property
    def patients(self) -> list[UUID]:
        return []


def opposite(clinic: RunningClinic, provider: FarAway, build: type[Flight] = Flight, patients: int = PATIENTS) -> dict[str, list[str]]:
    """Some answers for each patient, all due; their ids by address, in the order in which they fell due."""
    crowd, wanted = a_crowd(clinic, [("Europe/London", time(20))] * patients), dict[str, list[str]]()
    with clinic.db.begin() as tx:
        for number in range(EACH):
            for person in crowd:
                at, key, content = EIGHT + timedelta(seconds=number), f"answer:{person.id}:{number}", {"lines": CONSENT_LINES}
                queue_for_patient(tx, person.episode(), EIGHT, "reply", key, at, at + timedelta(hours=6), content, lane="now")
    for person in crowd:
        wanted[person.address] = [str(row.id) for row in person.messages(kind="reply")]
    service = clinic.service
    service.channels[clinic.sender.id] = provider
    service.delivery = replace(service.delivery, in_threads=True, channels=service.channels)
    service.delivery.flights[clinic.sender.id] = build()
    clinic.clock.move_to(EIGHT + timedelta(minutes=1))
    return wanted


async def test_many_are_on_their_way_at_once_and_each_patients_in_the_order_they_fell_due(clinic: RunningClinic) -> None:
    provider = FarAway(awaited=lambda at: at.most > 4)
    wanted = opposite(clinic, provider)
    while clinic.messages(kind="reply", status="due"):
        await clinic.service.tick()
    await clinic.service.delivery.finish()
    assert provider.arrived == wanted
    assert provider.most_of_one == 1 and 4 < provider.most <= IN_FLIGHT


def looks_only_at_itself(clinic: RunningClinic) -> None:
    """A build that is wrong on purpose: no process sees what another has on its way."""
    line = claims.Line(clinic.sender.id, "now")
    with clinic.db.begin() as tx:  # now its statements are compiled
        claims.claim(tx, EIGHT - timedelta(days=9), line, worker="nobody", lease_until=EIGHT, limit=1)
        claims.count_due(tx, EIGHT - timedelta(days=9), line, 1)
    for statement in clinic.db._prepared.values():
        statement.sql = statement.sql.replace("taken.status in ('claimed','sending')", "1 = 0")


async def by_two_copies(clinic: RunningClinic, provider: FarAway, flight: type[Flight] = Flight) -> dict[str, list[str]]:
    """Two copies of the service deliver side by side all that is due; what was wanted."""
    wanted = opposite(clinic, provider)
    copies = [replace(clinic.service.delivery, worker=name) for name in ("one", "other")]
    for copy in copies:
        copy.flights[clinic.sender.id] = flight()
    while clinic.messages(kind="reply", status="due"):
        await asyncio.gather(*[deliver_due(copy) for copy in copies])
    for copy in copies:
        await copy.finish()
    return wanted


async def test_two_copies_of_the_service_let_no_message_of_a_patient_overtake(clinic: RunningClinic) -> None:
    provider = FarAway(awaited=lambda at: at.most > 4)
    wanted = await by_two_copies(clinic, provider)
    assert provider.arrived == wanted
    assert provider.most_of_one == 1 and 4 < provider.most <= 2 * IN_FLIGHT


async def test_the_same_verdict_condemns_copies_that_look_only_at_themselves(clinic: RunningClinic) -> None:
    provider = FarAway(awaited=lambda at: at.most_of_one > 1)
    looks_only_at_itself(clinic)
    await by_two_copies(clinic, provider, LooksAtNobody)
    assert provider.most_of_one > 1


async def test_a_sender_that_is_refused_from_the_start_tries_one_message(sqlite_clinic: RunningClinic) -> None:
    provider = FarAway(fault=lambda _outbound: ChannelMisconfigured("401"))
    opposite(sqlite_clinic, provider)
    for _ in range(3):
        await sqlite_clinic.service.tick()
    assert len(provider.begun) == 1
    assert {row.status for row in sqlite_clinic.messages(kind="reply")} == {"due"}


async def test_one_that_is_refused_amid_its_work_burns_nothing_of_what_was_in_the_air(sqlite_clinic: RunningClinic) -> None:
    provider = FarAway()
    provider.fault = lambda _outbound: ChannelMisconfigured("401") if len(provider.begun) > 20 else None
    opposite(sqlite_clinic, provider)
    for _ in range(3):
        await sqlite_clinic.service.tick()
    assert len(provider.begun) <= 20 + IN_FLIGHT
    states = [row.status for row in sqlite_clinic.messages(kind="reply")]
    assert set(states) == {"sent", "due"} and {row.attempts for row in sqlite_clinic.messages(status="due", kind="reply")} == {0}


async def test_after_a_failure_one_goes_alone_before_there_are_many_again(sqlite_clinic: RunningClinic) -> None:
    provider = FarAway()
    provider.fault = lambda _outbound: OutcomeUnknown("no answer") if len(provider.begun) <= 4 else None
    opposite(sqlite_clinic, provider)
    flight = sqlite_clinic.service.delivery.flights[sqlite_clinic.sender.id]
    flight.heard(good=True)
    assert flight.room == 2
    flight.heard(good=False)
    assert flight.room == 1
    while sqlite_clinic.messages(kind="reply", status="due"):
        await sqlite_clinic.service.tick()
    await sqlite_clinic.service.delivery.finish()
    assert sum(row.status == "in_doubt" for row in sqlite_clinic.messages(kind="reply")) == 4
    assert flight.width == IN_FLIGHT


@pytest.mark.parametrize("moment", [0.05, 0.2])
async def test_at_the_end_what_is_in_the_air_arrives_and_nothing_else_is_begun(sqlite_clinic: RunningClinic, moment: float) -> None:
    provider = FarAway()
    opposite(sqlite_clinic, provider)
    service = sqlite_clinic.service
    running = asyncio.create_task(service.tick())
    await asyncio.sleep(moment)
    await service.delivery.finish()
    begun = len(provider.begun)
    await running
    assert not provider.in_the_air and len(provider.begun) == begun < PATIENTS * EACH
    assert {row.status for row in sqlite_clinic.messages(kind="reply")} <= {"sent", "due"}
