"""Two replicas and one patient on PostgreSQL: one order of locks, so that nobody waits in a circle, and nothing slips past the cap."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from bot_service.actions import consent
from bot_service.actions.consent import CONSENT_LINES
from bot_service.actions.outcomes import record_outcome
from bot_service.actions.prepare import prepare
from bot_service.actions.prompt import queue_for_patient
from bot_service.clock import MovableClock, real_now
from bot_service.errors import RecipientStopped
from bot_service.messages import Outbound
from bot_service.storage import episodes, outbox, tables
from bot_service.storage.database import Database
from tests.kept_database import KeptDatabase
from tests.patience import PATIENT_S, wait_for
from tests.running_clinic import START, Person, RunningClinic, open_clinic, open_quickly

Prepare = Callable[[Database, UUID, str], Outbound | None]
ROUNDS = 25


@pytest.fixture
def clinic(kept_postgres: KeptDatabase) -> Iterator[RunningClinic]:
    db = open_quickly(kept_postgres.emptied())
    yield open_clinic(db, MovableClock(frozen=START))
    db.close()


def claimed(person: Person, number: int, kind: str = "silence") -> UUID:
    """A message that a worker of the same name has claimed."""
    with person.clinic.db.begin() as tx:
        later = START + timedelta(hours=6)
        key, content = f"{kind}:{person.id}:{number}", {"lines": CONSENT_LINES}
        assert queue_for_patient(tx, person.episode(), START, kind, key, START, later, content)
        message_id: UUID = tx.scalar(select(tables.outbox.c.id).where(tables.outbox.c.occurrence_key == key))
        lease = real_now() + timedelta(minutes=5)
        assert outbox.move(tx, message_id, ("due",), "claimed", START, claimed_by=f"w{number}", lease_until=lease)
    return message_id


def ours(db: Database, message_id: UUID, worker: str) -> Outbound | None:
    return prepare(db, message_id, worker, START, real_now() + timedelta(minutes=10))


def message_first(db: Database, message_id: UUID, worker: str) -> Outbound | None:
    """A build that is wrong on purpose: it locks the message, and then the episode, which a STOP locks the other way round."""
    with db.begin() as tx:
        message = outbox.load_claimed(tx, message_id, worker)
        if message is None or message.patient_id is None:
            return None
        time.sleep(0.05)
        episodes.find_of_patient(tx, message.patient_id, lock=True)
    return ours(db, message_id, worker)


def holds_nothing_while_it_waits(clinic: RunningClinic, build: Prepare) -> bool:
    """Whether a STOP that holds the episode can cancel a message that another replica is about to prepare."""
    jo = clinic.in_care()
    message_id = claimed(jo, 1)
    with ThreadPoolExecutor(1) as other:
        with clinic.db.begin() as tx:
            episode = episodes.find_of_patient(tx, jo.id, lock=True)
            assert episode is not None
            waiting = other.submit(build, clinic.db, message_id, "w1")
            wait_for_a_waiter(clinic.db)
            try:
                tx.connection.execute(text("select id from outbox where id = :id for update nowait"), {"id": message_id})
            except OperationalError:
                tx.connection.rollback()
                return False
            consent.opt_out(tx, episode, START, declined=False)
        assert waiting.result(timeout=PATIENT_S) is None
    assert jo.messages(kind="silence")[0].status == "cancelled"
    return True


def wait_for_a_waiter(db: Database) -> None:
    query = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")

    def there_is_one() -> bool:
        with db.read() as tx:
            return bool(tx.scalar(query))

    wait_for(there_is_one, "somebody who waits for the episode")


def test_who_prepares_a_message_holds_nothing_that_a_stop_waits_for(clinic: RunningClinic) -> None:
    assert holds_nothing_while_it_waits(clinic, ours)


def test_the_same_verdict_condemns_a_build_that_locks_the_message_first(clinic: RunningClinic) -> None:
    assert not holds_nothing_while_it_waits(clinic, message_first)


def stops_and_sends(clinic: RunningClinic, build: Prepare) -> int:
    """A STOP and a send of the same patient at the same moment, again and again until somebody waits in a circle; how many did."""
    jo, deadlocks, both = clinic.in_care(), 0, threading.Barrier(2, timeout=PATIENT_S)

    def send(message_id: UUID, worker: str) -> None:
        both.wait()
        outbound = build(clinic.db, message_id, worker)
        if outbound is not None:
            record_outcome(clinic.db, outbound, START, "", RecipientStopped("blocked"))

    def stop() -> None:
        both.wait()
        with clinic.db.begin() as tx:
            episode = episodes.find_of_patient(tx, jo.id, lock=True)
            assert episode is not None
            time.sleep(0.05)
            consent.opt_out(tx, episode, START, declined=False)

    with ThreadPoolExecutor(2) as two:
        for number in range(ROUNDS):
            message_id = claimed(jo, number)
            started = [two.submit(send, message_id, f"w{number}"), two.submit(stop)]
            deadlocks += sum("deadlock detected" in str(each.exception(timeout=PATIENT_S)) for each in started)
            if deadlocks:
                break
            with clinic.db.begin() as tx:
                consent.opt_in(tx, episodes.load(tx, jo.invitation.episode_id), START)
    return deadlocks


def test_a_stop_and_a_send_at_once_never_wait_in_a_circle(clinic: RunningClinic) -> None:
    assert stops_and_sends(clinic, ours) == 0


def test_the_same_verdict_sees_the_circle_when_the_message_is_locked_first(clinic: RunningClinic) -> None:
    assert stops_and_sends(clinic, message_first) > 0


def sent_at_once(clinic: RunningClinic) -> int:
    """Two replicas prepare two follow-ups of one patient at the same moment; how many go out. The cap allows one a day."""
    jo = clinic.in_care()
    with clinic.db.begin() as tx:  # both have looked before either has written
        tx.run(
            text(
                "create function dawdle() returns trigger language plpgsql as "
                "$$ begin if new.status = 'sending' then perform pg_sleep(1); end if; return new; end $$"
            )
        )
        tx.run(text("create trigger dawdling before update on outbox for each row execute function dawdle()"))
    both = threading.Barrier(2, timeout=PATIENT_S)

    def replica(number: int, message_id: UUID) -> Outbound | None:
        both.wait()
        return ours(clinic.db, message_id, f"w{number}")

    try:
        with ThreadPoolExecutor(2) as two:
            started = [two.submit(replica, number, claimed(jo, number)) for number in range(2)]
            return sum(each.result(timeout=PATIENT_S) is not None for each in started)
    finally:
        with clinic.db.begin() as tx:
            tx.run(text("drop trigger dawdling on outbox"))
            tx.run(text("drop function dawdle()"))


def test_two_follow_ups_prepared_at_once_do_not_both_pass_the_cap(clinic: RunningClinic) -> None:
    assert sent_at_once(clinic) == 1
    assert sorted(row.status for row in clinic.messages(kind="silence")) == ["cancelled", "sending"]


def test_the_same_verdict_condemns_a_build_that_counts_without_locking(clinic: RunningClinic) -> None:
    assert ours(clinic.db, claimed(clinic.in_care("Kim Vale"), 9), "w9") is not None  # now its statements are compiled
    for statement in clinic.db._prepared.values():
        statement.sql = statement.sql.replace("FOR NO KEY UPDATE OF episodes", "")
    assert sent_at_once(clinic) == 2
