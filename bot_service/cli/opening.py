"""What commands share: opening the database with the settings checked, naming who acts, and printing rows or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

from bot_service.clock import MovableClock, SystemClock
from bot_service.errors import BotServiceError, SettingsError
from bot_service.settings import Settings, load_settings
from bot_service.storage import clinics, staff
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Database, open_database, open_engine
from bot_service.storage.database_files import sqlite_file
from bot_service.storage.migrating import check_schema
from bot_service.storage.staff import Member

F = TypeVar("F", bound=Callable[..., Any])


def as_option(function: F) -> F:
    """`--as EMAIL`: who does this; kept in the audit trail."""
    return click.option("--as", "email", metavar="EMAIL", required=True, help="The member of staff who does this.")(function)


def clinic_option(function: F) -> F:
    """`--clinic SLUG`."""
    return click.option("--clinic", "slug", metavar="SLUG", help="Which clinic, when there are several.")(function)


def json_option(function: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


@contextmanager
def opened() -> Iterator[tuple[Settings, Database, datetime]]:
    """Settings, database and the domain clock's now. Raises SettingsError with what to do."""
    settings = load_settings()
    check_there(settings)
    db = open_database(settings.database_url, settings.secrets)
    try:
        yield settings, db, clock_for(settings, db).now()
    finally:
        db.close()


def check_there(settings: Settings) -> None:
    """Raise SettingsError when the database does not exist yet or its schema is not this build's."""
    file = sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        raise SettingsError("there is no database yet; run: stepwise migrate")
    with reaching_database():
        engine = open_engine(settings.database_url)
        try:
            check_schema(engine)
        finally:
            engine.dispose()


@contextmanager
def reaching_database() -> Iterator[None]:
    """Turn a driver's complaint about the database as a whole into a SettingsError."""
    try:
        yield
    except BotServiceError:
        raise
    except Exception as error:  # noqa: BLE001  # a driver's words may hold the address and its password; the class is enough
        raise SettingsError(
            f"the database cannot be opened ({type(error).__name__}); check STEPWISE_DATABASE_URL and that its server runs"
        ) from None


def clock_for(settings: Settings, db: Database) -> SystemClock | MovableClock:
    """The domain clock: movable for the sample clinic, where it was left; real otherwise."""
    if not settings.is_sample:
        return SystemClock()
    with db.read() as tx:
        return MovableClock(timedelta(seconds=clinics.clock_offset(tx)))


def acting(db: Database, email: str, slug: str | None) -> tuple[Member, Clinic]:
    """Who acts, in which clinic. Raises NotFound."""
    with db.read() as tx:
        member = staff.load_by_email(tx, email)
        clinic = clinics.only_clinic(tx, slug) if slug else clinics.load_clinic(tx, member.clinic_id)
    if clinic.id != member.clinic_id:
        raise click.UsageError(f"{email} does not belong to clinic {clinic.slug}")
    return member, clinic


def show(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows as JSON, or in columns under their names."""
    if as_json:
        click.echo(json.dumps(list(rows), default=_plain, ensure_ascii=False, indent=2))
        return
    if not rows:
        click.echo(empty)
        return
    names = list(rows[0])
    texts = [[_text(row.get(name)) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[index]) for line in texts)) for index, name in enumerate(names)]
    for line in (names, *texts):
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _text(value: object) -> str:
    if value is None:
        return "-"
    return value.strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else str(value)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
