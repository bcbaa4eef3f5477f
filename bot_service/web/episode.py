"""The patient's page: one page that is enough to decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from operator import itemgetter

from starlette.responses import HTMLResponse, Response

from bot_service.actions import care_record
from bot_service.actions.deciding import MAY_DECIDE, holds_news
from bot_service.actions.histories import load_record, local_today
from bot_service.actions.reminders import no_longer_asked
from bot_service.actions.undoing import goes_out_at, list_undoable
from bot_service.actions.viewing import record_view
from bot_service.actions.voices import offered_languages
from bot_service.clinical.adherence import adherence, reply_rate
from bot_service.clinical.duty import may_acknowledge
from bot_service.clinical.flags import PAIN_RULES
from bot_service.clinical.in_words import plural
from bot_service.clinical.record import Record
from bot_service.conversation.wording import SHIPPED
from bot_service.errors import NotFound
from bot_service.storage import (
    care_records,
    cases,
    clinics,
    entries,
    episode_page,
    episodes,
    inbox,
    notices,
    patients,
    prescriptions,
    reviews,
    staff,
    transcripts,
)
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.patients import Patient
from bot_service.storage.prescriptions import Prescribed
from bot_service.web.access import Visit
from bot_service.web.attention import leading_rule
from bot_service.web.calendar import calendar_of
from bot_service.web.case_cards import case_cards, closed_case, title_of
from bot_service.web.charts import pain_chart
from bot_service.web.decided import decisions_in_words, undoable_in_words, unticked_in_words
from bot_service.web.evidence import Notes, Raised
from bot_service.web.header import header_of
from bot_service.web.loads import ladders, load_chart, steps_taken
from bot_service.web.our_messages import KINDS
from bot_service.web.pages import page
from bot_service.web.prescribed import prescription_view, running_view, version_words
from bot_service.web.progress_card import card_of, offer_words
from bot_service.web.recent import DAYS
from bot_service.web.strips import still_ahead, strip_of
from bot_service.web.times import long_day, moment, zone_words
from bot_service.web.transcript import transcript

LANGUAGES = {"ar": "Arabic", "en": "English", "es": "Spanish", "hi": "Hindi", "pl": "Polish"}
DONE = {
    "approved": "Approved. The patient is told, and the next prompt shows the new plan.",
    "held": "Held. The patient is told to keep to the present exercises.",
    "released": "Released. A step is proposed again as soon as the criteria are met.",
    "stepped_back": "Stepped back. The patient is told, and the next prompt shows the change.",
    "acknowledged": "Noted: you are looking after it.",
    "closed": "Closed.",
    "paused": "Paused. No exercise prompts are sent.",
    "resumed": "Resumed. The patient is told.",
    "run_opened": "Running is open. The patient is told, and gets a prompt on each running day.",
    "run_closed": "Running is closed. The patient is told.",
    "noted": "Note kept.",
    "appointment": "Next appointment set.",
    "usual": "Usual pain set. The record was looked at again with it.",
    "goals": "Goals changed.",
    "settled": "Changed. It holds from the next message on.",
    "discharged": "Discharged. Nothing more is sent.",
    "rewritten": "Prescribed. The new version applies from the next exercises that are sent.",
    "written": "Your message is on its way.",
    "undone": "Undone. Nothing of it went to the patient, and things are as they were.",
    "reopened": "Open again, and yours to look after.",
}


UNTOLD = " But not yet: while somebody has to look at them first, nothing is said of exercises. They hear of it when you clear that."


@dataclass(frozen=True)
class Trouble:
    """A decision that was not carried out: the sentence, how to answer, which form it was, what was typed in it, and what else to know."""

    sentence: str
    status: int
    form: str
    typed: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


def show(visit: Visit) -> Response:
    """The page as it is now; that it was opened is in the audit trail."""
    with visit.service.db.read() as tx:
        patient, _ = find(tx, visit)
    record_view(visit.service.db, visit.who, patient, visit.service.clock.now())
    return render(visit, None)


def find(tx: Tx, visit: Visit) -> tuple[Patient, Episode]:
    """The patient and the episode of the path. Raises NotFound, for another clinic's as for nobody's."""
    patient = patients.load_by_ref(tx, visit.who.clinic_id, visit.part("ref"))
    episode = episodes.find_of_patient(tx, patient.id)
    if episode is None:
        raise NotFound("no such patient")
    return patient, episode


def render(visit: Visit, trouble: Trouble | None) -> HTMLResponse:
    """The page, with what went wrong on top if something did."""
    now = visit.service.clock.now()
    with visit.service.db.read() as tx:
        patient, episode = find(tx, visit)
        clinic = clinics.load_clinic(tx, episode.clinic_id)
        view = _view(tx, visit, patient, episode, clinic, now)
        may_take_on = may_acknowledge(visit.who.id, notices.list_colleagues(tx, clinic.id))
    return page(
        visit,
        "patient.html",
        status=trouble.status if trouble else 200,
        clinic=clinic.name,
        clinic_zone=zone_words(clinic.zone),
        patient_zone=zone_words(patient.zone),
        may_decide=visit.who.role in MAY_DECIDE and episode.status == "active",
        may_see_to=visit.who.role in MAY_DECIDE,
        may_take_on=may_take_on,
        trouble=trouble,
        clash=trouble and trouble.lines,
        typed=_Typed(trouble),
        done=_done(visit, view),
        tomorrow=(local_today(now, episode.zone) + timedelta(days=1)).isoformat(),
        **view,
    )


def _done(visit: Visit, view: Mapping[str, object]) -> str:
    asked = visit.asked("done")
    words = DONE.get(asked, "") + (f" {view['unticked']}" if asked == "approved" and view["unticked"] else "")
    return words + UNTOLD if view["untold"] and "patient is told" in words else words


def _view(tx: Tx, visit: Visit, patient: Patient, episode: Episode, clinic: Clinic, now: datetime) -> dict[str, object]:
    """Every part of the page from one consistent look at the database."""
    record = load_record(tx, episode, now)
    said = inbox.list_of_patient(tx, patient.id)
    shown, past = transcripts.list_shown(tx, patient.id), prescriptions.list_of_episode(tx, patient.id, episode.id)
    notes = Notes(entries.list_all(tx, episode), said, episode.zone, _raised(tx, episode), shown, past)
    whole, unneeded = bool(visit.asked("all")), bool(visit.asked("unneeded"))
    asked = no_longer_asked(tx, episode)
    waiting = [item for item in episode_page.list_waiting(tx, patient.id) if item.kind != "seen" or asked is None]
    going = [(goes_out_at(tx, episode, item.kind, item.due_at), item) for item in waiting]
    return {
        "header": header_of(tx, patient, episode, clinic, now),
        "figures": _figures(record),
        "strip": strip_of(record, _ahead(tx, episode, record), notes.of_days),
        "transcript": transcript(shown, said, notes, episode.zone, whole=whole, unneeded=unneeded),
        "waiting": [f"{KINDS.get(item.kind, 'Message')}, {moment(at, episode.zone)}" for at, item in sorted(going, key=itemgetter(0))],
        **_cases(tx, episode, record, notes, now, clinic.zone),
        **_plan(tx, episode, record, past, clinic.zone, now),
        "plan_version": version_words(record.prescription, visit.service.library),
        "days": _table(record, notes),
        **_details(tx, episode, clinic.zone),
        "untold": holds_news(tx, episode, now),
    }


def _ahead(tx: Tx, episode: Episode, record: Record) -> str:
    return still_ahead(episode, record.today, held=bool(episodes.list_holds_in_force(tx, episode.id, record.today)))


def _details(tx: Tx, episode: Episode, zone: str) -> dict[str, object]:
    """What staff keep up to date themselves."""
    offered = (*offered_languages(clinics.load_clinic(tx, episode.clinic_id)), episode.language)
    names: dict[object, str] = {member.id: member.name for member in staff.list_of_clinic(tx, episode.clinic_id)}
    return {
        "notes": [
            {"words": item.words, "by": names.get(item.staff_id, "staff"), "at": moment(item.created_at, zone)}
            for item in care_records.list_notes(tx, episode)
        ],
        "details": {
            "appointment": care_record.appointment_fields(episode),
            "languages": [(code, LANGUAGES.get(code, code)) for code in SHIPPED if code in offered],
            "usual": care_record.usual_fields(episode),
            "goals": care_record.goals_fields(tx, episode),
            "settled": care_record.settle_fields(episode),
        },
    }


class _Typed:
    """What was typed into a form before it was refused, so that nothing is lost; empty for all other forms."""

    def __init__(self, trouble: Trouble | None) -> None:
        self._trouble = trouble

    def __call__(self, form: str, name: str) -> str:
        return self._trouble.typed.get(name, "") if self._trouble and self._trouble.form == form else ""


def _figures(record: Record) -> dict[str, str]:
    share, replies = adherence(record, DAYS), reply_rate(record, DAYS)
    return {
        "adherence": "–" if share is None else f"{share} %",
        "reply_rate": "–" if replies is None else f"{replies} %",
        "days": plural(DAYS, "day"),
        "baseline": "not known yet" if record.baseline is None else f"{record.baseline}/10",
    }


def _cases(tx: Tx, episode: Episode, record: Record, notes: Notes, now: datetime, zone: str) -> dict[str, object]:
    events, found = episode_page.list_case_events(tx, episode.patient_id, episode.id), cases.list_open(tx, episode)
    plan = prescriptions.load_plan_of(tx, record.prescription)
    return {
        "cases": case_cards(tx, found, events, notes, plan.references, now, zone),
        "answered_by_step_back": [(str(case.id), title_of(case.rule)) for case in found if case.rule in PAIN_RULES],
        "closed": [
            closed_case(tx, case, {each.case_key for each in found}, events.get(case.id, ()), notes, zone)
            for case in cases.list_closed(tx, episode)
        ],
        "evidence_shown": episode.evidence_version,
    }


def _plan(tx: Tx, episode: Episode, record: Record, past: Sequence[Prescribed], zone: str, now: datetime) -> dict[str, object]:
    plan = prescriptions.load_plan_of(tx, record.prescription)
    names: dict[object, str] = {member.id: member.name for member in staff.list_of_clinic(tx, episode.clinic_id)}
    return {
        "progress": card_of(tx, episode, record, zone),
        "offers": [offer_words(item, plan, zone) for item in reviews.list_proposals(tx, episode) if item.offered],
        "decisions": decisions_in_words(reviews.list_proposals(tx, episode), names, zone),
        "unticked": unticked_in_words(reviews.list_proposals(tx, episode)),
        "undoable": [undoable_in_words(item, names, now, episode.zone) for item in list_undoable(tx, episode, now)],
        "prescription": prescription_view(record.prescription, past, names),
        "running": running_view(record.prescription, plan),
        "chart": pain_chart(record.loading_days, stage_starts(past), record.rules, record.baseline, record.episode_start, record.today),
        "calendar": calendar_of(record, stage_starts(past), episode.next_appointment, _ahead(tx, episode, record)),
        "ladders": ladders(past, record.today),
        "steps_taken": steps_taken(past),
        "loads": load_chart(entries.list_current(tx, episode), record.episode_start, record.today),
    }


def stage_starts(past: Sequence[Prescribed]) -> list[tuple[date, str]]:
    """The days on which a prescription of another stage began."""
    found: list[tuple[date, str]] = []
    stage = None
    for item in past:
        if item.stage != stage:
            found.append((item.starts_on, item.document.stage_title))
        stage = item.stage
    return found


def _table(record: Record, notes: Notes) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """The chart's numbers, latest first, each score with the open cases that it is evidence of."""

    def words(score: int | None, day: date, kind: str) -> tuple[str, list[str]]:
        return "–" if score is None else str(score), notes.of_scores.get((day, kind), [])

    return [
        (long_day(day.day), [words(day.pain, day.day, "pain_during"), words(day.pain_24h, day.day, "pain_24h")])
        for day in reversed(record.loading_days)
    ]


def _raised(tx: Tx, episode: Episode) -> list[Raised]:
    """The evidence of what is open, with what each case is called."""
    found = [(title_of(leading_rule(case)), case.id) for case in cases.list_open(tx, episode)]
    return [(title, piece) for title, case_id in found for piece in cases.list_evidence(tx, case_id)]
