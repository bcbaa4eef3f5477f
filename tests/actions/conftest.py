"""A patient whose first stage is complete, played once and copied for every test; and a clinic whose staff get mail."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from bot_service.app import Service
from bot_service.channels.simulator import Simulator
from bot_service.clock import MovableClock
from bot_service.settings import load_settings
from bot_service.storage import clinics, staff
from bot_service.storage.database import Database
from plans.loading import load_library
from tests.actions.told import settled_weeks
from tests.databases import FreshDatabases
from tests.notice_clinic import NoticeClinic, with_mail
from tests.running_clinic import SECRET, START, Person, Phones, RunningClinic, open_clinic, open_quickly


@pytest.fixture(scope="session")
def played(databases: FreshDatabases, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Person, MovableClock]:
    """The file after two settled weeks, whose it is, and what time it is then."""
    url = databases.make("sqlite")
    db, clock = open_quickly(url), MovableClock(frozen=START)
    person = asyncio.run(settled_weeks(open_clinic(db, clock)))
    file = tmp_path_factory.mktemp("played") / "played.db"
    db.close()
    shutil.copyfile(url.removeprefix("sqlite:///"), file)
    return file, person, clock


@pytest.fixture
def ready(played: tuple[Path, Person, MovableClock], tmp_path: Path, seeds: Callable[[], int]) -> Iterator[Person]:
    """A patient in the last hours of two settled weeks, with a pending proposal for the next stage."""
    file, before, clock = played
    copy = tmp_path / "ready.db"
    shutil.copyfile(file, copy)
    db = open_quickly(f"sqlite:///{copy}", seeds())
    yield Person(_reopened(db, MovableClock(frozen=clock.now())), before.invitation, before.address)
    db.close()


@pytest.fixture(scope="session")
def seeds() -> Callable[[], int]:
    """A seed that no other database of this run has, so that new ids never meet old ones."""
    numbers = count(1000)
    return lambda: next(numbers)


@pytest.fixture
def there(clinic: RunningClinic) -> NoticeClinic:
    """The running clinic with mail to its staff."""
    return with_mail(clinic)


@pytest.fixture
def here(sqlite_clinic: RunningClinic) -> NoticeClinic:
    """The same on SQLite only."""
    return with_mail(sqlite_clinic)


def _reopened(db: Database, clock: MovableClock) -> RunningClinic:
    library = load_library()
    settings = load_settings(database_url="sqlite:///unused.db", secret_key=SECRET, channels="simulator")
    service = Service(settings, db, library, clock, in_threads=False)
    with db.read() as tx:
        clinic = clinics.only_clinic(tx)
        (known,) = clinics.list_senders(tx)
        members = {member.role: member for member in staff.list_of_clinic(tx, clinic.id)}
    phones, numbers = Phones(clock), count(5000)
    sender = service.add_channel(clinic.id, known.name, Simulator(lambda: f"out{next(numbers)}", phones.take, phones.fault), None)
    plan = library["proximal_hamstring_tendinopathy"]
    return RunningClinic(service, db, clock, phones, clinic, members["physio"], members["admin"], sender, plan, count(5000))
