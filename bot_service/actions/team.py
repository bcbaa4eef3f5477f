"""What an admin changes about the clinic: who works there, in which role, its hours, and the numbers that patients are told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from bot_service.actions.notices import chosen_ways
from bot_service.actions.sign_in_links import send_link
from bot_service.actions.stale import Fields, check_fresh
from bot_service.actions.voices import clinic_setting
from bot_service.clinical.in_words import plural
from bot_service.clinical.working_hours import WEEKDAYS
from bot_service.errors import Conflict, NotFound, NotPermitted
from bot_service.storage import audit, clinics, episodes, notices, staff
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Database, Tx
from bot_service.storage.staff import Member

ROLES = ("physio", "admin", "viewer")
LONGEST = {"emergency": 20, "urgent": 20, "crisis": 80, "name": 120}
_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Invitation:
    """Who is invited. `link` is their one-time sign-in link, or None when it went to themselves."""

    member: Member
    link: str | None


def invite(db: Database, by: Member, email: str, name: str, role: str, now: datetime, real_now: datetime, public_url: str) -> Invitation:
    """Add a member, or send a new link to one of the clinic who is there. Raises Conflict, NotPermitted.

    The link goes to the person alone, since whoever holds it can sign in as them. Only a new member of a clinic without mail gets it
    from the admin's hands.
    """
    email, name = email.strip().lower(), " ".join(name.split())
    with db.begin() as tx:
        check_admin(tx, by)
        if not _ADDRESS.fullmatch(email) or len(email) > 254:
            raise Conflict("write an e-mail address, such as anna.reed@clinic.example")
        known = next((each for each in staff.list_of_clinic(tx, by.clinic_id) if each.email == email), None)
        if known is not None and known.status != "active":
            raise Conflict("this address belongs to a member who was disabled; use another address")
        if known is None:
            if not name or len(name) > LONGEST["name"]:
                raise Conflict(f"write the name as patients and colleagues know it, in at most {LONGEST['name']} characters")
            if role not in ROLES:
                raise Conflict("choose a role: physio, admin or viewer")
            known, what = staff.add(tx, now, by.clinic_id, email, name, role), "staff_invited"
        else:
            what = "sign_in_link_sent"
        ways = chosen_ways(tx, known.id, clinics.list_senders(tx))
        if not ways and what != "staff_invited":
            raise Conflict(f"nothing reaches {known.name}. Whoever runs Stepwise makes a link: stepwise staff invite {email} NAME")
        link = f"{public_url}/sign-in/{staff.add_link(tx, real_now, known.id)}"
        send_link(tx, now, known, ways, link)
        _note(tx, now, by, what, known.id, {"role": known.role, "sent": bool(ways)})
    return Invitation(known, None if ways else link)


def member_fields(member: Member) -> Fields:
    """What the form about a member of staff shows."""
    return {"role": member.role}


def change_role(db: Database, by: Member, staff_id: UUID, role: str, now: datetime, showed: Fields | None = None) -> None:
    """Give a member another role. Raises Conflict for the last admin and for a physio with patients, Stale, NotFound, NotPermitted."""
    with db.begin() as tx:
        member = _colleague(tx, by, staff_id)
        check_fresh(showed, member_fields(member))
        if role not in ROLES:
            raise Conflict("choose a role: physio, admin or viewer")
        if member.role == "physio" and role != "physio":
            _check_no_patients(tx, member)
        if member.role == "admin" and role != "admin":
            _check_not_last(tx, member)
        if role == "viewer" and (duty := notices.load_choices(tx, member.id).duty):
            raise Conflict(f"{member.name} is {'clinic lead' if duty == 'lead' else duty}, and a viewer cannot be; change that first")
        staff.set_role(tx, member.id, role)
        _note(tx, now, by, "role_changed", member.id, {"role": role, "was": {"role": member.role}})


def disable(db: Database, by: Member, staff_id: UUID, now: datetime, real_now: datetime) -> None:
    """Sign a member out everywhere and for good. Raises Conflict for oneself, the last admin and a physio with patients."""
    with db.begin() as tx:
        member = _colleague(tx, by, staff_id)
        if member.id == by.id:
            raise Conflict("you cannot disable yourself; ask another admin")
        _check_not_last(tx, member)
        _check_no_patients(tx, member)
        staff.disable(tx, real_now, member.id)
        _note(tx, now, by, "staff_disabled", member.id, {})


def hand_over(db: Database, by: Member, from_id: UUID, to_id: UUID, now: datetime) -> int:
    """Give all of a physio's patients in care to a colleague; how many there were. Raises Conflict, NotFound, NotPermitted."""
    with db.begin() as tx:
        giver, taker = _colleague(tx, by, from_id), _colleague(tx, by, to_id)
        if taker.role != "physio" or taker.status != "active" or taker.id == giver.id:
            raise Conflict("choose another physiotherapist of the clinic")
        moved = episodes.move_to_physio(tx, giver.id, taker.id)
        if not moved:
            raise Conflict(f"{giver.name} has no patients in care")
        _note(tx, now, by, "patients_handed_over", giver.id, {"to": taker.email, "number": moved})
        return moved


