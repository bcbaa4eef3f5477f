"""The sample clinic as tests look at it: patients by first name, and what a physio would see of each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot_service.actions.histories import load_record, local_today
from bot_service.app import Service
from bot_service.clinical.record import Record
from bot_service.clock import MovableClock
from bot_service.sample.clinic import WEEKS, SampleClinic, build_sample_clinic
from bot_service.settings import load_settings
from bot_service.storage import cases, entries, episodes, migrating, patients, reviews, transcripts
from bot_service.storage.cases import Case
from bot_service.storage.database import Database, open_database, open_engine
from bot_service.storage.entries import Entry
from bot_service.storage.episodes import Episode
from bot_service.storage.patients import Patient
from bot_service.storage.reviews import Proposed
from bot_service.storage.transcripts import Shown
from plans.loading import load_library

NOW = datetime(2026, 6, 17, 15, 20, tzinfo=UTC)
"""A Wednesday afternoon."""


@dataclass
class Room:
    """A played sample clinic."""

    service: Service
    clinic: SampleClinic
    fractions: list[float]
    now: datetime = NOW

    @property
    def db(self) -> Database:
        return self.service.db

    def patient(self, first_name: str) -> Patient:
        with self.db.read() as tx:
            found = patients.list_of_clinic(tx, self.clinic.clinic.id)
        return next(patient for patient in found if patient.name.startswith(first_name))

    def episode(self, first_name: str) -> Episode:
        with self.db.read() as tx:
            found = episodes.find_of_patient(tx, self.patient(first_name).id)
        assert found is not None
        return found

    def cases(self, first_name: str) -> list[Case]:
        with self.db.read() as tx:
            return cases.list_open(tx, self.episode(first_name))

    def rules(self, first_name: str) -> set[str]:
        return {rule for case in self.cases(first_name) for rule in case.reasons}

    def pending(self, first_name: str) -> Proposed | None:
        with self.db.read() as tx:
            return reviews.find_pending(tx, self.episode(first_name))

    def held(self, first_name: str) -> set[str]:
        episode = self.episode(first_name)
        with self.db.read() as tx:
            return {hold.kind for hold in episodes.list_holds_in_force(tx, episode.id, local_today(self.now, episode.zone))}

    def record(self, first_name: str) -> Record:
        with self.db.read() as tx:
            return load_record(tx, self.episode(first_name), self.now)

    def entries(self, first_name: str) -> list[Entry]:
        with self.db.read() as tx:
            return entries.list_all(tx, self.episode(first_name))

    def shown(self, first_name: str) -> list[Shown]:
        with self.db.read() as tx:
            return transcripts.list_shown(tx, self.patient(first_name).id, only_received=True)


def play_room(file: Path, now: datetime, weeks: int = WEEKS) -> Room:
    """The sample clinic as it stands at `now`, in a new database."""
    service = a_service(file)
    fractions: list[float] = []
    clinic = asyncio.run(build_sample_clinic(service, now, weeks=weeks, progress=lambda fraction, _label: fractions.append(fraction)))
    return Room(service, clinic, fractions, now)


def a_service(file: Path) -> Service:
    """The service over a new database in `file`, in one thread."""
    url = f"sqlite:///{file}"
    engine = open_engine(url, synchronous="OFF")
    migrating.migrate(engine)
    engine.dispose()
    db = open_database(url, ["only for tests, thirty-two characters or more"], synchronous="OFF")
    return Service(load_settings(), db, load_library(), MovableClock(), in_threads=False)
