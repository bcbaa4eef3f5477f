"""What the patient's page says of weeks, the next prompt, evidence and days, put together once more from the bare rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bot_service.storage import tables
from bot_service.storage.database import Tx
from tests.counted_again import Life
from tests.judged_again import became
from tests.waiting_again import Waiting

DID = {"done": "done", "partly": "partly done", "not_done": "not done", "pain": "pain", "forgot": "forgot"}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def weeks(life: Life, patient_status: str) -> str:
    """The week of care, and that of the stage where the stage began later; both count from 1."""
    if patient_status in ("invited", "asked"):
        return "not started"
    care, stage = ((life.today - start).days // 7 + 1 for start in (life.start, life.stage_start))
    return f"week {care} of care" if life.start == life.stage_start else f"week {stage} in this stage, week {care} of care"


class Told:
    """The rows that the page puts into words, by episode, case and entry."""

    def __init__(self, tx: Tx, waiting: Waiting) -> None:
        self.waiting = waiting
        self.entries = {row.id: row for row in tx.all(select(tables.entries))}
        self.later = {row.supersedes_id: row for row in self.entries.values() if row.supersedes_id}
        self.documents = {row.id: row.document for row in tx.all(select(tables.prescriptions))}
        self.evidence: dict[UUID, list[Any]] = {}
        for row in tx.all(select(tables.case_evidence)):
            self.evidence.setdefault(row.case_id, []).append(self.entries[row.entry_id])

    def values(self, case_id: UUID) -> list[str]:
        """The values of a case's evidence, the latest first; one that was corrected with what holds instead."""
        rows = sorted(self.evidence.get(case_id, []), key=lambda row: (row.at, row.seq), reverse=True)
        return [f"{_value(row)} {_value(now)}" if (now := self._holding(row)) is not row else _value(row) for row in rows]

    def marked(self, key: UUID) -> set[date]:
        """The days that are evidence of what is open."""
        return {row.day for case in self.waiting.cases[key] if case.closed_at is None for row in self.evidence.get(case.id, ())}

    def day(self, life: Life, key: UUID, day: date) -> str:
        """What a day is shown as; one without exercises so far, on which a prompt will come, is not at rest."""
        episode, state = self.waiting.episodes[key], became(life, day)
        will_come = episode.status == "active" and self.waiting.patients[episode.patient_id].status == "opted_in"
        if state == "rest" and day == life.today == episode.next_prompt_day and will_come:
            return "paused" if self._held(key, day, in_force=day) else "waiting"
        return state

    def next_prompt(self, life: Life, key: UUID) -> str:
        """When the next prompt comes, in the patient's zone, and in how long; or until when nothing comes."""
        episode = self.waiting.episodes[key]
        name = self.waiting.patients[episode.patient_id].zone
        if episode.next_prompt_at is None or episode.status != "active":
            return "none planned"
        day = episode.next_prompt_day or episode.next_prompt_at.astimezone(ZoneInfo(name)).date()
        if in_force := self._held(key, life.today, in_force=day):
            words = f"none while {'paused' if in_force[-1].kind == 'pause' else 'on hold'}"
            while in_force:  # one pause may follow another
                if any(hold.until_day is None for hold in in_force):
                    return words
                first = self._first(episode.prescription_id, max(hold.until_day for hold in in_force), name)
                in_force = self._held(key, life.today, in_force=first.astimezone(ZoneInfo(name)).date())
            return f"{words}; again {_moment(first, name)}"
        hours = abs(episode.next_prompt_at - self.waiting.now) // timedelta(hours=1)
        number, noun = (hours // 24, "day") if hours > 23 else (hours, "hour")
        return f"{_moment(episode.next_prompt_at, name)} (in {f'{number} {noun}' + 's' * (number != 1) if hours else 'under an hour'})"

    def _held(self, key: UUID, today: date, in_force: date | None = None) -> list[Any]:
        """The holds that are not over, the one placed last at the end; only those that cover a day."""
        rows = [row for row in self.waiting.holds[key] if row.released_at is None and (row.until_day is None or row.until_day > today)]
        rows = [row for row in rows if in_force is None or (row.from_day <= in_force and (row.until_day or date.max) > in_force)]
        return sorted(rows, key=lambda row: (row.created_at, row.id.hex))

    def _first(self, prescription_id: UUID, day: date, zone: str) -> datetime:
        """The first prompt on or after a day."""
        slots = [slot for slot in self.documents[prescription_id]["slots"] if slot["prompted"]]
        while not (due := [slot["at"] for slot in slots if WEEKDAYS[day.weekday()] in slot["days"]]):
            day += timedelta(days=1)
        hour, minute = (int(part) for part in min(due).split(":")[:2])
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)

    def _holding(self, row: Any) -> Any:
        while row.id in self.later:
            row = self.later[row.id]
        return row


def _value(row: Any) -> str:
    return f"{row.score}/10" if row.score is not None else DID.get(row.outcome, row.outcome)


def _moment(at: datetime, zone: str) -> str:
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b, %H:%M}, {zone.partition('/')[2]} time"
