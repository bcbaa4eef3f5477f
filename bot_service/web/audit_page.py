"""The audit trail of a clinic for its admins: what happened in words, narrowed by who, what, whom and when, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from bot_service.errors import NotFound, NotPermitted
from bot_service.storage import audit, clinics, patients, staff
from bot_service.storage.audit import Entry, Narrowed
from bot_service.storage.database import Tx
from bot_service.web.access import Visit
from bot_service.web.audit_words import KINDS, Named, detail_in_words, named_by, what_in_words, who_in_words
from bot_service.web.pages import page
from bot_service.web.times import clock_time, local_day, long_day

ENTRIES = 100
"""Lines of the audit trail on a page."""
FIELDS = ("who", "what", "patient", "from", "until")


def show(visit: Visit) -> Response:
    """The audit trail of the clinic, latest first."""
    if visit.who.role != "admin":
        raise NotPermitted("Only an admin can read the audit trail.")
    asked, before = {name: visit.asked(name).strip() for name in FIELDS}, visit.asked("before")
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, visit.who.clinic_id)
        wanted, wrong = _narrowed(tx, asked, clinic.id, clinic.zone)
        last = int(before) if before.isascii() and before.isdecimal() else None
        entries = [] if wrong else audit.list_of_clinic(tx, clinic.id, before=last, limit=ENTRIES, narrowed=wanted)
        refs: dict[UUID, str] = {each.id: each.ref for each in patients.list_of_ids(tx, {entry.subject_id for entry in entries})}
        members = staff.list_of_clinic(tx, clinic.id)
        broken = audit.verify(tx) if visit.asked("verify") else None
    names, mails = {each.id: each.name for each in members}, {each.email: each.name for each in members}
    named = named_by(visit.service.library.values(), mails)
    rows = [
        _row(entry, clinic.zone, mails, named) | {"ref": refs.get(entry.subject_id, ""), "subject": names.get(entry.subject_id, "")}
        for entry in entries
    ]
    older = entries[-1].seq if len(entries) == ENTRIES else None
    return page(
        visit,
        "audit.html",
        rows=rows,
        older=_link(asked, older) if older else "",
        newest=_link(asked, None) if last else "",
        asked=asked,
        wrong=wrong,
        narrowed=any(asked.values()),
        people=_by_words(mails),
        kinds=_by_words(KINDS),
        verified=bool(visit.asked("verify")),
        broken=broken,
    )


def _row(entry: Entry, zone: str, mails: Mapping[str, str], named: Named) -> dict[str, object]:
    return {
        "at": f"{long_day(local_day(entry.at, zone))}, {clock_time(entry.at, zone)}",
        "who": who_in_words(entry.who, mails),
        "what": what_in_words(entry.what),
        "detail": detail_in_words(entry.detail, named),
    }


def _by_words(named: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(named.items(), key=lambda each: each[1])


def _narrowed(tx: Tx, asked: Mapping[str, str], clinic_id: UUID, zone: str) -> tuple[Narrowed, str]:
    """What is asked for, and what is wrong with it."""
    days: dict[str, datetime | None] = {}
    for name, ahead in (("from", 0), ("until", 1)):
        try:
            day = date.fromisoformat(asked[name]) + timedelta(days=ahead) if asked[name] else None
        except (ValueError, OverflowError):
            return Narrowed(), "Write the days as 2026-09-28."
        days[name] = None if day is None else datetime.combine(day, time(), ZoneInfo(zone))
    try:
        subject = patients.load_by_ref(tx, clinic_id, asked["patient"]).id if asked["patient"] else None
    except NotFound:
        return Narrowed(), "There is no patient with that reference here."
    return Narrowed(asked["who"], asked["what"], subject, days["from"], days["until"]), ""


def _link(asked: Mapping[str, str], before: int | None) -> str:
    told = {name: text for name, text in asked.items() if text} | ({"before": str(before)} if before else {})
    return f"/audit?{urlencode(told)}" if told else "/audit"
