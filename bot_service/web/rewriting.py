"""The prescription editor: the form, the page that shows what would change, and the new version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from bot_service.actions.deciding import LONGEST_REASON, MAY_DECIDE, Decision, list_concerns
from bot_service.actions.histories import load_record, local_today
from bot_service.actions.prompt import next_under
from bot_service.actions.rewriting import Draft, draft, draft_move, move_to_version, rewrite, shown_to_patient
from bot_service.actions.undoing import UNDO_FOR
from bot_service.actions.voices import voice_for
from bot_service.clinical.flare import flare_state
from bot_service.clinical.in_words import listed
from bot_service.conversation.exercise_text import slots_on
from bot_service.conversation.wording import load_catalogue, render
from bot_service.errors import AlreadyDecided, Conflict, NotFound, NotPermitted
from bot_service.storage import clinics, prescriptions, staff
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.web.access import Visit
from bot_service.web.agreed import agreed_words
from bot_service.web.decisions import shown_posted
from bot_service.web.episode import find
from bot_service.web.pages import page
from bot_service.web.prescribed import version_words
from bot_service.web.prescription_changes import changes
from bot_service.web.prescription_form import (
    choices_of,
    exercise_rows,
    fields_of,
    in_plain_words,
    slot_rows,
    stage_facts,
    threshold_rows,
)
from bot_service.web.stale import Clash
from bot_service.web.times import day_words, moment
from bot_service.web.version_changes import version_changes
from plans.editing import Unfit
from plans.model import CarePlan, Prescription
from plans.running import RUN_SLOT
from schedules.occurrences import Occurrence, instant

Mistakes = list[tuple[str, str]]


@dataclass(frozen=True)
class _At:
    """The patient, what is prescribed now, and the plan version that it came from."""

    ref: str
    name: str
    episode: Episode
    document: Prescription
    plan: CarePlan


def show(visit: Visit) -> Response:
    """The form, filled with what is prescribed now."""
    at = _at(visit)
    return _form(visit, at, fields_of(at.document, at.plan), [])


def submit(visit: Visit) -> Response:
    """Look at the changes, go back to the form, or prescribe them."""
    at = _at(visit)
    step, moves = visit.form.get("step", ""), bool(visit.form.get("version"))
    typed = fields_of(at.document, at.plan) if moves else visit.form
    if not moves and (other := _meanwhile(visit, at)):
        return _form(visit, at, other.fields, [], other)
    try:
        if step == "save":
            return _save(visit, at)
        if step == "edit":
            return _form(visit, at, typed, [])
        return _check(visit, at, "")
    except Unfit as problem:
        return _form(visit, at, typed, [in_plain_words(each, at.document, at.plan) for each in problem.findings])
    except Conflict as problem:
        return _form(visit, at, typed, [("sessions", _sentence(problem))])


def _at(visit: Visit) -> _At:
    if visit.who.role not in MAY_DECIDE:
        raise NotPermitted("Only a physiotherapist can change a prescription.")
    with visit.service.db.read() as tx:
        patient, episode = find(tx, visit)
        if episode.status != "active":
            raise NotFound("no care to prescribe in")
        document = prescriptions.load(tx, episode.prescription_id)
        plan = prescriptions.load_plan_of(tx, document)
    return _At(patient.ref, patient.name, episode, document, plan)


def _meanwhile(visit: Visit, at: _At) -> Clash | None:
    """Another prescription than the form showed is in force: what differs, and the form with what was typed, the rest as it is now."""
    with visit.service.db.read() as tx:
        past = prescriptions.list_of_episode(tx, at.episode.patient_id, at.episode.id)
        shown = next((each for each in past if str(each.id) == visit.form.get("based_on")), None)
        if shown is None or shown.id == at.episode.prescription_id:
            return None
        names = {each.id: each.name for each in staff.list_of_clinic(tx, at.episode.clinic_id)}
        zone = clinics.load_clinic(tx, at.episode.clinic_id).zone
        was = fields_of(shown.document, prescriptions.load_plan_of(tx, shown.document))
    now, last = fields_of(at.document, at.plan), past[-1]
    typed = {name: visit.form.get(name, "") for name in {*was, *now, *visit.form} - _NOT_OF_PRESCRIPTION}
    kept = {name: text if text != was.get(name, "") else now.get(name, "") for name, text in typed.items()}
    who = "The patient" if last.by_patient else names.get(last.staff_id, "Somebody")
    differ = [*changes(shown.document, at.document, at.plan), *version_changes(shown.document, at.document)]
    lines = [f"{each.what}: {each.before} when you opened this, {each.after} now." for each in differ]
    sentence = f"Nothing is prescribed. {who} changed the prescription on {moment(last.created_at, zone)}, after you had opened it. {_LEFT}"
    return Clash(sentence, tuple(lines), kept)


_NOT_OF_PRESCRIPTION = {"token", "step", "reason", "shown", "based_on", "version"}
_LEFT = "What you had changed is still in the form; everything else is as it is by now."


def _form(visit: Visit, at: _At, fields: Mapping[str, str], mistakes: Mistakes, other: Clash | None = None) -> Response:
    there = visit.service.library.get(at.document.plan_id)
    return page(
        visit,
        "prescription.html",
        status=409 if other else 422 if mistakes else 200,
        at=at,
        fields=fields,
        clash=other,
        mistakes=mistakes,
        wrong={name for name, _ in mistakes},
        shown=visit.form.get("shown") or at.episode.evidence_version,
        based_on=at.episode.prescription_id,
        slots=slot_rows(at.document, at.plan),
        exercises=exercise_rows(at.document, at.plan),
        thresholds=threshold_rows(at.document, at.plan),
        agreed=agreed_words(at.document, at.plan, at.episode.language),
        stage_facts=stage_facts(at.document, at.plan),
        plan_version=version_words(at.document, visit.service.library),
        other_version=there.version if there and there.version != at.document.plan_version else "",
    )


def _check(visit: Visit, at: _At, trouble: str) -> Response:
    with visit.service.db.read() as tx:
        drafted = _drafted(tx, visit, at)
        is_other_work = (drafted.before.exercises, drafted.before.slots) != (drafted.after.exercises, drafted.after.slots)
        against = list_concerns(tx, at.episode, visit.service.clock.now()) if is_other_work else ()
        record = load_record(tx, at.episode, visit.service.clock.now())
    return page(
        visit,
        "prescription_check.html",
        status=422 if trouble else 200,
        at=at,
        changes=[*changes(drafted.before, drafted.after, drafted.plan), *version_changes(drafted.before, drafted.after)],
        version=visit.form.get("version", ""),
        told=shown_to_patient(drafted),
        against=against,
        preview=_preview(drafted, at, visit),
        flare=flare_state(replace(record, prescription=drafted.after)),
        trouble=trouble,
        reason=visit.form.get("reason", ""),
        kept=[(name, text) for name, text in visit.form.items() if name not in ("token", "step", "reason", "shown")],
        # Once the page has said that the record changed, the same button means it.
        shown=at.episode.evidence_version if trouble else visit.form.get("shown", ""),
    )


def _drafted(tx: Tx, visit: Visit, at: _At) -> Draft:
    if visit.form.get("version"):
        return draft_move(tx, at.episode, visit.service.library)
    return draft(tx, at.episode, choices_of(visit.form, at.document, at.plan))


def _save(visit: Visit, at: _At) -> Response:
    reason = visit.form.get("reason", "").strip()
    if not reason:
        return _check(visit, at, "Write a short reason: it stays in the patient's record.")
    if len(reason) > LONGEST_REASON:
        return _check(visit, at, f"The reason is longer than {LONGEST_REASON} characters; make it shorter.")
    decision, service = Decision(visit.who, at.episode.id, reason, shown_posted(visit), grace=UNDO_FOR), visit.service
    try:
        if version := visit.form.get("version"):
            move_to_version(service.db, decision, _id(visit), service.library, version, service.clock.now())
        else:
            rewrite(service.db, decision, _id(visit), choices_of(visit.form, at.document, at.plan), service.clock.now())
    except AlreadyDecided as problem:
        return _check(visit, at, _sentence(problem))
    return RedirectResponse(f"/patients/{at.ref}?done=rewritten", 303)


def _preview(drafted: Draft, at: _At, visit: Visit) -> list[tuple[str, list[tuple[str, str]]]]:
    """The exercises as the patient will read them, extras and ceiling included: each text that a week brings, on its days.

    Each in the patient's language, and in English beside it where that is another.
    """
    now = visit.service.clock.now()
    with visit.service.db.read() as tx:
        voice = replace(voice_for(tx, at.episode, now), prescription=drafted.after)
        first = next_under(tx, at.episode, drafted.after, now)
    own = load_catalogue(voice.language).language
    voices = {each: voice if each == own else replace(voice, language=each, own_words={}) for each in dict.fromkeys((own, "en"))}
    today = local_today(now, at.episode.zone)
    found: dict[tuple[int, tuple[str, ...]], list[str]] = {}
    for day in (today + timedelta(days=ahead) for ahead in range(8)):
        for slot in slots_on(drafted.after, day):
            if slot != RUN_SLOT and (day > today or _comes_today(drafted.after, slot, day, first)):
                content = {"lines": [["exercises", {"day": day.isoformat(), "slot": slot}]]}
                texts = tuple(render(content, each)[0] for each in voices.values())
                found.setdefault((slot, texts), []).append(day_words(day))
    return [
        (listed(days), list(zip(voices, texts, strict=True))) for (_, texts), days in sorted(found.items(), key=lambda item: item[0][0])
    ]


def _comes_today(plan: Prescription, number: int, today: date, first: Occurrence | None) -> bool:
    """Whether a slot's message of today is still to come: the new version applies to that one already."""
    if first is None or first.day != today:
        return False
    return any(slot.number == number and instant(today, slot.at, first.zone) >= first.due_at for slot in plan.slots)


def _id(visit: Visit) -> UUID:
    try:
        return UUID(visit.form.get("based_on", ""))
    except ValueError:
        raise Conflict("this page is incomplete; open the prescription again") from None


def _sentence(problem: Exception) -> str:
    words = str(problem)
    return words[:1].upper() + words[1:].rstrip(".") + "."
