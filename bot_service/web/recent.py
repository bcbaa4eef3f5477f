"""The recent weeks of many patients as the records that the adherence rules read, from a handful of queries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from bot_service.actions.histories import days_of_opting_in, local_today, scheduled_of, sessions_of
from bot_service.clinical.adherence import adherence, reply_rate
from bot_service.clinical.record import Record
from bot_service.storage import caseload, check_ins, prescriptions
from bot_service.storage.caseload import Listed, Recent
from bot_service.storage.database import Tx

DAYS = 14
"""The window of the two figures on the caseload: that of rule D4."""
DRAWN = 28
"""How far back the sparkline goes."""


@dataclass(frozen=True)
class Figures:
    """The figures of one row: percent or None when nothing was asked, and the worst session pain of recent loading days, oldest first.

    `ceiling` and the name of the `stage` are those of the patient's prescription.
    """

    adherence: int | None
    reply_rate: int | None
    pains: tuple[int, ...]
    ceiling: int
    stage: str


def recent_figures(tx: Tx, listed: Collection[Listed], now: datetime) -> dict[UUID, Figures]:
    """The figures of these patients by episode; the same as the whole record gives."""
    since = (now - timedelta(days=DRAWN + 1)).date()
    found = caseload.load_recent(tx, listed, since, now - timedelta(days=DAYS + 2))
    agreed = check_ins.last_opted_in(tx, [*found])
    records = (_record(tx, item, found[item.episode_id], agreed.get(item.episode_id), now) for item in listed)
    return {item.episode_id: _figures(record) for item, record in zip(listed, records, strict=True)}


def _figures(record: Record) -> Figures:
    first = record.today - timedelta(days=DRAWN - 1)
    pains = tuple(day.pain for day in record.rated_days if day.pain is not None and day.day >= first)
    return Figures(adherence(record, DAYS), reply_rate(record, DAYS), pains, record.rules.pain_ceiling, record.prescription.stage_title)


def _record(tx: Tx, item: Listed, recent: Recent, agreed: datetime | None, now: datetime) -> Record:
    today, zone = local_today(now, item.zone), ZoneInfo(item.zone)
    plan = prescriptions.load(tx, item.prescription_id)
    scheduled = (scheduled_of(tx, prompt, today) for prompt in recent.prompts)
    return Record(
        today=today,
        zone=item.zone,
        episode_start=item.start_date,
        stage=item.stage,
        stage_start=item.stage_start,
        baseline=None,
        scheduled=tuple(found for found in scheduled if found is not None),
        sessions=tuple(sessions_of(tx, recent.entries, item.prescription_id)),
        next_days=(),
        prescription=plan,
        replies=tuple(at.astimezone(zone).date() for at in recent.heard),
        opting_in=days_of_opting_in(recent.heard, agreed, zone),
    )
