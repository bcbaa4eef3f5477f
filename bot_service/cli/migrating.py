"""`stepwise migrate`."""

from __future__ import annotations

import click

from bot_service.cli.opening import reaching_database
from bot_service.settings import load_settings
from bot_service.storage.database import open_engine
from bot_service.storage.migrating import migrate as bring_up_to_date


@click.command()
def migrate() -> None:
    """Bring the database to the schema of this version."""
    migrate_url(load_settings().database_url)
    click.echo("The database is up to date.")


def migrate_url(url: str) -> None:
    """Bring the database at `url` to this build's schema."""
    with reaching_database():
        engine = open_engine(url)
        try:
            bring_up_to_date(engine)
        finally:
            engine.dispose()
