"""What the service asks the database does not get slower with everybody else's history: no statement reads a table from end to end."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from bot_service.app import Service
from bot_service.clock import MovableClock
from bot_service.sample.demo import run_demo
from bot_service.settings import load_settings
from bot_service.storage import migrating
from bot_service.storage.database import Database, open_engine
from plans.loading import load_library

DAYS = 21
FEW = ("senders", "clinics", "staff", "installation", "plans", "alembic_version")
"""Tables whose rows are as many as a clinic's numbers and colleagues, not as its patients' days."""
_LITERAL = re.compile(r"'[^']*'|\b[0-9][0-9.]*\b")


def scans(plan: list[str], statement: str) -> list[str]:
    """The steps of SQLite's plan that read a whole table. A partial index holds only what waits; the last row of a list is one row."""
    ends_at_once = " LIMIT " in statement and " WHERE " not in statement
    whole = re.compile(r"SCAN (?!CONSTANT)(\w+)\b(?! USING)")
    found = [match.group(1) for step in plan if (match := whole.match(step))]
    return [] if ends_at_once else [table for table in found if table not in FEW]


def test_no_statement_of_a_running_clinic_reads_a_table_from_end_to_end(tmp_path: Path) -> None:
    asked: dict[str, str] = {}
    times: Counter[str] = Counter()

    def note(sql: str) -> None:
        times[kind := _LITERAL.sub("?", sql)] += 1
        asked.setdefault(kind, sql)

    def make(db: Database, clock: MovableClock) -> Service:
        @event.listens_for(db.engine, "begin")
        def listen(connection: Connection) -> None:
            driver: Any = connection.connection.dbapi_connection
            driver.set_trace_callback(note)

        return Service(load_settings(), db, load_library(), clock, in_threads=False)

    run_demo(make, weeks=DAYS // 7, patients=6, seed=11)
    engine = open_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    migrating.migrate(engine)
    engine.dispose()
    empty = sqlite3.connect(tmp_path / "empty.db")
    often = [sql for kind, sql in asked.items() if times[kind] >= DAYS]  # not the sums that the demo prints at its end
    statements = [sql for sql in often if sql.startswith(("SELECT", "UPDATE", "DELETE", "WITH"))]
    try:
        plans = {sql: [row[3] for row in empty.execute(f"EXPLAIN QUERY PLAN {sql}")] for sql in statements}
    finally:
        empty.close()
    assert len(plans) > 60, "the clinic asked for next to nothing: this saw no service at work"
    assert {sql: found for sql, plan in plans.items() if (found := scans(plan, sql))} == {}
