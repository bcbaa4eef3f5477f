"""The rate of a sender: never above nine tenths of its limit and a burst, shared by all workers, and not silenced by clock steps."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot_service.storage import rates
from bot_service.storage.database import Database
from tests.kept_database import KeptDatabase
from tests.patience import PATIENT_S
from tests.running_clinic import open_quickly
from tests.storage.rows import ClinicRows, a_clinic

NOW = 1_790_000_000.0
LIMIT = 25.0


@pytest.fixture
def clinic(db: Database) -> ClinicRows:
    with db.begin() as tx:
        return a_clinic(tx, rate_per_s=LIMIT)


def worst_second(starts: list[float]) -> int:
    """The most messages that started in any second, looked at from each start."""
    return max((sum(first <= other < first + 1 for other in starts) for first in starts), default=0)


def allowed(limit: float, seconds: float = 1.0) -> int:
    """Nine tenths of the limit over that time, what the burst lets go early, and the one that starts it."""
    return int(limit * rates.SHARE * (seconds + max(rates.BURST_S.values()))) + 1


@pytest.mark.parametrize(("per_s", "surely"), [(1.0, 0.9), (25.0, 22.5), (60.0, 80 / 3)])
def test_the_pace_that_is_counted_on_is_what_the_limit_and_slow_answers_allow(per_s: float, surely: float) -> None:
    assert rates.sure_pace(per_s) == pytest.approx(surely)


def test_no_limit_lets_everything_go(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        assert rates.take(tx, clinic.sender_id, "bulk", None, NOW, 500) == 500


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    limit=st.sampled_from([1.0, 5.0, 25.0, 80.0]),
    asks=st.lists(st.tuples(st.floats(0, 0.4), st.integers(1, 40), st.sampled_from(["now", "bulk"])), min_size=1, max_size=60),
)
def test_never_more_than_the_limit_in_any_second_in_all_lanes_together(
    sqlite_db: Database, limit: float, asks: list[tuple[float, int, str]]
) -> None:
    starts: list[float] = []
    at = NOW
    with sqlite_db.begin() as tx:
        sender_id = a_clinic(tx, f"c{sqlite_db.new_id()}").sender_id
        for wait, wanted, lane in asks:
            at += wait
            starts += [at] * rates.take(tx, sender_id, lane, limit, at, wanted)
    assert worst_second(starts) <= allowed(limit) <= limit


def test_asked_often_it_uses_what_it_is_allowed(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        started = sum(rates.take(tx, clinic.sender_id, "bulk", LIMIT, NOW + step / 100, 20) for step in range(1000))
    assert started >= 10 * LIMIT * rates.SHARE - 1


def test_an_answer_does_not_wait_for_prompts_however_many_there_are(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        for step in range(500):
            at = NOW + step / 50
            while rates.take(tx, clinic.sender_id, "bulk", LIMIT, at, 20):
                pass
            if step % 25 == 0:
                assert rates.take(tx, clinic.sender_id, "now", LIMIT, at, 1) == 1


def test_as_many_answers_as_the_rate_allows_keep_prompts_back_and_not_the_other_way_round(db: Database, clinic: ClinicRows) -> None:
    started = {"bulk": 0, "now": 0}
    with db.begin() as tx:
        for step in range(500):
            for lane in ("bulk", "now"):
                started[lane] += rates.take(tx, clinic.sender_id, lane, LIMIT, NOW + step / 50, 20)
    assert started["now"] >= 10 * LIMIT * rates.SHARE - 3 >= 50 * started["bulk"]


@pytest.mark.parametrize("lane", ["now", "bulk"])
def test_a_push_back_stops_both_lanes_until_its_time(db: Database, clinic: ClinicRows, lane: str) -> None:
    with db.begin() as tx:
        rates.push_back(tx, clinic.sender_id, NOW + 30)
        rates.push_back(tx, clinic.sender_id, NOW + 10)  # a shorter one later does not shorten it
        assert rates.take(tx, clinic.sender_id, lane, LIMIT, NOW + 29.99, 5) == 0
        assert 1 <= rates.turn_in(tx, clinic.sender_id, lane, NOW + 29) < 1.1
        assert rates.take(tx, clinic.sender_id, lane, LIMIT, NOW + 30.1, 5) > 0


def test_failures_in_a_row_are_counted_until_the_provider_answers(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        assert [rates.count_failure(tx, clinic.sender_id) for _ in range(3)] == [1, 2, 3]
        rates.clear_failures(tx, clinic.sender_id)
        assert rates.count_failure(tx, clinic.sender_id) == 1


@pytest.mark.parametrize("hours", [1, 24, 25, 24 * 365])
def test_a_clock_that_stepped_back_silences_nobody_for_more_than_an_hour(db: Database, clinic: ClinicRows, hours: int) -> None:
    """The limit used to move along with the clock, so that a day's step meant a day's silence."""
    with db.begin() as tx:
        while rates.take(tx, clinic.sender_id, "bulk", LIMIT, NOW, 20):
            pass
        stepped = NOW - hours * 3600
        started_at = next(minute for minute in range(70) if rates.take(tx, clinic.sender_id, "bulk", LIMIT, stepped + 60 * minute, 1))
    assert started_at <= 61


def test_a_clock_that_stepped_forward_gives_no_more_than_a_burst(db: Database, clinic: ClinicRows) -> None:
    with db.begin() as tx:
        rates.take(tx, clinic.sender_id, "bulk", LIMIT, NOW, 20)
        started = sum(rates.take(tx, clinic.sender_id, "bulk", LIMIT, NOW + 25 * 3600 + step / 1000, 100) for step in range(10))
    assert started <= allowed(LIMIT, 0.01)


def test_four_workers_on_postgresql_share_one_rate(kept_postgres: KeptDatabase) -> None:
    db = open_quickly(kept_postgres.emptied())
    with db.begin() as tx:
        sender_id = a_clinic(tx).sender_id
    starts: list[float] = []
    moments = [NOW + step / 50 for step in range(100)]  # two seconds, asked fifty times each by every worker
    steps = threading.Barrier(4, timeout=PATIENT_S)

    def work(lane: str) -> None:
        for at in moments:
            steps.wait()
            with db.begin() as tx:
                granted = rates.take(tx, sender_id, lane, LIMIT, at, 10)
            starts.extend([at] * granted)

    threads = [threading.Thread(target=work, args=(lane,)) for lane in ("now", "bulk") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.close()
    assert worst_second(starts) <= allowed(LIMIT) <= LIMIT
    assert len(starts) >= 2 * LIMIT * rates.SHARE - 1
