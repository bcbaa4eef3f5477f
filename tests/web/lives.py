"""Histories written straight into the database, as playing them would leave them, and a browser's stand-in for the pages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from html import unescape
from threading import Thread
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.testclient import TestClient

from bot_service.actions.assess import assess
from bot_service.clock import real_now
from bot_service.messages import Inbound
from bot_service.storage import clinics, entries, episodes, inbox, outbox, staff
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.staff import Member
from bot_service.web.site import build_site
from tests.builders import Told, week
from tests.running_clinic import Person, RunningClinic

ORIGIN = "http://127.0.0.1:8000"


def live(clinic: RunningClinic, person: Person, text: str) -> None:
    """Write days in the words of `tests.builders.week`, from the day after enrolment on, and move the clock to the evening of the last."""
    episode = person.episode()
    zone = ZoneInfo(episode.zone)
    first = episode.start_date + timedelta(days=1)
    days = week(text)
    with clinic.db.begin() as tx:
        for number, told in enumerate(days):
            for slot, item in enumerate(told, 1):
                _write(tx, clinic, episode, item, datetime.combine(first + timedelta(days=number), time(8), zone).astimezone(UTC), slot)
        end = datetime.combine(first + timedelta(days=len(days) - 1), time(19), zone).astimezone(UTC)
        if end > clinic.clock.now():
            clinic.clock.move_to(end)


def say(person: Person, text: str) -> None:
    """The patient writes, and the service answers; also where a loop is running already, as in a browser test."""
    _apart(lambda: asyncio.run(person.say(text)))


def a_day_on(clinic: RunningClinic) -> None:
    """A day passes, with all that it sends."""
    _apart(lambda: asyncio.run(clinic.service.move_clock(clinic.clock.now() + timedelta(days=1))))


def a_tick(clinic: RunningClinic) -> None:
    """What is due is done."""
    _apart(lambda: asyncio.run(clinic.service.tick()))


def a_minute_on(clinic: RunningClinic) -> None:
    """What was decided on a page is told: the time to undo it is over."""
    _apart(lambda: asyncio.run(clinic.service.move_clock(clinic.clock.now() + timedelta(minutes=1))))


def look(*people: Person) -> None:
    """Let the rules look at what was written."""
    for person in people:
        with person.clinic.db.begin() as tx:
            episodes.count_evidence(tx, person.invitation.episode_id)
            assess(tx, episodes.load(tx, person.invitation.episode_id), person.clinic.clock.now())


def _write(tx: Tx, clinic: RunningClinic, episode: Episode, told: Told, at: datetime, slot: int) -> None:
    day = at.astimezone(ZoneInfo(episode.zone)).date()
    if told.asked is not None:
        status, reason = _STATES[told.asked]
        outbox.queue(
            tx, at, clinic_id=episode.clinic_id, patient_id=episode.patient_id, episode_id=episode.id, kind="prompt",
            key=f"prompt:{episode.patient_id}:{day}:{slot}", due_at=at, expires_at=at + timedelta(hours=3), content={}, day=day, slot=slot,
            prescription_id=episode.prescription_id, status=status, reason=reason,
        )  # fmt: skip
    done = at + timedelta(hours=1)
    if told.outcome is not None:
        heard = _hear(tx, clinic, episode, f"{told.outcome}, {told.pain}", done)
        entries.add(tx, episode, done, kind="session", day=day, slot=slot, outcome=told.outcome, done_at=done, inbox_id=heard)
        if told.pain is not None:
            entries.add(tx, episode, done, kind="pain_during", day=day, slot=slot, score=told.pain, inbox_id=heard)
        if told.reason is not None:
            entries.add(tx, episode, done, kind="reason", day=day, slot=slot, outcome=told.reason, inbox_id=heard)
    if told.pain_24h is not None:
        later = at + timedelta(days=1)
        heard = _hear(tx, clinic, episode, str(told.pain_24h), later)
        entries.add(tx, episode, later, kind="pain_24h", day=day, slot=slot, score=told.pain_24h, inbox_id=heard)


def _hear(tx: Tx, clinic: RunningClinic, episode: Episode, words: str, at: datetime) -> UUID:
    """The patient's own words, as received and handled."""
    inbound = Inbound(f"live-{next(clinic.numbers)}", "written", "text", words)
    inbox.store(tx, at, clinic.sender.id, {}, inbound)
    received = inbox.claim_next(tx, [clinic.sender.id])
    assert received is not None
    inbox.mark_handled(tx, received.id, at, inbound, (episode.clinic_id, episode.patient_id))
    return received.id


