"""kill -9 at random points while messages are due: none twice, none silently lost, and in doubt no more than were in the air (B1)."""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from datetime import time as time_of_day
from multiprocessing.context import ForkServerContext

import pytest
from sqlalchemy import text

from bot_service.actions import prompt
from bot_service.actions.consent import CONSENT_LINES
from bot_service.clock import MovableClock
from bot_service.storage.outbox import WENT_OUT, Message
from bot_service.storage.rates import IN_FLIGHT
from tests.crowds import a_crowd
from tests.databases import Kind
from tests.patience import PATIENT_S
from tests.reliability.provider import Ledger, running_provider
from tests.reliability.sending_service import run_until_drained
from tests.running_clinic import START, RunningClinic, all_messages, open_clinic, open_quickly

SEED = 20261122
VISIBLE_ENDS = ("in_doubt", "failed", "expired", "cancelled")


@dataclass(frozen=True)
class Verdict:
    """The provider's ledger against the service's own account."""

    messages: int
    duplicated: int
    silently_lost: int
    sent_but_never_accepted: int
    unfinished: int
    in_doubt: int

    @property
    def is_good(self) -> bool:
        return not (self.duplicated or self.silently_lost or self.sent_but_never_accepted or self.unfinished)


def judge(rows: list[Message], accepted: list[str]) -> Verdict:
    """Each message in the ledger once, or in a state that staff see."""
    times = Counter(accepted)
    return Verdict(
        messages=len(rows),
        duplicated=sum(number - 1 for number in times.values()),
        silently_lost=sum(str(row.id) not in times and row.status not in VISIBLE_ENDS for row in rows),
        sent_but_never_accepted=sum(row.status in WENT_OUT and str(row.id) not in times for row in rows),
        unfinished=sum(row.status not in (*WENT_OUT, *VISIBLE_ENDS) for row in rows),
        in_doubt=sum(row.status == "in_doubt" for row in rows),
    )


def messages_due(url: str, patients: int) -> datetime:
    """A prompt to be planned and two answers for each patient; the moment at which all are due."""
    db = open_quickly(url)
    clinic = open_clinic(db, MovableClock(frozen=START))
    at = START + timedelta(hours=22)
    crowd = a_crowd(clinic, [("Europe/London", time_of_day(8))] * patients)
    with db.begin() as tx:
        for person in crowd:
            for number in range(2):
                key, content = f"answer:{person.id}:{number}", {"lines": CONSENT_LINES}
                prompt.queue_for_patient(tx, person.episode(), START, "reply", key, at, at + timedelta(hours=6), content, lane="now")
    db.close()
    return at


def outlive_kills(context: ForkServerContext, url: str, ledger: Ledger, at: datetime, build: str, kills: int) -> int:
    """Run lives of the service one after another, each killed after a random number of messages; how many were killed."""
    rng = random.Random(SEED)
    killed = 0
    while killed < kills:
        life = context.Process(target=run_until_drained, args=(url, ledger.port, at, build))
        life.start()
        ledger.wait_for(rng.randint(1, 12), seconds=20)
        time.sleep(rng.uniform(0, 0.012))
        was_alive = life.is_alive()
        life.kill()
        life.join()
        life.close()
        if not was_alive:
            return killed
        killed += 1
    return killed


def play(url: str, build: str, patients: int, kills: int) -> tuple[Verdict, int]:
    """Kill and restart, let the last life finish, and compare."""
    at = messages_due(url, patients)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.reliability.sending_service"])
    with running_provider() as ledger:
        killed = outlive_kills(context, url, ledger, at, build, kills)
        last = context.Process(target=run_until_drained, args=(url, ledger.port, at, build))
        last.start()
        last.join(timeout=5 * PATIENT_S)
        assert last.exitcode == 0
        accepted = ledger.settle()
    db = open_quickly(url)
    verdict = judge(all_messages(db), accepted)
    with db.read() as tx:
        assert tx.connection.exec_driver_sql("pragma integrity_check").scalar() == "ok"
        assert tx.all(text("pragma foreign_key_check")) == []
    db.close()
    return verdict, killed


def test_fifty_kills_double_nothing_and_lose_nothing(fresh_database: Callable[[Kind], str]) -> None:
    verdict, killed = play(fresh_database("sqlite"), "real", patients=170, kills=50)
    sys.stdout.write(f"seed {SEED}, {killed} kills: {verdict}; zero of {verdict.messages} is below {3 / verdict.messages:.2%} (95 %)\n")
    assert killed >= 40, "too few kills for this to show anything"
    assert verdict.messages == 510
    assert verdict.is_good, verdict
    assert verdict.in_doubt <= IN_FLIGHT * killed, "no more for each kill than may be in the air"
    assert verdict.in_doubt > killed / 4, "or nothing was in the air, and this shows little"


def test_the_same_verdict_condemns_a_build_that_sends_and_then_marks(fresh_database: Callable[[Kind], str]) -> None:
    verdict, killed = play(fresh_database("sqlite"), "send then mark", patients=60, kills=15)
    assert killed >= 10
    assert verdict.duplicated > 0 and not verdict.is_good


@pytest.mark.parametrize("fault", ["lost", "doubled", "never accepted", "forgotten"])
def test_the_verdict_sees_each_kind_of_fault(sqlite_clinic: RunningClinic, fault: str) -> None:
    a_crowd(sqlite_clinic, [("Europe/London", time_of_day(8))] * 3)
    sqlite_clinic.clock.move_to(START + timedelta(hours=22))
    prompt.queue_due_prompts(sqlite_clinic.db, sqlite_clinic.clock.now())
    rows = [replace(row, status="sent") for row in all_messages(sqlite_clinic.db)]
    accepted = [str(row.id) for row in rows]
    assert judge(rows, accepted).is_good
    match fault:
        case "lost":
            rows[0], accepted = replace(rows[0], status="due"), accepted[1:]
            assert judge(rows, accepted).silently_lost == 1
        case "doubled":
            accepted.append(accepted[1])
            assert judge(rows, accepted).duplicated == 1
        case "never accepted":
            accepted.pop()
            assert judge(rows, accepted).sent_but_never_accepted == 1
        case "forgotten":
            rows[2] = replace(rows[2], status="sending")
            assert judge(rows, accepted).unfinished == 1
    assert not judge(rows, accepted).is_good
