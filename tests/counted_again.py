"""The figures of the pages counted once more from the bare rows, in another way than the product does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bot_service.storage import tables
from bot_service.storage.database import Tx

RUN = 10
WENT_OUT = {"sent", "delivered", "read"}
ON_ITS_WAY = {"due", "claimed", "sending"}


@dataclass
class Day:
    """One local day of somebody: what became of its prompts, what was said of its sessions, the worst pains, which slots
    were extra, whether anything was heard, and why it was left out; for pain is a case of its own."""

    prompts: dict[int, list[str]] = field(default_factory=dict)
    did: dict[int, str] = field(default_factory=dict)
    pain: dict[int, int] = field(default_factory=dict)
    after: list[int] = field(default_factory=list)
    extra: set[int] = field(default_factory=lambda: {RUN})
    heard: bool = False
    reasons: set[str] = field(default_factory=set)

    @property
    def left_out(self) -> bool:
        return "pain" in self.reasons


@dataclass
class Life:
    """One episode as its rows tell it."""

    ref: str
    today: date
    start: date
    stage_start: date
    usual: int | None
    stage: str
    is_unlocked: bool
    days: dict[date, Day] = field(default_factory=dict)

    def day(self, day: date) -> Day:
        return self.days.setdefault(day, Day())

    def window(self, length: int, until: int = 0) -> list[date]:
        """The last `length` days up to so many days ago, none before the start."""
        found = [self.today - timedelta(days=until + back) for back in range(length)]
        return [day for day in reversed(found) if day >= self.start]

    def points(self, day: date) -> int:
        """2 for a day with a session done, 1 for one partly done; extra slots count for nothing."""
        said = self.said(day)
        return 2 if "done" in said else 1 if "partly" in said else 0

    def said(self, day: date) -> set[str]:
        """What was said of the day's sessions, extra slots aside."""
        found = self.day(day)
        return {what for slot, what in found.did.items() if slot not in found.extra}

    def asked(self, day: date) -> set[str]:
        """What became of the day's prompts: sent, waiting, lost or paused."""
        found = self.day(day)
        states = set()
        for slot, prompts in found.prompts.items():
            if slot not in found.extra:
                states |= {"sent" if state == "waiting" and slot in found.did else state for state in prompts}
                if "unseen" in states:
                    states = states - {"unseen"} | {"lost" if found.heard and slot not in found.did else "sent"}
        return states

    def is_asked(self, day: date) -> bool:
        """Whether the day was asked about and is not still open."""
        states = self.asked(day)
        return self.points(day) > 0 if "waiting" in states else "sent" in states

    def is_answered(self, day: date) -> bool:
        return self.day(day).heard or bool(self.said(day))

    def worst(self, day: date) -> int | None:
        """Worst session pain of the day's sessions that were done, runs among them."""
        found = self.day(day)
        loaded = [slot for slot, what in found.did.items() if what != "not_done" and (slot not in found.extra or slot == RUN)]
        return max((found.pain[slot] for slot in loaded if slot in found.pain), default=None)

    def is_loaded(self, day: date) -> bool:
        found = self.day(day)
        return any(what != "not_done" and (slot not in found.extra or slot == RUN) for slot, what in found.did.items())

    def share(self, of: str, length: int = 14, until: int = 0) -> tuple[int, int] | None:
        """Halves done, or days answered twice, of twice the days asked; None when none was asked."""
        asked = [day for day in self.window(length, until) if self.is_asked(day)]
        got = sum(self.points(day) if of == "done" else 2 * self.is_answered(day) for day in asked)
        return (got, 2 * len(asked)) if asked else None

    def loading(self, length: int | None = None) -> list[tuple[date, int | None, int | None]]:
        """Loading days with the worst pain in the session and a day later, oldest first."""
        first = self.today - timedelta(days=length - 1) if length else date.min
        return [
            (day, self.worst(day), max(found.after, default=None))
            for day, found in sorted(self.days.items())
            if day >= first and self.is_loaded(day)
        ]


def as_percent(share: tuple[int, int] | None) -> str:
    """12 %, a half rounded up; – for none."""
    return "–" if share is None else f"{(200 * share[0] + share[1]) // (2 * share[1])} %"


