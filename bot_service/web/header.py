"""The top of the patient's page: who, where in the plan, how to reach them, and when we write next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from bot_service.actions.deciding import NO_NEWS
from bot_service.actions.held_words import HOLDS
from bot_service.actions.histories import rhythm_for
from bot_service.clinical.in_words import sentence
from bot_service.storage import clinics, contacts, episodes, patients, prescriptions, reviews, staff
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode, Hold
from bot_service.storage.patients import Address, Patient
from bot_service.storage.reviews import Proposed
from bot_service.web.times import ago, clock_time, day_words, local_day, long_day, moment, moment_ago, span, zone_words
from plans.editing import side_of
from plans.model import Prescription
from schedules.occurrences import next_occurrence

SIDES = {"left": "left side", "right": "right side", "both": "both sides"}
SAYS_WHY = ("red_flag", "lost_contact")
"""Holds whose name says already why they are there."""
RESUMABLE = ("pause", "physio_first", "lost_contact")
CHANNELS = {"simulator": "simulated phone", "telegram": "Telegram", "whatsapp": "WhatsApp"}


@dataclass(frozen=True)
class Header:
    """The facts at the top, each as words. `unsafe`: somebody has to look at the patient before anything else."""

    name: str
    ref: str
    stage: str
    weeks: str
    side: str
    expected: str
    physio: str
    status: str
    reach: str
    reach_trouble: bool
    heard: str
    next_prompt: str
    local_time: str
    holds: tuple[str, ...]
    can_resume: bool
    held_until: str
    unsafe: bool
    can_write: bool
    ended: bool
    phone: str
    appointment: str
    goals: str


def header_of(tx: Tx, patient: Patient, episode: Episode, clinic: Clinic, now: datetime) -> Header:
    """The header at `now`."""
    today = local_day(now, patient.zone)
    address = patients.find_active_address(tx, patient.id)
    channel = next((sender.channel for sender in clinics.list_senders(tx) if address and sender.id == address.sender_id), "")
    unreleased = [hold for hold in episodes.list_holds(tx, episode.id) if hold.released_at is None and episode.status == "active"]
    held = [hold for hold in unreleased if hold.until_day is None or hold.until_day > today]
    steps_held = reviews.list_held(tx, episode, today)
    document = prescriptions.load(tx, episode.prescription_id)
    return Header(
        name=patient.name,
        ref=patient.ref,
        stage=document.stage_title,
        weeks=_weeks(episode, today),
        side=SIDES[side_of(document)],
        expected=_expected(tx, document),
        physio=staff.load(tx, episode.physio_id).name,
        status=_status(patient, episode, now),
        reach=_reach(address, CHANNELS.get(channel, channel)),
        reach_trouble=address is not None and address.status != "active",
        heard=moment_ago(now, episode.last_heard_at, patient.zone) if episode.last_heard_at else "never",
        next_prompt=_next(tx, episode, held, document, now),
        local_time=f"{moment(now, patient.zone)}, {zone_words(patient.zone)}"
        + (f" ({clock_time(now, clinic.zone)} at the clinic)" if clock_time(now, clinic.zone) != clock_time(now, patient.zone) else ""),
        holds=(
            *(hold_words(hold, episodes.why_held(tx, episode, hold), today) for hold in held),
            *(_step_held(item, tx) for item in steps_held),
        ),
        can_resume=any(hold.kind in RESUMABLE for hold in held),
        held_until=day_words(max(item.until for item in steps_held)) if steps_held else "",
        unsafe=any(hold.kind in NO_NEWS for hold in held),
        can_write=patient.status == "opted_in",
        ended=episode.status != "active",
        phone=f"/phone/{patient.ref}",
        appointment=long_day(episode.next_appointment) if episode.next_appointment and episode.next_appointment >= today else "",
        goals=contacts.load_goals(tx, patient.id, episode.id),
    )


def hold_words(hold: Hold, why: str, today: date) -> str:
    """Paused until Mon 30 Nov. Why: holiday, by Anna Reed. What a rule or the patient placed needs nobody's name."""
    start = "" if hold.from_day <= today else f" from {day_words(hold.from_day)}"
    end = f" until {day_words(hold.until_day)}" if hold.until_day else ""
    words = f"{HOLDS.get(hold.kind, 'On hold')}{start}{end}."
    if hold.placed_by == "patient":
        return f"{words} {sentence(why)}"
    if hold.placed_by.startswith("rule "):
        return words if hold.kind in SAYS_WHY else f"{words} Why: {why}."
    return f"{words} Why: {why}, by {hold.placed_by}."


def _weeks(episode: Episode, today: date) -> str:
    if episode.patient_status in ("invited", "asked"):
        return "not started"
    care, stage = (today - episode.start_date).days // 7 + 1, (today - episode.stage_start).days // 7 + 1
    return f"week {care} of care" if episode.stage_start == episode.start_date else f"week {stage} in this stage, week {care} of care"


def _expected(tx: Tx, document: Prescription) -> str:
    """How long the plan expects the stage to take, as it stood when this was prescribed."""
    low, high = prescriptions.load_plan_of(tx, document).stage(document.stage).expected_weeks
    return f"{low} to {high} weeks expected in this stage"


def _status(patient: Patient, episode: Episode, now: datetime) -> str:
    if episode.status != "active":
        return f"Episode ended: {episode.end_reason or 'discharged'}"
    return {
        "invited": f"Invited {ago(now, patient.status_at, patient.zone)}, chat not opened yet",
        "asked": f"Opened the chat {ago(now, patient.status_at, patient.zone)}, has not agreed yet",
        "opted_in": "",
        "opted_out": f"Stopped all messages {ago(now, patient.status_at, patient.zone)}",
        "discharged": "Discharged",
    }.get(patient.status, patient.status)


def _reach(address: Address | None, channel: str) -> str:
    if address is None:
        return "no chat linked yet"
    return f"on {channel}" if address.status == "active" else f"messages do not arrive ({channel})"


def _next(tx: Tx, episode: Episode, held: list[Hold], plan: Prescription, now: datetime) -> str:
    if episode.next_prompt_at is None or episode.status != "active":
        return "none planned"
    day = episode.next_prompt_day or local_day(episode.next_prompt_at, episode.zone)
    in_force = [hold for hold in held if hold.covers(day)]
    if not in_force:
        return f"{moment(episode.next_prompt_at, episode.zone)}, {zone_words(episode.zone)} (in {span(episode.next_prompt_at - now)})"
    state = "paused" if in_force[-1].kind == "pause" else "on hold"
    at = _first_after(tx, held, plan, episode, day)
    return f"none while {state}" + (f"; again {moment(at, episode.zone)}, {zone_words(episode.zone)}" if at else "")


def _first_after(tx: Tx, held: list[Hold], plan: Prescription, episode: Episode, day: date) -> datetime | None:
    """When the first prompt from `day` on falls due that nothing holds back; None while that has no end."""
    rhythm, at = rhythm_for(tx, episode, plan), None
    while in_force := [hold for hold in held if hold.covers(day)]:
        ends = [hold.until_day for hold in in_force if hold.until_day]
        start = datetime.combine(max(ends), time(), ZoneInfo(episode.zone)) if len(ends) == len(in_force) else None
        found = next_occurrence(rhythm, None, start) if start else None
        if found is None:
            return None
        day, at = found.day, found.due_at
    return at


def _step_held(item: Proposed, tx: Tx) -> str:
    by = staff.load(tx, item.decided_by).name if item.decided_by else "staff"
    return f"Next step held until {day_words(item.until)}. Why: {item.reason}, by {by}."
