"""A fake provider's server in a process of its own: how it is started, spoken to and killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.patience import PATIENT_S
from tests.source_tree import ROOT


@dataclass(frozen=True)
class FakeServer:
    """A running fake. `url` is what the setting of the provider's address takes, `token` the credentials it knows."""

    url: str
    control_url: str
    token: str
    process: subprocess.Popen[str]

    def signal(self, number: int) -> None:
        """Stop or continue the server's process, or kill it and wait until its sockets are gone."""
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()

    def control(self, what: str, **asked: Any) -> dict[str, Any]:
        """POST to /control/<what>; see the module that is run."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.control_url}/control/{what}", json.dumps(asked).encode(), headers)
        with urllib.request.urlopen(request, timeout=PATIENT_S) as response:
            answer: dict[str, Any] = json.load(response)
            return answer

    def fail(self, kind: str, **fault: object) -> None:
        """The next message that is sent (or call of `method`) fails so."""
        self.control("faults", faults=[{"kind": kind, **fault}])

    def ledger(self) -> list[dict[str, Any]]:
        """What was accepted, oldest first."""
        ledger: list[dict[str, Any]] = self.control("state")["ledger"]
        return ledger


@contextmanager
def running(module: str, *words: str) -> Iterator[tuple[subprocess.Popen[str], str, str, dict[str, Any]]]:
    """The process for as long as the block lasts, the URLs of the provider and of its control, and what else it says of itself."""
    process = subprocess.Popen([sys.executable, "-m", module, "--port", "0", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        api, control = (f"http://127.0.0.1:{started[name]}" for name in ("port", "control_port"))
        yield process, api, control, started
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
