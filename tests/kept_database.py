"""One PostgreSQL database that tests take turns with: emptying it takes milliseconds, making another a third of a second."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from sqlalchemy.engine import make_url

from bot_service.storage.tables import metadata

LEFT_OVER = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
EMPTY = "; ".join(f"delete from {table.name}" for table in reversed(metadata.sorted_tables))


class KeptDatabase:
    """`make` gives the URL of a new, migrated database; it is called once, when the first test asks."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._url: str | None = None
        self._connection: psycopg.Connection[object] | None = None

    def emptied(self) -> str:
        """The URL of the database, with no rows in it and nobody connected to it."""
        if self._url is None or self._connection is None:
            self._url = self._make()
            plain = make_url(self._url).set(drivername="postgresql")
            self._connection = psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)
        self._connection.execute(LEFT_OVER)
        self._connection.execute(EMPTY.encode())
        return self._url

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
