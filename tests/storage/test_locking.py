"""One service at a time on an SQLite file, proven with real processes; any number on PostgreSQL."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot_service.errors import SettingsError
from bot_service.storage.database import open_engine
from bot_service.storage.database_files import sqlite_file
from bot_service.storage.locking import only_service
from bot_service.storage.migrating import FOLDER, migrate
from tests.source_tree import ROOT

HOLD = """
import sys
from bot_service.storage.database import open_engine
from bot_service.storage.database_files import sqlite_file
from bot_service.storage.locking import only_service
from bot_service.storage.migrating import FOLDER, migrate
with only_service(sys.argv[1]):
    print("holding", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_service(url: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, url]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        yield process
        process.kill()


def test_a_second_service_on_the_same_file_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    with another_service(url), pytest.raises(SettingsError, match="another Stepwise is running on this database"), only_service(url):
        pass


def test_the_lock_goes_with_the_process_however_it_ends(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    with another_service(url) as process:
        process.kill()
        process.wait()
        with only_service(url):
            pass


def test_services_on_two_files_do_not_mind_each_other(tmp_path: Path) -> None:
    with only_service(f"sqlite:///{tmp_path}/x.db"), only_service(f"sqlite:///{tmp_path}/y.db"):
        pass


def test_postgresql_serves_any_number(postgres_url: str) -> None:
    with only_service(postgres_url), only_service(postgres_url):
        pass


@pytest.mark.parametrize(("place", "says"), [("a file/x.db", "cannot be made"), ("x.db", "nothing can be written")])
def test_a_place_where_no_database_can_be_is_said_in_one_sentence(tmp_path: Path, place: str, says: str) -> None:
    (tmp_path / "a file").touch()
    (tmp_path / "x.db.lock").mkdir()
    with pytest.raises(SettingsError, match=says) as told, only_service(f"sqlite:///{tmp_path}/{place}"):
        pass
    assert "name another file in STEPWISE_DATABASE_URL" in str(told.value) and "\n" not in str(told.value)


def test_a_folder_may_have_any_sign_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "50 % of #2, really?"
    url = f"sqlite:///{folder}/x.db"
    with only_service(url):
        engine = open_engine(url)
        migrate(engine)
        engine.dispose()
    assert sqlite_file(url) == folder / "x.db" and {"x.db", "x.db.lock"} <= {each.name for each in folder.iterdir()}
    assert [each.name for each in tmp_path.iterdir()] == [folder.name], "nothing lies beside it"
    moved = shutil.copytree(FOLDER, folder / "migrations")
    engine = open_engine(f"sqlite:///{folder}/y.db")
    migrate(engine, folder=moved)
    engine.dispose()
