"""Who is told of a flag, and when: the physio or whoever covers, then the deputy, then the clinic lead, in the clinic's working hours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from bot_service.clinical.working_hours import Hours, a_working_day_after, after_working

Step = Literal["tell", "check", "remind", "deputy", "lead"]
STEPS: tuple[Step, ...] = ("tell", "check", "remind", "deputy", "lead")
"""What is done, in this order, about an urgent flag that nobody has acknowledged."""
CHECK_AFTER = timedelta(minutes=10)
"""A first notice that has not gone out by then goes by the other way, or to the next person (default): `reliability.md` E2 asks for 15."""
URGENT = frozenset({"now", "same_day"})


@dataclass(frozen=True)
class Limits:
    """How long a flag may wait unacknowledged: working minutes until the reminder and the deputy, working days until the lead."""

    remind_min: int
    deputy_min: int
    lead_days: int


@dataclass(frozen=True)
class Colleague:
    """A member of staff as the duty sees one. `duty` is deputy, lead or None."""

    id: UUID
    role: str
    active: bool
    duty: str | None


@dataclass(frozen=True)
class Away:
    """Leave from the first to the last day, both included, with the colleague who covers."""

    staff_id: UUID
    cover_id: UUID
    first: date
    last: date

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


def may_acknowledge(staff_id: UUID, people: Mapping[UUID, Colleague]) -> bool:
    """Whether this member may say that a flag is being looked after: a physio, and an admin who is told of it.

    That is one on duty, or any admin while nobody is; a viewer never.
    """
    member = people[staff_id]
    if member.role != "admin":
        return member.role == "physio"
    return member.duty is not None or not any(each.duty and each.active for each in people.values())


def acts_for(staff_id: UUID, aways: Collection[Away], today: date) -> UUID | None:
    """Who looks after this member's patients today; None when cover leads to nobody but those who are away themselves."""
    seen = {staff_id}
    while (leave := next((each for each in aways if each.staff_id == staff_id and each.covers(today)), None)) is not None:
        staff_id = leave.cover_id
        if staff_id in seen:
            return None
        seen.add(staff_id)
    return staff_id


def covered_by(member_id: UUID, people: Collection[UUID], aways: Collection[Away], today: date) -> frozenset[UUID]:
    """Those of `people` whose patients this member looks after today: oneself unless away, and whom one covers."""
    return frozenset(each for each in people if acts_for(each, aways, today) == member_id)


def told_at(step: Step, raised_at: datetime, limits: Limits, hours: Hours, zone: str) -> datetime:
    """When a step is due for a flag that was raised then."""
    match step:
        case "tell":
            return raised_at
        case "check":
            return raised_at + CHECK_AFTER
        case "remind":
            return after_working(raised_at, timedelta(minutes=limits.remind_min), hours, zone)
        case "deputy":
            return after_working(raised_at, timedelta(minutes=limits.deputy_min), hours, zone)
        case "lead":
            at = raised_at
            for _ in range(limits.lead_days):
                at = a_working_day_after(at, hours, zone)
            return at


def whom_to_tell(step: Step, physio_id: UUID, people: Mapping[UUID, Colleague], aways: Collection[Away], today: date) -> list[UUID]:
    """Who is told at a step. Nobody who is away or disabled; when a step has nobody, the next one up is told instead.

    Up from the physio (or whoever covers) are the deputies, then the leads, then every admin, then every physio.
    """
    acting = acts_for(physio_id, aways, today)
    responsible = [acting] if acting is not None and acting in people and people[acting].active else []
    rungs = [
        responsible,
        [each.id for each in people.values() if each.duty == "deputy"],
        [each.id for each in people.values() if each.duty == "lead"],
        [each.id for each in people.values() if each.role == "admin"],
        [each.id for each in people.values() if each.role == "physio"],
    ]
    first = {"deputy": 1, "lead": 2}.get(step, 0)
    for rung in rungs[first:]:
        present = [each for each in rung if _may_be_told(people.get(each)) and acts_for(each, aways, today) == each]
        if present and (first == 0 or present != responsible):
            return present
    return responsible if first else []


def _may_be_told(member: Colleague | None) -> bool:
    """Whoever could do something about it."""
    return member is not None and member.active and member.role != "viewer"
