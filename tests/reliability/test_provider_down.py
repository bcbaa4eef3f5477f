"""The provider is away for six hours (C6): what lapsed lapses, the rest leaves at the rate, nothing at night; and one that hangs."""

from __future__ import annotations

import asyncio
import resource
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import update

from bot_service.actions.outcomes import LONGEST_PAUSE_S
from bot_service.channels.simulator import Simulator
from bot_service.errors import ChannelUnavailable
from bot_service.messages import Inbound, Outbound
from bot_service.storage import clinics, patients, tables
from tests.actions.test_delivering import EIGHT
from tests.crowds import a_crowd
from tests.patience import PATIENT_S
from tests.reliability.test_busy_minute import busiest_second
from tests.running_clinic import RunningClinic
from tests.simulated_time import rated
from tests.sizes import Sized

PER_S = 5.0
GROWS_MB = 16
"""How much more memory a provider that is away may cost: nothing that grows with the hours."""
GONE = EIGHT + timedelta(hours=5, minutes=30)
BACK = GONE + timedelta(hours=6)
"""From half past one to half past seven in London; prompts lapse after three hours."""


@dataclass(frozen=True)
class Verdict:
    """What the phones and the outbox say of the day."""

    states: Mapping[str, int]
    at_night: int
    too_late: int
    most_in_a_second: int
    drained_after_s: float
    grown_mb: float

    @property
    def is_good(self) -> bool:
        ends = set(self.states) <= {"sent", "expired"} and self.states["expired"] > 0
        quick = self.drained_after_s <= LONGEST_PAUSE_S + 120
        flat = self.grown_mb <= GROWS_MB
        return ends and not self.at_night and not self.too_late and self.most_in_a_second <= PER_S and quick and flat


async def play(clinic: RunningClinic, each_hour: int, *, forgets_expiry: bool = False) -> Verdict:
    """A day with so many prompts an hour, the provider away in the middle of it; `forgets_expiry` is a build that is wrong on purpose."""
    crowd = a_crowd(clinic, [("Europe/London", time(hour)) for hour in range(9, 21)] * each_hour)
    memory: list[float] = []
    wanted: dict[UUID | None, datetime] = {person.id: EIGHT + timedelta(hours=1 + number % 12) for number, person in enumerate(crowd)}
    rated(clinic, PER_S)
    clinic.phones.fails = lambda _: ChannelUnavailable("refused") if GONE <= clinic.clock.now() < BACK else None
    clinic.clock.move_to(EIGHT)
    while clinic.clock.now() < EIGHT + timedelta(hours=18):
        if forgets_expiry:
            with clinic.db.begin() as tx:
                tx.run(update(tables.outbox).values(expires_at=EIGHT + timedelta(days=3)))
        await clinic.service.tick()
        clinic.clock.move_to(clinic.clock.now() + timedelta(minutes=1))
        memory += [memory_mb()] if GONE + timedelta(hours=1) <= clinic.clock.now() < BACK else []
    rows = {str(row.id): row for row in clinic.messages(kind="prompt", day=EIGHT.date())}
    arrived = [(each.at, wanted[rows[each.outbound.id].patient_id]) for each in clinic.phones.received if each.outbound.id in rows]
    backlog = [at for at, due in arrived if due < BACK <= at]
    return Verdict(
        Counter(row.status for row in rows.values()),
        at_night=sum(is_night(each.at) for each in clinic.phones.received),
        too_late=sum(at - due >= timedelta(hours=3) for at, due in arrived),
        most_in_a_second=busiest_second([each.at for each in clinic.phones.received]),
        drained_after_s=(max(backlog) - BACK).total_seconds(),
        grown_mb=memory[-1] - memory[0],
    )


def memory_mb() -> float:
    """What this process has in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20


def is_night(at: datetime) -> bool:
    return not time(8) <= at.astimezone(ZoneInfo("Europe/London")).time() < time(21)


async def test_after_six_hours_away_what_is_of_use_leaves_at_the_rate_and_nothing_at_night(
    sqlite_clinic: RunningClinic, sized: Sized
) -> None:
    each_hour = sized(5, 100)
    verdict = await play(sqlite_clinic, each_hour)
    sys.stdout.write(f"{verdict}\n")
    assert verdict.is_good, verdict
    assert verdict.states == {"sent": 9 * each_hour, "expired": 3 * each_hour}, "of 14:00, 15:00 and 16:00"


async def test_the_same_verdict_condemns_a_build_that_forgets_when_messages_lapse(sqlite_clinic: RunningClinic) -> None:
    verdict = await play(sqlite_clinic, 5, forgets_expiry=True)
    assert verdict.too_late > 0 and not verdict.is_good


class Hangs:
    """A provider that takes a request and never answers."""

    name = "simulator"

    async def send(self, outbound: Outbound) -> str:
        await asyncio.sleep(3600)
        return outbound.id

    def parse(self, raw: Mapping[str, Any]) -> Inbound | None:
        """Nobody writes to it."""
        raise ValueError(f"unexpected {raw}")


async def test_a_clinic_whose_provider_hangs_holds_up_no_other(clinic: RunningClinic) -> None:
    crowd = a_crowd(clinic, [("Europe/London", time(8))] * 40)
    with clinic.db.begin() as tx:
        other = clinics.find_or_add_sender(tx, clinic.clinic.id, "simulator", "hanging", None)
        for person in crowd[:20]:
            patients.add_address(tx, EIGHT, patients.load(tx, person.id), other.id, f"{person.address}0")
    arrived: list[str] = []
    clinic.service.channels[other.id] = Hangs()
    clinic.service.channels[clinic.sender.id] = Simulator(lambda: f"p{len(arrived)}", lambda _id, outbound: arrived.append(outbound.id))
    clinic.service.delivery.in_threads = True
    clinic.clock.move_to(EIGHT)
    async with asyncio.timeout(PATIENT_S):  # each tick waits a moment for whoever hangs, and no longer
        while len(arrived) < 20:
            await clinic.service.tick()
    for hanging in clinic.service.delivery.flights[other.id].sends:
        hanging.cancel()
    await clinic.service.delivery.finish()
    states = Counter(row.status for row in clinic.messages(kind="prompt"))
    assert states["sent"] == 20 and states["sending"] == 1, "one in flight, which is left to itself"
