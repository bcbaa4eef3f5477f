"""The statement that ranks everybody of a clinic for the caseload: written once for each set of conditions that somebody asks for."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Date,
    Integer,
    Select,
    Subquery,
    Uuid,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    null,
    or_,
    select,
    text,
    type_coerce,
    union,
    union_all,
)

from bot_service.clinical.needs import WANTS_SOMEBODY, Need
from bot_service.storage.columns import Utc
from bot_service.storage.pressing import CLINIC, NOW, UNHURRIED, first_reasons, rank_of_patient
from bot_service.storage.tables import addresses, episodes, holds, name_tokens, outbox, patients, prescriptions, senders


class Shape(NamedTuple):
    """Which conditions a statement has. `words` is how many words of a name are searched for, None without a search.

    `days` is how many dates it is for the patients of the clinic, who may live in several zones.
    """

    mine: bool
    alone: bool
    untaken: bool
    ended: bool
    physio: bool
    stage: bool
    plan: bool
    side: bool
    channel: bool
    unsent: bool
    words: int | None
    days: int


@lru_cache(maxsize=200)
def ranking(shape: Shape) -> CompoundSelect[Any]:
    """Everybody counted by place, then the part asked for in three pieces: who comes before those on track, these, and who comes after.

    A piece goes on from where the part starts, less those of the pieces before it; it is as long as the part, so the last may be too long.
    Those on track are many and differ in nothing but the reference: sorting them by all that sorts the others costs three times as much.
    """
    own = _everybody(shape).cte("everybody")
    place = (own.c.need, own.c.today, own.c.step)
    nobody = type_coerce(null(), Uuid).label("episode")
    counts = select(*place, func.count().label("number"), nobody).group_by(*place)
    order = (*rank_of_patient(own), own.c.ref)
    listed = own.c.need.in_(bindparam("needs", expanding=True))
    ahead, quiet = own.c.need < int(Need.ON_TRACK), own.c.need == int(Need.ON_TRACK)
    sizes = select(
        *(func.coalesce(func.sum(case((each, 1), else_=0)), 0).label(name) for name, each in (("ahead", ahead), ("quiet", quiet)))
    )
    size = sizes.where(listed).cte("sizes").c
    pieces = (
        _piece(own, and_(ahead, listed), order, literal(0)),
        _piece(own, and_(quiet, listed), (own.c.ref,), select(size.ahead).scalar_subquery()),
        _piece(own, and_(own.c.need > int(Need.ON_TRACK), listed), order, select(size.ahead + size.quiet).scalar_subquery()),
    )
    return union_all(counts, *(select(piece) for piece in pieces))


def _piece(own: CTE, chosen: ColumnElement[bool], order: tuple[ColumnElement[Any], ...], before: ColumnElement[int]) -> Subquery:
    """`before` is how many are in the pieces before."""
    left = bindparam("start", type_=Integer) - before
    found = select(own.c.need, own.c.today, own.c.step, literal(0).label("number"), own.c.episode).where(chosen)
    return found.order_by(*order).limit(bindparam("length", type_=Integer)).offset((left + func.abs(left)) // 2).subquery()


def _everybody(shape: Shape) -> Select[Any]:
    """One row for each patient wanted, with what sorts it."""
    first, held = first_reasons(), _held(shape.days)
    state, since = _state(held, _lost(held, shape.days))
    need = case((first.c.need.is_not(None), first.c.need), else_=state)
    columns = (
        episodes.c.id.label("episode"),
        need.label("need"),
        func.coalesce(first.c.today, 0).label("today"),
        func.coalesce(first.c.step, 0).label("step"),
        func.coalesce(first.c.late, 0).label("late"),
        func.coalesce(first.c.acknowledged, 0).label("acknowledged"),
        func.coalesce(first.c.urgency, UNHURRIED).label("urgency"),
        first.c.due,
        case((first.c.need.is_not(None), first.c.since), else_=since).label("since"),
        patients.c.ref,
    )
    return (
        select(*columns)
        .select_from(episodes)
        .with_hint(episodes, "INDEXED BY ix_episodes_listed", "sqlite")
        .with_hint(patients, "INDEXED BY ix_patients_listed", "sqlite")
        .join(patients, _OF_PATIENT)
        .outerjoin(first, and_(first.c.episode_id == episodes.c.id, first.c.place == 1))
        .outerjoin(held, held.c.episode_id == episodes.c.id)
        .where(episodes.c.clinic_id == CLINIC, _latest(), *_conditions(shape, need, first))
    )


_OF_PATIENT = and_(patients.c.id == episodes.c.patient_id, patients.c.clinic_id == episodes.c.clinic_id)
"""By the whole key: PostgreSQL then joins this clinic's patients only, and SQLite can take the index that holds all it needs.

It is told to: it has no statistics, and with them it would join everybody with everything open (measured: ten times as long). What that
index leaves out (when a lost patient was last heard) is read for those few alone.
"""


def _latest() -> ColumnElement[bool]:
    """Of a patient's episodes the active one, else the one that ended last."""
    gone, other = episodes.alias("gone"), episodes.alias("other")
    later = or_(
        other.c.ended_at.is_(None),
        other.c.ended_at > gone.c.ended_at,
        and_(other.c.ended_at == gone.c.ended_at, other.c.id > gone.c.id),
    )
    followed = select(gone.c.id).join_from(
        gone, other, and_(other.c.patient_id == gone.c.patient_id, other.c.clinic_id == gone.c.clinic_id)
    )
    followed = followed.where(gone.c.clinic_id == CLINIC, gone.c.ended_at.is_not(None), later)
    return or_(episodes.c.ended_at.is_(None), episodes.c.id.not_in(followed))


