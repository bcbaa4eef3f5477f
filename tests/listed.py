"""Everybody of a clinic as the caseload lists them: by the database's order, and by what is said of each."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from bot_service.clinical.needs import Need
from bot_service.storage import caseload, clinics, tables
from bot_service.storage.caseload import Listed
from bot_service.storage.database import Tx
from bot_service.storage.standing import Part, Standings, Wanted, load_standings
from bot_service.web.attention import Attention, attention
from bot_service.web.caseload import tonight

EVERYBODY = Wanted(ended=True)


def standings(tx: Tx, clinic_id: UUID, now: datetime, wanted: Wanted = EVERYBODY) -> Standings:
    """Everybody wanted, in the order of the list."""
    ends = tonight(now, clinics.load_clinic(tx, clinic_id).zone)
    return load_standings(tx, clinic_id, wanted, Part(tuple(Need), 0, 100_000), now, ends)


def listed(tx: Tx, clinic_id: UUID, now: datetime) -> dict[UUID, tuple[Listed, Attention]]:
    """Every episode of the clinic and what the page says of it, in no order."""
    ids = [row.id for row in tx.all(select(tables.episodes.c.id).where(tables.episodes.c.clinic_id == clinic_id))]
    cases, pending, holds = caseload.list_open_cases(tx, ids), caseload.list_pending(tx, ids), caseload.list_holds(tx, ids)
    return {
        each: (item, attention(item, cases.get(each, ()), pending.get(each, ()), holds.get(each, ()), now))
        for each, item in caseload.list_patients(tx, ids).items()
    }


def named(tx: Tx, clinic_id: UUID, now: datetime, words: str) -> set[UUID]:
    """The episodes of those whom a search finds."""
    return set(standings(tx, clinic_id, now, Wanted(ended=True, words=words)).episodes)
