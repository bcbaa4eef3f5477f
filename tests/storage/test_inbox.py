"""The inbox: stored once for ever, handled one at a time per address, set aside after three failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from bot_service.messages import Inbound
from bot_service.storage import inbox
from bot_service.storage import tables as t
from bot_service.storage.database import Database, Tx
from bot_service.storage.inbox import Received
from tests.databases import Kind
from tests.kept_database import KeptDatabase
from tests.running_clinic import open_quickly
from tests.storage.rows import NOW, ClinicRows, a_clinic, a_patient, impatient

YEARS = timedelta(days=3650)


def said(number: int, address: str = "sim:P001", text: str = "3") -> Inbound:
    return Inbound(provider_id=f"u{number}", address=address, heard="text", text=text, message_id=f"m{number}")


def store(tx: Tx, clinic: ClinicRows, number: int, address: str = "sim:P001", after: int | None = None) -> bool:
    at = NOW + timedelta(seconds=number if after is None else after)
    return inbox.store(tx, at, clinic.sender_id, {"id": number}, said(number, address))


def claim(tx: Tx, clinic: ClinicRows) -> Received | None:
    return inbox.claim_next(tx, [clinic.sender_id])


def claimed_number(tx: Tx, clinic: ClinicRows) -> int | None:
    received = claim(tx, clinic)
    return None if received is None else int(received.raw["id"])


def test_an_update_is_stored_once_for_ever(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        episode = a_patient(tx, clinic)
        assert store(tx, clinic, 1)
        assert not store(tx, clinic, 1)
        received = claim(tx, clinic)
        assert received is not None
        assert inbox.mark_handled(tx, received.id, NOW, said(1), (clinic.id, episode.patient_id))
    with db.begin() as tx:
        assert not inbox.store(tx, NOW + YEARS, clinic.sender_id, {"id": 1}, said(1)), "ten years later it is still the same update"
        assert tx.scalar(select(t.inbox.c.raw)) is None, "the raw form goes once it is handled"


def test_the_same_id_from_another_bot_is_another_update(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        assert store(tx, clinic, 1)
        assert store(tx, a_clinic(tx, "theirs"), 1)


def test_what_cannot_be_read_is_kept_once_and_set_aside(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        assert inbox.store(tx, NOW, clinic.sender_id, {"garbage": [1]}, None)
        assert not inbox.store(tx, NOW, clinic.sender_id, {"garbage": [1]}, None)
        assert inbox.store(tx, NOW, clinic.sender_id, {"garbage": [2]}, None)
        assert claim(tx, clinic) is None
        assert {row.status for row in tx.all(select(t.inbox.c.status))} == {"quarantined"}


def test_the_oldest_comes_first_and_one_is_handled_once(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        for number in (3, 1, 2):
            store(tx, clinic, number)
    handled = []
    while True:
        with db.begin() as tx:
            received = claim(tx, clinic)
            if received is None:
                break
            handled.append(received.raw["id"])
            assert inbox.mark_handled(tx, received.id, NOW, said(0), None)
            assert not inbox.mark_handled(tx, received.id, NOW, said(0), None)
    assert handled == [1, 2, 3]


def test_other_senders_are_left_to_whoever_runs_them(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        theirs = a_clinic(tx, "theirs")
        store(tx, theirs, 1)
        assert claim(tx, clinic) is None
        assert inbox.claim_next(tx, []) is None


def test_the_third_failure_sets_it_aside_and_the_next_gets_its_turn(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        store(tx, clinic, 1)
        store(tx, clinic, 2)
    for attempt in range(inbox.ATTEMPTS):
        with db.begin() as tx:
            received = claim(tx, clinic)
            assert received is not None and (received.raw["id"], received.attempts) == (1, attempt)
            inbox.record_failure(tx, received.id, "KeyError")
    with db.begin() as tx:
        assert claimed_number(tx, clinic) == 2
        row = tx.one(select(t.inbox.c.status, t.inbox.c.reason, t.inbox.c.raw).where(t.inbox.c.status != "received"))
        assert (row.status, row.reason) == ("quarantined", "KeyError") and row.raw is not None


def test_a_later_failure_does_not_touch_what_was_handled(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        store(tx, clinic, 1)
        received = claim(tx, clinic)
        assert received is not None
        inbox.mark_handled(tx, received.id, NOW, said(1), None)
        for _ in range(5):
            inbox.record_failure(tx, received.id, "KeyError")
        assert tx.scalar(select(t.inbox.c.status)) == "handled"


def test_one_that_failed_in_this_tick_holds_up_its_own_address_only(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        store(tx, clinic, 1, "sim:P001")
        store(tx, clinic, 2, "sim:P001")
        store(tx, clinic, 3, "sim:P002")
        first = claim(tx, clinic)
        assert first is not None
        after = inbox.claim_next(tx, [clinic.sender_id], {first.id})
        assert after is not None and after.raw["id"] == 3


class TestTwoWorkersOnPostgresql:
    @pytest.fixture
    def db(self, kept_postgres: KeptDatabase) -> Iterator[Database]:
        opened = open_quickly(kept_postgres.emptied())
        yield opened
        opened.close()

    def test_one_address_is_handled_by_one_worker_at_a_time(self, db: Database, clinic: ClinicRows) -> None:
        with db.begin() as tx:
            store(tx, clinic, 1)
            store(tx, clinic, 2)
        with db.begin() as one, db.begin() as other:
            assert claimed_number(one, clinic) == 1
            assert claimed_number(impatient(other), clinic) is None, "the patient's second message waits for the first"
        with db.begin() as one:
            received = claim(one, clinic)
            assert received is not None
            inbox.mark_handled(one, received.id, NOW, said(1), None)
            with db.begin() as other:
                assert claimed_number(impatient(other), clinic) is None, "not before the first is committed"
        with db.begin() as other:
            assert claimed_number(impatient(other), clinic) == 2

    def test_two_addresses_are_handled_side_by_side(self, db: Database, clinic: ClinicRows) -> None:
        with db.begin() as tx:
            store(tx, clinic, 1, "sim:P001")
            store(tx, clinic, 2, "sim:P002")
        with db.begin() as one, db.begin() as other:
            assert (claimed_number(one, clinic), claimed_number(impatient(other), clinic)) == (1, 2)

    def test_what_a_dead_worker_held_is_free_again(self, db: Database, clinic: ClinicRows) -> None:
        with db.begin() as tx:
            store(tx, clinic, 1)
        connection = db.engine.connect()
        transaction = connection.begin()
        assert claimed_number(Tx(connection, db), clinic) == 1
        with db.begin() as other:
            assert claimed_number(impatient(other), clinic) is None
        transaction.rollback()
        connection.close()
        with db.begin() as other:
            assert claimed_number(impatient(other), clinic) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=30)
@given(order=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 2)), min_size=1, max_size=30))
def test_however_often_a_provider_repeats_itself_each_update_is_handled_once_in_order(
    sqlite_db: Database, order: list[tuple[int, int]]
) -> None:
    with sqlite_db.begin() as tx:
        tx.run(t.inbox.delete())
        tx.run(t.senders.delete())
        tx.run(t.staff.delete())
        tx.run(t.clinics.delete())
        clinic = a_clinic(tx)
        for at, (number, person) in enumerate(order):
            store(tx, clinic, number * 10 + person, f"sim:{person}", after=at)
        handled: dict[int, list[int]] = {}
        while (received := claim(tx, clinic)) is not None:
            handled.setdefault(received.raw["id"] % 10, []).append(received.raw["id"])
            inbox.mark_handled(tx, received.id, NOW, said(0), None)
    for person in range(3):
        assert handled.get(person, []) == list(dict.fromkeys(number * 10 + person for number, whose in order if whose == person))


def waiting(tx: Tx, clinic: ClinicRows, number: int, said_after: int | None, received_after: int) -> None:
    """An update that was said so many seconds after NOW, or has no time of its own."""
    inbound = replace(said(number), at=None if said_after is None else NOW + timedelta(seconds=said_after))
    assert inbox.store(tx, NOW + timedelta(seconds=received_after), clinic.sender_id, {"id": number}, inbound)


@pytest.mark.parametrize(
    ("updates", "order"),
    [
        ([(5, 100), (3, 101), (4, 102)], [1, 2, 0]),
        ([(5, 100), (None, 101), (3, 102)], [0, 1, 2]),
        ([(None, 100), (5, 101), (3, 102)], [0, 2, 1]),
        ([(3, 100), (3, 101)], [0, 1]),
        ([(None, 100), (None, 101)], [0, 1]),
    ],
    ids=["as said", "one without a time keeps its place", "what comes after it is sorted among itself", "the same second", "no times"],
)
def test_what_waits_in_one_chat_is_handled_as_it_was_said(
    db: Database, clinic: ClinicRows, updates: list[tuple[int | None, int]], order: list[int]
) -> None:
    with db.begin() as tx:
        episode = a_patient(tx, clinic)
        for number, (said_after, received_after) in enumerate(updates):
            waiting(tx, clinic, number, said_after, received_after)
        handled = []
        while (received := claim(tx, clinic)) is not None:
            handled.append(int(received.raw["id"]))
            inbox.mark_handled(tx, received.id, NOW, said(handled[-1]), (clinic.id, episode.patient_id))
    assert handled == order


def test_one_that_failed_holds_its_chat_back_and_no_other(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        waiting(tx, clinic, 1, 5, 100)
        waiting(tx, clinic, 2, 3, 101)
        assert inbox.store(tx, NOW + timedelta(seconds=102), clinic.sender_id, {"id": 3}, said(3, "sim:P002"))
        first = claim(tx, clinic)
        assert first is not None and first.raw["id"] == 2
        other = inbox.claim_next(tx, [clinic.sender_id], {first.id})
        assert other is not None and other.raw["id"] == 3


def test_no_time_of_the_provider_is_kept_when_our_clock_was_moved(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        assert inbox.store(tx, NOW, clinic.sender_id, {"id": 1}, replace(said(1), at=NOW - timedelta(hours=2)), timed=False)
        received = claim(tx, clinic)
        assert received is not None and received.at == NOW


def steps_of_a_claim(tx: Tx, senders: list[ClinicRows]) -> int:
    """How many instructions SQLite's machine carries out for one claim."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    driver: Any = tx.connection.connection.dbapi_connection
    driver.set_progress_handler(count, 1)
    try:
        assert inbox.claim_next(tx, [sender.sender_id for sender in senders]) is not None
    finally:
        driver.set_progress_handler(None, 0)
    return steps


