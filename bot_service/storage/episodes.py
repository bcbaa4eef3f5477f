"""Episodes of care: the cursor of the next prompt, the stage, the baseline, and what holds prompts back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Column, Integer, Row, ScalarSelect, Select, bindparam, func, or_, select, update

from bot_service.errors import NotFound
from bot_service.storage.database import Tx
from bot_service.storage.tables import episodes, holds, patients
from schedules.occurrences import Occurrence


@dataclass(frozen=True)
class Episode:
    """An episode of care with the patient's fields that every decision needs. `next_*` is the cursor."""

    id: UUID
    clinic_id: UUID
    patient_id: UUID
    physio_id: UUID
    plan_id: str
    status: str
    start_date: date
    stage: str
    stage_start: date
    baseline: int | None
    prescription_id: UUID
    evidence_version: int
    next_prompt_at: datetime | None
    next_prompt_day: date | None
    next_prompt_slot: int | None
    next_prompt_zone: str | None
    last_prompt_day: date | None
    last_prompt_slot: int | None
    last_prompt_at: datetime | None
    next_review_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None
    zone: str
    language: str
    ref: str
    patient_status: str
    patient_status_at: datetime
    last_heard_at: datetime | None
    next_appointment: date | None = None


@dataclass(frozen=True)
class Hold:
    """What holds exercise prompts back. `kind`: pause, red_flag, lost_contact or physio_first. `sealed_why` is read with `why_held`."""

    id: UUID
    kind: str
    sealed_why: bytes | None
    placed_by: str
    from_day: date
    until_day: date | None
    created_at: datetime
    released_at: datetime | None

    def covers(self, day: date) -> bool:
        """Whether the hold is in force on a local day; `until_day` is the first day it no longer is."""
        return self.released_at is None and self.from_day <= day and (self.until_day is None or day < self.until_day)


def add(tx: Tx, **values: Any) -> UUID:
    new_id = tx.new_id()
    tx.run(_ADD, {"id": new_id, "status": "active", **values})
    return new_id


def load(tx: Tx, episode_id: UUID) -> Episode:
    """Raises NotFound."""
    return _found(tx, _BY_ID, {"episode_id": episode_id})


def load_locked(tx: Tx, episode_id: UUID) -> Episode:
    """The same, and nobody else changes it until this transaction ends."""
    return _found(tx, _LOCKED, {"episode_id": episode_id})


def find_of_patient(tx: Tx, patient_id: UUID, *, lock: bool = False) -> Episode | None:
    """The patient's active episode, else the latest one that ended.

    `lock` before touching anything else of the patient's: whoever locks takes the episode first and messages after it, so that no two
    transactions wait for each other.
    """
    row = tx.first(_LATEST_LOCKED if lock else _LATEST, {"patient_id": patient_id})
    return None if row is None else _episode(tx, row)


def list_of_clinic(tx: Tx, clinic_id: UUID) -> list[Episode]:
    return [_episode(tx, row) for row in tx.all(_query().where(episodes.c.clinic_id == clinic_id).order_by(patients.c.ref))]


def claim_due_prompts(tx: Tx, now: datetime, limit: int) -> list[Episode]:
    """Active episodes whose cursor is due, locked against other replicas."""
    return [_episode(tx, row) for row in tx.all(_DUE_PROMPTS, {"now": now, "at_most": limit})]


def claim_due_reviews(tx: Tx, now: datetime, limit: int) -> list[Episode]:
    """Active episodes whose daily look at the rules is due."""
    return [_episode(tx, row) for row in tx.all(_DUE_REVIEWS, {"now": now, "at_most": limit})]


def next_event_at(tx: Tx, after: datetime | None = None) -> datetime | None:
    """When the earliest cursor of any active episode falls due, or the earliest later than `after`."""
    row = tx.one(_NEXT_EVENTS, {}) if after is None else tx.one(_NEXT_EVENTS_AFTER, {"after": after})
    return min((time for time in row if time is not None), default=None)


def set_cursor(tx: Tx, episode_id: UUID, upcoming: Occurrence | None, last: Occurrence | None = None) -> None:
    """Remember the next prompt, and the last one planned when there was one."""
    values: dict[str, Any] = {
        "next_prompt_at": upcoming and upcoming.due_at,
        "next_prompt_day": upcoming and upcoming.day,
        "next_prompt_slot": upcoming and upcoming.slot,
        "next_prompt_zone": upcoming and upcoming.zone,
    }
    if last is not None:
        values |= {"last_prompt_day": last.day, "last_prompt_slot": last.slot, "last_prompt_at": last.due_at}
    change(tx, episode_id, **values)