def _apart(work: Callable[[], object]) -> None:
    thread = Thread(target=work)
    thread.start()
    thread.join()


_STATES = {
    "sent": ("sent", None),
    "waiting": ("sent", None),
    "not_sent": ("expired", "too late"),
    "paused": ("cancelled", "on hold: pause"),
}


class Browser:
    """What a browser does with our pages: keeps the cookie, says where it is, and sends a form's hidden fields along."""

    def __init__(self, clinic: RunningClinic) -> None:
        self.clinic = clinic
        self.client = TestClient(build_site(clinic.service), base_url=ORIGIN, headers={"origin": ORIGIN})
        self.page = ""
        self.status = 0

    def get(self, path: str) -> str:
        """Open a page, following redirects; its text with entities decoded is in `words`."""
        answer = self.client.get(path)
        self.page, self.status = answer.text, answer.status_code
        return self.page

    def post(self, path: str, fields: Mapping[str, str] | None = None, **more: str) -> str:
        """Send a form with the token of the page that is open."""
        sent = {**(fields or {}), **more}
        answer = self.client.post(
            path, data={"token": self.token, **({"showed": told} if (told := self.showed(path, sent)) else {}), **sent}
        )
        self.page, self.status = answer.text, answer.status_code
        return self.page

    def sign_in(self, member: Member | None = None) -> Browser:
        with self.clinic.db.begin() as tx:
            link = staff.add_link(tx, real_now(), (member or self.clinic.physio).id)
        self.get(f"/sign-in/{link}")
        self.post(f"/sign-in/{link}")
        assert self.status == 200, self.page
        return self

    @property
    def token(self) -> str:
        found = re.search(r'name="token" value="([0-9a-f]+)"', self.page)
        return found[1] if found else ""

    def showed(self, path: str, sent: Mapping[str, str] | None = None) -> str:
        """What the form on the page that goes to `path` says it shows; of several the one whose hidden fields are those that are sent."""
        for form in re.findall(rf'<form [^>]*action="{re.escape(path)}(?:#\w*)?".*?</form>', self.page, flags=re.DOTALL):
            hidden = {name: unescape(value) for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)}
            if "showed" in hidden and all((sent or {}).get(name, value) == value for name, value in hidden.items() if name != "token"):
                return hidden["showed"]
        return ""

    def hidden(self, name: str) -> str:
        """The value of a hidden field on the page."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        assert found, f"no field {name}"
        return found[1]

    @property
    def words(self) -> str:
        """The page's text without its tags."""
        text = re.sub(r"<(script|style|title|desc)[^>]*>.*?</\1>", " ", self.page, flags=re.DOTALL)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text))).strip()


def a_member(clinic: RunningClinic, role: str, email: str, clinic_id: UUID | None = None) -> Member:
    """Another member of staff."""
    with clinic.db.begin() as tx:
        return staff.add(tx, clinic.clock.now(), clinic_id or clinic.clinic.id, email, email.partition("@")[0].title(), role)


def another_clinic(clinic: RunningClinic) -> Member:
    """The physio of another clinic on the same service."""
    with clinic.db.begin() as tx:
        there = clinics.add_clinic(tx, clinic.clock.now(), "hillside", "Hillside Physio", "Europe/London")
    return a_member(clinic, "physio", "other@example.org", there.id)
