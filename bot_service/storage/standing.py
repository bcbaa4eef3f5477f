"""Where everybody of a clinic stands, decided and sorted by the database: what `web/attention.py` says of one patient, for all at once.

Nothing is kept, so nothing can be out of date; tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    text,
    type_coerce,
    union_all,
)
from sqlalchemy.types import NullType

from bot_service.clinical.needs import WANTS_SOMEBODY, Need, needs_in_words
from bot_service.storage.columns import Utc
from bot_service.storage.database import Tx
from bot_service.storage.patients import name_hashes, record_hash
from bot_service.storage.pressing import UNHURRIED, first_reasons
from bot_service.storage.tables import addresses, episodes, holds, name_tokens, patients, prescriptions, senders


@dataclass(frozen=True)
class Wanted:
    """Whom a list is about; None and "" leave a condition out. `mine` are some physios' patients, with everybody's red flags.

    `ended`: with those whose care has ended; otherwise they are listed only while something about them is open. `untaken`: those who need
    somebody, and nobody is looking after what presses most. `alone`: nobody else's red flags.
    """

    mine: frozenset[UUID] | None = None
    ended: bool = False
    untaken: bool = False
    alone: bool = False
    physio: UUID | None = None
    stage: str = ""
    plan: str = ""
    side: str = ""
    channel: str = ""
    words: str = ""


class Place(NamedTuple):
    """Where somebody stands: the `Need`, whether anything is due by the end of the clinic's day, and whether a step waits (1 or 0)."""

    need: int
    today: int
    step: int


@dataclass(frozen=True)
class Standings:
    """How many stand in each place, and the episodes that were asked for, those who need somebody first."""

    counts: Mapping[Place, int]
    episodes: Sequence[UUID]

    def count(self, needs: Collection[int]) -> int:
        """How many have one of these needs."""
        return sum(number for place, number in self.counts.items() if place.need in needs)

    def in_words(self) -> str:
        """3 patients need you today; 2 are ready for a step."""
        today = sum(number for place, number in self.counts.items() if place.today)
        steps = sum(number for place, number in self.counts.items() if place.step)
        late = (Need.STEP, *(Need(need) for need in Need if need not in WANTS_SOMEBODY))
        return needs_in_words(today, steps, sum(n for place, n in self.counts.items() if not place.today and place.need not in late))


@dataclass(frozen=True)
class Part:
    """The part of a list that is shown: those with these needs, from a place in the list on."""

    needs: Collection[int]
    start: int
    length: int


def load_standings(tx: Tx, clinic_id: UUID, wanted: Wanted, part: Part, now: datetime, tonight: datetime) -> Standings:
    """Everybody wanted is counted; one part is listed. `tonight` is when the clinic's day ends. One statement, so that all agrees."""
    everybody = _everybody(tx, clinic_id, wanted, now, tonight).cte("everybody")
    own = everybody.c
    place = (own.need, own.today, own.step)
    nobody = null()
    counts = select(*place, func.count().label("number"), nobody.label("episode")).group_by(*place)
    shown = (
        select(*place, literal(0).label("number"), own.episode)
        .where(own.need.in_(part.needs))
        .order_by(own.need, own.acknowledged, own.urgency, own.due.is_(None), own.due, own.since, own.ref)
        .limit(part.length)
        .offset(part.start)
        .subquery("shown")
    )
    with _joined_whole(tx):
        rows = tx.all(union_all(counts, select(shown)))
    counted = {Place(row.need, row.today, row.step): row.number for row in rows if row.number}
    return Standings(counted, [read_id(row.episode) for row in rows if not row.number])


@contextmanager
def _joined_whole(tx: Tx) -> Iterator[None]:
    """Tables are read once and joined whole: PostgreSQL, before it has counted a new clinic, would read them once for each patient."""
    if not tx.db.is_sqlite:
        tx.run(_JOIN_WHOLE)
    yield
    if not tx.db.is_sqlite:
        tx.run(_JOIN_FREELY)


_JOIN_WHOLE = text("select set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true)")
_JOIN_FREELY = text("select set_config('enable_nestloop', 'on', true)")


def read_id(found: Any) -> Any:
    """An id as the driver gives it: SQLite's text, PostgreSQL's own, or None. For rows so many that reading each would show."""
    return _read_id(found) if isinstance(found, str) else found


_read_id = lru_cache(maxsize=2000)(UUID)


def _everybody(tx: Tx, clinic_id: UUID, wanted: Wanted, now: datetime, tonight: datetime) -> Select[Any]:
    """One row for each patient wanted, with what sorts it."""
    at_now = literal(now, Utc)
    first, held = first_reasons(clinic_id, at_now, tonight), _held(tx, clinic_id, now)
    need = case((first.c.need.is_not(None), first.c.need), else_=_state(held))
    columns = (
        type_coerce(episodes.c.id, NullType).label("episode"),
        need.label("need"),
        func.coalesce(first.c.today, 0).label("today"),
        func.coalesce(first.c.step, 0).label("step"),
        func.coalesce(first.c.acknowledged, 0).label("acknowledged"),
        func.coalesce(first.c.urgency, UNHURRIED).label("urgency"),
        first.c.due,
        case((first.c.need.is_not(None), first.c.since), else_=_state_since(held, at_now)).label("since"),
        patients.c.ref,
    )
    return (
        select(*columns)
        .select_from(episodes)
        .join(patients, _OF_PATIENT)
        .outerjoin(first, and_(first.c.episode_id == episodes.c.id, first.c.place == 1))
        .outerjoin(held, held.c.episode_id == episodes.c.id)
        .where(
            episodes.c.clinic_id == clinic_id,
            _latest(),
            *_conditions(tx, clinic_id, wanted, need, first),
        )
    )


