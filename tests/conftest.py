"""Fixtures that every test may use: databases of both kinds and the Hypothesis profiles."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
from hypothesis import HealthCheck, settings

from bot_service.app import Service
from bot_service.clock import MovableClock
from bot_service.storage.database import Database
from tests.databases import FreshDatabases, Kind, TemplateBuilder
from tests.kept_database import KeptDatabase
from tests.no_skips import IN_CI, pytest_make_collect_report, pytest_runtest_makereport
from tests.postgres import running_postgres
from tests.running_clinic import START, Phones, RunningClinic, migrate_url, open_clinic, open_quickly
from tests.sizes import Sized

pytest_plugins = ["tests.twilio_fixtures", "tests.telegram_fixtures"]
__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport"]

# Machines under load are slow, not wrong: no deadlines. `thorough` is for an evening: STEPWISE_HYPOTHESIS=thorough ./run test
settings.register_profile("default", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=2000)
settings.load_profile(os.environ.get("STEPWISE_HYPOTHESIS", "ci" if IN_CI else "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="play the nightly reliability tests at their full size, which takes hours")


@pytest.fixture(scope="session")
def sized(pytestconfig: pytest.Config) -> Sized:
    """`sized(part, whole)`: how many of something a test plays, the whole with `--full` (docs/delivery.md)."""
    return lambda part, whole: whole if pytestconfig.getoption("full") else part


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """The PostgreSQL server's URL, as a function: the first call starts it, and it outlives every fixture that uses it."""
    with ExitStack() as stack:
        yield cache(lambda: stack.enter_context(running_postgres()))


@pytest.fixture(scope="session")
def postgres_url(postgres: Callable[[], str]) -> str:
    """A PostgreSQL server on which databases may be made."""
    return postgres()


@pytest.fixture(scope="session")
def template_builder() -> TemplateBuilder | None:
    """Called once per kind with the URL of the database that every test's own is copied from: it holds the newest schema."""
    return migrate_url


@pytest.fixture(scope="session")
def databases(
    postgres: Callable[[], str], tmp_path_factory: pytest.TempPathFactory, template_builder: TemplateBuilder | None
) -> Iterator[FreshDatabases]:
    folder = tmp_path_factory.mktemp("databases")
    made = FreshDatabases(folder, postgres, template_builder, f"stepwise_test_{os.getpid()}")
    yield made
    made.close()


@pytest.fixture
def fresh_database(databases: FreshDatabases) -> Iterator[Callable[[Kind], str]]:
    """`fresh_database(kind)` gives the URL of a new database, as often as it is called; all are dropped after the test."""
    yield databases.make
    databases.drop_made()


@pytest.fixture(scope="session")
def kept_postgres(
    postgres: Callable[[], str], tmp_path_factory: pytest.TempPathFactory, template_builder: TemplateBuilder | None
) -> Iterator[KeptDatabase]:
    own = FreshDatabases(tmp_path_factory.mktemp("kept"), postgres, template_builder, f"stepwise_kept_{os.getpid()}")
    kept = KeptDatabase(lambda: own.make("postgresql"))
    yield kept
    kept.close()
    own.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, fresh_database: Callable[[Kind], str], kept_postgres: KeptDatabase) -> str:
    """A migrated database without a row; the test runs once on each kind."""
    return fresh_database("sqlite") if request.param == "sqlite" else kept_postgres.emptied()


@pytest.fixture
def empty_database(postgres: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Kind], str]]:
    """`empty_database(kind)` gives the URL of a new database without a schema, for tests of migrations."""
    made = FreshDatabases(tmp_path_factory.mktemp("empty"), postgres, None, f"stepwise_empty_{os.getpid()}")
    yield made.make
    made.close()


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A migrated, empty database with seeded ids; the test runs once on each kind."""
    opened = open_quickly(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_db(fresh_database: Callable[[Kind], str]) -> Iterator[Database]:
    """The same on SQLite only, for what the kind of database cannot change."""
    opened = open_quickly(fresh_database("sqlite"))
    yield opened
    opened.close()


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands still at 10:00 in London on a Monday until it is moved."""
    return MovableClock(frozen=START)


@pytest.fixture
def clinic(db: Database, clock: MovableClock) -> RunningClinic:
    """The service in a clinic with physio, admin, simulator and phones that keep what they receive; on each kind of database."""
    return open_clinic(db, clock)


@pytest.fixture
def sqlite_clinic(sqlite_db: Database, clock: MovableClock) -> RunningClinic:
    """The same on SQLite only."""
    return open_clinic(sqlite_db, clock)


@pytest.fixture
def service(clinic: RunningClinic) -> Service:
    return clinic.service


@pytest.fixture
def phones(clinic: RunningClinic) -> Phones:
    return clinic.phones
