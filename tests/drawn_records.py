"""A thousand drawn records with all that became of them: the clinic whose every number is counted again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bot_service.actions.histories import load_record
from bot_service.clinical.outcome_measures import MEASURES
from bot_service.clinical.record import Record
from bot_service.clock import MovableClock
from bot_service.storage import care_records, episodes, prescriptions, tables
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.rule_counts import DECISIONS, TAKEN_BACK, UNDONE
from tests.climbed_again import Climbed
from tests.counted_again import Life, lives
from tests.drawn_care import DrawnCare
from tests.drawn_clinic import DrawnClinic
from tests.listed import standings
from tests.running_clinic import START, RunningClinic, migrate_url, open_clinic, open_quickly
from tests.web.lives import Browser

PATIENTS = 1000
PAGES_OPENED = 50
NOW = START + timedelta(days=40)


@dataclass(repr=False)
class Drawn:
    """The clinic and what its rows say. `latest` are the episodes in the order of the list."""

    clinic: RunningClinic
    lives: dict[UUID, Life]
    latest: list[UUID]

    @cached_property
    def records(self) -> dict[UUID, tuple[Episode, Record]]:
        """The product's own reading of each of the latest episodes, which all its figures rest on."""
        with self.clinic.db.read() as tx:
            return {key: (episode := episodes.load(tx, key), load_record(tx, episode, NOW)) for key in self.latest}

    @cached_property
    def pages(self) -> dict[UUID, str]:
        """The patient's page of every twentieth of the latest episodes."""
        browser = Browser(self.clinic).sign_in()
        return {key: browser.get(f"/patients/{self.lives[key].ref}") for key in self.latest[:: PATIENTS // PAGES_OPENED]}

    @cached_property
    def climbed(self) -> Climbed:
        """Every prescription, load and decision."""
        with self.clinic.db.read() as tx:
            return Climbed(tx)

    @cached_property
    def caseload(self) -> list[str]:
        """Every page of the whole caseload."""
        browser = Browser(self.clinic).sign_in()
        return [browser.get(f"/?whose=all&page={number}") for number in range(1, PATIENTS // 50 + 1)]


def draw_records(url: str) -> Drawn:
    """The same records in every run, in a new database at `url`."""
    migrate_url(url)
    clinic = open_clinic(open_quickly(url), MovableClock(frozen=NOW))
    DrawnClinic(clinic, seed=11, weeks=True).write(PATIENTS)
    _add_the_rest(clinic, random.Random(12))
    with clinic.db.read() as tx:
        return Drawn(clinic, lives(tx, NOW), list(standings(tx, clinic.clinic.id, NOW).episodes))


def _add_the_rest(clinic: RunningClinic, draw: random.Random) -> None:
    """Answers a day later, cursors, outcome measures, and what became of flags: closed, acknowledged, followed by decisions."""
    with clinic.db.begin() as tx:
        DrawnCare(tx, NOW, clinic.physio.id, random.Random(13)).write()
        _add_answers(tx, draw)
        _add_to_cases(tx, draw)
        _add_decisions(tx, clinic, draw)
        _add_invitations(tx, draw)
        for address in tx.all(select(tables.addresses.c.id, tables.addresses.c.patient_id)):
            sealed = tx.seal(address.patient_id, f"addresses.address:{address.id}", "sim:1")
            tx.run(tables.addresses.update().where(tables.addresses.c.id == address.id).values(address=sealed))
        for row in tx.all(select(tables.episodes.c.id, tables.episodes.c.status, tables.episodes.c.prescription_id)):
            episode = episodes.load(tx, row.id)
            _add_outcomes(tx, clinic, episode, draw)
            if draw.random() < 0.8:
                slots = [slot for slot in prescriptions.load(tx, row.prescription_id).slots if slot.prompted]
                slot, day = draw.choice(slots), (NOW + timedelta(days=draw.randint(-1, 2))).date()
                due = datetime.combine(day, slot.at, ZoneInfo(episode.zone)).astimezone(UTC)
                episodes.change(tx, row.id, next_prompt_day=day, next_prompt_slot=slot.number, next_prompt_at=due)


def _add_answers(tx: Tx, draw: random.Random) -> None:
    """Pain a day later, often or nearly always given, of every score or only low; and sessions left out for pain or forgotten."""
    rows: list[dict[str, Any]] = []
    for entry in tx.all(select(tables.entries).where(tables.entries.c.kind == "pain_during")):
        of_patient = random.Random(entry.episode_id.int)
        often, worst = of_patient.choice((0.6, 0.97)), of_patient.choice((1, 2, 3, 10))
        copied = {name: getattr(entry, name) for name in ("clinic_id", "episode_id", "day", "slot", "prescription_id", "at")}
        copied |= {"confirmed": draw.random() < 0.9}
        if draw.random() < often:
            after = {"kind": "pain_24h", "score": draw.randint(0, worst), "outcome": None}
            rows.append(copied | after | {"id": tx.new_id(), "seq": entry.seq + 500})
        if draw.random() < 0.03:
            why = {"kind": "reason", "score": None, "outcome": draw.choice(("pain", "forgot"))}
            rows.append(copied | why | {"id": tx.new_id(), "seq": entry.seq + 1000})
    tx.connection.execute(tables.entries.insert(), rows)


def _add_to_cases(tx: Tx, draw: random.Random) -> None:
    """Who closed them, what else happened, and the answers that are evidence."""
    of_episode: dict[UUID, list[UUID]] = {}
    for entry in tx.all(select(tables.entries.c.id, tables.entries.c.episode_id).order_by(tables.entries.c.seq)):
        of_episode.setdefault(entry.episode_id, []).append(entry.id)
    events, evidence = list[dict[str, Any]](), list[dict[str, Any]]()
    for case in tx.all(select(tables.cases.c.id, tables.cases.c.episode_id, tables.cases.c.closed_at)):
        by = draw.choice(("settled by itself", "Anna Reed")) if case.closed_at else None
        tx.run(tables.cases.update().where(tables.cases.c.id == case.id).values(closed_by=by))
        for what in draw.sample(("acknowledged", "escalated", "seen_yes"), draw.randint(0, 2)):
            events.append({"id": tx.new_id(), "case_id": case.id, "what": what, "who": "x", "at": NOW})
        known = of_episode.get(case.episode_id, [])
        for entry_id in draw.sample(known, min(len(known), draw.randint(0, 8))):
            evidence.append({"id": tx.new_id(), "case_id": case.id, "entry_id": entry_id, "rule": "A4", "at": NOW})
    tx.connection.execute(tables.case_events.insert(), events)
    tx.connection.execute(tables.case_evidence.insert(), evidence)


def _add_decisions(tx: Tx, clinic: RunningClinic, draw: random.Random) -> None:
    """Decisions in the trail, some undone or taken back, among entries that are none."""
    everybody = [row.id for row in tx.all(select(tables.patients.c.id))]
    rows = [
        {
            "clinic_id": clinic.clinic.id, "seq": 10_000 + number, "at": NOW - timedelta(hours=draw.randint(0, 400)), "who": "x",
            "hash": b"x", "detail": {"was": draw.choice(("approved", "held", "stepped_back"))}, "subject_id": draw.choice(everybody),
            "what": draw.choice((*DECISIONS, "viewed", "outcome_told", UNDONE, TAKEN_BACK)),
        }
        for number in range(600)
    ]  # fmt: skip
    tx.connection.execute(tables.audit.insert(), rows)


def _add_invitations(tx: Tx, draw: random.Random) -> None:
    """One invitation, or a second after the first, of those who have not begun."""
    rows = []
    for patient in tx.all(select(tables.patients).where(tables.patients.c.status.in_(("invited", "asked")))):
        hours = sorted(draw.sample(range(600), draw.choice((1, 1, 2))), reverse=True)
        for at in (NOW - timedelta(hours=each) for each in hours):
            rows.append(
                {"id": tx.new_id(), "clinic_id": patient.clinic_id, "patient_id": patient.id, "code_hash": draw.randbytes(32),
                 "created_at": at, "expires_at": at + timedelta(days=14), "used_at": draw.choice((None, None, at)),
                 "revoked_at": draw.choice((None, None, at))}
            )  # fmt: skip
    tx.connection.execute(tables.invitations.insert(), rows)


def _add_outcomes(tx: Tx, clinic: RunningClinic, episode: episodes.Episode, draw: random.Random) -> None:
    for _ in range(draw.randint(0, 6)):
        measure = draw.choice(list(MEASURES.values()))
        care_records.add_outcome(
            tx, NOW - timedelta(minutes=draw.randint(0, 10_000)), episode, draw.choice((None, clinic.physio.id)), measure=measure.id,
            activity=draw.choice(("kneel", "Kneel", "drive")) if measure.has_activity else "",
            value=None if measure.has_activity and draw.random() < 0.1 else draw.randint(measure.low, measure.high),
            day=NOW.date() - timedelta(days=draw.randint(0, 60)),
        )  # fmt: skip