def has_patients(tx: Tx, physio_ids: Collection[UUID]) -> bool:
    """Whether anybody in care is one of these physios'."""
    return tx.first(_OWN, {"physios": list(physio_ids)}) is not None


_OWN = select(episodes.c.id).where(episodes.c.physio_id.in_(bindparam("physios", expanding=True)), episodes.c.ended_at.is_(None)).limit(1)


_OF_PATIENT = and_(patients.c.id == episodes.c.patient_id, patients.c.clinic_id == episodes.c.clinic_id)
"""By the whole key: PostgreSQL then joins this clinic's patients only, and SQLite takes the index of the key."""


def _latest() -> ColumnElement[bool]:
    """Of a patient's episodes the active one, else the one that ended last."""
    other = episodes.alias("other")
    later = or_(
        other.c.ended_at.is_(None),
        other.c.ended_at > episodes.c.ended_at,
        and_(other.c.ended_at == episodes.c.ended_at, other.c.id > episodes.c.id),
    )
    return or_(episodes.c.ended_at.is_(None), ~exists().where(other.c.patient_id == episodes.c.patient_id, later))


def _held(tx: Tx, clinic_id: UUID, now: datetime) -> Subquery:
    """Episodes with a hold in force on the patient's own day, and whether contact was lost."""
    query = (
        select(holds.c.episode_id, func.max(case((holds.c.kind == "lost_contact", 1), else_=0)).label("lost"))
        .select_from(holds)
        .join(episodes, episodes.c.id == holds.c.episode_id)
        .join(patients, patients.c.id == episodes.c.patient_id)
    )
    zones: dict[date, list[str]] = {}
    for row in tx.all(select(patients.c.zone).where(patients.c.clinic_id == clinic_id).distinct()):
        zones.setdefault(now.astimezone(ZoneInfo(row.zone)).date(), []).append(row.zone)
    in_force = (
        and_(patients.c.zone.in_(names), holds.c.from_day <= day, or_(holds.c.until_day.is_(None), holds.c.until_day > day))
        for day, names in zones.items()
    )
    return (
        query.where(holds.c.clinic_id == clinic_id, holds.c.released_at.is_(None), or_(false(), *in_force))
        .group_by(holds.c.episode_id)
        .subquery("held")
    )


def _state(held: Subquery) -> ColumnElement[int]:
    """Where the patient stands when nothing asks for anybody."""
    return case(
        (episodes.c.ended_at.is_not(None), int(Need.AWAY)),
        (patients.c.status == "opted_out", int(Need.AWAY)),
        (patients.c.status.in_(("invited", "asked")), int(Need.WAITING)),
        (held.c.lost == 1, int(Need.SILENT)),
        (held.c.lost == 0, int(Need.AWAY)),
        (episodes.c.next_prompt_at.is_(None), int(Need.WAITING)),
        else_=int(Need.ON_TRACK),
    )


def _state_since(held: Subquery, at_now: ColumnElement[datetime]) -> ColumnElement[datetime]:
    """Since when."""
    return case(
        (episodes.c.ended_at.is_not(None), func.coalesce(episodes.c.ended_at, at_now, type_=Utc)),
        (patients.c.status.in_(("opted_out", "invited", "asked")), patients.c.status_at),
        (held.c.lost == 1, func.coalesce(patients.c.last_heard_at, at_now, type_=Utc)),
        (held.c.lost == 0, at_now),
        (episodes.c.next_prompt_at.is_(None), patients.c.status_at),
        else_=at_now,
    )


def _conditions(tx: Tx, clinic_id: UUID, wanted: Wanted, need: ColumnElement[int], first: Subquery) -> list[ColumnElement[bool]]:
    found = []
    if wanted.mine is not None:
        own = episodes.c.physio_id.in_(wanted.mine)
        found.append(own if wanted.alone else or_(own, need == Need.RED_FLAG))
    if wanted.untaken:
        found += [first.c.need.in_(sorted(WANTS_SOMEBODY)), first.c.acknowledged == 0]
    if not wanted.ended:
        found.append(or_(episodes.c.ended_at.is_(None), first.c.need.is_not(None)))
    if wanted.physio is not None:
        found.append(episodes.c.physio_id == wanted.physio)
    if wanted.stage:
        found.append(episodes.c.stage == wanted.stage)
    if wanted.plan:
        found.append(episodes.c.plan_id == wanted.plan)
    if wanted.side:
        found.append(episodes.c.prescription_id.in_(_on_side(clinic_id, wanted.side)))
    if wanted.channel:
        found.append(episodes.c.patient_id.in_(_on_channel(clinic_id, wanted.channel)))
    if wanted.words:
        known = (patients.c.ref.contains(wanted.words.upper(), autoescape=True), patients.c.record_hash == record_hash(tx, wanted.words))
        found.append(or_(*known, named(tx, wanted.words)))
    return found


def _on_side(clinic_id: UUID, side: str) -> Select[Any]:
    return select(prescriptions.c.id).where(prescriptions.c.clinic_id == clinic_id, prescriptions.c.side == side)


def _on_channel(clinic_id: UUID, channel: str) -> Select[Any]:
    query = select(addresses.c.patient_id).join_from(addresses, senders, addresses.c.sender_id == senders.c.id)
    return query.where(addresses.c.clinic_id == clinic_id, senders.c.channel == channel, addresses.c.status.not_in(("left", "alias")))


def named(tx: Tx, words: str) -> ColumnElement[bool]:
    """Whose name has words that begin with every one of `words`."""
    hashes = name_hashes(tx, words)
    of_word = (patients.c.id.in_(select(name_tokens.c.patient_id).where(name_tokens.c.token_hash == each)) for each in hashes)
    return and_(*of_word) if hashes else false()
