"""What clinicians did over months in the drawn records: steps of exercises, running, loads, decisions, offers, and cases of long ago."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Table, select

from bot_service.storage import tables
from bot_service.storage.database import Tx
from plans.model import Prescription
from plans.running import RUN_SLOT, open_running
from tests.builders import a_plan

STEPS = ("C0", "C1", "C2", "C5")
BECAME = ("approved", "released", "stepped_back", "rewritten", "withdrawn", "undone")
OFFERED = ("offered", "accepted", "declined", "withdrawn")


class DrawnCare:
    """Writes the rows; the same draws write the same rows."""

    def __init__(self, tx: Tx, now: datetime, staff_id: UUID, draw: random.Random) -> None:
        self.tx, self.now, self.staff_id, self.draw = tx, now, staff_id, draw
        self.rows: list[tuple[Table, dict[str, Any]]] = []
        self.documents: dict[tuple[str, str, bool], Prescription] = {}
        self.latest: dict[UUID, UUID] = {}

    def write(self) -> None:
        """Add to what is there already."""
        zones = {row.id: row.zone for row in self.tx.all(select(tables.patients.c.id, tables.patients.c.zone))}
        told = {(row.episode_id, row.day) for row in self.tx.all(select(tables.entries.c.episode_id, tables.entries.c.day))}
        prescribed: dict[UUID, list[Any]] = {}
        for row in self.tx.all(select(tables.prescriptions).order_by(tables.prescriptions.c.number)):
            prescribed.setdefault(row.episode_id, []).append(row)
        for episode in self.tx.all(select(tables.episodes)):
            today = self.now.astimezone(ZoneInfo(zones[episode.patient_id])).date()
            first = self._make_older(episode, prescribed[episode.id])
            self._prescribe_anew(episode, prescribed[episode.id], first, today)
            self._run(episode, today)
            if not told & {(episode.id, today - timedelta(days=back)) for back in range(5)}:
                self._refuse(episode, prescribed[episode.id][-1].id, today)
            self._decide(episode)
        self._name_loads()
        for table in (tables.prescriptions, tables.cases, tables.proposals, tables.outbox, tables.entries):
            self.tx.connection.execute(table.insert(), [values for of, values in self.rows if of is table])
        for episode_id, key in self.latest.items():
            self.tx.run(tables.episodes.update().where(tables.episodes.c.id == episode_id).values(prescription_id=key))

    def _make_older(self, episode: Row[Any], prescribed: list[Any]) -> date:
        """A quarter began months ago, in another stage or in this one. From when on something may be prescribed anew."""
        latest, stage_start = cast("date", prescribed[-1].starts_on), cast("date", episode.stage_start)
        if self.draw.random() > 0.25:
            return max(stage_start, latest)
        start: date = episode.start_date - timedelta(days=self.draw.randint(20, 200))
        values = {"start_date": start} | ({"stage_start": start} if len(prescribed) == 1 and self.draw.random() < 0.7 else {})
        self.tx.run(tables.episodes.update().where(tables.episodes.c.id == episode.id).values(**values))
        self.tx.run(tables.prescriptions.update().where(tables.prescriptions.c.id == prescribed[0].id).values(starts_on=start))
        return max(values.get("stage_start", stage_start), start if len(prescribed) == 1 else latest)

    def _prescribe_anew(self, episode: Row[Any], prescribed: list[Any], first: date, today: date) -> None:
        """Exercises go up a step, stay, or go down one; running opens and goes on; some of it was undone."""
        latest = prescribed[-1]
        document = self._read(latest)
        days = sorted(first + timedelta(days=self.draw.randint(0, (today - first).days)) for _ in range(self.draw.choice((0, 0, 1, 2, 4))))
        for number, day in enumerate(days, latest.number + 1):
            exercises = tuple(self._step(item) for item in document.exercises)
            document = self._with_running(document.model_copy(update={"exercises": exercises}))
            key, undone = self.tx.new_id(), number > latest.number + 1 and self.draw.random() < 0.15
            self._add(
                tables.prescriptions, episode, id=key, number=number, stage=latest.stage, side=latest.side, staff_id=self.staff_id,
                document=document.model_dump(mode="json"), starts_on=day, created_at=self.now, undone_at=self.now if undone else None,
            )  # fmt: skip
            if not undone:
                self.latest[episode.id] = key

    def _read(self, row: Row[Any]) -> Prescription:
        """A document of the drawn clinic, of which there are few."""
        which = (row.stage, row.side, row.document["plyometrics_unlocked"])
        if which not in self.documents:
            self.documents[which] = Prescription.model_validate(row.document)
        return self.documents[which]

    def _step(self, item: Any) -> Any:
        rungs = [None, *(rung.id for rung in item.exercise.rungs)]
        at = rungs.index(item.rung) + self.draw.choice((-1, 0, 0, 0, 1, 1))
        at = min(max(at, 1 if item.started else 0), len(rungs) - 1)
        return item.model_copy(update={"rung": rungs[at], "started": bool(at)})

    def _with_running(self, document: Prescription) -> Prescription:
        if document.stage == "early" or self.draw.random() < 0.4:
            return document
        first, last = document.run_steps_open or (self.draw.randint(1, 4), self.draw.randint(4, 9))
        step = min(last, (document.run_step or first) + self.draw.choice((0, 1)))
        return open_running(document, a_plan().return_to_run, (first, last), step)

    def _run(self, episode: Row[Any], today: date) -> None:
        """Runs in this stage of those who were prescribed something anew, whether or not running is open now."""
        days = range(1, min(30, (today - episode.stage_start).days + 1))
        if episode.id not in self.latest or episode.stage == "early":
            return
        for back in self.draw.sample(days, min(len(days), self.draw.randint(0, 5))):
            day, scored = today - timedelta(days=back), self.draw.random() < 0.8
            told = [("session", self.draw.choice(("done", "done", "partly", "not_done")), None)]
            for seq, (kind, outcome, score) in enumerate([*told, *([("pain_during", None, self.draw.randint(0, 7))] if scored else [])]):
                self._add(
                    tables.entries, episode, id=self.tx.new_id(), seq=3000 + 10 * back + seq, kind=kind, outcome=outcome, score=score,
                    day=day, slot=RUN_SLOT, prescription_id=self.latest[episode.id], confirmed=True,
                    at=self._at(back), done_at=self._at(back), supersedes_id=None,
                )  # fmt: skip

    def _refuse(self, episode: Row[Any], prescription_id: UUID, today: date) -> None:
        """Some who have said nothing for days were asked on three of them and said no."""
        for back in (1, 2, 3) if self.draw.random() < 0.3 else ():
            at, day = self._at(back), today - timedelta(days=back)
            of_slot = {"day": day, "slot": 1, "prescription_id": prescription_id}
            self._add(
                tables.outbox, episode, id=self.tx.new_id(), patient_id=episode.patient_id, kind="prompt", lane="bulk", content={},
                due_at=at, occurrence_key=f"{episode.id}:{day}:refused", expires_at=at, status="sent", status_at=at, **of_slot,
            )  # fmt: skip
            self._add(
                tables.entries, episode, id=self.tx.new_id(), seq=4500 + back, kind="session", outcome="not_done", score=None,
                confirmed=True, at=at, done_at=at, supersedes_id=None, **of_slot,
            )  # fmt: skip

    def _name_loads(self) -> None:
        """A load beside a session, now and then corrected or not confirmed."""
        sessions = select(tables.entries).where(tables.entries.c.kind == "session")
        for row in self.tx.all(sessions):
            if row.episode_id.int % 3 or self.draw.random() < 0.5:
                continue
            first, kilos = self.tx.new_id(), self.draw.randint(4, 120) / 4
            made = [(first, kilos, None)] + ([(self.tx.new_id(), kilos + 1, first)] if self.draw.random() < 0.1 else [])
            for seq, (key, load, instead) in enumerate(made):
                self._add(
                    tables.entries, row, id=key, seq=5000 + 2 * row.seq + seq, kind="load", outcome=f"{load:g} kg", score=None, day=row.day,
                    slot=row.slot, prescription_id=row.prescription_id, confirmed=self.draw.random() < 0.9, at=row.at, done_at=row.at,
                    supersedes_id=instead,
                )  # fmt: skip

    def _decide(self, episode: Row[Any]) -> None:
        """Steps that were suggested, decided on without being suggested, or offered to the patient; and cases long closed."""
        for _ in range(self.draw.choice((0, 0, 0, 1, 3))):
            rule, status = self.draw.choice((*STEPS, "own")), self.draw.choice(BECAME)
            self._suggest(episode, rule, status, {"sentence": rule}, by=None if status == "withdrawn" else self.staff_id)
        for _ in range(self.draw.choice((0, 0, 1, 3))):
            if episode.stage == "early" or self.draw.random() < 0.5:
                item = self.draw.choice(a_plan().stage(episode.stage).exercises)
                offered = {"exercise": item.id, "rung": self.draw.choice(item.rungs).id}
            else:
                offered = {"exercise": "RUN", "rung": str(self.draw.randint(1, 9))}
            self._suggest(episode, "C0", self.draw.choice(OFFERED), {"offered": offered}, by=None)
        if self.draw.random() < 0.1:
            opened = self.now - timedelta(days=self.draw.randint(91, 200))
            self._add(
                tables.cases, episode, id=self.tx.new_id(), case_key="A4", rule="A4", sentence="A4", reasons={"A4": {"sentence": "A4"}},
                urgency="same_day", status="closed", opened_at=opened, closed_at=opened + timedelta(days=2), closed_by="Anna Reed",
            )  # fmt: skip

    def _suggest(self, episode: Row[Any], rule: str, status: str, detail: dict[str, Any], *, by: UUID | None) -> None:
        hours = self.draw.choice((self.draw.randint(2, 400), self.draw.randint(2, 400), 24 * self.draw.randint(91, 200)))
        made = self.now - timedelta(hours=hours)
        self._add(
            tables.proposals, episode, id=self.tx.new_id(), rule=rule, from_stage=episode.stage, detail=detail, evidence_version=1,
            status=status, created_at=made, decided_at=None if status == "offered" else made + timedelta(hours=1), decided_by=by,
        )  # fmt: skip

    def _at(self, back: int) -> datetime:
        return self.now - timedelta(days=back)

    def _add(self, table: Table, of: Row[Any], **values: Any) -> None:
        """A row of an episode, or of the episode that a row belongs to."""
        episode_id = of.id if "start_date" in of._fields else of.episode_id
        self.rows.append((table, {"clinic_id": of.clinic_id, "episode_id": episode_id, **values}))
