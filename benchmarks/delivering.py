"""How fast due prompts are planned and sent through the simulator, beside bare sqlite3 doing the durable writes they need.

python -m benchmarks.delivering [--patients N] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import tempfile
from datetime import UTC, datetime, time
from pathlib import Path
from time import perf_counter
from typing import Any

from bot_service.actions.enrol import Enrolment, enrol
from bot_service.app import Service
from bot_service.channels.simulator import Simulator
from bot_service.clock import MovableClock
from bot_service.messages import Outbound
from bot_service.settings import load_settings
from bot_service.storage import clinics, migrating, staff
from bot_service.storage.database import open_database, open_engine
from plans.loading import load_library

START = datetime(2026, 9, 21, 9, tzinfo=UTC)
DUE = datetime(2026, 9, 22, 7, tzinfo=UTC)
"""Eight in the morning in London, when everybody's prompt falls due."""
WRITES = 4
"""Durable commits that one message needs at least: planned, claimed, sending, sent."""


def measure(patients: int = 300) -> dict[str, Any]:
    """Messages a second through the whole service and through the bare driver, both with synchronous=FULL, and their ratio."""
    with tempfile.TemporaryDirectory(prefix="stepwise-bench-") as folder:
        ours = asyncio.run(_through_the_service(Path(folder), patients))
        bare = _through_the_driver(Path(folder) / "bare.db", patients)
    return {"messages": patients, "service_per_s": round(ours, 1), "bare_sqlite3_per_s": round(bare, 1), "ratio": round(ours / bare, 3)}


async def _through_the_service(folder: Path, patients: int) -> float:
    url = f"sqlite:///{folder / 'service.db'}"
    engine = open_engine(url)
    migrating.migrate(engine)
    engine.dispose()
    db = open_database(url, ["a key for a benchmark that is thrown away at the end"])
    clock = MovableClock()
    clock.freeze(START)
    arrived: list[str] = []
    service = Service(load_settings(channels=("simulator",)), db, load_library(), clock, in_threads=False)
    sender = _clinic_with_patients(service, arrived, patients)
    for number, code in enumerate(sender[1]):
        for what in ({"text": "/start", "code": code}, {"text": "yes"}, {"text": "2"}):
            await service.hear(sender[0], {"id": f"{number}-{what['text']}", "address": f"sim:{number}", "kind": "text", **what})
            await service.tick()
    clock.move_to(DUE)
    before, began = len(arrived), perf_counter()
    await service.tick()
    seconds = perf_counter() - began
    db.close()
    assert len(arrived) - before == patients, "everybody gets one prompt"
    return patients / seconds


def _clinic_with_patients(service: Service, arrived: list[str], patients: int) -> tuple[Any, list[str]]:
    service.register_plans()
    with service.db.begin() as tx:
        clinic = clinics.add_clinic(tx, START, "bench", "Bench", "Europe/London")
        physio = staff.add(tx, START, clinic.id, "a@bench.example", "Anna", "physio")

    def arrive(provider_id: str, _outbound: Outbound) -> None:
        arrived.append(provider_id)

    sender = service.add_channel(clinic.id, "simulator", Simulator(lambda: service.db.new_id().hex, arrive), None)
    plan = next(iter(service.library.values()))
    answers = {question.id: question.must_be for question in plan.eligibility}
    given = Enrolment("Jo Park", "Europe/London", at=time(8), answers=answers)
    return sender.id, [enrol(service.db, plan, physio, given, START).code for _ in range(patients)]


def _through_the_driver(file: Path, messages: int) -> float:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")
    connection.execute("create table outbox (id integer primary key, status text, body text)")
    began = perf_counter()
    for number in range(messages):
        connection.execute("insert into outbox values (?, 'due', ?)", (number, "x" * 600))
        for status in ("claimed", "sending", "sent"):
            connection.execute("begin immediate")
            connection.execute("update outbox set status = ? where id = ?", (status, number))
            connection.execute("commit")
    seconds = perf_counter() - began
    connection.close()
    return messages / seconds


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--patients", type=int, default=300)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    result = measure(given.patients)
    print(json.dumps(result) if given.json else table(result))


def table(result: dict[str, Any]) -> str:
    """The result in one line."""
    return (
        f"{result['messages']} prompts due at once: {result['service_per_s']}/s through the service, "
        f"{result['bare_sqlite3_per_s']}/s for {WRITES} bare durable commits each (ratio {result['ratio']})"
    )


if __name__ == "__main__":
    main()