def clinic_fields(clinic: Clinic) -> Fields:
    """What the form of the clinic's numbers and hours shows."""
    hours = clinic_setting(clinic, "hours")
    numbers = {name: str(clinic_setting(clinic, name)) for name in ("emergency", "urgent", "crisis")}
    ends = {f"{end}-{day}": (hours.get(day) or ("", ""))[place] for day in WEEKDAYS for place, end in enumerate(("from", "to"))}
    return numbers | ends


def change_clinic(db: Database, by: Member, form: Mapping[str, str], now: datetime, showed: Fields | None = None) -> None:
    """The numbers that patients are told and the hours. Raises Conflict with what to do, Stale, NotPermitted."""
    changed: dict[str, Any] = {}
    with db.begin() as tx:
        check_admin(tx, by)
        for name in ("emergency", "urgent", "crisis"):
            text = " ".join(form.get(name, "").split())
            if not text or len(text) > LONGEST[name]:
                raise Conflict(f"write the {name} number, in at most {LONGEST[name]} characters: patients in danger are told to call it")
            if not any(each.isdecimal() for each in text):
                raise Conflict(f"the {name} number has no digits in it; patients could not call it")
            changed[name] = text
        changed["hours"] = _hours(form)
        clinic = clinics.load_clinic(tx, by.clinic_id)
        check_fresh(showed, clinic_fields(clinic))
        was = {name: clinic_setting(clinic, name) for name in changed}
        clinics.change_settings(tx, by.clinic_id, changed)
        _note(tx, now, by, "clinic_changed", by.clinic_id, changed | {"was": was})


def _hours(form: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for day in WEEKDAYS:
        first, last = form.get(f"from-{day}", "").strip(), form.get(f"to-{day}", "").strip()
        if not first and not last:
            continue
        try:
            opens, closes = time.fromisoformat(first), time.fromisoformat(last)
        except ValueError:
            raise Conflict("write the hours as 08:00 and 18:00, both or neither on a day") from None
        if opens >= closes:
            raise Conflict("each day must close after it opens")
        found[day] = [f"{opens:%H:%M}", f"{closes:%H:%M}"]
    if not found:
        raise Conflict("open on at least one day: urgent flags are due in these hours")
    return found


def _colleague(tx: Tx, by: Member, staff_id: UUID) -> Member:
    """The colleague, with the clinic locked: two admins who remove each other must not both succeed."""
    check_admin(tx, by)
    member = staff.load(tx, staff_id)
    if member.clinic_id != by.clinic_id:
        raise NotFound("no such member of staff")
    return member


def check_admin(tx: Tx, by: Member) -> None:
    """Raise NotPermitted unless `by` still is one, now that nobody else changes the clinic until this transaction ends."""
    clinics.lock(tx, by.clinic_id)
    present = staff.load(tx, by.id)
    if (present.role, present.status) != ("admin", "active"):
        raise NotPermitted("only an admin can change this")


def _check_not_last(tx: Tx, member: Member) -> None:
    admins = [each for each in staff.list_of_clinic(tx, member.clinic_id) if each.role == "admin" and each.status == "active"]
    if [each.id for each in admins] == [member.id]:
        raise Conflict("this is the clinic's last admin; make somebody else an admin first")


def _check_no_patients(tx: Tx, member: Member) -> None:
    number = episodes.count_of_physio(tx, member.id)
    if number:
        raise Conflict(f"{member.name} has {plural(number, 'patient')} in care; hand them over to a colleague first")


def _note(tx: Tx, now: datetime, by: Member, what: str, subject_id: UUID, detail: dict[str, Any]) -> None:
    audit.record(tx, now, by.email, what, clinic_id=by.clinic_id, subject_id=subject_id, detail=detail)
