"""Bringing a database to this build's schema through Alembic, and saying whether it is there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine

from bot_service.errors import SettingsError

FOLDER = Path(__file__).resolve().parents[2] / "migrations"


def migrate(engine: Engine, revision: str = "head", folder: Path = FOLDER) -> None:
    """Bring the schema to `revision`, whole or not at all."""
    with engine.begin() as connection:
        config = _config(folder)
        config.attributes["connection"] = connection
        if engine.dialect.name == "postgresql":
            # Replicas that start together wait for one another here; the number only has to be the same for all of them.
            connection.exec_driver_sql("select pg_advisory_xact_lock(729140611)")
        if revision == "base":
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)


def check_schema(engine: Engine) -> None:
    """Raise SettingsError when the database is older than this build needs, or newer than it knows."""
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(_config())
    head = script.get_current_head()
    if found == head:
        return
    known = {revision.revision for revision in script.walk_revisions()}
    if found is None or found in known:
        raise SettingsError("the database is older than this version needs; run: stepwise migrate")
    raise SettingsError("the database was made by a newer version; start that version, or restore a backup made by this one")


def _config(folder: Path = FOLDER) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))  # one alone stands for a value in such a file
    config.set_main_option("path_separator", "os")
    return config