def store_at_once(tx: Tx, senders: list[ClinicRows], numbers: range) -> None:
    for number in numbers:
        assert store(tx, senders[number % len(senders)], number, f"sim:{number}", after=0)


@pytest.mark.parametrize("several_senders", [False, True])
def test_a_claim_is_no_more_work_when_hundreds_came_at_the_same_time(sqlite_db: Database, several_senders: bool) -> None:
    with sqlite_db.begin() as tx:
        senders = [a_clinic(tx), *([a_clinic(tx, "theirs")] if several_senders else [])]
        store_at_once(tx, senders, range(10))
        with_ten = steps_of_a_claim(tx, senders)
        store_at_once(tx, senders, range(10, 400))
        assert steps_of_a_claim(tx, senders) <= 1.5 * with_ten


def test_postgresql_takes_the_first_of_hundreds_without_sorting_them(fresh_database: Callable[[Kind], str]) -> None:
    db = open_quickly(fresh_database("postgresql"))
    try:
        with db.begin() as tx:
            senders = [a_clinic(tx), a_clinic(tx, "theirs")]
            store_at_once(tx, senders, range(400))
            tx.run(text("analyze inbox"))
            ids = [sender.sender_id for sender in senders]
            prepared = db.prepare(inbox._OLDEST_WAITING, {"sender_ids": ids, "failed": []})
            given = prepared._bind({"sender_ids": ids, "failed": []})
            plan = "\n".join(row[0] for row in tx.connection.exec_driver_sql("explain " + prepared.sql, given))
            assert "ix_inbox_waiting" in plan and "Sort" not in plan and "Hash" not in plan, plan
    finally:
        db.close()
