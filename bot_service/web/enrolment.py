"""Enrolling one patient on a page: the form, and what to hand over afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from starlette.responses import HTMLResponse, Response

from bot_service.actions.eligibility import CHANNELS, main_slots
from bot_service.actions.enrol import check_may_enrol, enrol
from bot_service.actions.invitations import Doors, code_of, doors_of
from bot_service.actions.prescribing import in_clinic
from bot_service.actions.treating import physios_of
from bot_service.actions.voices import offered_languages
from bot_service.errors import AlreadyEnrolled, Conflict
from bot_service.storage import clinics
from bot_service.storage.clinics import Clinic
from bot_service.storage.staff import Member
from bot_service.web.access import Visit
from bot_service.web.enrolment_form import LANGUAGES, Mistake, first_fields, read, words_for
from bot_service.web.invitations import show_invitation
from bot_service.web.pages import page
from plans.model import CarePlan
from schedules.places import zone_names
from schedules.rhythm import WEEKDAYS

_DAYS = dict(zip(WEEKDAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))


def show(visit: Visit) -> Response:
    """An empty form."""
    check_may_enrol(visit.who)
    clinic, physios, doors = _clinic(visit)
    plan = next(iter(visit.service.library.values()))
    treating = visit.who if visit.who in physios else physios[0] if len(physios) == 1 else None
    channel = doors.channels[0] if doors.channels else ""
    return _form(visit, clinic, physios, doors, plan, first_fields(clinic, plan, treating, channel), [])


def submit(visit: Visit) -> Response:
    """Enrol, show the words for what was chosen, or say what is wrong."""
    check_may_enrol(visit.who)
    clinic, physios, doors = _clinic(visit)
    form, library = visit.form, visit.service.library
    plan = library.get(form.get("plan", "")) or next(iter(library.values()))
    if form.get("step") == "look":
        return _form(visit, clinic, physios, doors, plan, form, [])
    enrolment, physio, mistakes = read(form, plan, clinic, physios)
    if mistakes:
        return _form(visit, clinic, physios, doors, plan, form, mistakes)
    code = code_of(visit.service.db, "form", str(visit.who.id), form.get("once", ""))
    try:
        made = enrol(visit.service.db, plan, visit.who, enrolment, visit.service.clock.now(), lambda: code, physio=physio)
    except AlreadyEnrolled as error:
        return _form(visit, clinic, physios, doors, plan, form, [Mistake(error.field, str(error))])
    except Conflict as error:
        return _form(visit, clinic, physios, doors, plan, form, [Mistake("name", str(error))])
    return show_invitation(visit, made, f"{enrolment.name} is enrolled as {made.ref}.")


def _clinic(visit: Visit) -> tuple[Clinic, list[Member], Doors]:
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, visit.who.clinic_id)
        return clinic, physios_of(tx, clinic.id), doors_of(tx, visit.service.settings, clinic)


def _form(
    visit: Visit,
    clinic: Clinic,
    physios: Sequence[Member],
    doors: Doors,
    plan: CarePlan,
    fields: Mapping[str, str],
    mistakes: Sequence[Mistake],
) -> HTMLResponse:
    stage = next((each.id for each in plan.stages if each.id == fields.get("stage")), plan.stages[0].id)
    language = fields.get("language", "en")
    language = language if language in (offered := offered_languages(clinic)) else offered[0]
    physio = next((each.name for each in physios if str(each.id) == fields.get("physio")), "")
    return page(
        visit,
        "enrol.html",
        status=422 if mistakes else 200,
        fields=fields,
        mistakes=[Mistake(each.field, _said(each.sentence)) for each in mistakes],
        wrong={each.field: _beside(each, fields) for each in mistakes},
        once=fields.get("once") or secrets.token_hex(16),
        plan=plan,
        plans=[(each.id, each.title) for each in visit.service.library.values()],
        stages=[(each.id, each.title) for each in plan.stages],
        physios=[("", "Choose…"), *((str(each.id), each.name) for each in physios)],
        pain_limit=in_clinic(plan, clinic).rules.baseline_physio_first_above,
        pains=[("", "Ask the patient"), *((str(number), str(number)) for number in range(11))],
        channels=[(name, CHANNELS[name]) for name in doors.channels],
        languages=[(code, LANGUAGES.get(code, code)) for code in offered_languages(clinic)],
        language=language,
        zones=zone_names(),
        days=[(day, _DAYS[day]) for day in WEEKDAYS],
        plan_days="; ".join(f"{each.title}: {_days_words(plan, each.id)}" for each in plan.stages),
        words=words_for(plan, stage, language, clinic, physio, visit.service.clock.now()),
        own_name=visit.who.name if visit.who.role == "physio" else "",
    )


def _days_words(plan: CarePlan, stage: str) -> str:
    days = [day for slot in main_slots(plan, stage) for day in slot.days]
    return "every day" if len(set(days)) == 7 else " ".join(_DAYS[day] for day in days)


def _beside(mistake: Mistake, fields: Mapping[str, str]) -> str:
    """What stands beside the field, where the question itself need not be said again."""
    if not mistake.field.startswith("answer-"):
        return _said(mistake.sentence)
    return "With this answer the plan is not for this patient; see them first." if fields.get(mistake.field) else "Answer yes or no."


def _said(text: str) -> str:
    """A sentence with its capital letter and its end."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")
