"""A clinic of drawn patients, in every state and mixture of states that the tables allow, written straight into them."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Table

from bot_service.storage import clinics, staff, tables
from bot_service.storage.database import Tx
from plans.model import Prescription, prescribe
from tests.builders import a_plan
from tests.running_clinic import RunningClinic

ZONES = ("Europe/London", "Pacific/Auckland", "America/Adak", "Asia/Kathmandu")
CASES = (("D1", "D1"), ("X1", "X1"), ("X3", "X3"), ("A4", "A4"), ("D7", "D7"), ("odd", "Z9"))
URGENCIES = ("now", "same_day", "three_days", "routine")
SIDES = ("left", "right", "both")
CHANNELS = ("telegram", "whatsapp")
DAYS = 33


class DrawnClinic:
    """Writes the rows; the same seed writes the same clinic."""

    def __init__(self, clinic: RunningClinic, seed: int, *, weeks: bool = False) -> None:
        self.weeks, self.top = weeks, 10
        self.clinic, self.draw, self.now = clinic, random.Random(seed), clinic.clock.now()
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.documents: dict[tuple[str, str, bool], Prescription] = {}

    def write(self, number: int) -> None:
        """Add `number` patients, with three physios, two channels and plans of every stage and side."""
        with self.clinic.db.begin() as tx:
            team = [staff.add(tx, self.now, self.clinic.clinic.id, f"d{n}@drawn.example", f"Physio {n}", "physio").id for n in range(3)]
            senders = [clinics.find_or_add_sender(tx, self.clinic.clinic.id, channel, f"drawn {channel}", None).id for channel in CHANNELS]
            for each in range(number):
                self._patient(tx, f"D{each:04d}", [*team, self.clinic.physio.id], senders)
            for table in tables.metadata.sorted_tables:
                if rows := self.rows.get(table.name):
                    tx.connection.execute(table.insert(), rows)

    def _patient(self, tx: Tx, ref: str, team: list[UUID], senders: list[UUID]) -> None:
        patient_id, zone = tx.new_id(), self.draw.choice(ZONES)
        status = self.draw.choices(("opted_in", "opted_out", "invited", "asked"), (8, 1, 1, 1))[0]
        key, wrapped = tx.db.keys.new_key()
        self._add(
            tables.patients, id=patient_id, ref=ref, data_key=wrapped, zone=zone, language="en", status=status, status_at=self._ago(),
            last_heard_at=self.draw.choice((None, self._ago())), created_at=self._ago(),
        )  # fmt: skip
        for reach in self.draw.choice((("active",), ("left", "unreachable"), ("unreachable",), (), ("active", "left", "left"))):
            sealed = tx.db.keys.wrap(key)
            self._add(
                tables.addresses, id=tx.new_id(), patient_id=patient_id, sender_id=self.draw.choice(senders), address=sealed,
                address_hash=self.draw.randbytes(32), status=reach, created_at=self._ago(),
            )  # fmt: skip
        ended = self.draw.choice((0, 0, 0, 1, 2))
        for number in range(ended + (0 if ended == 1 and self.draw.random() < 0.5 else 1)):
            self._episode(tx, patient_id, zone, self.draw.choice(team), over=number < ended)

    def _episode(self, tx: Tx, patient_id: UUID, zone: str, physio_id: UUID, *, over: bool) -> None:
        episode_id, prescription_id, side = tx.new_id(), tx.new_id(), self.draw.choice(SIDES)
        stage, began = self.draw.choice(a_plan().stages).id, self.today(zone) - timedelta(days=self.draw.randint(0, 60))
        changed, usual = self._change(zone, began) if self.weeks else (began, 2)
        self._add(
            tables.episodes, id=episode_id, patient_id=patient_id, physio_id=physio_id, plan_id=a_plan().id,
            status="finished" if over else "active", start_date=began, stage=stage, stage_start=changed, baseline=usual,
            prescription_id=prescription_id, next_prompt_at=self.draw.choice((None, self._ago())), ended_at=self._ago() if over else None,
        )  # fmt: skip
        course = [(changed, prescription_id, stage)]
        if changed > began:
            course.insert(0, (began, tx.new_id(), self.draw.choice([each.id for each in a_plan().stages if each.id != stage])))
        for number, (start, key, of) in enumerate(course, 1):
            self._add(
                tables.prescriptions, id=key, episode_id=episode_id, number=number, stage=of, side=side, staff_id=physio_id,
                document=self._document(of, side), starts_on=start, created_at=self.now,
            )  # fmt: skip
        self._open(tx, episode_id)
        for _ in range(self.draw.choice((0, 0, 1, 2))):
            first = self.today(zone) + timedelta(days=self.draw.randint(-3, 2))
            self._add(
                tables.holds, id=tx.new_id(), episode_id=episode_id, placed_by="a test", from_day=first, created_at=self._ago(),
                kind=self.draw.choice(("pause", "red_flag", "lost_contact")), released_at=self.draw.choice((None, None, self._ago())),
                until_day=self.draw.choice((None, first + timedelta(days=self.draw.randint(0, 4)))),
            )  # fmt: skip
        if self.weeks:
            self._weeks(tx, (patient_id, episode_id), zone, course)

    def _change(self, zone: str, began: date) -> tuple[date, int | None]:
        """When the stage began, with the episode or later, and the usual pain, perhaps unknown."""
        days = (self.today(zone) - began).days
        return self.draw.choice((began, began + timedelta(days=self.draw.randint(0, days)))), self.draw.choice((None, 0, 1, 2, 2, 3, 4, 5))

    def _open(self, tx: Tx, episode_id: UUID) -> None:
        drawn = self.draw.sample(CASES, self.draw.choice((0, 0, 0, 1, 2, 4)))
        if self.draw.random() < 0.3:
            drawn.append(("engagement", self.draw.choice(("D3", "D4", "D5", "C5"))))
        for key, rule in drawn:
            rules = {rule, *self.draw.sample(("D3", "D4", "D5", "C5"), self.draw.randint(0, 3))} if key == "engagement" else {rule}
            since = {"since": self._ago().date().isoformat()} if self.weeks else {}
            reasons = {each: {"sentence": each} | self.draw.choice((since, {"over": "2026-09-20"})) for each in sorted(rules)}
            self._add(
                tables.cases, id=tx.new_id(), episode_id=episode_id, case_key=key, rule=rule, sentence=rule, reasons=reasons,
                urgency=self.draw.choice(URGENCIES), status=self.draw.choice(("open", "open", "acknowledged")), opened_at=self._ago(),
                due_at=self.draw.choice((None, self._ago(), self.now + timedelta(hours=self.draw.randint(0, 60)))),
                escalated_at=self.draw.choice((None, None, None, self._ago())), closed_at=self.draw.choice((None, None, None, self._ago())),
            )  # fmt: skip
        for rule in self.draw.sample(("C0", "C1"), self.draw.choice((0, 0, 0, 1, 2))):
            self._add(
                tables.proposals, id=tx.new_id(), episode_id=episode_id, rule=rule, from_stage="early", detail={"sentence": rule},
                evidence_version=1, status=self.draw.choice(("pending", "pending", "held")), created_at=self._ago(),
            )  # fmt: skip

    def _weeks(self, tx: Tx, ids: tuple[UUID, UUID], zone: str, course: list[tuple[date, UUID, str]]) -> None:
        """Prompts in every state, answers early, late, corrected, unconfirmed or missing, and words without an answer.

        Some answer nearly always and some seldom; some have pain of every score and some only a little.
        """
        (patient_id, episode_id), began, seq = ids, course[0][0], 0
        eager, self.top = self.draw.choice((0.3, 0.6, 0.97)), self.draw.choice((2, 3, 5, 10, 10))
        for back in range(self.draw.randint(0, DAYS), -1, -1):
            day = self.today(zone) - timedelta(days=back)
            at = datetime.combine(day, time(8), ZoneInfo(zone)).astimezone(UTC)
            in_force = next((key for start, key, _ in reversed(course) if start <= day), course[0][1])
            of_slot = {"episode_id": episode_id, "prescription_id": in_force, "day": day, "slot": self.draw.choice((1, 1, 1, 2))}
            status, reason = self.draw.choice(
                (("sent", None), ("read", None), ("sent", None), ("due", None), ("failed", None), ("cancelled", "on hold: pause"),
                 ("cancelled", "merged"), ("expired", "late"))
            )  # fmt: skip
            if self.draw.random() < 0.8:
                self._add(
                    tables.outbox, id=tx.new_id(), patient_id=patient_id, kind="prompt", lane="bulk", content={}, due_at=at,
                    occurrence_key=f"{episode_id}:{day}", expires_at=at, status=status, status_at=at, reason=reason, **of_slot,
                )  # fmt: skip
            said = at + timedelta(hours=self.draw.randint(1, 30))
            if self.draw.random() < eager and day >= began and said < self.now:
                seq = self._answer(tx, of_slot, said, seq)
            if self.draw.random() < 0.3 and said < self.now:
                self._add(
                    tables.inbox, id=tx.new_id(), patient_id=patient_id, sender_id=self.clinic.sender.id, received_at=said,
                    provider_hash=self.draw.randbytes(32), status="handled", heard=self.draw.choice(("tap", "text", "start", None)),
                    said_at=self.draw.choice((None, said - timedelta(hours=3))),
                )  # fmt: skip

    def _answer(self, tx: Tx, of_slot: dict[str, Any], said: datetime, seq: int) -> int:
        last: UUID | None = None
        words = ("done", "partly", "not_done") if self.top > 3 else ("done", "done", "partly")
        did = [("session", None, outcome) for outcome in self.draw.sample(words, self.draw.choice((0, 1, 1, 2)))]
        for kind, score, outcome in [*did, *((("pain_during", self.draw.randint(0, self.top), None),) if self.draw.random() < 0.8 else ())]:
            seq, before, last = seq + 1, last, tx.new_id()
            self._add(
                tables.entries, id=last, seq=seq, kind=kind, score=score, outcome=outcome, at=said, done_at=said,
                confirmed=self.draw.random() < 0.9, supersedes_id=before if outcome and seq > 1 and before else None, **of_slot,
            )  # fmt: skip
        return seq

    def _document(self, stage: str, side: str) -> dict[str, Any]:
        times = {slot.number: time(8) for slot in a_plan().stage(stage).slots if slot.prompted}
        key = (stage, side, self.weeks and stage == "advanced" and self.draw.random() < 0.5)
        if key not in self.documents:
            self.documents[key] = prescribe(a_plan(), stage, times, treated_side=side, plyometrics_unlocked=key[2])  # type: ignore[arg-type]
        made = self.documents[key]
        return made.model_dump(mode="json")

    def today(self, zone: str) -> date:
        return self.now.astimezone(ZoneInfo(zone)).date()

    def _ago(self) -> datetime:
        return self.now - timedelta(hours=self.draw.randint(0, 400))

    def _add(self, table: Table, **values: Any) -> None:
        self.rows.setdefault(table.name, []).append({"clinic_id": self.clinic.clinic.id, **values})