def change(tx: Tx, episode_id: UUID, **values: Any) -> None:
    tx.run(_CHANGE, {"episode_id": episode_id, **values})


def end(tx: Tx, now: datetime, episode: Episode, status: str, reason: str) -> None:
    """The episode of care is over: nothing falls due any more."""
    sealed = tx.seal(episode.patient_id, f"episodes.end_reason:{episode.id}", reason)
    change(tx, episode.id, status=status, ended_at=now, end_reason=sealed, next_prompt_at=None, next_review_at=None)


def count_of_physio(tx: Tx, staff_id: UUID) -> int:
    """How many patients in care a member of staff is responsible for."""
    mine = select(func.count()).select_from(episodes).where(episodes.c.physio_id == staff_id, episodes.c.status == "active")
    return int(tx.scalar(mine))


def move_to_physio(tx: Tx, from_id: UUID, to_id: UUID) -> int:
    """Make somebody else responsible for all of them; how many there were."""
    moved = update(episodes).where(episodes.c.physio_id == from_id, episodes.c.status == "active").values(physio_id=to_id)
    return len(tx.all(moved.returning(episodes.c.id)))


def count_evidence(tx: Tx, episode_id: UUID) -> None:
    """The record changed: a decision on what was shown before no longer holds."""
    tx.run(_COUNT_EVIDENCE, {"episode_id": episode_id})


def place_hold(
    tx: Tx, now: datetime, episode: Episode, kind: str, *, why: str, by: str, from_day: date, until_day: date | None = None
) -> bool:
    """Hold prompts back; False when a hold of this kind is in force already (its end is then moved, not doubled) or waits to begin
    (it then has the new days)."""
    today = now.astimezone(ZoneInfo(episode.zone)).date()
    old = next((hold for hold in reversed(list_holds(tx, episode.id)) if hold.kind == kind and hold.released_at is None), None)
    waits = old is not None and old.from_day > today and (until_day is None or until_day > old.from_day)
    if old is not None and (waits or (old.from_day <= today and (old.until_day is None or old.until_day > from_day))):
        sealed = tx.seal(episode.patient_id, f"holds.why:{old.id}", why)
        changed = {"from_day": from_day if waits else old.from_day, "until_day": until_day, "why": sealed, "placed_by": by}
        tx.run(update(holds).where(holds.c.id == old.id).values(**changed))
        return False
    new_id = tx.new_id()
    sealed = tx.seal(episode.patient_id, f"holds.why:{new_id}", why)
    values = {"id": new_id, "clinic_id": episode.clinic_id, "episode_id": episode.id, "kind": kind, "why": sealed, "placed_by": by}
    tx.run(holds.insert().values(**values, from_day=from_day, until_day=until_day, created_at=now))
    return True


def release_holds(tx: Tx, now: datetime, episode_id: UUID, kinds: Sequence[str], by: str) -> bool:
    """End the holds of those kinds; False when there were none."""
    return bool(tx.all(_RELEASE, {"of_episode": episode_id, "kinds": list(kinds), "released_at": now, "released_by": by}))


def release_own_pauses(tx: Tx, now: datetime, episode_id: UUID, begun_by: date | None) -> bool:
    """End the pauses that the patient placed, of which only those that began by a day where one is given; False when there were none."""
    last = begun_by or date.max
    return bool(tx.all(_RELEASE_OWN, {"of_episode": episode_id, "last": last, "released_at": now, "released_by": "patient"}))


def hold_of(row: Row[Any]) -> Hold:
    """The hold in a row of the table."""
    return Hold(row.id, row.kind, row.why, row.placed_by, row.from_day, row.until_day, row.created_at, row.released_at)


def list_holds(tx: Tx, episode_id: UUID) -> list[Hold]:
    rows = tx.all(_HOLDS, {"episode_id": episode_id})
    return [hold_of(row) for row in rows]


def list_holds_in_force(tx: Tx, episode_id: UUID, day: date) -> list[Hold]:
    rows = tx.all(_HOLDS_IN_FORCE, {"episode_id": episode_id, "on": day})
    return [hold_of(row) for row in rows]


def list_holds_of_clinic(tx: Tx, clinic_id: UUID) -> dict[UUID, list[Hold]]:
    """Holds that nobody has released, by episode, the oldest first."""
    found: dict[UUID, list[Hold]] = {}
    for row in tx.all(_HOLDS_OF_CLINIC, {"clinic": clinic_id}):
        found.setdefault(row.episode_id, []).append(hold_of(row))
    return found


