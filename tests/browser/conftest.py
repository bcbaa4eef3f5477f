"""A real Chromium against the real pages: the service runs in a thread of its own, on a port of its own, on a frozen clock."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize, expect, sync_playwright

from bot_service.clock import MovableClock, real_now
from bot_service.settings import load_settings
from bot_service.storage import staff
from bot_service.storage.staff import Member
from bot_service.web.site import build_site
from tests.databases import FreshDatabases
from tests.no_skips import IN_CI
from tests.patience import PATIENT_S, wait_for
from tests.running_clinic import SECRET, START, RunningClinic, open_clinic, open_quickly

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLACES = ("/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
PHONE, DESK = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)
HOW_TO_GET_ONE = "There is no Chromium for the browser tests: install it (Debian: apt install chromium; macOS: brew install chromium)."


@dataclass(frozen=True)
class Served:
    """A clinic behind an address."""

    clinic: RunningClinic
    address: str

    def sign_in_link(self, member: Member | None = None) -> str:
        with self.clinic.db.begin() as tx:
            return f"{self.address}/sign-in/{staff.add_link(tx, real_now(), (member or self.clinic.physio).id)}"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Stopped after each module: while it runs, its event loop has the thread, and no asynchronous test of another module could run."""
    expect.set_options(timeout=PATIENT_S * 1000)
    with sync_playwright() as running:
        yield running


def launched(playwright: Playwright) -> Browser | None:
    """The machine's own Chromium, running; None when there is none."""
    places = [shutil.which(name) for name in NAMES] + [*PLACES, playwright.chromium.executable_path]
    found = next((place for place in places if place and Path(place).exists()), None)
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium refuses to sandbox for root
    return None if found is None else playwright.chromium.launch(executable_path=found, args=sandbox, timeout=PATIENT_S * 1000)


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The machine's own Chromium."""
    running = launched(playwright)
    if running is None:
        if IN_CI:
            pytest.fail(HOW_TO_GET_ONE)
        pytest.skip(HOW_TO_GET_ONE)  # the contract: loud on a machine without Chromium, a failure in CI just above
    yield running
    running.close()


@contextmanager
def serving(databases: FreshDatabases) -> Iterator[Served]:
    """A clinic without patients, served until the block ends."""
    db = open_quickly(databases.make("sqlite"))
    clinic = open_clinic(db, MovableClock(frozen=START))
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    clinic.service.settings = load_settings(public_url=address, secret_key=SECRET)
    server = uvicorn.Server(uvicorn.Config(build_site(clinic.service), log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    wait_for(lambda: server.started, "the pages to be served")
    yield Served(clinic, address)
    server.should_exit = True
    thread.join(PATIENT_S)
    listening.close()
    db.close()


@pytest.fixture
def served(databases: FreshDatabases) -> Iterator[Served]:
    """A clinic without patients, served until the test ends."""
    with serving(databases) as clinic:
        yield clinic


@pytest.fixture
def new_page(chromium: Browser, served: Served) -> Iterator[Callable[..., Page]]:
    """`new_page(signed_in=…, phone=…, scripts=…)` opens a page of its own; a complaint in its console fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(*, signed_in: bool = True, phone: bool = False, scripts: bool = True) -> Page:
        context = chromium.new_context(base_url=served.address, viewport=PHONE if phone else DESK, java_script_enabled=scripts)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENT_S * 1000)
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if signed_in:
            page.goto(served.sign_in_link())
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/")
        return page

    yield make
    for context in contexts:
        context.close()
    refused = ("403 (Forbidden)", "409 (Conflict)", "422 (Unprocessable")  # the browser notes these; the page explains them
    assert [text for text in complaints if not any(status in text for status in refused)] == []
