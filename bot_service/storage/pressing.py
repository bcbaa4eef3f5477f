"""Every reason to look at a patient as the database sees it: open cases, steps that wait, and addresses that take no messages."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    Subquery,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    union_all,
)

from bot_service.clinical.catalogue import ENGAGEMENT, ENGAGEMENT_RULES, PRIORITY, RED_FLAG, UNREACHABLE, URGENCIES
from bot_service.clinical.needs import Need
from bot_service.storage.columns import Utc
from bot_service.storage.tables import addresses, cases, episodes, patients, proposals

UNHURRIED = 9
"""Urgency of what is no case."""
ESCALATED = -100
"""Urgency of a case that the lead must see, before that of its rule: it comes first."""


CLINIC, NOW, TONIGHT = bindparam("clinic", type_=Uuid), bindparam("now", type_=Utc), bindparam("tonight", type_=Utc)
"""Of whom, as of when, and when the clinic's day ends."""


def first_reasons() -> Subquery:
    """Every reason to look at somebody, numbered for each episode by how much it presses."""
    reasons = _reasons().subquery("reasons")
    own = reasons.c.episode_id
    order = pressing(reasons)
    due = case((or_(reasons.c.need == int(Need.RED_FLAG), reasons.c.due < TONIGHT), 1), else_=0)
    step = case((reasons.c.need == int(Need.STEP), 1), else_=0)
    late = case((and_(reasons.c.acknowledged == 0, reasons.c.due < NOW), 1), else_=0)
    place = func.row_number().over(partition_by=own, order_by=order).label("place")
    of_any = (func.max(each).over(partition_by=own).label(name) for name, each in (("today", due), ("step", step), ("late", late)))
    return select(*reasons.c, place, *of_any).subquery("first")


def rank_of_patient(of: FromClause) -> tuple[ColumnElement[Any], ...]:
    """By what patients are sorted: red flags, flags that nobody looks after, what else is late and looked after by nobody, then by reasons.

    So nothing that somebody looks after stands before what is overdue and nobody looks after, but a red flag.
    """
    untaken = and_(of.c.need == int(Need.FLAG), of.c.acknowledged == 0)
    return case((of.c.need == int(Need.RED_FLAG), 0), (untaken, 1), (of.c.late == 1, 2), else_=3), *pressing(of)


def pressing(of: FromClause) -> tuple[ColumnElement[Any], ...]:
    """By what reasons are sorted: the need, what nobody looks after, what the lead must see, what is due first."""
    return (of.c.need, of.c.acknowledged, of.c.urgency >= 0, of.c.due.is_(None), of.c.due, of.c.urgency, of.c.since)


def _reasons() -> CompoundSelect[Any]:
    """Open cases, pending steps and addresses that take no messages, in the same columns."""
    said = cases.alias("said")
    of_episode = (said.c.clinic_id == CLINIC, said.c.episode_id == episodes.c.id)
    reported = exists().where(*of_episode, said.c.case_key == UNREACHABLE, said.c.closed_at.is_(None))
    open_cases = select(
        cases.c.episode_id,
        _need_of_case().label("need"),
        case((cases.c.status == "acknowledged", 1), else_=0).label("acknowledged"),
        _urgency().label("urgency"),
        cases.c.due_at.label("due"),
        cases.c.opened_at.label("since"),
    ).where(cases.c.clinic_id == CLINIC, cases.c.closed_at.is_(None))
    no_due = literal(None, Utc).label("due")
    steps = select(proposals.c.episode_id, literal(int(Need.STEP)), literal(0), literal(UNHURRIED), no_due, proposals.c.created_at).where(
        proposals.c.clinic_id == CLINIC, proposals.c.status == "pending"
    )
    unreachable = (
        select(
            episodes.c.id,
            literal(int(Need.UNREACHABLE)),
            literal(0),
            literal(UNHURRIED),
            no_due,
            func.coalesce(patients.c.last_heard_at, NOW, type_=Utc),
        )
        .select_from(addresses)
        .join(patients, patients.c.id == addresses.c.patient_id)
        .join(episodes, episodes.c.patient_id == patients.c.id)
        .where(
            addresses.c.clinic_id == CLINIC,
            addresses.c.status == "unreachable",
            patients.c.status != "opted_out",
            episodes.c.ended_at.is_(None),
            ~reported,
        )
    )
    return union_all(open_cases, steps, unreachable)


def _need_of_case() -> ColumnElement[int]:
    """`clinical.needs.need_of_case` for the database."""
    return case(
        (cases.c.case_key == RED_FLAG, int(Need.RED_FLAG)),
        (cases.c.case_key == UNREACHABLE, int(Need.UNREACHABLE)),
        (cases.c.case_key != ENGAGEMENT, int(Need.FLAG)),
        (_leads_with_silence(), int(Need.SILENT)),
        (cases.c.urgency != "routine", int(Need.FLAG)),
        else_=int(Need.LOW),
    )


def _leads_with_silence() -> ColumnElement[bool]:
    """Whether D5 is the most pressing reason on an engagement case: of those rules it comes first, unless it is over and another is not."""

    def holds_still(rule: str) -> ColumnElement[bool]:
        return and_(cases.c.reasons[rule].as_string().is_not(None), cases.c.reasons[(rule, "over")].as_string().is_(None))

    others = [holds_still(rule) for rule in ENGAGEMENT_RULES if rule != "D5"]
    return and_(cases.c.reasons["D5"].as_string().is_not(None), or_(holds_still("D5"), not_(or_(*others))))


def _urgency() -> ColumnElement[int]:
    """How soon, then the rule's place among the rules."""
    soon = case({urgency: number * 100 for number, urgency in enumerate(URGENCIES)}, value=cases.c.urgency, else_=len(URGENCIES) * 100)
    rule = case({name: number for number, name in enumerate(PRIORITY)}, value=cases.c.rule, else_=len(PRIORITY))
    return case((cases.c.escalated_at.is_not(None), ESCALATED), else_=soon) + rule
