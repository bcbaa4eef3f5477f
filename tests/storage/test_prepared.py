"""Statements that are compiled once give what SQLAlchemy gives: the same rows, the same errors, on both kinds of database."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Select, bindparam, select, text
from sqlalchemy.exc import IntegrityError, MultipleResultsFound, NoResultFound, OperationalError, StatementError

from bot_service.storage import clinics, episodes, outbox
from bot_service.storage.database import Database
from bot_service.storage.prepared import padded
from bot_service.storage.tables import clinics as clinic_table
from bot_service.storage.tables import outbox as outbox_table
from bot_service.storage.tables import patients as patient_table
from tests.databases import Kind
from tests.patience import PATIENT_S
from tests.running_clinic import open_quickly
from tests.storage.rows import NOW, a_clinic, a_message, a_patient

OF_SLUGS = select(clinic_table.c.slug).where(clinic_table.c.slug.in_(bindparam("slugs", expanding=True))).order_by(clinic_table.c.slug)
INSERT = clinic_table.insert()
ALL = select(clinic_table)


def _values(**other: object) -> dict[str, object]:
    return {"id": uuid4(), "slug": "one", "name": "One", "zone": "Europe/London", "settings": {"a": [1]}, "created_at": NOW} | other


@pytest.mark.parametrize("table", [clinic_table, patient_table, outbox_table])
def test_rows_are_those_that_sqlalchemy_gives(db: Database, table: object) -> None:
    with db.begin() as tx:
        clinic = a_clinic(tx)
        a_message(tx, a_patient(tx, clinic), clinic.sender_id, "one")
        query = select(table)  # type: ignore[call-overload]  # one of the three tables
        prepared, plain = tx.one(query, {}), tx.one(query)
        assert prepared == plain
        assert dict(prepared._mapping) == dict(plain._mapping)


def test_a_list_may_have_any_length(db: Database) -> None:
    with db.begin() as tx:
        for slug in ("one", "two", "three"):
            clinics.add_clinic(tx, NOW, slug, slug, "Europe/London")
        for slugs in (["one"], ["one", "two"], [], ["three", "none", "two"]):
            assert [row.slug for row in tx.all(OF_SLUGS, {"slugs": slugs})] == sorted({"one", "two", "three"} & set(slugs))


def test_one_row_is_exactly_one(db: Database) -> None:
    with db.begin() as tx:
        with pytest.raises(NoResultFound):
            tx.one(ALL, {})
        tx.run(INSERT, _values())
        tx.run(INSERT, _values(slug="two"))
        with pytest.raises(MultipleResultsFound):
            tx.one(ALL, {})


def test_a_collision_leaves_the_transaction_usable(db: Database) -> None:
    with db.begin() as tx:
        assert tx.attempt(INSERT, _values())
        assert not tx.attempt(INSERT, _values())
        assert tx.attempt(INSERT, _values(slug="two"))
    with db.read() as tx:
        assert len(tx.all(ALL, {})) == 2


def test_a_piece_that_fails_is_undone_alone(db: Database) -> None:
    def fails() -> None:
        tx.run(INSERT, _values(slug="two"))
        tx.attempt(INSERT, _values(zone=None))

    with db.begin() as tx:
        tx.run(INSERT, _values())
        assert not tx.shielded(fails)
        assert tx.shielded(lambda: tx.run(INSERT, _values(slug="three")))
    with db.read() as tx:
        assert {row.slug for row in tx.all(ALL, {})} == {"one", "three"}


def test_a_broken_rule_is_told_without_the_values(db: Database) -> None:
    taken = uuid4()
    with db.begin() as tx:
        tx.run(INSERT, _values(id=taken))
    with pytest.raises(IntegrityError) as raised, db.begin() as tx:
        tx.run(INSERT, _values(id=taken, slug="Marigold"))
    assert "Marigold" not in str(raised.value)


def test_an_instant_without_zone_is_refused(db: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), db.begin() as tx:
        tx.run(INSERT, _values(created_at=datetime(2026, 9, 21, 9)))


def test_constants_stand_in_the_text_so_that_partial_indexes_are_used(sqlite_db: Database) -> None:
    """SQLite looks at a parameter's value only by planning the statement anew each time, which took longer than everything else."""
    with sqlite_db.begin() as tx:
        prepared = sqlite_db.prepare(episodes._NEXT_EVENTS, {})
        assert "= 'active'" in prepared.sql
        plan = tx.connection.exec_driver_sql("explain query plan " + prepared.sql, (0, 0)).all()
        assert sum("USING INDEX ix_episodes_next" in row[-1] for row in plan) == 2


def test_a_lost_connection_is_given_up_and_the_next_transaction_works(fresh_database: Callable[[Kind], str]) -> None:
    db = open_quickly(fresh_database("postgresql"))
    try:
        with db.begin() as other:
            theirs = db.engine.connect()
            backend = theirs.exec_driver_sql("select pg_backend_pid()").scalar()
            other.run(text(f"select pg_terminate_backend({backend})"))
        with pytest.raises(OperationalError):
            db.prepare(outbox._NEXT_DUE, {}).run(theirs, theirs.connection.cursor(), {})
        assert theirs.invalidated
        theirs.close()
        with db.read() as tx:
            assert outbox.next_due_at(tx) is None
    finally:
        db.close()


def test_threads_that_learn_a_statement_at_once_all_read_it_rightly(sqlite_db: Database) -> None:
    """Each publishes what it has learnt as a whole: half of it, or twice, would spoil the statement until the next start."""
    with sqlite_db.begin() as tx:
        clinics.add_clinic(tx, NOW, "riverside", "Riverside", "Europe/London")
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(60):
            query, both = select(clinic_table), threading.Barrier(4, timeout=PATIENT_S)
            sqlite_db.prepare(query, {})

            def look(query: Select[Any] = query, both: threading.Barrier = both) -> int:
                with sqlite_db.read() as tx:
                    both.wait()
                    return len(tx.all(query, {}))

            with ThreadPoolExecutor(4) as four:
                assert [each.result() for each in [four.submit(look) for _ in range(4)]] == [1] * 4
            assert look(both=threading.Barrier(1)) == 1
    finally:
        sys.setswitchinterval(0.005)


@pytest.mark.parametrize(("number", "length"), [(0, 1), (1, 1), (2, 2), (3, 4), (8, 8), (9, 16), (500, 512)])
def test_a_list_is_filled_up_to_one_of_few_lengths_and_means_the_same(number: int, length: int) -> None:
    ids = [uuid4() for _ in range(number)]
    filled = padded(ids)
    assert len(filled) == length and filled[:number] == ids
    assert set(filled) - set(ids) <= {UUID(int=0)}
