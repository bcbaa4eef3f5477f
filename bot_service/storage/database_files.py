"""Where a database URL points: the file of an SQLite one and the folder it lies in."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url

from bot_service.errors import SettingsError

_SQLITE = "sqlite:///"


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for anything else."""
    parsed = parsed_url(url)
    return Path(parsed.database) if parsed.drivername == "sqlite" and parsed.database else None


def make_folder(file: Path) -> None:
    """Make the folder that a database file is to lie in. Raises SettingsError when there can be none."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SettingsError(
            f"the folder {file.parent} for the database cannot be made ({problem.strerror}); name another file in STEPWISE_DATABASE_URL"
        ) from None


def parsed_url(url: str) -> URL:
    """What follows sqlite:/// is a file's name as it stands: a folder may have a question mark or a per cent sign in its name."""
    return URL.create("sqlite", database=url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else make_url(url)