def lives(tx: Tx, now: datetime) -> dict[UUID, Life]:
    """Every episode's life, by episode."""
    found: dict[UUID, Life] = {}
    documents = {row.id: row.document for row in tx.all(select(tables.prescriptions.c.id, tables.prescriptions.c.document))}
    extra = {key: {slot["number"] for slot in document["slots"] if slot["optional"]} for key, document in documents.items()}
    zones: dict[UUID, str] = {}
    of_patient: dict[UUID, list[tuple[UUID, Life]]] = {}
    columns = tables.episodes.c
    for row in tx.all(
        select(columns.id, columns.start_date, columns.stage_start, columns.baseline, columns.stage, columns.prescription_id,
               tables.patients.c.id.label("patient"), tables.patients.c.ref, tables.patients.c.zone)
        .join_from(tables.episodes, tables.patients, tables.patients.c.id == columns.patient_id)
    ):  # fmt: skip
        zones[row.patient] = row.zone
        today, unlocked = now.astimezone(ZoneInfo(row.zone)).date(), documents[row.prescription_id]["plyometrics_unlocked"]
        found[row.id] = Life(row.ref, today, row.start_date, row.stage_start, row.baseline, row.stage, unlocked)
        of_patient.setdefault(row.patient, []).append((row.id, found[row.id]))
    for row in tx.all(select(tables.outbox).where(tables.outbox.c.kind == "prompt")):
        life = found[row.episode_id]
        if (state := _state(row, life.today)) is not None:
            life.day(row.day).prompts.setdefault(row.slot, []).append(state)
            life.day(row.day).extra |= extra[row.prescription_id]
    _add_entries(tx, found, extra)
    first: dict[tuple[UUID, str], datetime] = {}
    for row in tx.all(select(tables.questions).where(tables.questions.c.kind.in_(("consent", "baseline")))):
        if row.closed_why == "answered":
            first[row.episode_id, row.kind] = min(row.closed_at, first.get((row.episode_id, row.kind), row.closed_at))
    begun: dict[UUID, datetime] = {}
    for (episode_id, _), at in first.items():
        begun[episode_id] = max(at, begun.get(episode_id, at))
    for row in tx.all(select(tables.inbox).where(tables.inbox.c.heard.in_(("text", "tap", "edit", "media")))):
        said = row.said_at or row.received_at
        for key, life in of_patient[row.patient_id]:
            if not (key in begun and said <= begun[key]):
                life.day(said.astimezone(ZoneInfo(zones[row.patient_id])).date()).heard = True
    return found


def _state(row: Any, today: date) -> str | None:
    if row.status in WENT_OUT or row.status in ON_ITS_WAY:
        went = "unseen" if row.content.get("exercises_awaited") == "yes" else "sent"
        return "waiting" if row.day >= today else went if row.status in WENT_OUT else "lost"
    if (row.status, row.reason) == ("cancelled", "answered already"):
        return "waiting" if row.day >= today else "sent"
    held = row.status == "cancelled" and (row.reason or "").startswith(("on hold", "too soon after the last session"))
    return "paused" if held else None if row.status == "cancelled" else "lost"


def _add_entries(tx: Tx, found: dict[UUID, Life], extra: dict[UUID, set[int]]) -> None:
    rows = tx.all(select(tables.entries).order_by(tables.entries.c.seq))
    replaced = {row.supersedes_id for row in rows}
    for row in rows:
        if row.id in replaced or not row.confirmed:
            continue
        day, slot = found[row.episode_id].day(row.day), row.slot or 1
        day.extra |= extra[row.prescription_id]
        if row.kind == "session":
            day.did[slot] = row.outcome
        elif row.kind == "pain_during":
            day.did.setdefault(slot, "done")
            day.pain[slot] = row.score
        elif row.kind == "pain_24h":
            day.after.append(row.score)
        elif row.kind == "reason":
            day.reasons.add(row.outcome)