def why_held(tx: Tx, episode: Episode, hold: Hold) -> str:
    """Why a hold was placed, in the words of whoever placed it."""
    return tx.unseal(episode.patient_id, f"holds.why:{hold.id}", hold.sealed_why) or ""


_FIELDS = tuple(field.name for field in fields(Episode))
_END_REASON = _FIELDS.index("end_reason")


def _query() -> Select[Any]:
    of_patient = {
        "patient_status": patients.c.status.label("patient_status"),
        "patient_status_at": patients.c.status_at.label("patient_status_at"),
    }
    columns = [of_patient[name] if name in of_patient else (episodes.c if name in episodes.c else patients.c)[name] for name in _FIELDS]
    return select(*columns, patients.c.data_key).join_from(episodes, patients, episodes.c.patient_id == patients.c.id)


def _due(column: Column[Any]) -> Select[Any]:
    """Active episodes for which that moment has come, locked against other replicas."""
    query = _query().where(column <= bindparam("now"), episodes.c.status == "active").order_by(column, episodes.c.id)
    return query.limit(bindparam("at_most", type_=Integer)).with_for_update(of=episodes, skip_locked=True, key_share=True)


def _next(column: Column[Any], *, after: bool = False) -> ScalarSelect[Any]:
    """The earliest such moment of any active episode."""
    query = select(column).where(episodes.c.status == "active", column.is_not(None)).order_by(column).limit(1)
    return (query.where(column > bindparam("after")) if after else query).scalar_subquery()


# Built once: putting a statement together costs several times what running it does.
_ADD = episodes.insert()
_BY_ID = _query().where(episodes.c.id == bindparam("episode_id"))
# `key_share`: a new row that names the episode does not wait for whoever holds it.
_LOCKED = _BY_ID.with_for_update(of=episodes, key_share=True)
_LATEST = (
    _query()
    .where(episodes.c.patient_id == bindparam("patient_id"))
    .order_by(episodes.c.ended_at.is_not(None), episodes.c.ended_at.desc())
    .limit(1)
)
_LATEST_LOCKED = _LATEST.with_for_update(of=episodes, key_share=True)
_DUE_PROMPTS = _due(episodes.c.next_prompt_at)
_DUE_REVIEWS = _due(episodes.c.next_review_at)
_NEXT_EVENTS = select(_next(episodes.c.next_prompt_at), _next(episodes.c.next_review_at))
_NEXT_EVENTS_AFTER = select(_next(episodes.c.next_prompt_at, after=True), _next(episodes.c.next_review_at, after=True))
_RELEASE = (
    update(holds)
    .where(
        holds.c.episode_id == bindparam("of_episode"), holds.c.kind.in_(bindparam("kinds", expanding=True)), holds.c.released_at.is_(None)
    )
    .returning(holds.c.id)
)
_RELEASE_OWN = (
    update(holds)
    .where(holds.c.episode_id == bindparam("of_episode"), holds.c.kind == "pause", holds.c.placed_by == "patient")
    .where(holds.c.from_day <= bindparam("last"), holds.c.released_at.is_(None))
    .returning(holds.c.id)
)
_CHANGE = update(episodes).where(episodes.c.id == bindparam("episode_id"))
_COUNT_EVIDENCE = _CHANGE.values(evidence_version=episodes.c.evidence_version + 1)
_HOLDS = select(holds).where(holds.c.episode_id == bindparam("episode_id")).order_by(holds.c.created_at, holds.c.id)
_HOLDS_IN_FORCE = _HOLDS.where(
    holds.c.released_at.is_(None),
    holds.c.from_day <= bindparam("on"),
    or_(holds.c.until_day.is_(None), holds.c.until_day > bindparam("on")),
)
_HOLDS_OF_CLINIC = (
    select(holds).where(holds.c.clinic_id == bindparam("clinic"), holds.c.released_at.is_(None)).order_by(holds.c.created_at, holds.c.id)
)


def _found(tx: Tx, query: Select[Any], values: Mapping[str, Any]) -> Episode:
    row = tx.first(query, values)
    if row is None:
        raise NotFound("no such episode of care")
    return _episode(tx, row)


def _episode(tx: Tx, row: Row[Any]) -> Episode:
    values: list[Any] = [*row]
    tx.remember_key(row.patient_id, values.pop())
    values[_END_REASON] = tx.unseal(row.patient_id, f"episodes.end_reason:{row.id}", row.end_reason)
    return Episode(*values)
