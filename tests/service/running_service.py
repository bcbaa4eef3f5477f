"""The service as an operator runs it: real processes with real settings on a database of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.patience import PATIENT_S, wait_for
from tests.source_tree import ROOT

SECRET = "only-for-tests-0123456789abcdef0123456789abcdef"
DATABASE = "stepwise.db"
COMMAND = (sys.executable, "-m", "bot_service")


class Installation:
    """An installation in a folder: `run` gives a command's output, `serving` keeps the service running for a block."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.settings = {
            "STEPWISE_DATABASE_URL": f"sqlite:///{folder / DATABASE}",
            "STEPWISE_SECRET_KEY": SECRET,
            "STEPWISE_BIND": f"127.0.0.1:{self.port}",
            "STEPWISE_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "STEPWISE_TICK_SECONDS": "1",
            **settings,
        }

    @property
    def environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STEPWISE_")}
        return kept | self.settings

    def run(self, *words: str) -> str:
        """A command's standard output. Raises AssertionError with its error output when it fails."""
        done = subprocess.run(
            [*COMMAND, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=5 * PATIENT_S, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def set_up_clinic(self) -> None:
        """A clinic with one physiotherapist: a copy of the database that the commands made once in this run."""
        (self.folder / DATABASE).write_bytes(_with_a_clinic())

    def enrol(self, name: str, *more: str) -> dict[str, Any]:
        words = ("enrol", name, "--as", "anna@riverside.example", "--eligible", "--json", *more)
        invitation: dict[str, Any] = json.loads(self.run(*words))
        return invitation

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[str]]:
        """The service, up and answering; stopped as with Ctrl-C unless the block killed it."""
        log = (self.folder / "service.log").open("a")
        process = subprocess.Popen([*COMMAND, "serve"], cwd=ROOT, env=self.environment, stdout=log, stderr=log, text=True)
        try:
            wait_for(lambda: self.answers() or process.poll() is not None, "the service to answer")
            assert process.poll() is None, self.log()
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(timeout=PATIENT_S)
            log.close()

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=10) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def log(self) -> str:
        return (self.folder / "service.log").read_text()


@cache
def _with_a_clinic() -> bytes:
    with TemporaryDirectory() as folder:
        made = Installation(Path(folder))
        made.run("migrate")
        made.run("clinics", "add", "riverside", "Riverside Physiotherapy")
        made.run("staff", "invite", "anna@riverside.example", "Anna Reed")
        return (made.folder / DATABASE).read_bytes()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
