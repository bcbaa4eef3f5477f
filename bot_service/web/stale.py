"""What a form showed, carried along in it; and the page's words when somebody saved something else meanwhile."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bot_service.actions.stale import Fields, Stale
from bot_service.clinical.working_hours import WEEKDAYS
from bot_service.conversation.wording import SHIPPED
from bot_service.storage import audit, clinics, staff
from bot_service.web.access import Visit
from bot_service.web.enrolment_form import LANGUAGES
from bot_service.web.prescription_form import LABELS
from bot_service.web.times import moment

_LABELS: Mapping[str, str] = {
    "emergency": "Emergency number",
    "urgent": "Urgent help",
    "crisis": "Crisis line",
    "from": "Quiet from",
    "until": "Quiet until",
    "words": "The words",
    "role": "Role",
    "ways": "Where you are told",
    "daily": "Daily digest",
    "weekly": "Digest of the week",
    "at_night": "Urgent flags also while the clinic is closed",
    "remind": "Reminder, in minutes",
    "deputy": "Deputy, in minutes",
    "lead": "Clinic lead, in working days",
    "initials": "Initials in notices",
    "day": "Next appointment",
    "score": "Usual pain",
    "goals": "What the patient wants to be able to do",
    "language": "Messages in",
    "zone": "Time zone",
    **{f"own-{key}": label for key, label in LABELS.items()},
    **{f"language-{code}": LANGUAGES.get(code, code) for code in SHIPPED},
    **{f"{end}-{day}": f"{day.capitalize()} {end}" for day in WEEKDAYS for end in ("from", "to")},
}


@dataclass(frozen=True)
class Clash:
    """Nothing was saved: why in a sentence, each field that somebody else changed in a line, and what the form holds from now on.

    That is what was typed; where nothing was, what is kept by now.
    """

    sentence: str
    lines: tuple[str, ...]
    fields: Fields


def showing(visit: Visit, clash: object, form: str, fields: Fields) -> str:
    """What a form shows and since when, for its hidden field `showed`.

    A form that comes back with another mistake still shows what it showed before; after a clash somebody has read what is kept now.
    """
    posted = visit.form.get("showed", "")
    if not clash and _read(posted)[0] == form:
        return posted
    return json.dumps([form, visit.service.clock.now().isoformat(), dict(fields)], ensure_ascii=False)


def showed(visit: Visit) -> dict[str, str]:
    """What the posted form had shown; a form that does not say it showed nothing, so nothing it would overwrite counts as read."""
    return _read(visit.form.get("showed", ""))[2]


def clash(visit: Visit, stale: Stale, subject_id: UUID, kinds: Collection[str], about: Mapping[str, Any] | None = None) -> Clash | None:
    """What to say when `subject_id` was changed after the form was shown; None when exactly this was saved already.

    `kinds` are the changes in the audit trail that may have done it, `about` what else their entries must say.
    """
    _, since, shown = _read(visit.form.get("showed", ""))
    names = {*shown, *stale.now}
    typed = {name: visit.form.get(name, "").strip() for name in names}
    kept = {name: stale.now.get(name, shown.get(name, "")) for name in names}
    if typed == kept:
        return None
    lines = tuple(_line(name, shown.get(name), text, typed[name]) for name, text in stale.now.items())
    left = {name: kept[name] if typed[name] == shown.get(name) else typed[name] for name in names}
    return Clash(f"Nothing is saved yet. {_who(visit, subject_id, kinds, about or {}, since)}", lines, left)


def _read(text: str) -> tuple[str, datetime | None, dict[str, str]]:
    """The form, since when, and its fields; nothing of what no page of ours wrote."""
    try:
        form, at, fields = json.loads(text)
        return str(form), datetime.fromisoformat(at), {str(name): str(value) for name, value in fields.items()}
    except (ValueError, TypeError, AttributeError):
        return "", None, {}


def _line(name: str, shown: str | None, now: str, typed: str) -> str:
    was = "" if shown is None else f", and was {_said(name, shown)} when you opened the page"
    if typed == now:
        yours = "That is what you have, too."
    elif typed == shown:
        yours = "You left it alone, so the form now shows it."
    else:
        yours = f"You have {_said(name, typed)}: saving again puts that in its place."
    return f"{_LABELS.get(name, name)} is {_said(name, now)} now{was}. {yours}"


def _said(name: str, text: str) -> str:
    if name.startswith("language-") or name in ("daily", "weekly", "at_night", "initials"):
        return "ticked" if text else "not ticked"
    return f"“{LANGUAGES.get(text, text) if name == 'language' else text}”" if text else "empty"


def _who(visit: Visit, subject_id: UUID, kinds: Collection[str], about: Mapping[str, Any], since: datetime | None) -> str:
    """Who saved it last, if the trail knows of anybody since the form was shown."""
    with visit.service.db.read() as tx:
        found = audit.list_of_kinds(tx, subject_id, kinds, 20)
        clinic = clinics.load_clinic(tx, visit.who.clinic_id)
        names = {each.email: each.name for each in staff.list_of_clinic(tx, clinic.id)}
    for each in found:
        if (since is None or each.at >= since) and about.items() <= each.detail.items():
            who = "You" if each.who == visit.who.email else names.get(each.who, each.who)
            return f"{who} changed this on {moment(each.at, clinic.zone)}, after you had opened the page."
    return "This was changed after you had opened the page."
