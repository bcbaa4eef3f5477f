"""How long the caseload of a clinic of 10,000 takes over HTTP, beside `GET /healthz` of the same process, on SQLite and PostgreSQL.

python -m benchmarks.listing [--patients N] [--rounds N] [--kind sqlite|postgresql] [--json]
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from urllib.parse import quote

import psycopg
import uvicorn
from sqlalchemy.engine import make_url

from benchmarks.big_clinic import BigClinic, add_big_clinic
from bot_service.app import Service
from bot_service.clock import MovableClock, real_now
from bot_service.settings import load_settings
from bot_service.storage import clinics, migrating, staff
from bot_service.storage.database import open_database, open_engine
from bot_service.web.site import build_site
from plans.loading import load_library
from tests.postgres import running_postgres

KINDS = ("sqlite", "postgresql")
NOW = datetime(2026, 10, 21, 9, 30, tzinfo=UTC)
SECRET = "a key for a benchmark that is thrown away at the end"
Json = dict[str, Any]


def measure(patients: int = 10_000, rounds: int = 15, kinds: tuple[str, ...] = KINDS) -> list[Json]:
    """Milliseconds for each page, the median of rounds in which the pages and the bare answer take turns; `x` is their ratio."""
    rows: list[Json] = []
    for kind in kinds:
        with _database(kind) as url:
            pages = _pages(_fill(url, patients))
            with _served(url) as (connection, cookie):
                rows += [{"database": kind, "patients": patients, **row} for row in _turns(connection, cookie, pages, rounds)]
    return rows


def _pages(big: BigClinic) -> Mapping[str, str]:
    """What is asked for: name to address."""
    return {
        "bare": "/healthz",
        "first page": "/",
        "the team, page 1": "/?whose=team",
        "the team, page 100": "/?whose=team&page=100",
        "needs somebody": "/?whose=team&show=needs",
        "review due": "/?whose=team&show=review",
        "on track, page 50": "/?whose=team&show=track&page=50",
        "ended too, last page": "/?whose=all&page=200",
        "one stage": "/?whose=team&stage=early",
        "one physio": f"/?whose=team&physio={big.physio.id}",
        "one side": "/?whose=team&side=left",
        "one channel": "/?whose=team&channel=whatsapp",
        "not sent by us": "/?whose=team&unsent=week",
        "a name": "/?whose=team&q=" + quote("priya kow"),
        "one letter": "/?whose=team&q=a",
        "a reference": f"/?whose=team&q={big.refs[len(big.refs) // 2]}",
        "nobody": "/?whose=team&q=xyzzy",
    }


def _turns(connection: http.client.HTTPConnection, cookie: str, pages: Mapping[str, str], rounds: int) -> list[Json]:
    taken: dict[str, list[float]] = {name: [] for name in pages}
    for number in range(rounds + 1):
        for name, path in pages.items():
            began = perf_counter()
            connection.request("GET", path, headers={"Cookie": cookie})
            answer = connection.getresponse()
            body = answer.read()
            if number:  # what the first round fills is not counted
                taken[name].append((perf_counter() - began) * 1000)
            assert (answer.status, name == "bare" or b"Caseload" in body) == (200, True), name
    bare = median(taken.pop("bare"))
    return [
        {
            "page": name,
            "ms": round(median(each), 1),
            "worst_ms": round(max(each), 1),
            "bare_ms": round(bare, 2),
            "x": round(median(each) / bare, 1),
        }
        for name, each in taken.items()
    ]


def _open(url: str) -> Service:
    clock = MovableClock()
    clock.freeze(NOW)
    db = open_database(url, [SECRET], synchronous="OFF")
    return Service(load_settings(channels=("simulator",), secret_key=SECRET), db, load_library(), clock, in_threads=False)


def _fill(url: str, patients: int) -> BigClinic:
    engine = open_engine(url)
    migrating.migrate(engine)
    engine.dispose()
    service = _open(url)
    big = add_big_clinic(service, NOW, patients)
    service.db.close()
    return big


@contextmanager
def _database(kind: str) -> Iterator[str]:
    """The URL of an empty database, gone afterwards."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="stepwise-bench-") as folder:
            yield f"sqlite:///{Path(folder) / 'clinic.db'}"
        return
    with running_postgres() as server:
        at = make_url(server)
        plain = at.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("create database big_clinic")
            yield at.set(database="big_clinic").render_as_string(hide_password=False)
            connection.execute("drop database big_clinic with (force)")


@contextmanager
def _served(url: str) -> Iterator[tuple[http.client.HTTPConnection, str]]:
    """The service in a process of its own, and a connection with somebody's sign-in."""
    service = _open(url)
    with service.db.begin() as tx:
        physio = staff.list_of_clinic(tx, clinics.only_clinic(tx).id)[0]
        cookie = staff.use_link(tx, real_now(), staff.add_link(tx, real_now(), physio.id))
    service.db.close()
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.listing", "--serve", url, "--socket", str(listening.fileno())]
    with subprocess.Popen(command, pass_fds=[listening.fileno()]) as process:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            yield connection, f"stepwise={cookie}"
        finally:
            connection.close()
            listening.close()
            process.terminate()


def _serve(url: str, descriptor: int) -> None:
    # As a socket and not by number: uvicorn would take a number for a Unix socket, and small answers would wait 40 ms for Nagle.
    listening = socket.socket(fileno=descriptor)
    uvicorn.Server(uvicorn.Config(build_site(_open(url)), log_config=None, access_log=False, lifespan="off")).run(sockets=[listening])


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--patients", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--kind", choices=KINDS)
    options.add_argument("--json", action="store_true")
    options.add_argument("--serve", help=argparse.SUPPRESS)
    options.add_argument("--socket", type=int, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.serve:
        _serve(given.serve, given.socket)
        return
    rows = measure(given.patients, given.rounds, (given.kind,) if given.kind else KINDS)
    print(json.dumps(rows) if given.json else table(rows))


def table(rows: list[Json]) -> str:
    """The rows as Markdown."""
    heads = ("database", "patients", "page", "ms", "worst", "bare /healthz: ms", "× bare")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row.values()) + " |" for row in rows)])


if __name__ == "__main__":
    main()
