"""From stored rows to the record that the rules read, and to the rhythm that the schedule reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from bot_service.clinical.record import Exercises, NextDay, Record, Scheduled, Session, SkipReason
from bot_service.storage import check_ins, clinics, entries, inbox, outbox, prescriptions
from bot_service.storage.caseload import Answer
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Tx
from bot_service.storage.entries import Entry
from bot_service.storage.episodes import Episode
from bot_service.storage.outbox import Prompt
from plans.model import Dose, PrescribedExercise, Prescription
from plans.running import RUN, RUN_SLOT, run_text
from schedules.rhythm import QuietHours, Rhythm, SlotTime

HELD = "on hold"
TOO_SOON = "too soon after the last session"
"""How the reasons of cancelled prompts begin that count as a pause, not as a failure of ours or the patient's."""
ANSWERED = "answered already"
"""Why a prompt was not sent whose session the patient had told of before: as good as sent."""
_MARGIN = timedelta(days=2)
_EXERCISES: Mapping[str | None, Exercises] = {None: "with_it", "yes": "awaited", "no": "followed"}


def local_today(now: datetime, zone: str) -> date:
    """The patient's local date."""
    return now.astimezone(ZoneInfo(zone)).date()


def local_day_span(day: date, zone: str) -> tuple[datetime, datetime]:
    """From the beginning of a local day to the beginning of the next, as UTC."""
    starts = (datetime.combine(each, time(0), ZoneInfo(zone)) for each in (day, day + timedelta(days=1)))
    since, until = (start.astimezone(UTC) for start in starts)
    return since, until


def rhythm_of(plan: Prescription, zone: str, start: date) -> Rhythm:
    """When this prescription wants to prompt: its prompted slots, in the patient's zone, from `start` on."""
    delivery = plan.rules.delivery
    return Rhythm(
        zone=zone,
        slots=tuple(SlotTime(slot.number, slot.at, frozenset(slot.days)) for slot in plan.slots if slot.prompted),
        start=start,
        quiet=QuietHours(delivery.quiet_from, delivery.quiet_until),
        expires_after=timedelta(minutes=delivery.expires_after_min),
    )


def rhythm_for(tx: Tx, episode: Episode, plan: Prescription) -> Rhythm:
    """The same for an episode, with the clinic's own quiet hours where it has set some: they bind at once, whatever is prescribed."""
    return rhythm_in(clinics.load_clinic(tx, episode.clinic_id), episode, plan)


def rhythm_in(clinic: Clinic, episode: Episode, plan: Prescription) -> Rhythm:
    """The same when the episode's clinic is at hand."""
    rhythm = rhythm_of(plan, episode.zone, episode.start_date)
    own = clinic.settings.get("quiet")
    return rhythm if own is None else replace(rhythm, quiet=QuietHours(*map(time.fromisoformat, own)))


def prescription_on(tx: Tx, episode: Episode, day: date) -> UUID:
    """The prescription that applies on a local day. A step that the patient took begins the day after; all else at once."""
    document = prescriptions.load(tx, episode.prescription_id)
    if not document.rungs_preauthorised and document.run_steps_open is None:
        return episode.prescription_id
    return prescriptions.find_in_force(tx, episode.id, day) or episode.prescription_id


def load_record(tx: Tx, episode: Episode, now: datetime) -> Record:
    """Everything the rules may know about the episode at `now`."""
    plan = prescriptions.load(tx, episode.prescription_id)
    today = local_today(now, episode.zone)
    current = [entry for entry in entries.list_current(tx, episode) if entry.confirmed]
    zone = ZoneInfo(episode.zone)
    since = datetime.combine(episode.start_date, datetime.min.time(), zone) - _MARGIN
    heard = inbox.list_days_heard(tx, episode.patient_id, since)
    return Record(
        today=today,
        zone=episode.zone,
        episode_start=episode.start_date,
        stage=episode.stage,
        stage_start=episode.stage_start,
        baseline=episode.baseline,
        scheduled=tuple(item for prompt in outbox.list_prompts(tx, episode.id) if (item := scheduled_of(tx, prompt, today))),
        sessions=_sessions(tx, episode, current),
        next_days=tuple(
            NextDay(entry.day, entry.score, entry.at, (entry.id,))
            for entry in current
            if entry.kind == "pain_24h" and entry.score is not None
        ),
        prescription=plan,
        replies=tuple(sorted({at.astimezone(zone).date() for at in heard})),
        opting_in=days_of_opting_in(heard, check_ins.last_opted_in(tx, [episode.id]).get(episode.id), zone),
        skip_reasons=tuple(SkipReason(entry.day, _reason(entry.outcome), (entry.id,)) for entry in current if entry.kind == "reason"),
        rung_since=_rung_since(tx, episode, plan),
    )


def days_of_opting_in(heard: Iterable[datetime], opted_in: datetime | None, zone: ZoneInfo) -> frozenset[date]:
    """The local days on which the patient only agreed to the messages and said how the usual pain is, the last of it then."""
    if opted_in is None:
        return frozenset()
    before, since = ({at.astimezone(zone).date() for at in heard if (at > opted_in) is later} for later in (False, True))
    return frozenset(before - since)