def count_rules_again(tx: Tx, clinic_id: UUID, since: datetime, now: datetime, decisions: tuple[str, ...]) -> dict[str, Counter[str]]:
    """Of each rule's flags: raised, acknowledged, decided, noise, settled, open."""
    patient_of = {row.id: row.patient_id for row in tx.all(select(tables.episodes.c.id, tables.episodes.c.patient_id))}
    events = {(row.case_id, row.what) for row in tx.all(select(tables.case_events))}
    trail: dict[UUID, list[datetime]] = {}
    for who, at in _standing(tx.all(select(tables.audit).order_by(tables.audit.c.at.desc(), tables.audit.c.seq.desc())), decisions):
        trail.setdefault(who, []).append(at)
    found: dict[str, Counter[str]] = {}
    for row in tx.all(select(tables.cases)):
        if row.clinic_id != clinic_id or row.opened_at < since:
            continue
        end = row.closed_at or now
        changed = any(row.opened_at <= at <= end for at in trail.get(patient_of[row.episode_id], ()))
        for rule in row.reasons:
            count = found.setdefault(rule, Counter())
            count["raised"] += 1
            count["acknowledged"] += (row.id, "acknowledged") in events
            count["decided"] += changed
            count["open"] += row.closed_at is None
            count["settled"] += row.closed_by == "settled by itself"
            count["noise"] += row.closed_at is not None and row.closed_by != "settled by itself" and not changed
    return found


def count_suggestions_again(tx: Tx, since: datetime | None = None) -> dict[str, Counter[str]]:
    """Of each rule's steps that were put to a physio: shown, and what became of each; not what patients were offered."""
    found: dict[str, Counter[str]] = {}
    for row in tx.all(select(tables.proposals)):
        if row.rule == "own" or "offered" in row.detail or (since and row.created_at < since):
            continue
        count = found.setdefault(row.rule, Counter())
        count["shown"] += 1
        count["waiting"] += row.status == "pending"
        count["approved"] += row.status == "approved"
        count["held"] += row.status in ("held", "released")
        count["otherwise"] += row.status in ("stepped_back", "rewritten")
        count["withdrawn"] += row.status in ("withdrawn", "undone")
    return found


def _standing(trail: Sequence[Any], decisions: tuple[str, ...]) -> list[tuple[UUID, datetime]]:
    """Whom and when the decisions were about that stand, read backwards: what takes something back strikes the next one of its kind."""
    struck: Counter[tuple[UUID, str]] = Counter()
    found = []
    for row in trail:
        taken_back = {"decision_undone": row.detail.get("was"), "message_taken_back": "wrote_to_patient"}.get(row.what)
        if taken_back:
            struck[row.subject_id, taken_back] += 1
        elif row.what in decisions and struck[row.subject_id, row.what]:
            struck[row.subject_id, row.what] -= 1
        elif row.what in decisions:
            found.append((row.subject_id, row.at))
    return found


def count_prompts_again(tx: Tx, episode_id: UUID, now: datetime) -> int:
    """Prompts of the next 24 hours, by trying every day and slot: from the cursor on, at the wall time of the patient's zone."""
    row = tx.first(select(tables.episodes).where(tables.episodes.c.id == episode_id))
    assert row is not None
    if row.next_prompt_at is None or row.next_prompt_day is None:
        return 0
    zone = ZoneInfo(tx.scalar(select(tables.patients.c.zone).where(tables.patients.c.id == row.patient_id)))
    document = tx.scalar(select(tables.prescriptions.c.document).where(tables.prescriptions.c.id == row.prescription_id))
    cursor, found = (row.next_prompt_day, row.next_prompt_slot), 1 if row.next_prompt_at <= now + timedelta(days=1) else 0
    weekdays = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    for ahead in range(-3, 20):
        day = cursor[0] + timedelta(days=ahead)
        for slot in document["slots"]:
            on_day = weekdays[day.weekday()] in slot["days"] or day.weekday() in slot["days"]
            if not slot.get("prompted", True) or not on_day or (day, slot["number"]) <= cursor:
                continue
            hour, minute = (int(part) for part in slot["at"].split(":")[:2])
            at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)
            found += at <= now + timedelta(days=1)
    return found
