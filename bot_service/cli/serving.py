"""Commands that run the service: `up` (what ./run starts), `serve`, and `doctor`."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import click

from bot_service.app import Service
from bot_service.checkup import examine
from bot_service.cli.migrating import migrate_url
from bot_service.cli.opening import check_there, clock_for
from bot_service.clock import MovableClock, real_now
from bot_service.errors import SettingsError
from bot_service.logs import set_up_logs
from bot_service.running import build_service, listen, run_service
from bot_service.sample.clinic import build_sample_clinic
from bot_service.settings import Settings, load_settings
from bot_service.storage import clinics, staff
from bot_service.storage.database import Database, open_database
from bot_service.storage.database_files import sqlite_file
from bot_service.storage.locking import only_service
from plans.loading import load_library


@click.command(hidden=True)
def up() -> None:
    """Migrate, play the sample clinic on the first start, and serve: what ./run does."""
    _serve(prepare=True)


@click.command()
def serve() -> None:
    """Serve pages, webhooks and messages until stopped. The database must be migrated."""
    _serve(prepare=False)


@click.command()
def doctor() -> None:
    """Check settings, database, plans, clock and the provider's credentials; says what to do about each problem."""
    problems = asyncio.run(examine())
    for problem in problems:
        click.echo(f"- {problem}")
    if problems:
        raise click.exceptions.Exit(1)
    click.echo("Everything is in order.")


def _serve(*, prepare: bool) -> None:
    settings = load_settings()
    set_up_logs(settings.log_format, quiet=settings.is_sample)  # the simulated provider fails now and then, on purpose
    load_library()  # A wrong plan never starts the service.
    with listen(settings) as listening, only_service(settings.database_url):
        if prepare:
            if settings.is_sample and (file := sqlite_file(settings.database_url)) and not file.exists():
                _play_sample(settings, file)
            migrate_url(settings.database_url)
        check_there(settings)
        db = open_database(settings.database_url, settings.secrets)
        try:
            _refuse_mixing(settings, db)
            service = build_service(settings, db, clock_for(settings, db))
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(run_service(service, listening, _announcer(settings, db)))
        finally:
            db.close()


def _announcer(settings: Settings, db: Database) -> Callable[[], None]:
    """Prints where things are, once the service listens."""

    def announce() -> None:
        click.echo(f"Stepwise is running at {settings.public_url} (stop it with Ctrl-C)")
        if not settings.is_sample:
            return
        with db.begin() as tx:
            clinic = clinics.only_clinic(tx)
            physio = next(member for member in staff.list_of_clinic(tx, clinic.id) if member.role == "physio")
            link = staff.add_link(tx, real_now(), physio.id)
        click.echo(f"Sign in as {physio.name}, once: {settings.public_url}/sign-in/{link}")
        click.echo(f"The patients' phones: {settings.public_url}/phone")

    return announce


def _play_sample(settings: Settings, file: Path) -> None:
    """Play the sample clinic into a file of its own, and put it in place when it is whole: a half-played one is never served."""
    half = file.with_name(f"{file.name}.half")
    for leftover in file.parent.glob(f"{half.name}*"):
        leftover.unlink()
    migrate_url(f"sqlite:///{half}")
    db = open_database(f"sqlite:///{half}", settings.secrets, synchronous="OFF")
    try:
        with click.progressbar(length=1000, label="Playing eight weeks of the sample clinic", show_eta=False) as bar:

            def progress(fraction: float, _label: str) -> None:
                bar.update(int(fraction * 1000) - bar.pos)

            service = Service(settings, db, load_library(), MovableClock(), in_threads=False)
            asyncio.run(build_sample_clinic(service, real_now(), progress=progress))
    finally:
        db.close()  # the last connection to go takes the write-ahead log into the file
    with half.open("rb") as handle:
        os.fsync(handle.fileno())
    half.replace(file)
    for leftover in file.parent.glob(f"{half.name}*"):
        leftover.unlink()


def _refuse_mixing(settings: Settings, db: Database) -> None:
    """Sample patients and real ones never share a database."""
    with db.read() as tx:
        sample, known = clinics.is_sample(tx), clinics.list_clinics(tx)
    if sample and not settings.is_sample:
        raise SettingsError("this database holds the sample clinic; set STEPWISE_DATABASE_URL to another one for real patients")
    if not sample and settings.is_sample:
        raise SettingsError(
            "this database is no sample clinic; set STEPWISE_CHANNELS to telegram, or STEPWISE_DATABASE_URL to another file"
        )
    if not known:
        raise SettingsError(
            'there is no clinic yet; add one with: ./run stepwise clinics add SLUG "NAME", then: stepwise staff invite EMAIL NAME'
        )