def _held(days: int) -> Subquery:
    """Episodes with a hold in force, for each of the dates it may be for a patient (1 when contact was lost, else 0), or yet to begin."""
    lost = case((holds.c.kind == "lost_contact", 1), else_=0)
    on = [bindparam(f"day_{number}", type_=Date) for number in range(days)]
    in_force = (and_(holds.c.from_day <= day, or_(holds.c.until_day.is_(None), holds.c.until_day > day)) for day in on)
    of_hold = [case((covered, lost), else_=None).label(f"lost_{number}") for number, covered in enumerate(in_force)]
    held = select(holds.c.episode_id, *of_hold, literal(0).label("waits")).where(holds.c.clinic_id == CLINIC, holds.c.released_at.is_(None))
    waiting = (
        select(episodes.c.id, *(null() for _ in on), literal(1))
        .with_hint(episodes, "INDEXED BY ix_episodes_next_prompt_at", "sqlite")
        .where(episodes.c.clinic_id == CLINIC, episodes.c.next_prompt_at.is_(None), episodes.c.ended_at.is_(None))
    )
    both = union_all(held, waiting).subquery("held_or_waiting")
    found = (func.max(each).label(each.key) for each in list(both.c)[1:])
    return select(both.c.episode_id, *found).group_by(both.c.episode_id).subquery("held")


def _lost(held: Subquery, days: int) -> ColumnElement[int | None]:
    """Of the dates the one that it is for the patient."""
    if days == 1:
        return held.c.lost_0
    zones = (patients.c.zone.in_(bindparam(f"zones_{number}", expanding=True)) for number in range(days))
    return case(*((there, held.c[f"lost_{number}"]) for number, there in enumerate(zones)))


def _state(held: Subquery, lost: ColumnElement[int | None]) -> tuple[ColumnElement[int], ColumnElement[Any]]:
    """Where the patient stands when nothing asks for anybody, and since when."""
    heard = func.coalesce(patients.c.last_heard_at, NOW, type_=Utc)
    states: tuple[tuple[ColumnElement[bool], Need, ColumnElement[Any]], ...] = (
        (episodes.c.ended_at.is_not(None), Need.AWAY, episodes.c.ended_at),
        (patients.c.status == "opted_out", Need.AWAY, patients.c.status_at),
        (patients.c.status.in_(("invited", "asked")), Need.WAITING, patients.c.status_at),
        (lost == 1, Need.SILENT, heard),
        (lost == 0, Need.AWAY, NOW),
        (held.c.waits == 1, Need.WAITING, patients.c.status_at),
    )
    return (
        case(*((so, int(need)) for so, need, _ in states), else_=int(Need.ON_TRACK)),
        case(*((so, since) for so, _, since in states), else_=NOW),
    )


def _conditions(shape: Shape, need: ColumnElement[int], first: Subquery) -> list[ColumnElement[bool]]:
    found = []
    if shape.mine:
        own = episodes.c.physio_id.in_(bindparam("mine", expanding=True))
        found.append(own if shape.alone else or_(own, need == int(Need.RED_FLAG)))
    if shape.untaken:
        found += [first.c.need.in_(sorted(map(int, WANTS_SOMEBODY))), first.c.acknowledged == 0]
    if not shape.ended:
        found.append(or_(episodes.c.ended_at.is_(None), first.c.need.is_not(None)))
    for name, column in (("physio", episodes.c.physio_id), ("stage", episodes.c.stage), ("plan", episodes.c.plan_id)):
        if getattr(shape, name):
            found.append(column == bindparam(name))
    if shape.side:
        found.append(episodes.c.prescription_id.in_(_ON_SIDE))
    if shape.channel:
        found.append(episodes.c.patient_id.in_(_ON_CHANNEL))
    if shape.unsent:
        found.append(episodes.c.patient_id.in_(_UNSENT))
    if shape.words is not None:
        found.append(episodes.c.patient_id.in_(_searched(shape.words)))
    return found


_ON_SIDE = select(prescriptions.c.id).where(prescriptions.c.clinic_id == CLINIC, prescriptions.c.side == bindparam("side"))
_ON_CHANNEL = (
    select(addresses.c.patient_id)
    .join_from(addresses, senders, addresses.c.sender_id == senders.c.id)
    .where(addresses.c.clinic_id == CLINIC, senders.c.channel == bindparam("channel"), addresses.c.status.not_in(("left", "alias")))
)


_UNSENT = (
    select(outbox.c.patient_id)
    .with_hint(outbox, "INDEXED BY ix_outbox_unsent", "sqlite")
    .where(
        outbox.c.clinic_id == CLINIC,
        outbox.c.due_at >= bindparam("unsent", type_=Utc),
        outbox.c.due_at < NOW,
        text("outbox.kind = 'prompt' and outbox.status in ('failed','expired','in_doubt')"),
    )
)
"""To whom exercises did not go out, or may not have: in the words of the index, which holds these alone."""


def _searched(words: int) -> CompoundSelect[Any]:
    """Patients of the clinic with a part of a reference, with the clinic's own number, or with so many words in the name."""
    hashes = [bindparam(f"word_{number}", type_=name_tokens.c.token_hash.type) for number in range(words)]
    found = (patients.c.ref.like(bindparam("in_ref"), escape="/"), patients.c.record_hash == bindparam("record"), with_words(hashes))
    return union(*(select(patients.c.id).where(patients.c.clinic_id == CLINIC, each) for each in found))


def with_words(hashes: list[Any]) -> ColumnElement[bool]:
    """In whose name every one of these beginnings of words is."""
    of_word = (patients.c.id.in_(select(name_tokens.c.patient_id).where(name_tokens.c.token_hash == each)) for each in hashes)
    return and_(*of_word) if hashes else false()
