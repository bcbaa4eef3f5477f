"""One service at a time on an SQLite file: a lock that the operating system lets go of when the process ends, however it ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from bot_service.errors import SettingsError
from bot_service.storage.database_files import make_folder, sqlite_file


@contextmanager
def only_service(url: str) -> Iterator[None]:
    """Hold the database for this service. Raises SettingsError when another one has it; PostgreSQL serves any number."""
    database = sqlite_file(url)
    if database is None:
        yield
        return
    file = database.with_name(f"{database.name}.lock")
    make_folder(file)
    try:
        handle = file.open("a")
    except OSError as problem:
        raise SettingsError(
            f"nothing can be written beside the database {database} ({problem.strerror}); name another file in STEPWISE_DATABASE_URL"
        ) from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SettingsError(
                "another Stepwise is running on this database; stop it first, or point STEPWISE_DATABASE_URL at another file"
            ) from None
        yield
