"""What staff choose about notices, when they are away, and what the clinic's admin sets for all: each change is in the audit trail."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bot_service.actions.notices import limits_of
from bot_service.actions.stale import Fields, check_fresh
from bot_service.actions.team import check_admin
from bot_service.actions.voices import clinic_setting
from bot_service.errors import Conflict, NotFound
from bot_service.storage import audit, clinics, notices, staff
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Database, Tx
from bot_service.storage.notices import Choices
from bot_service.storage.staff import Member

LONGEST_WAIT_MIN = 7 * 24 * 60
LONGEST_LEAD_DAYS = 10


def choice_fields(chosen: Choices) -> Fields:
    """What the form of somebody's notices shows."""
    return {"ways": chosen.ways} | {name: "yes" if getattr(chosen, name) else "" for name in ("daily", "weekly", "at_night")}


def limit_fields(clinic: Clinic) -> Fields:
    """What the form of the clinic's limits shows."""
    limits = limits_of(clinic)
    numbers = {"remind": str(limits.remind_min), "deputy": str(limits.deputy_min), "lead": str(limits.lead_days)}
    return numbers | {"initials": "yes" if clinic_setting(clinic, "notice_initials") else ""}


def choose(
    db: Database,
    by: Member,
    member: Member,
    now: datetime,
    *,
    ways: str,
    daily: bool,
    weekly: bool,
    at_night: bool,
    showed: Fields | None = None,
) -> None:
    """How this member is told. Raises Conflict for Telegram without a linked chat, Stale, NotFound, NotPermitted."""
    if ways not in notices.WAYS:
        raise Conflict("choose e-mail, Telegram or both")
    with db.begin() as tx:
        _check_may(tx, by, member)
        clinics.lock(tx, member.clinic_id)
        check_fresh(showed, choice_fields(notices.load_choices(tx, member.id)))
        if ways != "email" and notices.load_chat(tx, member.id) is None:
            raise Conflict("link your Telegram chat first; until then notices come by e-mail")
        chosen: dict[str, Any] = {"ways": ways, "daily": daily, "weekly": weekly, "at_night": at_night}
        notices.change(tx, member, **chosen)
        _audit(tx, now, by, "notices_chosen", member.id, chosen)


def go_on_leave(db: Database, by: Member, member: Member, cover_id: UUID, days: tuple[date, date], now: datetime) -> None:
    """Give this member's patients and notices to a colleague for some days. Raises Conflict, NotFound, NotPermitted."""
    with db.begin() as tx:
        _check_may(tx, by, member)
        cover = staff.load(tx, cover_id)
        if days[1] < now.astimezone(ZoneInfo(clinics.load_clinic(tx, member.clinic_id).zone)).date():
            raise Conflict("these days have passed")
        notices.add_leave(tx, now, member, cover, *days)
        _audit(tx, now, by, "leave_added", member.id, {"from": days[0].isoformat(), "until": days[1].isoformat(), "cover": cover.name})


def end_leave(db: Database, by: Member, member: Member, leave_id: UUID, now: datetime) -> None:
    """Back earlier, or not going. Raises NotFound, NotPermitted."""
    with db.begin() as tx:
        _check_may(tx, by, member)
        notices.end_leave(tx, now, member, leave_id)
        _audit(tx, now, by, "leave_ended", member.id, {})


def set_limits(
    db: Database,
    by: Member,
    limits: tuple[int | None, int | None, int | None],
    now: datetime,
    *,
    initials: bool | None,
    showed: Fields | None = None,
) -> None:
    """Working minutes until the reminder and the deputy, working days until the lead; None leaves each as it is.

    Raises Conflict, Stale, NotPermitted.
    """
    with db.begin() as tx:
        check_admin(tx, by)
        clinic = clinics.load_clinic(tx, by.clinic_id)
        check_fresh(showed, limit_fields(clinic))
        had = limits_of(clinic)
        kept = (had.remind_min, had.deputy_min, had.lead_days)
        remind, deputy, lead = (each if wanted is None else wanted for each, wanted in zip(kept, limits, strict=True))
        if not (1 <= remind < deputy <= LONGEST_WAIT_MIN and 1 <= lead <= LONGEST_LEAD_DAYS):
            raise Conflict(f"the reminder comes first, then the deputy, then the lead after 1 to {LONGEST_LEAD_DAYS} working days")
        initials = clinic_setting(clinic, "notice_initials") if initials is None else initials
        changed = {"notice_remind_min": remind, "notice_deputy_min": deputy, "notice_lead_days": lead, "notice_initials": initials}
        clinics.change_settings(tx, by.clinic_id, changed)
        was = dict(zip(changed, (*kept, clinic_setting(clinic, "notice_initials")), strict=True))
        _audit(tx, now, by, "notice_limits_set", by.clinic_id, changed | {"was": was})


def set_duty(db: Database, by: Member, staff_id: UUID, duty: str | None, now: datetime) -> None:
    """Make a colleague deputy or lead, or neither. Raises Conflict, NotFound, NotPermitted."""
    if duty not in (None, *notices.DUTIES):
        raise Conflict("choose deputy, lead or neither")
    with db.begin() as tx:
        check_admin(tx, by)
        member = staff.load(tx, staff_id)
        if member.clinic_id != by.clinic_id:
            raise NotFound("no such member of staff")
        if duty is not None and (member.role == "viewer" or member.status != "active"):
            raise Conflict("choose a physiotherapist or an admin: a viewer cannot acknowledge a flag")
        notices.change(tx, member, duty=duty)
        _audit(tx, now, by, "duty_set", member.id, {"duty": duty})


def _check_may(tx: Tx, by: Member, member: Member) -> None:
    """Oneself, or an admin for a colleague. Raises NotFound, NotPermitted."""
    if by.clinic_id != member.clinic_id:
        raise NotFound("no such member of staff")
    if by.id != member.id:
        check_admin(tx, by)


def _audit(tx: Tx, now: datetime, by: Member, what: str, subject_id: UUID, detail: dict[str, Any]) -> None:
    audit.record(tx, now, by.email, what, clinic_id=by.clinic_id, subject_id=subject_id, detail=detail)
