"""End the care of several patients: each by itself, with its own entry in the trail; who has ended already is left as they are."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.errors import NotFound
from bot_service.storage import cases, episodes, patients
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.staff import Member

MOST = 500
"""Patients at once (default): more are a list that somebody should divide and read."""


@dataclass(frozen=True)
class Leaving:
    """A patient whose care would end. `open_flags` counts what nobody has closed."""

    ref: str
    name: str
    episode: Episode
    open_flags: int


def refs_in(text: str) -> list[str]:
    """The references in pasted text or in a column of a file, each once; a heading is none."""
    return list(dict.fromkeys(re.findall(r"\bP\d{3,}[2-9A-HJKMNP-Z]{3}\b", text.upper())))


def look_up(tx: Tx, member: Member, refs: Collection[str]) -> tuple[list[Leaving], list[str]]:
    """Those of these patients who are in care, and the references that are nobody's in care here."""
    found, unknown = [], []
    for ref in refs:
        try:
            patient = patients.load_by_ref(tx, member.clinic_id, ref)
        except NotFound:
            unknown.append(ref)
            continue
        episode = episodes.find_of_patient(tx, patient.id)
        if episode is None or episode.status != "active":
            unknown.append(ref)
        else:
            found.append(Leaving(patient.ref, patient.name, episode, len(cases.list_open(tx, episode))))
    return found, unknown


def discharge_each(db: Database, member: Member, refs: Collection[str], reason: str, now: datetime) -> int:
    """How many were ended. Raises NotPermitted for anybody but a physiotherapist."""
    with db.read() as tx:
        leaving, _ = look_up(tx, member, refs)
    for each in leaving:
        review.discharge(db, Decision(member, each.episode.id, reason), now)
    return len(leaving)
