"""What is handed to a patient, who has not begun yet, a new link, and taking one back."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from bot_service.actions.eligibility import CHANNELS
from bot_service.actions.enrol import Invitation, check_may_enrol, find_made, invite_again, revoke_invitation
from bot_service.actions.invitations import Doors, Link, code_of, doors_of
from bot_service.actions.phone_numbers import show_phone
from bot_service.actions.voices import clinic_setting
from bot_service.conversation.wording import load_catalogue
from bot_service.errors import NotFound
from bot_service.storage import caseload, clinics, contacts, invitations, patients
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Tx
from bot_service.storage.invitations import PendingInvitation
from bot_service.storage.patients import Patient
from bot_service.web.access import Visit
from bot_service.web.pages import page
from bot_service.web.qr import qr_code
from bot_service.web.times import local_day, long_day, moment

ON_A_PAGE = 50
DONE = {"revoked": "Taken back. The link works for nobody now; the patient stays enrolled."}


@dataclass(frozen=True)
class Row:
    """A patient who has not begun."""

    ref: str
    name: str
    physio: str
    sent: str
    by: str
    state: str
    good: bool


@dataclass(frozen=True)
class Leaflet:
    """One page for one patient: sentences by key in their language, the link and its QR code."""

    ref: str
    language: str
    says: Mapping[str, str]
    url: str
    qr: Markup


def show_list(visit: Visit) -> Response:
    """Who has not begun, the newest invitation first."""
    check_may_enrol(visit.who)
    now = visit.service.clock.now()
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, visit.who.clinic_id)
        total = invitations.count_pending(tx, clinic.id)
        pages = max(1, -(-total // ON_A_PAGE))
        asked = visit.asked("page")
        number = min(max(1, int(asked)), pages) if asked.isascii() and asked.isdecimal() and len(asked) < 7 else 1
        found = invitations.list_pending(tx, clinic.id, limit=ON_A_PAGE, offset=(number - 1) * ON_A_PAGE)
        ids = [each.patient_id for each in found]
        names, who = caseload.load_names(tx, ids), invitations.who_invited(tx, ids)
    rows = []
    for each in found:
        state, good = _state(each, clinic.zone, expired=each.expires_at <= now)
        sent = moment(each.sent_at, clinic.zone)
        rows.append(Row(each.ref, names[each.patient_id], each.physio, sent, who.get(each.patient_id, ""), state, good))
    return page(
        visit,
        "invitations.html",
        clinic=clinic.name,
        rows=rows,
        total=total,
        number=number,
        pages=pages,
        once=secrets.token_hex(16),
        done=DONE.get(visit.asked("done"), ""),
    )


def again(visit: Visit) -> Response:
    """A new link; the same form sent twice makes one."""
    check_may_enrol(visit.who)
    patient = _patient(visit)
    code = code_of(visit.service.db, "again", str(visit.who.id), patient.ref, visit.form.get("once", ""))
    made = invite_again(visit.service.db, visit.who, patient.id, visit.service.clock.now(), code)
    return show_invitation(visit, made, f"{patient.name} has a new link. The one sent before has stopped working.")


def revoke(visit: Visit) -> Response:
    """The link works for nobody any more."""
    revoke_invitation(visit.service.db, visit.who, _patient(visit).id, visit.service.clock.now())
    return RedirectResponse("/invitations?done=revoked", 303)


def leaflet(visit: Visit) -> Response:
    """One page to print, in the patient's language. The code comes with the form: only a hash of it is kept."""
    check_may_enrol(visit.who)
    code = visit.form.get("code", "")
    with visit.service.db.read() as tx:
        patient = patients.load_by_ref(tx, visit.who.clinic_id, visit.part("ref"))
        made = find_made(tx, visit.who.clinic_id, code, visit.service.clock.now())
        if made is None or made.patient_id != patient.id:
            raise NotFound("this link is not the patient's any more")
        clinic = clinics.load_clinic(tx, patient.clinic_id)
        one = leaflet_of(tx, made, clinic, doors_of(tx, visit.service.settings, clinic))
    return page(visit, "leaflet.html", leaflets=[one], file="", number=1, pages=1)


def leaflet_of(tx: Tx, made: Invitation, clinic: Clinic, doors: Doors) -> Leaflet:
    """What the leaflet of an invitation says."""
    patient, contact = patients.load(tx, made.patient_id), contacts.load_contact(tx, made.patient_id)
    link = next((each for each in doors.links(patient.ref, made.code, contact.channel) if each.url), None)
    catalogue = load_catalogue(patient.language)
    values = {"clinic": clinic.name, "ref": patient.ref, "emergency": clinic_setting(clinic, "emergency")}
    values |= {"app": CHANNELS[link.channel] if link else "", "until": catalogue.date(local_day(made.expires_at, patient.zone))}
    url = link.url if link and link.url else ""
    return Leaflet(patient.ref, catalogue.language, catalogue.leaflet_text(values), url, qr_code(url) if url else Markup(""))


def show_invitation(visit: Visit, made: Invitation, done: str) -> Response:
    """The links of a fresh code: the only time that they can be shown."""
    with visit.service.db.read() as tx:
        patient = patients.load(tx, made.patient_id)
        clinic = clinics.load_clinic(tx, patient.clinic_id)
        contact = contacts.load_contact(tx, patient.id)
        links = doors_of(tx, visit.service.settings, clinic).links(patient.ref, made.code, contact.channel)
    first = next((each for each in links if each.url), None)
    return page(
        visit,
        "invited.html",
        done=done,
        patient=patient,
        code=made.code,
        first=first,
        qr=qr_code(first.url) if first and first.url else "",
        app=CHANNELS[first.channel] if first else "",
        others=[(CHANNELS[each.channel], each) for each in links if each is not first],
        until=long_day(local_day(made.expires_at, clinic.zone)),
        phone=show_phone(contact.phone) if contact.phone else "",
        sending=_sending(contact.phone, first, patient, clinic.name),
    )


def _sending(phone: str | None, link: Link | None, patient: Patient, clinic: str) -> list[tuple[str, str]]:
    """Ways for staff to send the link from a phone of their own, with the words filled in."""
    if phone is None or link is None or link.url is None:
        return []
    says = load_catalogue(patient.language).leaflet_text({"clinic": clinic, "url": link.url})
    text = quote(says["message"])
    return [("Write an SMS", f"sms:{phone}?body={text}"), ("Write on WhatsApp", f"https://wa.me/{phone.removeprefix('+')}?text={text}")]


def _patient(visit: Visit) -> Patient:
    with visit.service.db.read() as tx:
        return patients.load_by_ref(tx, visit.who.clinic_id, visit.part("ref"))


def _state(each: PendingInvitation, zone: str, *, expired: bool) -> tuple[str, bool]:
    """Where the latest invitation stands, and whether it still works."""
    if each.status == "asked":
        return "Opened; has not agreed yet", False
    if each.used_at is not None:
        return "Opened", False
    if each.revoked_at is not None:
        return "Taken back", False
    until = long_day(local_day(each.expires_at, zone))
    return (f"Expired {until}", False) if expired else (f"Works until {until}", True)
