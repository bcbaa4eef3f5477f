"""The audit trail: any row that is changed, taken out, put in or moved is noticed, the last one too."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select, update

from bot_service.storage import audit
from bot_service.storage.database import Database, Tx
from bot_service.storage.tables import audit as trail
from tests.kept_database import KeptDatabase
from tests.running_clinic import open_quickly
from tests.storage.rows import HOUR, NOW

ROWS = 6


@pytest.fixture
def filled(db: Database) -> Database:
    with db.begin() as tx:
        for number in range(ROWS):
            fill(tx, number)
    return db


def fill(tx: Tx, number: int) -> None:
    ids = {"clinic_id": tx.new_id(), "subject_id": tx.new_id()}
    audit.record(tx, NOW + number * HOUR, f"user{number}", "approved", detail={"stage": f"s{number}", "was": None}, **ids)


def first_wrong(db: Database) -> int | None:
    with db.read() as tx:
        return audit.verify(tx)


def test_an_untouched_trail_is_whole(filled: Database) -> None:
    assert first_wrong(filled) is None


def test_an_empty_trail_is_whole(db: Database) -> None:
    assert first_wrong(db) is None


CHANGES: dict[str, Callable[[Tx], Any]] = {
    "at": lambda _tx: NOW - HOUR,
    "who": lambda _tx: "somebody else",
    "what": lambda _tx: "held",
    "clinic_id": lambda tx: tx.new_id(),
    "subject_id": lambda tx: tx.new_id(),
    "detail": lambda _tx: {"stage": "another"},
    "hash": lambda _tx: bytes(32),
}


@pytest.mark.parametrize("row", [1, 3, ROWS])
@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_value_is_noticed(filled: Database, column: str, row: int) -> None:
    with filled.begin() as tx:
        tx.run(update(trail).where(trail.c.seq == row).values({column: CHANGES[column](tx)}))
    assert first_wrong(filled) == row


@pytest.mark.parametrize("row", range(1, ROWS + 1))
def test_a_row_taken_out_is_noticed(filled: Database, row: int) -> None:
    with filled.begin() as tx:
        tx.run(trail.delete().where(trail.c.seq == row))
    assert first_wrong(filled) == (row if row == ROWS else row + 1)


def test_a_trail_cut_short_or_emptied_is_noticed(filled: Database) -> None:
    with filled.begin() as tx:
        tx.run(trail.delete().where(trail.c.seq > 2))
    assert first_wrong(filled) == 3
    with filled.begin() as tx:
        tx.run(trail.delete())
    assert first_wrong(filled) == 1


def test_a_row_taken_out_with_the_rest_moved_up_is_noticed(filled: Database) -> None:
    with filled.begin() as tx:
        tx.run(trail.delete().where(trail.c.seq == 3))
        for seq in range(4, ROWS + 1):
            tx.run(update(trail).where(trail.c.seq == seq).values(seq=seq - 1))
    assert first_wrong(filled) == 3


@pytest.mark.parametrize("seq", [0, ROWS + 1])
def test_a_row_put_in_at_either_end_is_noticed(filled: Database, seq: int) -> None:
    with filled.begin() as tx:
        copied = tx.one(select(trail).where(trail.c.seq == 2))._mapping
        tx.run(trail.insert().values({**copied, "seq": seq}))
    assert first_wrong(filled) == seq


def test_two_rows_that_changed_places_are_noticed(filled: Database) -> None:
    with filled.begin() as tx:
        for old, new in ((2, 100), (4, 2), (100, 4)):
            tx.run(update(trail).where(trail.c.seq == old).values(seq=new))
    assert first_wrong(filled) == 2


def test_a_row_from_another_history_of_the_same_trail_is_noticed(filled: Database) -> None:
    """After a restore the same numbers are given again; a row of the old history is genuine, and still does not belong."""
    with filled.begin() as tx:
        old = tx.one(select(trail).where(trail.c.seq == 3))._mapping
        tx.run(trail.delete().where(trail.c.seq >= 3))
        for number in range(10, 14):
            fill(tx, number)
        assert audit.verify(tx) is None
        tx.run(trail.delete().where(trail.c.seq == 3))
        tx.run(trail.insert().values(dict(old)))
    assert first_wrong(filled) == 4


def test_the_trail_goes_on_after_what_is_there(filled: Database) -> None:
    with filled.begin() as tx:
        fill(tx, ROWS)
    assert first_wrong(filled) is None


def test_a_transaction_that_fails_leaves_no_trace_and_no_gap(filled: Database) -> None:
    class Deliberate(Exception):
        pass

    def half_of_it() -> None:
        with filled.begin() as tx:
            fill(tx, 90)
            raise Deliberate

    with pytest.raises(Deliberate):
        half_of_it()
    with filled.begin() as tx:
        fill(tx, 91)
    assert first_wrong(filled) is None


def test_two_writers_on_postgresql_make_one_chain(kept_postgres: KeptDatabase) -> None:
    db = open_quickly(kept_postgres.emptied())

    def write(worker: int) -> None:
        for number in range(20):
            with db.begin() as tx:
                fill(tx, worker * 100 + number)

    threads = [Thread(target=write, args=(worker,)) for worker in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first_wrong(db) is None
    with db.read() as tx:
        assert len(tx.all(select(trail.c.seq))) == 60
    db.close()
