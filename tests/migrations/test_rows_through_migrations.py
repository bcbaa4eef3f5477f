"""Every row that a schema can hold goes through every later migration and back; what going back cannot hold is set aside or refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Engine, MetaData, Table, insert, select

from bot_service.storage import migrating
from bot_service.storage.database import open_engine
from tests.databases import Kind
from tests.migrations.test_migrations import WORDS, alembic_config, downgrade, schema_of

Row = dict[str, Any]
Rows = dict[tuple[str, str], Row]
MOVED = {tuple(place.split(".")) for place in WORDS}
"""Columns that 0002 seals; a test of their own says what becomes of their words."""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, empty_database: Callable[[Kind], str]) -> Iterator[Engine]:
    kind: Kind = request.param
    engine = open_engine(empty_database(kind))
    yield engine
    engine.dispose()


def tables_of(connection: Connection) -> list[Table]:
    """The tables that the product reads as they are now, parents first."""
    found = MetaData()
    found.reflect(connection)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # episodes and prescriptions name each other
        return [table for table in found.sorted_tables if table.name != "alembic_version" and not table.name.startswith("aside_")]


def rows_in(connection: Connection, tables: Sequence[Table]) -> Rows:
    """Every row by its table and key."""
    return {
        (table.name, str([row[column.name] for column in table.primary_key])): dict(row)
        for table in tables
        for row in connection.execute(select(table)).mappings()
    }


def fill(connection: Connection, tables: Sequence[Table], numbers: Iterator[int], wanted: Mapping[str, Row] = {}) -> None:
    """One more row in every table, every column of it filled but for those that name a row which is not there yet, or as `wanted`."""
    made: dict[str, dict[str, Any]] = {}
    for table in tables:
        row = {column.name: _value(column, next(numbers)) for column in table.columns}
        for key in table.foreign_key_constraints:
            parent = made.get(key.referred_table.name)
            row |= {own: parent[each.column.name] if parent else None for own, each in zip(key.column_keys, key.elements, strict=True)}
        made[table.name] = {
            name: value for name, value in (row | _WANTED.get(table.name, {}) | wanted.get(table.name, {})).items() if name in table.columns
        }
        if table.name != "installation" or not connection.execute(select(table)).first():
            connection.execute(insert(table).values(made[table.name]))


_WANTED: dict[str, Row] = {
    "installation": {"id": 1},
    "outbox": {"staff_id": None, "status": "sent"},
    "episodes": {"baseline": 2},
    "entries": {"score": 3},
}
"""What the checks of a table ask for."""


def _value(column: Column[Any], number: int) -> object:
    kind = column.type.python_type
    if kind is UUID:
        return UUID(int=number, version=4)
    if kind is str:
        length = getattr(column.type, "length", None) or 40
        return UUID(int=number, version=4).hex if length == 32 else f"{number:x}-words"[:length]
    made: dict[type, object] = {
        bytes: b"sealed %d" % number, int: number, bool: True, float: 0.5, object: {"is": number},
        date: date(2026, 9, 21), datetime: datetime(2026, 9, 21, 9),
    }  # fmt: skip
    return made[kind]


def lost(before: Rows, after: Rows, tables: Sequence[Table]) -> list[str]:
    """What is not as it was, of the tables and columns that are still there."""
    there, found = {table.name for table in tables}, []
    for (table, key), row in before.items():
        now = after.get((table, key))
        if now is None and table in there:
            found.append(f"{table} {key}")
        elif now is not None:
            found += [f"{table}.{name}" for name in row if name in now and now[name] != row[name] and (table, name) not in MOVED]
    return found


def revisions() -> list[str]:
    return [each.revision for each in ScriptDirectory.from_config(alembic_config()).walk_revisions()][::-1]


def test_no_row_of_any_version_is_lost_or_changed_on_the_way_up_or_down(empty: Engine) -> None:
    numbers, before = count(1), Rows()
    for revision in revisions():
        migrating.migrate(empty, revision)
        empty.dispose()  # a connection keeps the plan of what it ran often, which a change of columns makes useless
        with empty.begin() as connection:
            tables = tables_of(connection)
            assert lost(before, rows_in(connection, tables), tables) == [], f"by the way up to {revision}"
            fill(connection, tables, numbers)
            before = rows_in(connection, tables)
    downgrade(empty, "0001")
    empty.dispose()
    with empty.begin() as connection:
        tables = tables_of(connection)
        assert lost(before, rows_in(connection, tables), tables) == []


def filled(engine: Engine, *kinds: Mapping[str, Row]) -> Rows:
    """The rows after one of each kind was put in."""
    with engine.begin() as connection:
        tables, numbers = tables_of(connection), count(1)
        for wanted in kinds:
            fill(connection, tables, numbers, wanted)
        return rows_in(connection, tables)


def rows_now(engine: Engine) -> Rows:
    with engine.begin() as connection:
        return rows_in(connection, tables_of(connection))


FIRST: Row = {"place": 0}
"""Going back before 0020 forgets the places of answers that wait."""
TOLD: dict[str, Row] = {"outcomes": {"staff_id": None}, "outbox": FIRST}
NAMED: dict[str, Row] = {"outcomes": {"staff_id": None, "value": None}, "outbox": FIRST}
IN_FORCE: dict[str, Row] = {"prescriptions": {"undone_at": None}, "episodes": {"measures_off_at": None, "baseline": 2}, "outbox": FIRST}


def test_what_an_older_version_cannot_hold_is_there_again_when_the_database_comes_up_again(empty: Engine) -> None:
    migrating.migrate(empty)
    before, schema = filled(empty, TOLD, NAMED, IN_FORCE), schema_of(empty)
    downgrade(empty, "0014")
    migrating.migrate(empty)
    assert rows_now(empty) == before and schema_of(empty) == schema


def test_answers_of_one_moment_that_wait_during_an_upgrade_keep_their_order(empty: Engine) -> None:
    migrating.migrate(empty, "0019")
    line = [datetime(2026, 9, 21, 15, 0, 0, number) for number in (2, 0, 1)]
    filled(empty, *({"outbox": {"status": "due", "lane": "now", "staff_id": None, "expires_at": at}} for at in line))
    whose = "clinic_id, patient_id, episode_id"
    with empty.begin() as connection:
        connection.exec_driver_sql(f"update outbox set ({whose}) = (select {whose} from outbox order by id limit 1)")
    migrating.migrate(empty)
    places = {row["expires_at"].microsecond: row["place"] for (table, _), row in rows_now(empty).items() if table == "outbox"}
    assert places == {0: 0, 1: 1, 2: 2}


MESSAGES = {"digest": "due", "weekly": "claimed", "staff_answer": "in_doubt", "flag_notice": "due", "prompt": "claimed"}


@pytest.mark.parametrize(("start", "end", "why"), [("0015", "0016", "an upgrade"), ("0018", "0015", "going back a version")])
def test_what_one_version_sealed_for_staff_the_other_does_not_send(empty: Engine, start: str, end: str, why: str) -> None:
    migrating.migrate(empty, start)
    filled(empty, *({"outbox": {"kind": kind, "status": status, "staff_id": None}} for kind, status in MESSAGES.items()))
    (migrating.migrate if end > start else downgrade)(empty, end)
    found = {row["kind"]: (row["status"], row["reason"]) for (table, _), row in rows_now(empty).items() if table == "outbox"}
    assert {kind for kind, (status, _) in found.items() if status == "cancelled"} == {"digest", "weekly", "staff_answer"}
    assert {reason for status, reason in found.values() if status == "cancelled"} == {f"put together before {why}"}
