"""A provider in a process of its own: it accepts messages over HTTP, says each on stdout as it does, and answers a moment later."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from threading import Thread

from tests.source_tree import ROOT

SLOWEST_S = 0.004
"""How long after accepting a message it answers at most, so that a crash may fall in between."""


@dataclass
class Ledger:
    """What a provider has accepted, oldest first, as seen from outside the service."""

    port: int
    _process: subprocess.Popen[str]
    accepted: list[str] = field(default_factory=list)
    _news: SimpleQueue[str] = field(default_factory=SimpleQueue)
    _reader: Thread = field(init=False)

    def __post_init__(self) -> None:
        self._reader = Thread(target=self._read)
        self._reader.start()

    def wait_for(self, number: int, seconds: float) -> bool:
        """Until that many more were accepted; False when the time is up first."""
        end, wanted = time.monotonic() + seconds, len(self.accepted) + number
        while len(self.accepted) < wanted:
            try:
                self.accepted.append(self._news.get(timeout=max(0.001, end - time.monotonic())))
            except Empty:
                return False
        return True

    def settle(self) -> list[str]:
        """Everything, when nobody is sending any more. The provider ends: what it has said is all there is."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        while not self._news.empty():
            self.accepted.append(self._news.get())
        return self.accepted

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._news.put(line.strip())


@contextmanager
def running_provider() -> Iterator[Ledger]:
    """A provider for as long as the block lasts."""
    process = subprocess.Popen([sys.executable, "-m", "tests.reliability.provider"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ledger = Ledger(int(process.stdout.readline()), process)
    try:
        yield ledger
    finally:
        ledger.settle()
        process.stdout.close()


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        sys.stdout.write(asked["id"] + "\n")
        sys.stdout.flush()
        time.sleep(random.uniform(0, SLOWEST_S))
        body = json.dumps({"message_id": f"p:{asked['id']}"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Say nothing."""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is what this is for."""


if __name__ == "__main__":
    server = _Quiet(("127.0.0.1", 0), _Door)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
