"""The headless demo: weeks of many simulated patients, played through the real service on a database of its own."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from bot_service.actions.enrol import enrol
from bot_service.channels.simulator import Simulator
from bot_service.clock import MovableClock, monotonic
from bot_service.sample.archetypes import draw_persona
from bot_service.sample.body import draws
from bot_service.sample.enrolling import enrolment_of
from bot_service.sample.person import Person
from bot_service.sample.personas import Persona
from bot_service.sample.physio import Physio
from bot_service.sample.playing import Played, Player, Progress
from bot_service.sample.provider import Provider
from bot_service.sample.tally import DemoResult, table, tally
from bot_service.storage import clinics, figures, migrating, staff
from bot_service.storage.database import Database, open_database, open_engine
from bot_service.storage.staff import Member

__all__ = ["START", "DemoResult", "MakeService", "run_demo", "table"]

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
"""A fixed Monday, so that a seed gives the same run whenever it is played; twelve weeks from it reach the change of the clocks."""
STEP = timedelta(minutes=1)
_DRAIN_AT_MOST = timedelta(hours=12)
_SECRET = "the database of a demo is thrown away at its end"  # noqa: S105  (protects nothing)
_ZONE = "Europe/London"

MakeService = Callable[[Database, MovableClock], Played]
"""How the caller builds the service over a database and a clock: in one thread, so that order never varies."""


def run_demo(
    make_service: MakeService, *, weeks: int = 12, patients: int = 200, seed: int = 7, progress: Progress | None = None
) -> DemoResult:
    """Play `weeks` weeks of `patients` patients. The same seed gives the same result but for `seconds`."""
    began = monotonic()
    with tempfile.TemporaryDirectory(prefix="stepwise-demo-") as folder:
        db = _new_database(Path(folder) / "demo.db", seed)
        try:
            numbers = asyncio.run(_play(db, make_service, weeks, patients, seed, progress))
        finally:
            db.close()
    return DemoResult(patients, weeks, seed, **numbers, seconds=round(monotonic() - began, 1))


def _new_database(file: Path, seed: int) -> Database:
    """Migrated, without waiting for the disk, and with ids that the seed decides."""
    url = f"sqlite:///{file}"
    engine = open_engine(url, synchronous="OFF")
    migrating.migrate(engine)
    engine.dispose()
    rng = Random(seed)  # noqa: S311  (ids of a database that is thrown away)
    return open_database(url, [_SECRET], ids=lambda: UUID(int=rng.getrandbits(128), version=4), synchronous="OFF")


async def _play(
    db: Database, make_service: MakeService, weeks: int, patients: int, seed: int, progress: Progress | None
) -> dict[str, Mapping[str, Any]]:
    end = START + timedelta(weeks=weeks)
    service = make_service(db, MovableClock(frozen=START))
    service.register_plans()
    player = Player(service, step=STEP, downtime=[_outage(seed, weeks)])
    physio = _open_clinic(service, player, seed)
    for number in range(1, patients + 1):
        persona = draw_persona(seed, number, START.date(), end.date())
        player.at(_joins(seed, number), _enrolment(service, player, physio.member, persona, number, seed))
    await player.play(end, progress, f"Playing {weeks} weeks of {patients} patients")
    counted = await _drain(db, player, end)
    with db.read() as tx:
        return tally(tx, counted, end.date())


async def _drain(db: Database, player: Player, end: datetime) -> set[UUID]:
    """The prompts that fell due by now, after every one of them has come to an end."""
    with db.read() as tx:
        counted = {prompt.id for prompt in figures.list_prompts(tx)}
    while (upcoming := player.next_at()) is not None and upcoming < end + _DRAIN_AT_MOST:
        with db.read() as tx:
            open_ones = [each for each in figures.list_prompts(tx) if each.id in counted and each.status in ("due", "claimed", "sending")]
        if not open_ones:
            break
        await player.play(max(upcoming, player.clock.now()) + STEP)
    return counted


def _open_clinic(service: Played, player: Player, seed: int) -> Physio:
    """A clinic with one physio who looks at noon, and a provider that fails now and then."""
    with service.db.begin() as tx:
        clinic = clinics.add_clinic(tx, START, "demo", "Demo Physiotherapy", _ZONE)
        member = staff.add(tx, START, clinic.id, "physio@demo.example", "Alex Morgan", "physio")
    fate = draws(seed, "provider")
    provider = Provider(lambda _outbound: fate.random())
    player.blocked = provider.block
    ids = draws(seed, "provider ids")
    channel = Simulator(lambda: f"{ids.getrandbits(64):016x}", player.arrived, provider)
    player.connect(service.add_channel(clinic.id, "simulator", channel, None).id)
    physio = Physio(service.db, member, _ZONE, seed)
    player.at(physio.next_look(START), physio.look)
    return physio


def _enrolment(
    service: Played, player: Player, member: Member, persona: Persona, number: int, seed: int
) -> Callable[[datetime], datetime | None]:
    """Enrol a persona and hand over the invitation."""

    def do(now: datetime) -> None:
        code = f"{draws(seed, 'code', number).getrandbits(128):032x}"
        plan = next(iter(service.library.values()))
        invitation = enrol(service.db, plan, member, enrolment_of(persona, plan), now, lambda: code)
        player.give_phone(f"sim:{number}", Person(persona, seed, now.date()), invitation.code)

    return do


def _joins(seed: int, number: int) -> datetime:
    """Some time in the working hours of the first week."""
    rng = draws(seed, "joins", number)
    return START + timedelta(days=rng.randrange(5), hours=3, minutes=rng.randrange(8 * 60))


def _outage(seed: int, weeks: int) -> tuple[datetime, datetime]:
    """The service is off once, for ten hours of a morning half way."""
    rng = draws(seed, "outage")
    off = START + timedelta(days=7 * weeks // 2 + rng.randrange(3), minutes=-rng.randrange(120))
    return off, off + timedelta(hours=10)