def scheduled_of(tx: Tx, prompt: Prompt, today: date) -> Scheduled | None:
    """What a prompt asked of its day; None for one that asks nothing any more."""
    status: Literal["sent", "not_sent", "paused", "waiting"]
    if prompt.status in outbox.WENT_OUT or (prompt.status, prompt.reason) == ("cancelled", ANSWERED):
        status = "waiting" if prompt.day >= today else "sent"
    elif prompt.status in ("due", "claimed", "sending"):
        status = "waiting" if prompt.day >= today else "not_sent"
    elif prompt.status == "cancelled":
        if not (prompt.reason or "").startswith((HELD, TOO_SOON)):
            return None
        status = "paused"
    else:
        status = "not_sent"
    document = prescriptions.load(tx, prompt.prescription_id)
    optional = _is_optional(document, prompt.slot)
    return _scheduled(prompt.day, prompt.slot, status, document.stage, optional=optional, exercises=_EXERCISES[prompt.awaited])


_scheduled = lru_cache(maxsize=5000)(Scheduled)
"""Years of prompts come down to the same few hundred values."""


def _sessions(tx: Tx, episode: Episode, current: list[Entry]) -> tuple[Session, ...]:
    """The sessions, put together again only when there is a new entry: the last one tells them all, since nothing recorded changes."""
    if not current:
        return ()
    state = (len(current), current[-1].id, episode.prescription_id)
    known = tx.db.sessions.get(episode.id)
    if known is None or known[0] != state:
        known = (state, tuple(sessions_of(tx, current, episode.prescription_id)))
        tx.db.sessions.keep(episode.id, known)
    found: tuple[Session, ...] = known[1]
    return found


def sessions_of(tx: Tx, current: Iterable[Entry | Answer], active_prescription: UUID) -> list[Session]:
    """The sessions that the entries in force amount to, one for each day and slot; of a list's answers without time and evidence."""
    by_session: dict[tuple[date, int], dict[str, Entry | Answer]] = {}
    for entry in current:
        if entry.kind in ("session", "pain_during"):
            by_session.setdefault((entry.day, entry.slot or 1), {})[entry.kind] = entry
    sessions = []
    for (day, slot), found in sorted(by_session.items()):
        did, pain = found.get("session"), found.get("pain_during")
        first = did or pain
        if first is None:
            continue
        prescription_id = first.prescription_id or active_prescription
        document = prescriptions.load(tx, prescription_id)
        outcome = _outcome(did.outcome if did else "done")
        sessions.append(
            Session(
                day=day,
                slot=slot,
                outcome=outcome,
                pain=pain.score if pain and outcome != "not_done" else None,
                done_at=first.done_at or first.at if isinstance(first, Entry) else None,
                stage=document.stage,
                prescription_id=prescription_id,
                optional=_is_optional(document, slot),
                evidence=tuple(entry.id for entry in (did, pain) if isinstance(entry, Entry)),
                told_at=pain.at if isinstance(pain, Entry) else None,
            )
        )
    return sessions


def _is_optional(document: Prescription, slot: int) -> bool:
    return slot == RUN_SLOT or any(item.optional for item in document.slots if item.number == slot)


def _rung_since(tx: Tx, episode: Episode, plan: Prescription) -> dict[str, date]:
    """Since when each exercise has been at its present rung without a break: settled with the prescription, so asked once for each."""
    known: dict[str, date] | None = tx.db.rung_starts.get(episode.prescription_id)
    if known is not None:
        return known
    since: dict[str, date] = {}
    rung: dict[str, object] = {}
    for start, document in prescriptions.list_starts(tx, episode.id):
        now: dict[str, object] = {item.exercise.id: _place(item) for item in document.exercises}
        now |= {RUN: (document.run_step, run_text(document))} if document.run_step else {}
        for exercise, at in now.items():
            if exercise not in rung or rung[exercise] != at:
                since[exercise] = start
        rung = now
    found = {name: since[name] for name in (*(item.exercise.id for item in plan.exercises), RUN) if name in since}
    tx.db.rung_starts.keep(episode.prescription_id, found)
    return found


def _place(item: PrescribedExercise) -> tuple[str | None, Dose | None]:
    """The rung, and what the plan asks there: another version may ask more under the same name."""
    return item.rung, next((rung.dose for rung in item.exercise.rungs if rung.id == item.rung), None)


def _outcome(word: str | None) -> Literal["done", "partly", "not_done"]:
    return "partly" if word == "partly" else "not_done" if word == "not_done" else "done"


def _reason(word: str | None) -> Literal["pain", "forgot", "time", "unsure", "unwell", "other"]:
    match word:
        case "pain" | "forgot" | "time" | "unsure" | "unwell":
            return word
        case _:
            return "other"


def last_done_at(sessions: Iterable[Session], *, runs: bool) -> datetime | None:
    """When the last run was done, or else the last session that is not optional; partly done ones included."""
    alike = (item for item in sessions if (item.slot == RUN_SLOT if runs else not item.optional))
    return max((item.done_at for item in alike if item.done_at is not None and item.outcome != "not_done"), default=None)
