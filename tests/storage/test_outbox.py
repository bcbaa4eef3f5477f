"""The outbox's rows: planned once, claimed once, and moved from state to state by compare and swap only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from bot_service.storage import claims, outbox
from bot_service.storage import tables as t
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.prepared import Prepared
from tests.patience import PATIENT_S
from tests.storage.rows import HOUR, NOW, ClinicRows, a_clinic, a_message, a_patient, status_of

STATES = ["due", "claimed", "sending", "sent", "delivered", "read", "failed", "expired", "cancelled", "in_doubt"]
LEASE = timedelta(minutes=2)


def claim(tx: Tx, clinic: ClinicRows, worker: str = "w1", limit: int = 20, lane: str = "bulk", busy: Sequence[UUID] = ()) -> list[UUID]:
    line = claims.Line(clinic.sender_id, lane, busy)
    return [each.id for each in claims.claim(tx, NOW, line, worker=worker, lease_until=NOW + LEASE, limit=limit)]


def test_an_occurrence_key_is_used_once_whatever_became_of_the_message(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    for state in STATES:
        with db.begin() as tx:
            message = a_message(tx, episode, clinic.sender_id, f"key:{state}")
            assert outbox.move(tx, message, STATES, state, NOW)
        with db.begin() as tx, pytest.raises(AssertionError):
            a_message(tx, episode, clinic.sender_id, f"key:{state}")


def test_a_state_that_does_not_exist_is_refused(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        message = a_message(tx, episode, clinic.sender_id, "k")
    with pytest.raises(IntegrityError), db.begin() as tx:
        outbox.move(tx, message, ("due",), "lost", NOW)


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_swapped_only_from_those_named(db: Database, clinic: ClinicRows, episode: Episode, state: str) -> None:
    with db.begin() as tx:
        message = a_message(tx, episode, clinic.sender_id, "k")
        outbox.move(tx, message, ("due",), state, NOW)
        others = [other for other in STATES if other != state]
        assert not outbox.move(tx, message, others, "failed", NOW + HOUR)
        assert status_of(tx, message) == state
        assert outbox.move(tx, message, [state], "cancelled", NOW + HOUR, "why")
        moved = outbox.load(tx, message)
        assert moved is not None and (moved.status, moved.status_at, moved.reason) == ("cancelled", NOW + HOUR, "why")


@pytest.mark.parametrize("state", STATES)
def test_only_what_is_due_is_claimed(db: Database, clinic: ClinicRows, episode: Episode, state: str) -> None:
    with db.begin() as tx:
        message = a_message(tx, episode, clinic.sender_id, "k")
        outbox.move(tx, message, ("due",), state, NOW)
        assert claim(tx, clinic) == ([message] if state == "due" else [])


def test_claims_take_the_earliest_due_of_their_lane_and_sender_up_to_the_limit(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        theirs, sam = a_clinic(tx, "theirs"), a_patient(tx, clinic, "Sam", "P002")
        early = a_message(tx, episode, clinic.sender_id, "early", due_at=NOW - HOUR)
        now = a_message(tx, sam, clinic.sender_id, "now")
        a_message(tx, sam, clinic.sender_id, "later", due_at=NOW + timedelta(seconds=1))
        a_message(tx, sam, theirs.sender_id, "another sender's")
        a_message(tx, sam, None, "nobody's")
        answer = a_message(tx, a_patient(tx, clinic, "Kim", "P003"), clinic.sender_id, "answer", lane="now")
        assert claim(tx, clinic, limit=1) == [early]
        assert claim(tx, clinic) == [now]
        assert claim(tx, clinic, lane="now") == [answer]
        assert claim(tx, clinic) == []


def test_answers_of_one_moment_leave_in_the_order_in_which_they_were_written(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        written = [
            a_message(tx, episode, clinic.sender_id, f"answer {number}", lane="now", expires_at=NOW + (number % 3 + 1) * HOUR)
            for number in range(8)
        ]
        kept = [found.expires_at for each in written if (found := outbox.load(tx, each)) is not None]
        assert kept == [NOW + (number % 3 + 1) * HOUR for number in range(8)], "none lends another its time"
        assert claim(tx, clinic, lane="now") == written
        outbox.give_back(tx, NOW, written, "w1")
        assert claim(tx, clinic, lane="now") == written, "and still do when they could not be sent at once"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("lane", ["now", "bulk"])
def test_only_what_is_on_its_way_holds_back_the_patients_next(
    db: Database, clinic: ClinicRows, episode: Episode, state: str, lane: str
) -> None:
    with db.begin() as tx:
        first = a_message(tx, episode, clinic.sender_id, "first", due_at=NOW - HOUR)
        outbox.move(tx, first, ("due",), state, NOW)
        second = a_message(tx, episode, clinic.sender_id, "second", lane=lane)
        anothers = a_message(tx, a_patient(tx, clinic, "Sam", "P002"), clinic.sender_id, "another's", lane=lane)
        waits = state in ("claimed", "sending")
        assert set(claim(tx, clinic, "w2", lane=lane)) - {first} == {anothers} | (set() if waits else {second})


@pytest.mark.parametrize("state", ["claimed", "sending"])
def test_what_a_copy_took_that_died_holds_nobody_back_for_longer_than_a_minute(
    db: Database, clinic: ClinicRows, episode: Episode, state: str
) -> None:
    with db.begin() as tx:
        prompt = a_message(tx, episode, clinic.sender_id, "prompt")
        safety = a_message(tx, episode, clinic.sender_id, "safety", kind="safety", lane="now")
        outbox.move(tx, prompt, ("due",), state, NOW - claims.HELD_BACK_FOR + timedelta(microseconds=1), lease_until=NOW + HOUR)
        assert claim(tx, clinic, "w2", lane="now") == []
        outbox.move(tx, prompt, (state,), state, NOW - claims.HELD_BACK_FOR, lease_until=NOW + HOUR)
        assert claim(tx, clinic, "w2", lane="now") == [safety]


def test_a_look_at_what_is_on_its_way_reads_its_own_index_alone(db: Database, clinic: ClinicRows) -> None:
    values = claims._of(claims.Line(clinic.sender_id, "bulk"), NOW, 8)
    with db.begin() as tx:
        if not db.is_sqlite:
            tx.run(text("set local enable_seqscan = off"))
        plan = explained(tx, db.prepare(claims._CLAIMABLE, values), values)
    # PostgreSQL takes whichever partial index it thinks is smaller while the table is: never the whole table.
    assert "ix_outbox_taken" in plan if db.is_sqlite else "Seq Scan" not in plan, plan
    assert "ix_outbox_patient" not in plan, plan


def explained(tx: Tx, prepared: Prepared, values: Mapping[str, Any]) -> str:
    cursor = tx.connection.connection.cursor()
    cursor.execute(("explain query plan " if tx.db.is_sqlite else "explain ") + prepared.sql, prepared._bind(values))
    return "\n".join(str(row[-1]) for row in cursor.fetchall())


def test_a_claim_belongs_to_its_worker(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        message = a_message(tx, episode, clinic.sender_id, "k")
        claim(tx, clinic, "w1")
        assert outbox.load_claimed(tx, message, "w2") is None
        assert outbox.load_claimed(tx, message, "w1") is not None
        outbox.move(tx, message, ("claimed",), "sending", NOW)
        assert outbox.load_claimed(tx, message, "w1") is None


def test_after_a_crash_the_claimed_are_due_and_the_sending_in_doubt(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        messages = {state: a_message(tx, episode, clinic.sender_id, state) for state in STATES}
        for state, message in messages.items():
            outbox.move(tx, message, ("due",), state, NOW, lease_until=NOW + LEASE)
    with db.begin() as tx:
        assert outbox.recover(tx, NOW, NOW + LEASE, everything=False) == (0, []), "leases that still run are somebody's"
        assert outbox.recover(tx, NOW, NOW + 2 * LEASE, everything=False) == (1, [messages["sending"]])
        found = {state: status_of(tx, message) for state, message in messages.items()}
    assert found == {state: {"claimed": "due", "sending": "in_doubt"}.get(state, state) for state in STATES}


def test_with_nobody_else_alive_no_lease_is_waited_for(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        message = a_message(tx, episode, clinic.sender_id, "k")
        claim(tx, clinic)
        assert outbox.recover(tx, NOW, NOW, everything=True) == (1, [])
        assert claim(tx, clinic, "w2") == [message]


@pytest.mark.parametrize("state", STATES)
def test_cancelling_touches_only_what_has_not_begun_to_go_out(db: Database, clinic: ClinicRows, episode: Episode, state: str) -> None:
    with db.begin() as tx:
        message = a_message(tx, episode, clinic.sender_id, "k")
        outbox.move(tx, message, ("due",), state, NOW)
        assert outbox.cancel_waiting(tx, NOW, episode.patient_id, "stopped") == (state in ("due", "claimed"))
        assert status_of(tx, message) == ("cancelled" if state in ("due", "claimed") else state)


def test_cancelling_leaves_other_patients_and_other_kinds_alone(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        other = a_patient(tx, clinic, "Sam", "P002")
        theirs, prompt = a_message(tx, other, clinic.sender_id, "theirs"), a_message(tx, episode, clinic.sender_id, "prompt")
        news = a_message(tx, episode, clinic.sender_id, "news", kind="news")
        assert outbox.cancel_waiting(tx, NOW, episode.patient_id, "on hold", ("prompt",)) == 1
        assert [status_of(tx, each) for each in (theirs, prompt, news)] == ["due", "cancelled", "due"]


@pytest.mark.parametrize("state", STATES)
def test_an_answer_proves_only_what_was_in_doubt(db: Database, clinic: ClinicRows, episode: Episode, state: str) -> None:
    with db.begin() as tx:
        message = a_message(tx, episode, clinic.sender_id, "k")
        outbox.move(tx, message, ("due",), state, NOW)
        assert outbox.prove_sent(tx, message, NOW) == (state in ("in_doubt", "sending"))
        assert status_of(tx, message) == ("sent" if state in ("in_doubt", "sending") else state)


def test_what_waited_too_long_expires_at_its_instant_and_not_before(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        message = a_message(tx, episode, clinic.sender_id, "k")
        assert outbox.expire_stale(tx, NOW + 3 * HOUR - timedelta(microseconds=1)) == []
        assert len(outbox.expire_stale(tx, NOW + 3 * HOUR)) == 1
        assert status_of(tx, message) == "expired"


def test_the_chain_of_repeated_messages_is_counted(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        first = a_message(tx, episode, clinic.sender_id, "1", kind="safety")
        second = a_message(tx, episode, clinic.sender_id, "2", kind="safety", replaces_id=first)
        third = a_message(tx, episode, clinic.sender_id, "3", kind="safety", replaces_id=second)
        assert [outbox.count_replaced(tx, each) for each in (first, second, third)] == [0, 1, 2]


def test_a_providers_id_is_never_overwritten(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        message = a_message(tx, episode, clinic.sender_id, "k")
        outbox.record_provider_id(tx, message, "too early")
        outbox.move(tx, message, ("due",), "sent", NOW)
        outbox.record_provider_id(tx, message, "p1")
        outbox.record_provider_id(tx, message, "p2")
        found = outbox.load(tx, message)
        assert found is not None and found.provider_id == "p1"


def two_at_once(db: Database, clinic: ClinicRows) -> tuple[list[UUID], list[UUID]]:
    """What two workers claim, the second of which looks while the first has not committed."""

    def another() -> list[UUID]:
        with db.begin() as tx:
            return claim(tx, clinic, "w2", 12)

    with ThreadPoolExecutor(1) as other:
        with db.begin() as tx:
            first = claim(tx, clinic, "w1", 12)
            second = other.submit(another)
            wait([second], timeout=0.5)
        return first, second.result(timeout=PATIENT_S)


def test_two_workers_at_once_never_claim_the_same_message(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        for number in range(20):
            a_message(tx, a_patient(tx, clinic, f"P{number}", f"P{number}"), clinic.sender_id, str(number))
    first, second = two_at_once(db, clinic)
    assert (len(first), len(second)) == (12, 8) and not set(first) & set(second)
    with db.begin() as tx:
        assert {row.claimed_by for row in tx.all(select(t.outbox.c.claimed_by))} == {"w1", "w2"}


def test_two_workers_at_once_never_claim_two_messages_of_one_patient(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        messages = [a_message(tx, episode, clinic.sender_id, str(number), due_at=NOW - HOUR) for number in range(20)]
        sams = a_message(tx, a_patient(tx, clinic, "Sam", "P002"), clinic.sender_id, "sam")
    first, second = two_at_once(db, clinic)
    assert len(first) == 12 and set(first) <= set(messages)
    assert second == [sams]
