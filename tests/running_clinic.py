"""A clinic with the real service running in it, on a frozen clock, opposite simulated phones that keep what they receive."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from itertools import count
from uuid import UUID

from sqlalchemy import select

from bot_service.actions import consent
from bot_service.actions.enrol import Enrolment, Invitation, enrol
from bot_service.app import Service
from bot_service.channels.simulator import Simulator
from bot_service.clock import MovableClock
from bot_service.errors import DeliveryError
from bot_service.messages import Outbound
from bot_service.settings import load_settings
from bot_service.storage import clinics, episodes, migrating, outbox, patients, staff, tables
from bot_service.storage.clinics import Clinic, Sender
from bot_service.storage.database import Database, open_database, open_engine
from bot_service.storage.episodes import Episode
from bot_service.storage.outbox import Message
from bot_service.storage.staff import Member
from plans.loading import load_library
from plans.model import CarePlan

SECRET = "a secret for tests only and of 40 letters"
START = datetime(2026, 9, 21, 9, tzinfo=UTC)
"""A Monday, 10:00 in London."""


def migrate_url(url: str) -> None:
    """Bring the database at `url` to the newest schema."""
    engine = open_engine(url)
    migrating.migrate(engine)
    engine.dispose()


def seeded_ids(seed: int = 1) -> Callable[[], UUID]:
    """Ids that look random and are the same in every run."""
    source = random.Random(seed)
    return lambda: UUID(int=source.getrandbits(128), version=4)


def open_quickly(url: str, seed: int = 1) -> Database:
    """A migrated database for tests: seeded ids, and no waiting for the disk, which no test here can lose."""
    return open_database(url, [SECRET], ids=seeded_ids(seed), synchronous="OFF")


def all_messages(db: Database) -> list[Message]:
    """Every row of the outbox, by due time."""
    with db.read() as tx:
        return [outbox.message(row) for row in tx.all(select(*outbox.COLUMNS).order_by(tables.outbox.c.due_at, tables.outbox.c.id))]


def prompts_by_status(db: Database, until: datetime) -> Counter[str]:
    """How many prompts that fell due before `until` are in each state."""
    return Counter(row.status for row in all_messages(db) if row.kind == "prompt" and row.due_at < until)


@dataclass(frozen=True)
class Received:
    """What arrived on a simulated phone, and when by the domain clock."""

    at: datetime
    provider_id: str
    outbound: Outbound

    @property
    def labels(self) -> list[str]:
        return [button.label for row in self.outbound.rows for button in row]


@dataclass
class Phones:
    """Every simulated phone. `fails`, when set, says how the provider fails a message; a failed message does not arrive.

    `attempted` holds every message that the channel was asked to send.
    """

    clock: MovableClock
    received: list[Received] = field(default_factory=list)
    fails: Callable[[Outbound], DeliveryError | None] | None = None
    attempted: list[Outbound] = field(default_factory=list)

    def take(self, provider_id: str, outbound: Outbound) -> None:
        self.received.append(Received(self.clock.now(), provider_id, outbound))

    def fault(self, outbound: Outbound) -> DeliveryError | None:
        self.attempted.append(outbound)
        return self.fails(outbound) if self.fails else None

    @property
    def tried(self) -> int:
        return len(self.attempted)

    def at(self, address: str) -> list[Received]:
        return [each for each in self.received if each.outbound.address == address]


@dataclass
class RunningClinic:
    """The service and what surrounds it. `service.tick()` and `service.move_clock()` make time pass."""

    service: Service
    db: Database
    clock: MovableClock
    phones: Phones
    clinic: Clinic
    physio: Member
    admin: Member
    sender: Sender
    plan: CarePlan
    numbers: count[int] = field(default_factory=lambda: count(1))

    def enrol(self, name: str = "Jo Park", zone: str = "Europe/London", at: time | None = time(8), **more: object) -> Invitation:
        """Enrol a patient who fits the plan; `more` are fields of Enrolment."""
        answers = {question.id: question.must_be for question in self.plan.eligibility}
        fields: dict[str, object] = {"flare_plan_signed": True, "answers": answers} | more
        return enrol(self.db, self.plan, self.physio, Enrolment(name, zone, at=at, **fields), self.clock.now())  # type: ignore[arg-type]

    def in_care(self, name: str = "Jo Park", zone: str = "Europe/London", at: time | None = time(8), **more: object) -> Person:
        """Enrol a patient, link a phone and opt in without the conversation; the first prompt is the next one from now on."""
        invitation = self.enrol(name, zone, at, **({"baseline": 2} | more))
        person = Person(self, invitation, f"sim:{next(self.numbers)}")
        with self.db.begin() as tx:
            patient = patients.load(tx, invitation.patient_id)
            patients.add_address(tx, self.clock.now(), patient, self.sender.id, person.address)
            consent.opt_in(tx, episodes.load(tx, invitation.episode_id), self.clock.now())
        return person

    async def opted_in(self, name: str = "Jo Park", zone: str = "Europe/London", at: time | None = time(8), **more: object) -> Person:
        """Enrol a patient and opt in the way people do: the code, Yes, usual pain 2."""
        person = Person(self, self.enrol(name, zone, at, **more), f"sim:{next(self.numbers)}")
        await person.say("hi", code=person.invitation.code)
        await person.tap("Yes")
        if person.episode().baseline is None:
            await person.say("2")
        return person

    async def hear(self, raw: Mapping[str, object]) -> bool:
        """An update arrives from the provider, and is only stored."""
        return await self.service.hear(self.sender.id, raw)

    def messages(self, **where: object) -> list[Message]:
        """Rows of the outbox whose fields have these values, by due time."""
        return [row for row in all_messages(self.db) if all(getattr(row, name) == value for name, value in where.items())]


@dataclass(frozen=True)
class Person:
    """A patient with a phone."""

    clinic: RunningClinic
    invitation: Invitation
    address: str

    @property
    def id(self) -> UUID:
        return self.invitation.patient_id

    @property
    def received(self) -> list[Received]:
        return self.clinic.phones.at(self.address)

    @property
    def texts(self) -> list[str]:
        return [each.outbound.text for each in self.received]

    def episode(self) -> Episode:
        with self.clinic.db.read() as tx:
            return episodes.load(tx, self.invitation.episode_id)

    def messages(self, **where: object) -> list[Message]:
        """This patient's rows of the outbox."""
        return self.clinic.messages(patient_id=self.id, **where)

    async def say(self, text: str, *, tick: bool = True, **more: object) -> None:
        """Type a message; `more` are keys of a simulated update, such as code or reply_to."""
        number = next(self.clinic.numbers)
        raw = {"id": f"u{number}", "address": self.address, "kind": "text", "text": text, "message_id": f"p{number}"}
        await self.clinic.hear(raw | more)
        if tick:
            await self.clinic.service.tick()

    async def tap(self, label: str, *, tick: bool = True) -> None:
        """Tap the newest button with that label. Raises AssertionError when the phone shows none."""
        buttons = [(each, cell) for each in self.received for row in each.outbound.rows for cell in row if cell.label == label]
        assert buttons, f"no button {label!r} on this phone: {[each.labels for each in self.received]}"
        message, button = buttons[-1]
        await self.say("", tick=tick, kind="tap", data=button.data, reply_to=message.provider_id)


def open_clinic(db: Database, clock: MovableClock, slug: str = "riverside") -> RunningClinic:
    """A clinic with a physio, an admin and the simulator, over a migrated database; each in one database has its own `slug`."""
    library = load_library()
    settings = load_settings(database_url=db.engine.url.render_as_string(hide_password=False), secret_key=SECRET, channels="simulator")
    service = Service(settings, db, library, clock, in_threads=False)
    service.register_plans()
    with db.begin() as tx:
        clinic = clinics.add_clinic(tx, clock.now(), slug, "Riverside Physio", "Europe/London")
        physio = staff.add(tx, clock.now(), clinic.id, f"anna@{slug}.example", "Anna Reed", "physio")
        admin = staff.add(tx, clock.now(), clinic.id, f"sam@{slug}.example", "Sam Okoro", "admin")
    phones = Phones(clock)
    numbers = count(1)
    channel = Simulator(lambda: f"out{next(numbers)}", phones.take, phones.fault)
    sender = service.add_channel(clinic.id, slug, channel, None)
    return RunningClinic(service, db, clock, phones, clinic, physio, admin, sender, library["proximal_hamstring_tendinopathy"])
