"""One service at a time on an SQLite file, proven with real processes; any number on PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot_service.errors import SettingsError
from bot_service.storage.locking import only_service
from tests.source_tree import ROOT

HOLD = """
import sys
from bot_service.storage.locking import only_service
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
