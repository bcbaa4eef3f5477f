"""What the database says a patient told us and where it led: short questions for tests of receiving and deciding."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from bot_service.storage import cases, conversations, entries, episodes, inbox, prescriptions, reviews, tables
from bot_service.storage.cases import Case, Piece
from bot_service.storage.conversations import Question
from bot_service.storage.entries import Entry
from bot_service.storage.reviews import Proposed
from plans.model import Prescription
from tests.running_clinic import Person, RunningClinic

DAY1, DAY2, DAY3, DAY4, DAY5 = (datetime(2026, 9, day, 7, tzinfo=UTC) for day in range(22, 27))
"""08:00 in London from Tuesday on: when the prompts of somebody enrolled on Monday come."""


def scores(person: Person) -> list[tuple[str, date, int]]:
    """The values that hold, confirmed ones only: (kind, day, score)."""
    return [(each.kind, each.day, each.score) for each in current(person) if each.score is not None and each.confirmed]


def current(person: Person) -> list[Entry]:
    with person.clinic.db.read() as tx:
        return entries.list_current(tx, person.episode())


def everything(person: Person) -> list[Entry]:
    """Every entry, superseded ones too."""
    with person.clinic.db.read() as tx:
        return entries.list_all(tx, person.episode())


def open_cases(person: Person) -> dict[str, Case]:
    """Open cases by rule."""
    with person.clinic.db.read() as tx:
        return {case.rule: case for case in cases.list_open(tx, person.episode())}


def evidence(person: Person, case: Case) -> list[Piece]:
    with person.clinic.db.read() as tx:
        return cases.list_evidence(tx, case.id)


def open_questions(person: Person) -> list[Question]:
    with person.clinic.db.read() as tx:
        return conversations.list_open(tx, person.episode().id, person.clinic.clock.now())


def holds(person: Person) -> list[str]:
    """Kinds of the holds that are not released."""
    with person.clinic.db.read() as tx:
        return [hold.kind for hold in episodes.list_holds(tx, person.episode().id) if hold.released_at is None]


def proposals(person: Person) -> list[Proposed]:
    with person.clinic.db.read() as tx:
        return reviews.list_proposals(tx, person.episode())


def prescription(person: Person) -> Prescription:
    with person.clinic.db.read() as tx:
        return prescriptions.load(tx, person.episode().prescription_id)


def transcript(person: Person) -> list[str]:
    """The patient's side, as staff read it."""
    with person.clinic.db.read() as tx:
        return [each.text for each in inbox.list_of_patient(tx, person.id)]


def status(person: Person) -> str:
    return person.episode().patient_status


def audited(person: Person) -> list[str]:
    """What the audit trail says was done about this patient, in order."""
    with person.clinic.db.read() as tx:
        rows = tx.all(tables.audit.select().where(tables.audit.c.subject_id == person.id).order_by(tables.audit.c.seq))
    return [row.what for row in rows]


def counts(person: Person) -> dict[str, int]:
    """How many rows there are in everything that a message may change."""
    with person.clinic.db.read() as tx:
        watched = (tables.entries, tables.questions, tables.outbox, tables.cases, tables.case_evidence, tables.case_events, tables.audit)
        return {table.name: len(tx.all(table.select())) for table in watched}


async def settled_weeks(clinic: RunningClinic, days: int = 15) -> Person:
    """A patient who does everything for so many days, at 2 during and 1 the day after, so that the first stage is complete."""
    person = clinic.in_care()
    for day in range(days):
        await clinic.service.move_clock(DAY1 - timedelta(days=1) + timedelta(days=day + 1))
        if day:
            await person.say("1")
        await person.say("2")
    return person
