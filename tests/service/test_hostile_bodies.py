"""Bodies that are meant to do harm (D5), at the running service: refused within a second, in little memory, and nobody else waits."""

from __future__ import annotations

import gzip
import json
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from threading import Event, Thread

import pytest

from bot_service.web.webhooks import LARGEST_FORM
from tests.fakes.bot_api_process import FakeBotApi
from tests.patience import PATIENT_S
from tests.service.running_service import Installation
from tests.service.test_on_telegram_webhook import WEBHOOK, WEBHOOK_SECRET

UPDATES, INBOUND = "/webhooks/telegram", "/webhooks/twilio/inbound"
MB = 2**20
SLOW = 200
"""Connections that never come to the end of their headers."""
WITHIN_S, MORE_MB = 1.0, 64
TIMES_CALM = 25
"""Or, on a slow machine, as many times as long as the slowest of a hundred wait when nobody does harm."""


@dataclass
class Told:
    """How a post was answered: how long after its last byte, or the byte that made it too large, and how much of it was sent."""

    status: int
    after_s: float
    sent: int


@dataclass
class Others:
    """What everybody else waits meanwhile, in seconds."""

    port: int
    waits: list[float] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    def ask(self) -> None:
        while not self.over.wait(0.02):
            self.ask_once()

    def ask_once(self) -> None:
        began = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=PATIENT_S) as answer:
            assert answer.status == 200
        self.waits.append(time.monotonic() - began)

    @contextmanager
    def asking(self) -> Iterator[None]:
        thread = Thread(target=self.ask)
        thread.start()
        try:
            yield
        finally:
            self.over.set()
            thread.join()


def memory_mb(pid: int) -> float:
    """The most memory that the process has had since this was asked last."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def post(port: int, path: str, pieces: Iterator[bytes] | list[bytes], *headers: str, length: int | None = None) -> Told:
    """Post these pieces, in chunks unless the length is told, until there is an answer."""
    form = "application/json" if path == UPDATES else "application/x-www-form-urlencoded"
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: x",
        f"Content-Type: {form}",
        size,
        f"X-Telegram-Bot-Api-Secret-Token: {WEBHOOK_SECRET}",
        *headers,
    ]
    sent, over_at = 0, 0.0
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENT_S) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            for piece in pieces:
                line.sendall(piece if length is not None else b"%x\r\n%s\r\n" % (len(piece), piece))
                sent += len(piece)
                if sent > LARGEST_FORM and not over_at:
                    over_at = time.monotonic()
                if over_at and _is_answered(line):
                    break
            else:
                line.sendall(b"" if length is not None else b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has hung up on us, with or without an answer
        over_at = over_at or time.monotonic()
        try:
            status = int(line.recv(4096).split()[1])
        except (ConnectionResetError, IndexError):
            status = 0
    return Told(status, time.monotonic() - over_at, sent)


def _is_answered(line: socket.socket) -> bool:
    line.setblocking(False)
    try:
        return bool(line.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        line.settimeout(PATIENT_S)


def zeros(number: int) -> Iterator[bytes]:
    return (b" " * 65536 for _ in range(number // 65536))


DEEP, FIELDS = b"[" * 100_000, "&".join(f"a{number}=1" for number in range(10_000)).encode()
BOMB = gzip.compress(b" " * (30 * MB))
ATTACKS: dict[str, tuple[Callable[[int], Told], set[int]]] = {
    "30 MB of update": (lambda port: post(port, UPDATES, zeros(30 * MB), length=30 * MB), {413}),
    "30 MB of form": (lambda port: post(port, INBOUND, zeros(30 * MB), length=30 * MB), {413}),
    "1 GB in chunks": (lambda port: post(port, UPDATES, zeros(1024 * MB)), {413}),
    "1 GB of form in chunks": (lambda port: post(port, INBOUND, zeros(1024 * MB)), {413}),
    "100,000 deep": (lambda port: post(port, UPDATES, [DEEP], length=len(DEEP)), {200}),
    "10,000 fields": (lambda port: post(port, INBOUND, [FIELDS], length=len(FIELDS)), {403}),
    "a gzip bomb": (lambda port: post(port, UPDATES, [BOMB], "Content-Encoding: gzip", length=len(BOMB)), {200}),
    "a gzip bomb of form": (lambda port: post(port, INBOUND, [BOMB], "Content-Encoding: gzip", length=len(BOMB)), {403}),
}
"""Each with how it may be answered. What is no larger than an update may be is kept as it came, and set aside."""


@pytest.fixture
def installation(tmp_path: Path, bot_api: FakeBotApi) -> Installation:
    made = Installation(
        tmp_path, STEPWISE_CHANNELS="telegram,whatsapp", STEPWISE_TELEGRAM_TOKEN=bot_api.token, STEPWISE_TELEGRAM_API_URL=bot_api.url,
        STEPWISE_TWILIO_ACCOUNT_SID="AC" + "0" * 32, STEPWISE_TWILIO_AUTH_TOKEN="f" * 32, STEPWISE_WHATSAPP_FROM="+447700900000",
        STEPWISE_TWILIO_API_URL="http://127.0.0.1:9", **WEBHOOK,
    )  # fmt: skip
    made.set_up_clinic()
    return made


def dribble(lines: list[socket.socket], over: Event) -> None:
    """One byte of a header on each line, again and again."""
    while not over.wait(0.1):
        for line in lines:
            line.sendall(b"X")


def test_harmful_bodies_are_refused_quickly_in_little_memory_and_nobody_else_waits(installation: Installation) -> None:
    with installation.serving() as process, ExitStack() as opened:
        post(installation.port, UPDATES, [b"{}"], length=2)  # what the first post loads is no harm
        memory_mb(process.pid)
        before, calm, others, over = memory_mb(process.pid), Others(installation.port), Others(installation.port), Event()
        for _ in range(100):
            calm.ask_once()
        slow = [opened.enter_context(socket.create_connection(("127.0.0.1", installation.port))) for _ in range(SLOW)]
        for line in slow:
            line.sendall(b"POST /webhooks/telegram HTTP/1.1\r\nHost: x\r\n")
        dribbling = Thread(target=dribble, args=(slow, over))
        dribbling.start()
        with others.asking():
            told = {name: attack(installation.port) for name, (attack, _) in ATTACKS.items()}
            time.sleep(1)
        over.set()
        dribbling.join()
        more, p99 = memory_mb(process.pid) - before, quantiles(others.waits, n=100)[98]
    within_s = max(WITHIN_S, TIMES_CALM * max(calm.waits))
    answers = {name: (each.status, round(each.after_s, 2), each.sent) for name, each in told.items()}
    sys.stdout.write(
        f"{json.dumps(answers)}; {more:.0f} MB more at most; p99 of {len(others.waits)} others {p99:.2f} s of {within_s:.2f}\n"
    )
    assert {name: each.status for name, each in told.items() if each.status not in ATTACKS[name][1]} == {}
    assert max(each.after_s for each in told.values()) <= within_s
    assert more <= MORE_MB and p99 <= within_s
