"""Starts the fake Bot API server as a process and speaks to its person's side; for any test that wants a real HTTP server opposite."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from tests.patience import PATIENT_S
from tests.source_tree import ROOT


@dataclass(frozen=True)
class FakeBotApi:
    """A running fake: `url` is what STEPWISE_TELEGRAM_API_URL takes, `token` the only token it knows."""

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
        """POST to /control/<what>; see tests/fakes/bot_api.py."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.control_url}/control/{what}", json.dumps(asked).encode(), headers)
        with urllib.request.urlopen(request, timeout=PATIENT_S) as response:
            answer: dict[str, Any] = json.load(response)
            return answer

    def of(self, token: str) -> FakeBotApi:
        """The same server, seen by another of its bots."""
        return replace(self, token=token, control_url=f"{self.control_url}/bot{token}")

    def say(self, chat: int, text: str, **more: object) -> dict[str, Any]:
        """A person types. Answers the update."""
        return self.control("say", chat=chat, text=text, more=more)

    def fail(self, kind: str, **fault: object) -> None:
        """The next call of sendMessage (or of `method`) fails so."""
        self.control("faults", faults=[{"kind": kind, **fault}])

    def ledger(self) -> list[dict[str, Any]]:
        """The messages that were accepted, oldest first."""
        ledger: list[dict[str, Any]] = self.control("state")["ledger"]
        return ledger


@contextmanager
def running_bot_api(*others: str) -> Iterator[FakeBotApi]:
    """A fake server in its own process, for as long as the block lasts; it knows the tokens of other bots too."""
    command = [sys.executable, "-m", "tests.fakes.bot_api", "--port", "0", "--others", *others]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        api, control = (f"http://127.0.0.1:{started[name]}" for name in ("port", "control_port"))
        yield FakeBotApi(api, control, started["token"], process)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
