"""Starts the fake Twilio as a process, and signs what Twilio would post to us, as its documentation says rather than as our code does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.patience import PATIENT_S
from tests.source_tree import ROOT

OURS = "+447700900999"
DAILY = "HX" + "d" * 32


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """The X-Twilio-Signature of a form: HMAC-SHA1 of the URL and of all names and values run together in the order of the names."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def encoded(fields: Mapping[str, str]) -> bytes:
    return urlencode(fields).encode()


@dataclass(frozen=True)
class FakeTwilio:
    """A running fake: `url` is what STEPWISE_TWILIO_API_URL takes, `account` and `token` the only ones it knows."""

    url: str
    control_url: str
    account: str
    token: str
    process: subprocess.Popen[str]

    def signal(self, number: int) -> None:
        """Stop or continue the server's process, or kill it and wait until its sockets are gone."""
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()

    def control(self, what: str, **asked: Any) -> dict[str, Any]:
        """POST to /control/<what>; see tests/fakes/twilio_api.py."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.control_url}/control/{what}", json.dumps(asked).encode(), headers)
        with urllib.request.urlopen(request, timeout=PATIENT_S) as response:
            answer: dict[str, Any] = json.load(response)
            return answer

    def fail(self, kind: str, **fault: object) -> None:
        """The next message that is sent fails so."""
        self.control("faults", faults=[{"kind": kind, **fault}])

    def refuse(self, status: int, code: int, **more: object) -> None:
        """The next message that is sent is answered with one of Twilio's errors."""
        body = {"code": code, "message": "Refused.", "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}
        self.fail("status", status=status, text=json.dumps(body), **more)

    def ledger(self) -> list[dict[str, Any]]:
        """What was accepted, oldest first: the `message` as answered and the fields `given`."""
        ledger: list[dict[str, Any]] = self.control("state")["ledger"]
        return ledger


@contextmanager
def running_twilio() -> Iterator[FakeTwilio]:
    """A fake server in its own process, for as long as the block lasts."""
    command = [sys.executable, "-m", "tests.fakes.twilio_api", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        api, control = (f"http://127.0.0.1:{started[name]}" for name in ("port", "control_port"))
        yield FakeTwilio(api, control, started["account"], started["token"], process)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
