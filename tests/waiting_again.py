"""Why each patient stands where they stand in the caseload, since when and by when, told once more from the bare rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Table, select

from bot_service.storage import tables
from bot_service.storage.database import Tx

ORDER = ("red_flag", "flag", "step", "unreachable", "silent", "low", "waiting", "on_track", "away")
"""The order of the caseload (issue 5, point 1), then those who need nobody."""
WANT = ORDER[:6]
PRESSING = ("A4", "X1", "X3", "D5", "D3", "D4", "D7", "C5")
"""Which rule comes first where all else is equal (`clinical.md` 5.2)."""
URGENCIES = ("now", "same_day", "three_days", "routine")
HELD = {"pause": "Paused", "red_flag": "On hold after a red flag", "lost_contact": "Prompts stopped: no reply for a week"}
LAST = datetime.max.replace(tzinfo=UTC)


class Why(NamedTuple):
    """One reason; as a tuple it sorts: the need, what nobody looks after, what the lead must see, what is due first, the most urgent.

    `ends` is how its sentence ends: since when it was so, or is no longer.
    """

    need: int
    acknowledged: bool
    is_for_lead: bool
    due: datetime
    urgency: int
    rule: int
    since: datetime
    ends: str = ""


class Waiting:
    """All the rows that a reason can come from, by episode and by patient."""

    def __init__(self, tx: Tx, now: datetime, zone: str) -> None:
        self.now, self.zone = now, ZoneInfo(zone)
        self.tonight = datetime.combine(now.astimezone(self.zone).date() + timedelta(days=1), datetime.min.time(), self.zone)
        self.patients = {row.id: row for row in tx.all(select(tables.patients))}
        self.episodes = {row.id: row for row in tx.all(select(tables.episodes))}
        self.cases, self.steps, self.holds = (_of_episode(tx, each) for each in (tables.cases, tables.proposals, tables.holds))
        self.reached = {row.patient_id for row in tx.all(select(tables.addresses)) if row.status == "active"}
        self.dead = {row.patient_id for row in tx.all(select(tables.addresses)) if row.status == "unreachable"}

    def latest(self) -> list[UUID]:
        """Each patient's episode in care, or else the one that ended last."""
        found: dict[UUID, Any] = {}
        for row in sorted(self.episodes.values(), key=lambda row: (row.ended_at or LAST, row.id.hex)):
            found[row.patient_id] = row.id
        return list(found.values())

    def reasons(self, key: UUID) -> list[Why]:
        """Everything that asks for somebody, the most pressing first."""
        episode = self.episodes[key]
        patient, found = self.patients[episode.patient_id], list(self._of_cases(key))
        found += [Why(2, False, False, LAST, 9, 9, row.created_at) for row in self.steps[key] if row.status == "pending"]
        is_told = any(row.case_key == "X1" for row in self.cases[key] if row.closed_at is None)
        if patient.id in self.dead and episode.ended_at is None and patient.status != "opted_out" and not is_told:
            found.append(Why(3, False, False, LAST, 9, 9, patient.last_heard_at or self.now))
        return sorted(found, key=lambda why: (*why[:2], not why.is_for_lead, why.due, why.urgency * (not why.is_for_lead), *why[5:]))

    def need(self, key: UUID) -> str:
        """Where the patient is listed."""
        reasons = self.reasons(key)
        return ORDER[reasons[0].need] if reasons else self._state(key)

    def shown(self, key: UUID) -> list[tuple[str, str, str, bool]]:
        """The first two reasons as the row shows them: the need, how its sentence ends, since and by when, whether it is overdue."""
        state = self._state(key)
        silent = self.patients[self.episodes[key].patient_id].last_heard_at or self.now
        told = [(ORDER[why.need], self.waited(why.since), why) for why in self.reasons(key)[:2]]
        if not told:
            return [(state, "", f"Waiting {self.waited(silent)}" if state == "silent" else "", False)]
        return [
            (need, why.ends, f"Waiting {since}" + (f", {self.due(why)}" if why.due < LAST else ""), why.due < self.now)
            for need, since, why in told
        ]

    def waited(self, since: datetime) -> str:
        """Hours within a day, then days of the calendar."""
        hours = (self.now - since) // timedelta(hours=1)
        if hours >= 24:
            return _many((self.now.astimezone(self.zone).date() - since.astimezone(self.zone).date()).days, "day")
        return _many(hours, "hour") if hours else "under an hour"

    def due(self, why: Why) -> str:
        """By when; what is urgent is due at once, whenever the clinic opens."""
        late, local = self.now - why.due, why.due.astimezone(self.zone)
        if why.urgency == 0 and late < timedelta():
            return f"due now, clinic closed until {local:%a} {local.day} {local:%b, %H:%M}"
        if why.urgency == 0 and late < timedelta(hours=1):
            return "due now"
        if late > timedelta():
            hours = late // timedelta(hours=1)
            return (_many(hours // 24, "day") if hours > 23 else _many(hours, "hour") if hours else "under an hour") + " overdue"
        days = (local.date() - self.now.astimezone(self.zone).date()).days
        return ("due today", "due tomorrow")[days] if days < 2 else f"due by {local:%a} {local.day} {local:%b}"

    def heard(self, key: UUID) -> str:
        """When the patient wrote last, by the calendar where they are."""
        at = (patient := self.patients[self.episodes[key].patient_id]).last_heard_at
        if at is None:
            return "never"
        local, hours = at.astimezone(ZoneInfo(patient.zone)), (self.now - at) // timedelta(hours=1)
        days = (self.now.astimezone(ZoneInfo(patient.zone)).date() - local.date()).days
        if days == 0:
            return f"{_many(hours, 'hour')} ago" if hours else "just now"
        return f"yesterday {local:%H:%M}" if days == 1 else f"{days} days ago"

    def not_prompted(self, key: UUID) -> str | None:
        """Why nothing is asked of somebody in care, up to whose doing it is; None when nothing stands in the way."""
        patient = self.patients[self.episodes[key].patient_id]
        today = self.now.astimezone(ZoneInfo(patient.zone)).date()
        if patient.status != "opted_in":
            return "Stopped all messages."
        holds = [
            row for row in self.holds[key] if row.released_at is None and row.from_day <= today and (row.until_day or date.max) > today
        ]
        if holds:
            first = min(holds, key=lambda row: (row.created_at, row.id.hex))
            return f"{HELD[first.kind]}{f' until {_day(first.until_day)}' if first.until_day else ''}."
        return None if patient.id in self.reached else "Cannot be reached in the chat."

    def in_summary(self) -> list[int]:
        """How many need somebody today, are ready for a step, and can wait for a later day."""
        told = {key: self.reasons(key) for key in self.latest()}
        today = {key for key, found in told.items() if any(why.need == 0 or why.due < self.tonight for why in found)}
        steps = sum(any(why.need == 2 for why in found) for found in told.values())
        late = sum(key not in today and self.need(key) in WANT and self.need(key) != "step" for key in told)
        return [len(today), steps, late]

    def _of_cases(self, key: UUID) -> Iterator[Why]:
        for row in self.cases[key]:
            if row.closed_at is None:
                rule, urgency = PRESSING.index(row.rule) if row.rule in PRESSING else 9, URGENCIES.index(row.urgency)
                acknowledged, lead = row.status == "acknowledged", row.escalated_at is not None
                yield Why(_need_of(row), acknowledged, lead, row.due_at or LAST, urgency, rule, row.opened_at, self._ends(row))

    def _ends(self, case: Any) -> str:
        """Silence is counted up to today, or to the day on which the patient wrote again, where the patient is."""
        patient = self.patients[self.episodes[case.episode_id].patient_id]
        today, heard = (at and at.astimezone(ZoneInfo(patient.zone)).date() for at in (self.now, patient.last_heard_at))
        detail = case.reasons[min(_holding(case), key=PRESSING.index) if case.case_key == "engagement" else case.rule]
        if "over" in detail:
            return f"No longer so since {_day(date.fromisoformat(detail['over']))}."
        since = date.fromisoformat(detail["since"])
        return f"Wrote again on {_day(heard)}." if heard and heard > since else f"That was {_many((today - since).days, 'day')} ago."

    def _state(self, key: UUID) -> str:
        episode = self.episodes[key]
        patient = self.patients[episode.patient_id]
        today = self.now.astimezone(ZoneInfo(patient.zone)).date()
        holds = [row for row in self.holds[key] if row.released_at is None and row.from_day <= today]
        kinds = {row.kind for row in holds if row.until_day is None or row.until_day > today}
        if episode.status != "active" or patient.status == "opted_out":
            return "away"
        if patient.status != "opted_in":
            return "waiting"
        return "silent" if "lost_contact" in kinds else "away" if kinds else "on_track" if episode.next_prompt_at else "waiting"


def _need_of(case: Any) -> int:
    """A red flag, an address that takes nothing, or a flag; on the engagement case silence leads, and pain in the way is a flag."""
    if case.case_key != "engagement":
        return {"D1": 0, "X1": 3}.get(case.case_key, 1)
    return 4 if "D5" in _holding(case) else 5 if case.urgency == "routine" else 1


def _holding(case: Any) -> list[str]:
    """The rules of a case that still hold; all, when none does."""
    return [rule for rule in case.reasons if "over" not in case.reasons[rule]] or list(case.reasons)


def _of_episode(tx: Tx, table: Table) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in tx.all(select(table)):
        found[row.episode_id].append(row)
    return found


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
