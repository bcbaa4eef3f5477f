"""Transactions, the SQLite settings that crash safety rests on, and inserts that may collide."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from bot_service.errors import SettingsError
from bot_service.storage import clinics
from bot_service.storage.database import Database, open_database, open_engine
from bot_service.storage.tables import clinics as clinic_table
from bot_service.storage.tables import inbox as inbox_table
from tests.databases import Kind
from tests.running_clinic import SECRET
from tests.storage.rows import NOW, a_clinic


class Deliberate(Exception):
    """Breaks a transaction."""


def test_a_transaction_happens_whole_or_not_at_all(db: Database) -> None:
    def half_of_it() -> None:
        with db.begin() as tx:
            clinics.add_clinic(tx, NOW, "one", "One", "Europe/London")
            clinics.add_clinic(tx, NOW, "two", "Two", "Europe/London")
            raise Deliberate

    with pytest.raises(Deliberate):
        half_of_it()
    with db.read() as tx:
        assert clinics.list_clinics(tx) == []


def test_a_collision_leaves_the_transaction_usable(db: Database) -> None:
    with db.begin() as tx:
        row = {"id": tx.new_id(), "slug": "one", "name": "One", "zone": "Europe/London", "settings": {}, "created_at": NOW}
        assert tx.attempt(clinic_table.insert().values(row))
        assert not tx.attempt(clinic_table.insert().values(row | {"id": tx.new_id()}))
        assert not tx.attempt(clinic_table.insert().values(row | {"slug": "same primary key"}))
        assert tx.attempt(clinic_table.insert().values(row | {"id": tx.new_id(), "slug": "two"}))
    with db.read() as tx:
        assert [clinic.slug for clinic in clinics.list_clinics(tx)] == ["one", "two"]


def test_a_row_that_names_what_does_not_exist_is_no_repetition(db: Database) -> None:
    """It used to count as one: an update for an unknown sender was acknowledged and lost."""
    values = {"id": uuid4(), "sender_id": uuid4(), "provider_hash": bytes(32), "received_at": NOW, "status": "received"}
    with pytest.raises(IntegrityError), db.begin() as tx:
        tx.attempt(inbox_table.insert().values(values))


def test_a_row_without_a_required_value_is_no_repetition(db: Database) -> None:
    with pytest.raises(IntegrityError), db.begin() as tx:
        tx.attempt(clinic_table.insert().values(id=tx.new_id(), slug="one", name="One", settings={}, created_at=NOW))


def test_an_instant_without_zone_is_refused(db: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), db.begin() as tx:
        clinics.add_clinic(tx, datetime(2026, 9, 21, 9), "one", "One", "Europe/London")


def test_instants_come_back_in_utc_with_their_microseconds(db: Database) -> None:
    at = NOW.replace(microsecond=123456)
    with db.begin() as tx:
        clinics.add_clinic(tx, at, "one", "One", "Europe/London")
    with db.read() as tx:
        assert tx.scalar(select(clinic_table.c.created_at)) == at


def test_errors_do_not_carry_the_values_of_the_statement(db: Database) -> None:
    with db.begin() as tx:
        clinic = a_clinic(tx)
    values = {"id": clinic.id, "slug": "Marigold", "name": "Marigold", "zone": "x", "settings": {}, "created_at": NOW}
    with pytest.raises(IntegrityError) as raised, db.begin() as tx:
        tx.run(clinic_table.insert().values(values))
    assert "Marigold" not in str(raised.value)


@pytest.mark.parametrize("url", ["sqlite://", "mysql://x/y", "postgresql://x/y", "postgresql+psycopg2://x/y"])
def test_only_a_file_or_psycopg_will_do(url: str) -> None:
    with pytest.raises(SettingsError, match="STEPWISE_DATABASE_URL"):
        open_engine(url)


class TestSqlite:
    def test_the_settings_that_crash_safety_rests_on_are_in_force(self, fresh_database: Callable[[Kind], str]) -> None:
        db = open_database(fresh_database("sqlite"), [SECRET])
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 30_000}
        for _ in range(2):  # every new connection, not only the first
            with db.begin() as tx:
                found = {name: tx.connection.exec_driver_sql(f"pragma {name}").scalar() for name in wanted}
            assert found == wanted
            db.engine.dispose()

    def test_a_transaction_takes_the_write_lock_at_once(self, sqlite_db: Database) -> None:
        """A deferred one would fail in the middle, after it has read."""
        other = sqlite3.connect(str(sqlite_db.engine.url.database), timeout=0.05, isolation_level=None)
        with sqlite_db.begin(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("begin immediate")
        other.close()

    def test_a_read_takes_no_write_lock_and_sees_one_moment(self, sqlite_db: Database) -> None:
        with sqlite_db.read() as looking:
            assert clinics.list_clinics(looking) == []
            with sqlite_db.begin() as tx:
                clinics.add_clinic(tx, NOW, "one", "One", "Europe/London")
            assert clinics.list_clinics(looking) == []

    def test_a_read_cannot_go_on_to_write_over_what_changed(self, sqlite_db: Database) -> None:
        with sqlite_db.read() as looking:
            clinics.list_clinics(looking)
            with sqlite_db.begin() as tx:
                clinics.add_clinic(tx, NOW, "one", "One", "Europe/London")
            with pytest.raises(OperationalError):
                clinics.add_clinic(looking, NOW, "two", "Two", "Europe/London")

    def test_many_writers_wait_for_one_another_and_none_fails(self, sqlite_db: Database) -> None:
        failed: list[Exception] = []

        def write(worker: int) -> None:
            try:
                for number in range(25):
                    with sqlite_db.begin() as tx:
                        before = len(clinics.list_clinics(tx))
                        clinics.add_clinic(tx, NOW, f"c{worker}-{number}", str(before), "Europe/London")
            except Exception as error:  # noqa: BLE001  # whatever it is, the test shows it
                failed.append(error)

        threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        with sqlite_db.read() as tx:
            assert sorted(int(clinic.name) for clinic in clinics.list_clinics(tx)) == list(range(100))

    def test_the_folder_of_the_file_is_made(self, tmp_path: Path) -> None:
        engine = open_engine(f"sqlite:///{tmp_path}/with spaces/and more/x.db")
        with engine.connect() as connection:
            assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
        engine.dispose()
