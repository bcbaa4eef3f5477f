"""Urgent flags that somebody has yet to acknowledge: which step of telling people is next, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, func, literal, or_, select, update

from bot_service.clinical.catalogue import RED_FLAG
from bot_service.clinical.duty import URGENT
from bot_service.storage.columns import Utc
from bot_service.storage.database import Tx
from bot_service.storage.tables import alerts, case_events, cases, episodes, patients

RAISED = ("raised", "hit_again", "reopened", "more_urgent")
ENDED = ("acknowledged", "closed")


@dataclass(frozen=True)
class Alert:
    """A flag that waits to be told. `hits`: how often it was raised since nobody looks after it; `told`: how many of these were told."""

    case_id: UUID
    clinic_id: UUID
    patient_id: UUID
    physio_id: UUID
    ref: str
    rule: str
    status: str
    in_care: bool
    raised_at: datetime
    hits: int
    told: int
    step: int


def note(tx: Tx, now: datetime, case_id: UUID, what: str) -> None:
    """What an event of a case means: an urgent one that is raised is told at once, one that is looked after no more."""
    if what in ENDED:
        tx.run(_END, {"of_case": case_id})
    elif what in RAISED and tx.first(_AGAIN, {"of_case": case_id, "now": now}) is None:
        tx.attempt(_BEGIN, {"of_case": case_id, "now": now})


def begin_missing(tx: Tx, now: datetime) -> None:
    """Urgent flags that wait and of which nobody was ever told, from before anybody could be told: they are told from now on."""
    tx.attempt(_BEGIN_MISSING, {"now": now})


def list_due(tx: Tx, now: datetime, limit: int = 20) -> list[tuple[UUID, UUID]]:
    """The cases whose next step is due, each with its episode; the longest waiting first."""
    return [(row.case_id, row.episode_id) for row in tx.all(_DUE, {"now": now, "at_most": limit})]


def find_due(tx: Tx, case_id: UUID, now: datetime) -> Alert | None:
    """The alert, if its next step is still due."""
    row = tx.first(_DUE_OF_CASE, {"of_case": case_id, "now": now})
    return None if row is None else Alert(**row._mapping)


def advance(tx: Tx, alert: Alert, step: int, at: datetime) -> None:
    """All its hits have been told; `step` is next, at `at`."""
    tx.run(update(alerts).where(alerts.c.case_id == alert.case_id).values(told=alert.hits, step=step, at=at))


def put_off(tx: Tx, alert: Alert, at: datetime) -> None:
    """The step could not be carried out."""
    tx.run(update(alerts).where(alerts.c.case_id == alert.case_id).values(at=at))


def hurry(tx: Tx, now: datetime, case_id: UUID) -> None:
    """A notice did not get through: the next step is due now."""
    tx.run(update(alerts).where(alerts.c.case_id == case_id, alerts.c.at > now).values(at=now))


def count_untold(tx: Tx, clinic_id: UUID) -> int:
    """How many of a clinic's urgent flags nobody was told of yet."""
    of_clinic = select(func.count()).select_from(alerts).join(cases, cases.c.id == alerts.c.case_id).where(cases.c.clinic_id == clinic_id)
    return int(tx.scalar(of_clinic.where(alerts.c.told == 0)))


def hurry_untold(tx: Tx, now: datetime) -> None:
    """There is a new way to tell people: whatever nobody was told of yet is told now."""
    tx.run(update(alerts).where(alerts.c.told < alerts.c.hits, alerts.c.at > now).values(at=now))


def end(tx: Tx, case_id: UUID) -> None:
    tx.run(_END, {"of_case": case_id})


def stop_of(tx: Tx, episode_id: UUID) -> None:
    """Care has ended: its cases stay open, but go no further up. One that nobody was told of yet still is told."""
    of_episode = select(cases.c.id).where(cases.c.episode_id == episode_id)
    tx.run(delete(alerts).where(alerts.c.case_id.in_(of_episode), alerts.c.told > 0))


def is_waiting(tx: Tx, case_id: UUID) -> bool:
    """Whether nobody has acknowledged it yet."""
    return tx.first(select(cases.c.id).where(cases.c.id == case_id, cases.c.status == "open")) is not None


def next_at(tx: Tx, after: datetime | None = None) -> datetime | None:
    """When the next step is due, or the next one after `after`."""
    return tx.scalar(_NEXT, {}) if after is None else tx.scalar(_NEXT_AFTER, {"after": after})  # type: ignore[no-any-return]  # the column type


# Built once: putting a statement together costs several times what running it does.
_NOW = bindparam("now", type_=Utc)
_END = delete(alerts).where(alerts.c.case_id == bindparam("of_case"))
_AGAIN = update(alerts).where(alerts.c.case_id == bindparam("of_case")).values(hits=alerts.c.hits + 1, at=_NOW).returning(alerts.c.case_id)
_COLUMNS = ["case_id", "raised_at", "hits", "told", "step", "at"]
_WAITS = select(cases.c.id, _NOW, literal(1), literal(0), literal(0), _NOW).where(
    cases.c.status == "open", or_(cases.c.case_key == RED_FLAG, cases.c.urgency.in_(sorted(URGENT)))
)
_BEGIN = alerts.insert().from_select(_COLUMNS, _WAITS.where(cases.c.id == bindparam("of_case")))
_EVER_TOLD = exists().where(case_events.c.case_id == cases.c.id, case_events.c.what.like("notice!_%", escape="!"))
_BEGIN_MISSING = alerts.insert().from_select(
    _COLUMNS, _WAITS.where(cases.c.closed_at.is_(None), ~exists().where(alerts.c.case_id == cases.c.id), ~_EVER_TOLD)
)
_DUE = (
    select(alerts.c.case_id, cases.c.episode_id)
    .join_from(alerts, cases, alerts.c.case_id == cases.c.id)
    .where(alerts.c.at <= _NOW)
    .order_by(alerts.c.at, alerts.c.case_id)
    .limit(bindparam("at_most"))
)
_DUE_OF_CASE = (
    select(
        alerts.c.case_id, cases.c.clinic_id, episodes.c.patient_id, episodes.c.physio_id, patients.c.ref, cases.c.rule, cases.c.status,
        episodes.c.ended_at.is_(None).label("in_care"), alerts.c.raised_at, alerts.c.hits, alerts.c.told, alerts.c.step,
    )
    .join_from(alerts, cases, alerts.c.case_id == cases.c.id)
    .join(episodes, episodes.c.id == cases.c.episode_id)
    .join(patients, patients.c.id == episodes.c.patient_id)
    .where(alerts.c.case_id == bindparam("of_case"), alerts.c.at <= _NOW)
)  # fmt: skip
_NEXT = select(func.min(alerts.c.at))
_NEXT_AFTER = _NEXT.where(alerts.c.at > bindparam("after"))
