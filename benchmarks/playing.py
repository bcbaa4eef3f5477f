"""What a patient-day costs in processor time, played as in the demo, beside bare sqlite3 committing its messages and replies.

python -m benchmarks.playing [--weeks N] [--patients N] [--json]
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
from pathlib import Path
from time import process_time
from typing import Any

from bot_service.app import Service
from bot_service.clock import MovableClock
from bot_service.logs import set_up_logs
from bot_service.sample.demo import run_demo
from bot_service.settings import load_settings
from bot_service.storage.database import Database
from plans.loading import load_library

MESSAGE = ("claimed", "sending", "sent")
REPLY = ("handled",)
"""The commits after the first that each needs at least; a prompt is one message, and every reply is answered by another."""

REPEATED = 20
"""So that the baseline takes long enough to be measured."""


def measure(weeks: int = 4, patients: int = 15) -> dict[str, Any]:
    """Milliseconds of processor time for each patient-day through the service and through the bare driver, and their ratio."""
    settings, library = load_settings(channels=("simulator",)), load_library()
    set_up_logs(settings.log_format, quiet=True)

    def make_service(db: Database, clock: MovableClock) -> Service:
        return Service(settings, db, library, clock, in_threads=False)

    run_demo(make_service, weeks=1, patients=1)  # reads the catalogues and word lists, once for all patients
    began = process_time()
    played = run_demo(make_service, weeks=weeks, patients=patients).as_object()
    ours = process_time() - began
    replies = sum(played["replies"].values())
    bare = _through_the_driver(REPEATED * (played["prompts"]["sent"] + replies), REPEATED * replies) / REPEATED
    days = weeks * 7 * patients
    found = {"service_ms": round(1000 * ours / days, 2), "bare_sqlite3_ms": round(1000 * bare / days, 3), "ratio": round(ours / bare, 1)}
    return {"patient_days": days, **found}


def _through_the_driver(messages: int, replies: int) -> float:
    """Seconds for the same commits by themselves, with the demo's `synchronous=OFF`."""
    with tempfile.TemporaryDirectory(prefix="stepwise-bench-") as folder:
        connection = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=off")
        connection.execute("create table rows (id integer primary key, status text, body text)")
        began = process_time()
        for number in range(messages + replies):
            connection.execute("insert into rows values (?, 'due', ?)", (number, "x" * 600))
            for status in MESSAGE if number < messages else REPLY:
                connection.execute("begin immediate")
                connection.execute("update rows set status = ? where id = ?", (status, number))
                connection.execute("commit")
        seconds = process_time() - began
        connection.close()
    return seconds


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--weeks", type=int, default=4)
    options.add_argument("--patients", type=int, default=15)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    result = measure(given.weeks, given.patients)
    print(json.dumps(result) if given.json else table(result))


def table(result: dict[str, Any]) -> str:
    """The result in one line."""
    return (
        f"{result['patient_days']} patient-days played: {result['service_ms']} ms each through the service, "
        f"{result['bare_sqlite3_ms']} ms for the bare commits of its messages and replies (ratio {result['ratio']})"
    )


if __name__ == "__main__":
    main()
