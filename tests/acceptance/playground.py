"""One clinic with a few simulated patients, played for weeks through the real service; what their phones got and what the physio sees."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from bot_service.actions.deciding import Decision
from bot_service.actions.enrol import enrol
from bot_service.app import Service
from bot_service.channels.simulator import Faults, Simulator
from bot_service.clock import MovableClock
from bot_service.messages import Outbound
from bot_service.sample.enrolling import enrolment_of
from bot_service.sample.person import Person
from bot_service.sample.personas import Persona
from bot_service.sample.playing import Player
from bot_service.settings import load_settings
from bot_service.storage import cases, clinics, episodes, inbox, migrating, outbox, reviews, staff
from bot_service.storage.cases import Case
from bot_service.storage.database import Database, open_database, open_engine
from bot_service.storage.episodes import Episode
from bot_service.storage.outbox import Prompt
from bot_service.storage.reviews import Proposed
from plans.loading import load_library

MONDAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
PLAN = "proximal_hamstring_tendinopathy"


@dataclass(frozen=True)
class Got:
    """One message as it reached a phone, at the patient's own time."""

    at: datetime
    text: str
    labels: tuple[str, ...]

    @property
    def day(self) -> date:
        return self.at.date()


@dataclass
class Playground:
    """A service over a database of its own, with the clock at a Monday morning; nothing fails unless `faults` says so."""

    service: Service
    player: Player
    decision_by: staff.Member
    phones: dict[str, list[tuple[datetime, Outbound]]] = field(default_factory=dict)
    enrolled: dict[str, tuple[Persona, UUID, UUID]] = field(default_factory=dict)

    @property
    def db(self) -> Database:
        return self.service.db

    def join(self, persona: Persona) -> None:
        """Enrol somebody now and hand over the phone."""
        now, plan = self.player.clock.now(), self.service.library[PLAN]
        invitation = enrol(self.db, plan, self.decision_by, enrolment_of(persona, plan), now)
        self.enrolled[persona.name] = (persona, invitation.patient_id, invitation.episode_id)
        self.player.give_phone(persona.name, Person(persona, 7, now.date()), invitation.code)

    def play(self, **span: float) -> None:
        """Let time pass."""
        asyncio.run(self.player.play(self.player.clock.now() + timedelta(**span)))

    def got(self, name: str) -> list[Got]:
        """Every message that reached somebody's phone, in the order it came."""
        zone = ZoneInfo(self.enrolled[name][0].zone)
        return [
            Got(at.astimezone(zone), sent.text, tuple(button.label for row in sent.rows for button in row))
            for at, sent in self.phones.get(name, ())
        ]

    def episode(self, name: str) -> Episode:
        with self.db.read() as tx:
            return episodes.load(tx, self.enrolled[name][2])

    def open_cases(self, name: str) -> list[Case]:
        with self.db.read() as tx:
            return cases.list_open(tx, episodes.load(tx, self.enrolled[name][2]))

    def open_rules(self, name: str) -> set[str]:
        """The rules of everything that waits for the physio."""
        return {rule for case in self.open_cases(name) for rule in case.reasons}

    def prompts(self, name: str) -> list[Prompt]:
        with self.db.read() as tx:
            return outbox.list_prompts(tx, self.enrolled[name][2])

    def pending(self, name: str) -> Proposed | None:
        with self.db.read() as tx:
            return reviews.find_pending(tx, episodes.load(tx, self.enrolled[name][2]))

    def said(self, name: str) -> list[str]:
        """What the patient wrote or tapped, as the transcript shows it."""
        with self.db.read() as tx:
            return [each.text for each in inbox.list_of_patient(tx, self.enrolled[name][1])]

    def decision(self, name: str, reason: str = "looked at it") -> Decision:
        return Decision(self.decision_by, self.enrolled[name][2], reason)


def a_playground(
    folder: Path, start: datetime = MONDAY, faults: Faults | None = None, downtime: Sequence[tuple[datetime, datetime]] = ()
) -> Playground:
    """A migrated database in `folder`, a clinic and its physio."""
    url = f"sqlite:///{folder / 'played.db'}"
    engine = open_engine(url, synchronous="OFF")
    migrating.migrate(engine)
    engine.dispose()
    db = open_database(url, ["only for tests, thirty-two characters or more"], synchronous="OFF")
    service = Service(load_settings(), db, load_library(), MovableClock(frozen=start), in_threads=False)
    service.register_plans()
    with db.begin() as tx:
        clinic = clinics.add_clinic(tx, start, "riverside", "Riverside Physiotherapy", "Europe/London")
        physio = staff.add(tx, start, clinic.id, "anna@riverside.example", "Anna Reed", "physio")
    player = Player(service, downtime=downtime)
    playground = Playground(service, player, physio)

    def arrived(provider_id: str, outbound: Outbound) -> None:
        playground.phones.setdefault(outbound.address, []).append((player.clock.now(), outbound))
        player.arrived(provider_id, outbound)

    channel = Simulator(lambda: db.new_id().hex, arrived, faults)
    player.connect(service.add_channel(clinic.id, "simulator", channel, None).id)
    return playground
