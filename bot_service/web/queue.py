"""The team's queue: what nobody looks after yet, who covers for whom today, and taking somebody on in one click."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from bot_service.actions.deciding import MAY_DECIDE, Decision
from bot_service.actions.taking_on import take_on, take_over
from bot_service.clinical.duty import acts_for
from bot_service.storage import notices, staff
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Tx
from bot_service.storage.staff import Member
from bot_service.web.access import Visit
from bot_service.web.episode import find
from bot_service.web.times import local_day, long_day


@dataclass(frozen=True)
class Covers:
    """Who is away today: `of` says for each of them who looks after the patients, `sentences` the same for everybody to read."""

    of: Mapping[UUID, str]
    sentences: tuple[str, ...]


def covers_today(tx: Tx, clinic: Clinic, now: datetime) -> Covers:
    """Leave of this day, followed to somebody who is there."""
    today = local_day(now, clinic.zone)
    away = [each for each in notices.list_leaves(tx, clinic.id, today) if each.from_day <= today]
    if not away:
        return Covers({}, ())
    names, aways = {each.id: each.name for each in staff.list_of_clinic(tx, clinic.id)}, notices.list_aways(tx, clinic.id, today)
    acting = {each.staff_id: acts_for(each.staff_id, aways, today) for each in away}
    of = {key: f"away, {_cover(cover, names)}" for key, cover in acting.items()}
    told = (f"{names[each.staff_id]} is away until {long_day(each.until_day)}: {_cover(acting[each.staff_id], names)}." for each in away)
    return Covers(of, tuple(dict.fromkeys(told)))


def _cover(cover: UUID | None, names: Mapping[UUID, str]) -> str:
    return f"{names[cover]} covers" if cover else "nobody covers"


def may_take(member: Member) -> bool:
    """Whether the buttons are there for this member."""
    return member.role in MAY_DECIDE


def take(visit: Visit) -> Response:
    """Look after what is open about a patient, or make the patient one's own as well."""
    now = visit.service.clock.now()
    with visit.service.db.read() as tx:
        patient, episode = find(tx, visit)
    db, decision = visit.service.db, Decision(visit.who, episode.id, "")
    if visit.form.get("do") == "patient":
        take_over(db, decision, _shown(visit.form.get("physio", "")), now)
    else:
        take_on(db, decision, now)
    return RedirectResponse(f"/?whose=queue&taken={patient.ref}", 303)


def _shown(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
