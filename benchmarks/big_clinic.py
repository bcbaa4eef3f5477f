"""A clinic of many patients with weeks behind them, written straight into the tables in bulk: what playing them would take hours for."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Table, Uuid, bindparam, text
from sqlalchemy.types import TypeEngine

from bot_service.app import Service
from bot_service.storage import clinics, names, sealing, staff, tables
from bot_service.storage.clinics import Clinic
from bot_service.storage.columns import Utc
from bot_service.storage.database import Tx
from bot_service.storage.staff import Member
from plans.model import Prescription, prescribe

Rows = dict[str, list[dict[str, Any]]]
STAGES = ("early", "intermediate", "advanced")
CHANNELS = ("telegram", "whatsapp", "simulator")
SIDES = ("left", "right", "both")
ZONES = ("Europe/London",) * 18 + ("Europe/Paris", "Pacific/Auckland")
FIRST = ("Ada", "Ben", "Chidi", "Dora", "Elif", "Finn", "Grace", "Hugo", "Ines", "Jack", "Kofi", "Lena", "Mara", "Noor", "Olga", "Priya")
LAST = ("Abbott", "Baker", "Chandra", "Dietrich", "Evans", "Farouk", "Green", "Hughes", "Ito", "Jones", "Kowalski", "Larsen", "Mensah")
_CASES = (
    (0.004, "D1", "D1", "now"),
    (0.03, "A4", "A4", "same_day"),
    (0.03, "B3", "B3", "three_days"),
    (0.02, "X3", "X3", "three_days"),
    (0.05, "engagement", "D4", "routine"),
    (0.04, "engagement", "D5", "three_days"),
    (0.01, "X1", "X1", "three_days"),
    (0.03, "D7", "D7", "routine"),
)
"""How often each case is open: share of the patients, case key, rule, urgency."""
_AT_ONCE = 20_000


@dataclass
class BigClinic:
    """The clinic and a physio in it, who has every fortieth patient or so."""

    clinic: Clinic
    physio: Member
    refs: list[str]


def add_big_clinic(service: Service, now: datetime, number: int, *, days: int = 30, physios: int = 40, seed: int = 1) -> BigClinic:
    """Add a clinic of `number` patients, each with `days` days of prompts, answers and scores."""
    draw = random.Random(seed)
    service.register_plans()
    with service.db.begin() as tx:
        if service.db.is_sqlite:
            tx.run(text("pragma cache_size = -300000"))  # all indexes in memory while they grow
        clinic = clinics.add_clinic(tx, now, "crowded", "Crowded Physiotherapy", "Europe/London")
        team = [staff.add(tx, now, clinic.id, f"p{n}@crowded.example", f"{FIRST[n % 16]} {LAST[n % 13]}", "physio") for n in range(physios)]
        senders = [clinics.find_or_add_sender(tx, clinic.id, channel, f"crowded-{channel}", None).id for channel in CHANNELS]
        documents = {(stage, side): _document(service, stage, side) for stage in STAGES for side in SIDES}
        writer = _Writer(tx, draw, clinic.id, senders, now, days, documents)
        for each in range(number):
            writer.add_patient(each, draw.choice(team).id)
        writer.flush(0)
        for back in range(days, 0, -1):
            _add_day(tx, clinic.id, now.replace(hour=7, minute=0) - timedelta(days=back), days - back)
    if not service.db.is_sqlite:
        with service.db.begin() as tx:
            tx.run(text("analyze"))  # the server's own housekeeping would in a minute
    return BigClinic(clinic, team[0], writer.refs)


def _document(service: Service, stage: str, side: str) -> dict[str, Any]:
    plan = service.library["proximal_hamstring_tendinopathy"]
    times = {slot.number: time(8) for slot in plan.stage(stage).slots if slot.prompted}
    found: Prescription = prescribe(plan, stage, times, treated_side=side)  # type: ignore[arg-type]
    return found.model_dump(mode="json")


def _add_day(tx: Tx, clinic_id: UUID, at: datetime, number: int) -> None:
    """A prompt for everybody and, from most of those in care, an answer with a score; the database draws, which is quicker."""
    drawn = _DRAWN["sqlite" if tx.db.is_sqlite else "postgresql"]
    types: dict[str, TypeEngine[Any]] = {"clinic": Uuid(), "day": Date(), "at": Utc(), "said": Utc()}
    values = {"clinic": clinic_id, "day": at.date(), "at": at, "said": at + timedelta(hours=2)}
    for statement in _DAY:
        words = text(statement.format(**drawn, number=number))
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        tx.run(words.bindparams(*(bindparam(name, value, type_=types[name]) for name, value in used.items())))


_DRAWN = {
    "sqlite": {"new": "lower(hex(randomblob(16)))", "bytes": "randomblob(32)", "percent": "abs(random() % 100)"},
    "postgresql": {"new": "gen_random_uuid()", "bytes": "sha256(gen_random_uuid()::text::bytea)", "percent": "floor(random() * 100)"},
}
_DAY = (
    """insert into outbox (id, clinic_id, patient_id, episode_id, prescription_id, occurrence_key, day, due_at, expires_at, status_at,
    sent_at, kind, lane, slot, content, status, attempts) select {new}, clinic_id, patient_id, id, prescription_id,
    'prompt:{number}:' || patient_id, :day, :at, :at, :at, :at, 'prompt', 'bulk', 1, '{{}}', 'sent', 1
    from episodes where clinic_id = :clinic""",
    """insert into entries (id, clinic_id, episode_id, prescription_id, day, at, done_at, seq, kind, slot, outcome, confirmed)
    select {new}, clinic_id, id, prescription_id, :day, :said, :said, {number} * 2 + 1, 'session', 1, 'done', true
    from episodes where clinic_id = :clinic and next_prompt_at is not null and {percent} < 75""",
    """insert into entries (id, clinic_id, episode_id, prescription_id, day, at, done_at, seq, kind, slot, score, confirmed)
    select {new}, clinic_id, episode_id, prescription_id, day, at, at, seq + 1, 'pain_during', 1, cast({percent} as integer) / 16, true
    from entries where clinic_id = :clinic and day = :day and kind = 'session'""",
    """insert into inbox (id, sender_id, provider_hash, received_at, handled_at, status, attempts, clinic_id, patient_id, heard)
    select {new}, a.sender_id, {bytes}, :said, :said, 'handled', 1, a.clinic_id, a.patient_id, 'tap'
    from addresses a join episodes e on e.patient_id = a.patient_id where a.clinic_id = :clinic and e.next_prompt_at is not null
    and {percent} < 80""",
)


class _Writer:
    """Collects rows of all tables and writes them in bulk, parents first."""

    def __init__(
        self,
        tx: Tx,
        draw: random.Random,
        clinic_id: UUID,
        senders: list[UUID],
        now: datetime,
        days: int,
        documents: Mapping[tuple[str, str], dict[str, Any]],
    ) -> None:
        self.tx, self.draw, self.clinic_id, self.senders, self.now, self.days = tx, draw, clinic_id, senders, now, days
        self.documents = documents
        self.refs: list[str] = []
        self._rows: Rows = {}

    def add_patient(self, number: int, physio_id: UUID) -> None:
        """One patient in a state that is drawn, with everything that goes with it."""
        ref = f"P{number:05d}"
        self.refs.append(ref)
        state = self.draw.choices(("care", "invited", "stopped", "ended", "paused", "lost"), (80, 4, 1, 9, 3, 3))[0]
        patient_id, episode_id, prescription_id = (self.tx.new_id() for _ in range(3))
        self._person(patient_id, ref, state)
        self._care(patient_id, episode_id, prescription_id, physio_id, state)
        if state in ("paused", "lost"):
            self._hold(episode_id, "pause" if state == "paused" else "lost_contact")
        if state == "care":
            self._trouble(episode_id)
        self.flush(_AT_ONCE)

    def _person(self, patient_id: UUID, ref: str, state: str) -> None:
        key, wrapped = self.tx.db.keys.new_key()
        name = f"{self.draw.choice(FIRST)} {self.draw.choice(LAST)}{ref[-2:]}"
        sealed = sealing.seal(key, f"patients.name:{patient_id}", name)
        status = {"invited": "invited", "stopped": "opted_out"}.get(state, "opted_in")
        heard = None if state == "invited" else self.now - timedelta(hours=self.draw.randint(1, 300))
        self._add(
            tables.patients, id=patient_id, clinic_id=self.clinic_id, ref=ref, data_key=wrapped, name=sealed, zone=self.draw.choice(ZONES),
            language="en", status=status, status_at=self._earlier(), consent=None, last_heard_at=heard, created_at=self._earlier(),
        )  # fmt: skip
        for token in names.token_hashes(self.tx, name):
            self._add(tables.name_tokens, token_hash=token, patient_id=patient_id, clinic_id=self.clinic_id)
        address_id, status = self.tx.new_id(), "unreachable" if self.draw.random() < 0.01 else "active"
        self._add(
            tables.addresses, id=address_id, clinic_id=self.clinic_id, patient_id=patient_id, sender_id=self.draw.choice(self.senders),
            address_hash=self.tx.db.keys.index("address", ref), address=sealing.seal(key, f"addresses.address:{address_id}", ref),
            status=status, created_at=self.now,
        )  # fmt: skip

    def _care(self, patient_id: UUID, episode_id: UUID, prescription_id: UUID, physio_id: UUID, state: str) -> None:
        stage, side = self.draw.choice(STAGES), self.draw.choice(SIDES)
        began = (self.now - timedelta(days=self.days + self.draw.randint(0, 60))).date()
        of_clinic = {"clinic_id": self.clinic_id, "episode_id": episode_id}
        self._add(
            tables.episodes, id=episode_id, clinic_id=self.clinic_id, patient_id=patient_id, physio_id=physio_id,
            plan_id="proximal_hamstring_tendinopathy", status="ended" if state == "ended" else "active", start_date=began, stage=stage,
            stage_start=began, baseline=2, prescription_id=prescription_id,
            next_prompt_at=self.now + timedelta(hours=self.draw.randint(1, 24)) if state == "care" else None,
            ended_at=self._earlier() if state == "ended" else None,
        )  # fmt: skip
        self._add(
            tables.prescriptions, id=prescription_id, number=1, stage=stage, document=self.documents[stage, side], side=side,
            staff_id=physio_id, starts_on=began, created_at=self.now, **of_clinic,
        )  # fmt: skip

    def _hold(self, episode_id: UUID, kind: str) -> None:
        self._add(
            tables.holds, id=self.tx.new_id(), clinic_id=self.clinic_id, episode_id=episode_id, kind=kind, placed_by="a bench",
            from_day=self._earlier().date(), created_at=self.now,
        )  # fmt: skip

    def _trouble(self, episode_id: UUID) -> None:
        for share, key, rule, urgency in _CASES:
            if self.draw.random() < share and not (key == "engagement" and self._has(episode_id)):
                opened, words = self._earlier(), f"What rule {rule} says about this patient, in a sentence of its own."
                self._add(
                    tables.cases, id=self.tx.new_id(), clinic_id=self.clinic_id, episode_id=episode_id, case_key=key, rule=rule,
                    urgency=urgency, status=self.draw.choice(("open", "open", "acknowledged")), sentence=words,
                    reasons={rule: {"sentence": words, "occurred": "2026-09-20"}}, opened_at=opened,
                    due_at=opened + timedelta(days=self.draw.randint(1, 9)),
                )  # fmt: skip
        if self.draw.random() < 0.06:
            self._add(
                tables.proposals, id=self.tx.new_id(), clinic_id=self.clinic_id, episode_id=episode_id, rule="C1", from_stage="early",
                to_stage="intermediate", detail={"sentence": "The criteria are met; moving on can be considered, your decision."},
                evidence_version=1, status="pending", created_at=self._earlier(),
            )  # fmt: skip

    def _has(self, episode_id: UUID) -> bool:
        return any(row["episode_id"] == episode_id and row["case_key"] == "engagement" for row in self._rows.get("cases", ()))

    def _earlier(self) -> datetime:
        return self.now - timedelta(minutes=self.draw.randint(60, 20_000))

    def _add(self, table: Table, **values: Any) -> None:
        self._rows.setdefault(table.name, []).append(values)

    def flush(self, at: int) -> None:
        """Write what has been collected once there is that much of it."""
        if sum(map(len, self._rows.values())) < at:
            return
        for table in tables.metadata.sorted_tables:
            if rows := self._rows.get(table.name):
                self.tx.connection.execute(table.insert(), rows)
        self._rows.clear()
