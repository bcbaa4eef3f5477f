"""The sample clinic: made, played for eight weeks up to now, and brought back to life when the service starts again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot_service.actions.enrol import enrol
from bot_service.channels.simulator import Simulator
from bot_service.errors import NotFound
from bot_service.messages import Outbound
from bot_service.sample.body import draws
from bot_service.sample.enrolling import enrolment_of
from bot_service.sample.person import Person
from bot_service.sample.physio import Physio, Ways
from bot_service.sample.playing import Played, Player, Progress
from bot_service.sample.provider import Provider, Trouble
from bot_service.sample.stories import Story, sample_stories
from bot_service.storage import clinics, episodes, inbox, patients, staff, transcripts
from bot_service.storage.clinics import Clinic, Sender
from bot_service.storage.staff import Member

SLUG = "riverside"
NAME = "Riverside Physiotherapy"
ZONE = "Europe/London"
PHYSIO = ("anna.reed@riverside.example", "Anna Reed")
ADMIN = ("ruth.bell@riverside.example", "Ruth Bell")
SENDER = "simulator"
SEED = 7
WEEKS = 8
SETTINGS = {"emergency": "999", "urgent": "111", "crisis": "Samaritans on 116 123"}
_CALM = timedelta(days=4)
"""How long before the end nothing is lost any more, so that each story ends as it is told."""
_TROUBLE = Trouble(refused=0.01, limited=0.004, unknown=0.004, blocked=0.0, sure=6)


@dataclass(frozen=True)
class SampleClinic:
    """What was made: sign the physio in, and give the player to whoever moves the clock."""

    clinic: Clinic
    physio: Member
    admin: Member
    sender: Sender
    player: Player


async def build_sample_clinic(
    service: Played, now: datetime, *, seed: int = SEED, weeks: int = WEEKS, progress: Progress | None = None
) -> SampleClinic:
    """Make the clinic in an empty database and play its weeks up to `now`.

    The service's clock must be movable; it stands still at `now` afterwards: `thaw` it. Raises TypeError for a real clock.
    """
    player = Player(service)
    start = now - timedelta(weeks=weeks)
    player.clock.freeze(start)
    service.register_plans()
    with service.db.begin() as tx:
        clinic = clinics.add_clinic(tx, start, SLUG, NAME, ZONE, dict(SETTINGS))
        physio = staff.add(tx, start, clinic.id, *PHYSIO, "physio")
        admin = staff.add(tx, start, clinic.id, *ADMIN, "admin")
        clinics.mark_sample(tx)
    sender, provider = _connect(service, player, clinic, seed)
    player.at(now - _CALM, provider.calm)
    clinician = Physio(service.db, physio, ZONE, seed, Ways(approves=1.0, holds=0.0, closes=1.0, steps_back=0.0))
    player.at(clinician.next_look(start), clinician.look)
    for story in sample_stories(_local(now)):
        joins = max(start, _morning(now, story, clinic))
        player.at(joins, _enrolment(service, player, clinician, story, now, seed))
    await player.play(now, progress, "Playing the sample clinic")
    player.forget_agenda()
    return SampleClinic(clinic, physio, admin, sender, player)


def reopen_sample_clinic(service: Played, *, seed: int = SEED) -> SampleClinic:
    """The same clinic after a restart: phones are connected, patients pick up where they were. Raises NotFound when there is none."""
    with service.db.read() as tx:
        clinic = clinics.only_clinic(tx, SLUG)
        members = {member.email: member for member in staff.list_of_clinic(tx, clinic.id)}
    if not {PHYSIO[0], ADMIN[0]} <= set(members):
        raise NotFound("this is not the sample clinic as it was made")
    player = Player(service)
    sender, _ = _connect(service, player, clinic, seed)
    _bring_back(service, player, clinic, seed)
    return SampleClinic(clinic, members[PHYSIO[0]], members[ADMIN[0]], sender, player)


def _connect(service: Played, player: Player, clinic: Clinic, seed: int) -> tuple[Sender, Provider]:
    """The simulated provider, which fails now and then, with the players' phones behind it."""
    tried: Counter[tuple[str, str]] = Counter()

    def fate(outbound: Outbound) -> float:
        """By what it says and how often it was tried: no seed decides the order of one moment, nor how long a retry waits."""
        told = (outbound.address, outbound.text)
        tried[told] += 1
        return draws(seed, "provider", *told, tried[told]).random()

    provider = Provider(fate, _TROUBLE)
    player.blocked = provider.block
    channel = Simulator(lambda: service.db.new_id().hex, player.arrived, provider)
    sender = service.add_channel(clinic.id, SENDER, channel, None)
    player.connect(sender.id)
    return sender, provider


def _enrolment(
    service: Played, player: Player, clinician: Physio, story: Story, now: datetime, seed: int
) -> Callable[[datetime], datetime | None]:
    def do(at: datetime) -> None:
        plan = next(iter(service.library.values()))
        invitation = enrol(service.db, plan, clinician.member, enrolment_of(story.persona, plan), at)
        clinician.leaves[invitation.episode_id] = now - timedelta(days=story.left_alone)
        player.give_phone(story.phone, Person(story.persona, seed, _local(at)), invitation.code)

    return do


def _bring_back(service: Played, player: Player, clinic: Clinic, seed: int) -> None:
    """Put the patients behind their phones again: they know what they have read and said."""
    with service.db.read() as tx:
        enrolled = {each.name: each for each in patients.list_of_clinic(tx, clinic.id)}
        began = {each.patient_id: each.start_date for each in episodes.list_of_clinic(tx, clinic.id)}
        end = max(began.values()) + timedelta(days=1)  # the last one was enrolled the day before the end
        for story in sample_stories(end):
            patient = enrolled.get(story.persona.name)
            address = patients.find_active_address(tx, patient.id) if patient else None
            if patient is None or address is None:
                continue
            shown = transcripts.list_shown(tx, patient.id, only_received=True)
            said = [each.at for each in inbox.list_of_patient(tx, patient.id)]
            person = Person(story.persona, seed, began[patient.id])
            player.bring_back(address.address, person, shown, max(said, default=None))


def _morning(now: datetime, story: Story, clinic: Clinic) -> datetime:
    """When the patient was enrolled: in the morning, and not at a weekend unless it was yesterday."""
    zone = ZoneInfo(clinic.zone)
    day = _local(now) - timedelta(days=story.enrolled)
    if story.enrolled > 1 and day.weekday() > 4:
        day -= timedelta(days=day.weekday() - 4)
    minute = draws(SEED, story.key).randrange(90)
    return (datetime.combine(day, time(9), zone) + timedelta(minutes=minute)).astimezone(UTC)


def _local(at: datetime) -> date:
    return at.astimezone(ZoneInfo(ZONE)).date()
