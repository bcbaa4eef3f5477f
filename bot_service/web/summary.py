"""A patient in ten seconds, as text to paste into any record, and the same on one printed page for a letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from starlette.responses import Response

from bot_service.actions.histories import load_record
from bot_service.actions.viewing import record_view
from bot_service.clinical.adherence import adherence, reply_rate
from bot_service.clinical.catalogue import RED_FLAG, rank
from bot_service.clinical.in_words import plural
from bot_service.clinical.record import LoadingDay, Record
from bot_service.storage import cases, clinics, prescriptions, reviews, staff
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.patients import Patient
from bot_service.web.access import Visit
from bot_service.web.attention import leading_rule, words_today
from bot_service.web.case_cards import title_of
from bot_service.web.charts import pain_chart
from bot_service.web.decided import last_decision
from bot_service.web.episode import find, stage_starts
from bot_service.web.header import header_of
from bot_service.web.pages import page
from bot_service.web.prescribed import prescription_view
from bot_service.web.recent import DAYS
from bot_service.web.times import clock_time, local_day, long_day, zone_words
from plans.model import CarePlan

HISTORY = 4
"""Prescriptions that the letter names; the earlier ones stay in the record, and the letter on one page."""
RECENT = 14
"""Days that count as recent pain (default); the caseload's trend looks at as many."""


@dataclass(frozen=True)
class PainFigures:
    """Pain of some loading days: how many were rated, the middle and the worst. None where nothing was rated."""

    rated: int
    middle: float | None
    worst: int | None


def pain_figures(scores: Sequence[int | None]) -> PainFigures:
    """The middle (median) and the worst of the scores that are known."""
    known = [score for score in scores if score is not None]
    return PainFigures(len(known), median(known) if known else None, max(known, default=None))


def show(visit: Visit) -> Response:
    """The page; that it was opened is in the audit trail."""
    now = visit.service.clock.now()
    with visit.service.db.read() as tx:
        patient, episode = find(tx, visit)
        clinic = clinics.load_clinic(tx, episode.clinic_id)
        record = load_record(tx, episode, now)
        plan = prescriptions.load_plan_of(tx, record.prescription)
        past = prescriptions.list_of_episode(tx, episode.patient_id, episode.id)
        names: dict[object, str] = {member.id: member.name for member in staff.list_of_clinic(tx, episode.clinic_id)}
        view: dict[str, Any] = {
            "header": header_of(tx, patient, episode, clinic, now),
            "brief": brief(tx, patient, episode, record, plan, clinic, now),
            "prescription": prescription_view(record.prescription, past, names),
            "history": HISTORY,
            "chart": pain_chart(record.loading_days, stage_starts(past), record.rules, record.baseline, record.episode_start, record.today),
            "clinic": clinic.name,
            "condition": plan.title,
            "at": _now(now, clinic),
        }
    record_view(visit.service.db, visit.who, patient, now)
    return page(visit, "summary.html", **view)


def brief(tx: Tx, patient: Patient, episode: Episode, record: Record, plan: CarePlan, clinic: Clinic, now: datetime) -> list[str]:
    """The lines to paste: who and where in the plan, what was done, pain, what is open, the last decision, and how sure all this is."""
    header = header_of(tx, patient, episode, clinic, now)
    lines = [
        f"{patient.name} ({patient.ref}). {plan.title}, {header.side}. {header.stage}, {header.weeks}.",
        *([f"Wants to be able to: {header.goals}"] if header.goals else []),
        f"Last {DAYS} days: done {_percent(adherence(record, DAYS))} of scheduled days, replied on {_percent(reply_rate(record, DAYS))}.",
        *_pain(record),
    ]
    lines += header.holds
    opened = sorted(cases.list_open(tx, episode), key=lambda case: (case.case_key != RED_FLAG, rank(leading_rule(case))))
    lines += [f"Open: {title_of(leading_rule(case))}. {words_today(case, episode, now)}" for case in opened] or ["No open flags."]
    pending = reviews.find_pending(tx, episode)
    if pending is not None:
        lines.append(f"Waiting for a decision: {pending.detail.get('sentence', title_of(pending.rule))}")
    names: dict[object, str] = {member.id: member.name for member in staff.list_of_clinic(tx, episode.clinic_id)}
    if (decided := last_decision(reviews.list_proposals(tx, episode), names, clinic.zone)) is not None:
        lines.append(f"Last decision: {decided}")
    return [*lines, f"As the patient reported it by chat; {_now(now, clinic)}."]


def _pain(record: Record) -> list[str]:
    first = record.today - timedelta(days=RECENT - 1)
    recent = [day for day in record.loading_days if day.day >= first]
    usual = "not known" if record.baseline is None else f"{record.baseline}/10"
    if not recent:
        return [f"No loading in {RECENT} days. Usual pain {usual}."]
    during, after = pain_figures([day.pain for day in recent]), pain_figures([day.pain_24h for day in recent])
    days = f"Pain on {plural(len(recent), 'loading day')} in {RECENT} days (usual {usual})"
    return [f"{days}: in the session {_scores(during)}; 24 hours later {_scores(after)}.", *_last(record.loading_days)]


def _last(days: Sequence[LoadingDay]) -> list[str]:
    if not days:
        return []
    last = days[-1]
    return [f"Last loading day {long_day(last.day)}: {_score(last.pain)} in the session, {_score(last.pain_24h)} after 24 hours."]


def _scores(figures: PainFigures) -> str:
    return "no score" if figures.worst is None else f"median {figures.middle:g}, worst {figures.worst} of {figures.rated} rated"


def _score(score: int | None) -> str:
    return "no score" if score is None else f"{score}/10"


def _percent(share: int | None) -> str:
    return "–" if share is None else f"{share} %"


def _now(now: datetime, clinic: Clinic) -> str:
    return f"{long_day(local_day(now, clinic.zone))}, {clock_time(now, clinic.zone)}, {zone_words(clinic.zone)}"
