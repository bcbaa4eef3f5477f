"""A process stopped between writing `sending` and the call (B5, D13): when it wakes it sends nothing that is no longer its to send."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as time_of_day
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import update

from bot_service.actions import consent
from bot_service.actions.deliver import BEGIN_WITHIN, Delivery
from bot_service.actions.outcomes import recover_after_crash
from bot_service.app import Service
from bot_service.clock import MovableClock, real_now
from bot_service.messages import Outbound
from bot_service.settings import load_settings
from bot_service.storage import clinics, episodes, tables
from bot_service.storage.database import Tx, open_database
from tests.crowds import a_crowd
from tests.patience import PATIENT_S, wait_for
from tests.reliability.provider import running_provider
from tests.reliability.sending_service import LIBRARY, HttpChannel
from tests.running_clinic import SECRET, START, Person, open_clinic, open_quickly

T = TypeVar("T")
DUE = START + timedelta(hours=22)


@dataclass
class Sleeper(Delivery):
    """The real build, which is stopped once, right after a message was prepared. Its clock then shows `sleeps_for` more."""

    sleeps_for: timedelta = timedelta(0)
    slept: bool = False

    async def run(self, work: Callable[[], T]) -> T:
        result = await super().run(work)
        if isinstance(result, Outbound) and not self.slept:
            self.slept = True
            os.kill(os.getpid(), signal.SIGSTOP)
            self.real = lambda: real_now() + self.sleeps_for
        return result


@dataclass
class Careless(Sleeper):
    """A build that is wrong on purpose: what was prepared is sent, however long ago that was."""

    def may_begin(self, outbound: Outbound, prepared_at: datetime) -> bool:
        del outbound, prepared_at
        return True


BUILDS = {"real": Sleeper, "careless": Careless}


def live(url: str, port: int, build: str, sleeps_for: timedelta) -> None:
    """One tick of a service."""
    db = open_database(url, [SECRET])
    settings = load_settings(database_url=url, secret_key=SECRET, channels="simulator")
    service = Service(settings, db, LIBRARY, MovableClock(frozen=DUE))
    with db.read() as tx:
        service.channels.update({sender.id: HttpChannel(port) for sender in clinics.list_senders(tx)})
    service.delivery = BUILDS[build](db, service.channels, service.clock, service.worker, sleeps_for=sleeps_for)
    asyncio.run(service.tick())
    db.close()


def the_lease_lapses(tx: Tx, person: Person) -> None:
    """Another replica finds the lease lapsed."""
    tx.run(update(tables.outbox).where(tables.outbox.c.patient_id == person.id).values(lease_until=real_now() - timedelta(seconds=1)))


def a_stop_is_recorded(tx: Tx, person: Person) -> None:
    consent.opt_out(tx, episodes.load_locked(tx, person.invitation.episode_id), DUE, declined=False)


def its_time_passes(tx: Tx, person: Person) -> None:
    tx.run(update(tables.outbox).where(tables.outbox.c.patient_id == person.id).values(expires_at=DUE))


def the_clinic_holds_it_back(tx: Tx, person: Person) -> None:
    episode = episodes.load_locked(tx, person.invitation.episode_id)
    episodes.place_hold(tx, DUE, episode, "pause", why="test", by="physio", from_day=DUE.date())


HAPPENINGS = [
    pytest.param(the_lease_lapses, timedelta(0), "in_doubt", id="lease"),
    pytest.param(a_stop_is_recorded, timedelta(0), "cancelled", id="stop"),
    pytest.param(its_time_passes, timedelta(0), "expired", id="expiry"),
    pytest.param(the_clinic_holds_it_back, 2 * BEGIN_WITHIN, "cancelled", id="hold"),
]


def is_stopped(process: BaseProcess) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def sleep_through(url: str, build: str, happening: Callable[[Tx, Person], None], sleeps_for: timedelta) -> tuple[list[str], str]:
    """What the provider accepted and the message's state, when that happens while the sending process is stopped."""
    db = open_quickly(url)
    clinic = open_clinic(db, MovableClock(frozen=START))
    [jo] = a_crowd(clinic, [("Europe/London", time_of_day(8))])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.reliability.sending_service"])
    with running_provider() as ledger:
        process = context.Process(target=live, args=(url, ledger.port, build, sleeps_for))
        process.start()
        wait_for(lambda: is_stopped(process), "the process to be stopped")
        with db.begin() as tx:  # nothing is locked meanwhile: no transaction is open around the call
            happening(tx, jo)
        recover_after_crash(db, DUE, everything=False)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGCONT)
        process.join(timeout=PATIENT_S)
        assert process.exitcode == 0
        accepted = ledger.settle()
    [prompt] = jo.messages(kind="prompt")
    db.close()
    return accepted, prompt.status


@pytest.mark.parametrize(("happening", "sleeps_for", "state"), HAPPENINGS)
def test_what_is_no_longer_its_to_send_is_not_sent_by_a_process_that_wakes(
    database_url: str, happening: Callable[[Tx, Person], None], sleeps_for: timedelta, state: str
) -> None:
    assert sleep_through(database_url, "real", happening, sleeps_for) == ([], state)


@pytest.mark.parametrize(("happening", "sleeps_for", "state"), HAPPENINGS)
def test_the_same_verdict_condemns_a_build_that_does_not_look_again(
    fresh_database: Callable[[str], str], happening: Callable[[Tx, Person], None], sleeps_for: timedelta, state: str
) -> None:
    accepted, _ = sleep_through(fresh_database("sqlite"), "careless", happening, sleeps_for)
    assert len(accepted) == 1, f"sent although it should have been {state}"


def test_a_process_that_slept_and_missed_nothing_sends_once(database_url: str) -> None:
    accepted, state = sleep_through(database_url, "real", lambda _tx, _person: None, 2 * BEGIN_WITHIN)
    assert len(accepted) == 1 and state == "sent"
