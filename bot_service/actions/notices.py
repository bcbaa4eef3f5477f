"""Flags reach people: urgent ones at once, then the reminder, the deputy and the clinic lead while nobody acknowledges them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bot_service.actions.voices import clinic_setting
from bot_service.clinical.duty import STEPS, Away, Colleague, Limits, Step, acts_for, covered_by, told_at, whom_to_tell
from bot_service.clinical.working_hours import next_open
from bot_service.storage import alerts, cases, clinics, notices, outbox, staff
from bot_service.storage.alerts import Alert
from bot_service.storage.clinics import Clinic, Sender
from bot_service.storage.database import Database, Tx
from bot_service.storage.staff import Member

FLAG_NOTICE = "flag_notice"
NOTICE_KEPT = timedelta(days=7)
"""How long a notice that cannot leave is tried: the flag itself stays on the pages (default)."""
GAP = timedelta(minutes=10)
"""After an outage the steps that were missed do not all come at once (default)."""


@dataclass(frozen=True)
class _Team:
    """A clinic as telling its people needs it, at one moment."""

    clinic: Clinic
    people: dict[UUID, Colleague]
    aways: Collection[Away]
    senders: list[Sender]
    today: date
    link: str


def tell_due(db: Database, now: datetime, public_url: str) -> int:
    """Carry out the steps that are due; how many."""
    with db.begin() as tx:
        due = alerts.claim_due(tx, now)
        for alert in due:
            if not tx.shielded(lambda alert=alert: _step(tx, alert, now, public_url)):  # type: ignore[misc]  # bound now
                alerts.put_off(tx, alert, now + GAP)
    return len(due)


def limits_of(clinic: Clinic) -> Limits:
    """How long a flag may wait in this clinic."""
    return Limits(*(clinic_setting(clinic, name) for name in ("notice_remind_min", "notice_deputy_min", "notice_lead_days")))


def whose_patients(tx: Tx, member: Member, now: datetime) -> frozenset[UUID]:
    """The colleagues whose patients are this member's today: their own, also while away, and of those whom they cover."""
    clinic = clinics.load_clinic(tx, member.clinic_id)
    today = now.astimezone(ZoneInfo(clinic.zone)).date()
    people = notices.list_colleagues(tx, clinic.id)
    return covered_by(member.id, people, notices.list_aways(tx, clinic.id, today), today) | {member.id}


def ways_to(tx: Tx, staff_id: UUID, senders: Collection[Sender]) -> list[UUID]:
    """The senders through which a member is told, the chosen ones first, then what else there is; empty when nothing reaches them.

    What the member chose comes before what they did not; a sender that is stopped comes last.
    """
    choices = notices.load_choices(tx, staff_id)
    mail = next((sender for sender in senders if sender.channel == "email" and sender.status != "unused"), None)
    bot = next((sender for sender in senders if sender.id == choices.chat_sender_id), None)
    chosen = {"email": [mail], "telegram": [bot], "both": [mail, bot]}[choices.ways]
    there = [sender for sender in (*chosen, mail, bot) if sender is not None]
    return [sender.id for sender in dict.fromkeys(sorted(there, key=lambda sender: sender.status == "broken"))]


def chosen_ways(tx: Tx, staff_id: UUID, senders: Collection[Sender]) -> list[UUID]:
    """As many of them as the member chose."""
    both = notices.load_choices(tx, staff_id).ways == "both"
    return ways_to(tx, staff_id, senders)[: 2 if both else 1]


def _step(tx: Tx, alert: Alert, now: datetime, public_url: str) -> None:
    team = _team(tx, alert, now, public_url)
    if alert.status != "open" or not any(ways_to(tx, each, team.senders) for each in team.people):
        alerts.end(tx, alert.case_id)  # looked after, or there is nobody whom anything reaches: the pages show it all the same
        return
    following = alert.step
    if alert.hits > alert.told:
        _tell(tx, team, alert, "tell", now)
        following = max(alert.step, 1)
    else:
        step = STEPS[alert.step]
        if step == "check":
            _check(tx, team, alert, now)
        else:
            _tell(tx, team, alert, step, now)
        following += 1
    if following == len(STEPS):
        alerts.end(tx, alert.case_id)
        return
    hours = clinic_setting(team.clinic, "hours")
    at = told_at(STEPS[following], alert.raised_at, limits_of(team.clinic), hours, team.clinic.zone)
    alerts.advance(tx, alert, following, max(at, now + GAP))


def _team(tx: Tx, alert: Alert, now: datetime, public_url: str) -> _Team:
    clinic = clinics.load_clinic(tx, alert.clinic_id)
    today = now.astimezone(ZoneInfo(clinic.zone)).date()
    return _Team(
        clinic,
        notices.list_colleagues(tx, clinic.id),
        notices.list_aways(tx, clinic.id, today),
        clinics.list_senders(tx),
        today,
        f"{public_url}/patients/{alert.ref}",
    )


def _tell(tx: Tx, team: _Team, alert: Alert, step: Step, now: datetime) -> None:
    """Queue one step's notices, by the ways that each member chose; a reminder goes by every way there is."""
    for staff_id in whom_to_tell(step, alert.physio_id, team.people, team.aways, team.today):
        ways = ways_to(tx, staff_id, team.senders) if step == "remind" else chosen_ways(tx, staff_id, team.senders)
        for sender_id in ways:
            _queue(tx, team, alert, step, staff_id, sender_id, now)


def _check(tx: Tx, team: _Team, alert: Alert, now: datetime) -> None:
    """When the first notice has not gone out: by whatever other way there is, and to the next person up at once."""
    if not notices.is_stuck(tx, _key(alert, "tell"), now):
        return
    for staff_id in whom_to_tell("tell", alert.physio_id, team.people, team.aways, team.today):
        for sender_id in ways_to(tx, staff_id, team.senders):
            if not notices.was_queued(tx, _key(alert, "tell", staff_id, sender_id)):
                _queue(tx, team, alert, "check", staff_id, sender_id, now)
    _tell(tx, team, alert, "deputy", now)


def _queue(tx: Tx, team: _Team, alert: Alert, step: Step, staff_id: UUID, sender_id: UUID, now: datetime) -> None:
    content: dict[str, Any] = {"case": str(alert.case_id), "step": step, "link": team.link}
    if staff_id != alert.physio_id and acts_for(alert.physio_id, team.aways, team.today) == staff_id:
        content["covers"] = staff.load(tx, alert.physio_id).name
    due_at = now
    if not notices.load_choices(tx, staff_id).at_night:
        due_at, _ = next_open(now, clinic_setting(team.clinic, "hours"), team.clinic.zone)
    queued = outbox.queue(
        tx, now, clinic_id=alert.clinic_id, patient_id=None, episode_id=None, staff_id=staff_id, kind=FLAG_NOTICE,
        key=_key(alert, step, staff_id, sender_id), due_at=due_at, expires_at=now + NOTICE_KEPT, content=content, lane="now",
        sender_id=sender_id,
    )  # fmt: skip
    if queued:
        cases.record_event(tx, now, alert.case_id, f"notice_{step}", staff.load(tx, staff_id).name[:80])


def _key(alert: Alert, step: str, *more: UUID) -> str:
    """Names a notice for ever. A hit is told once, later steps once for each time that the flag waits."""
    hit = alert.hits if step == "tell" else 0
    ids = [f"{each.int:032x}" for each in more]
    return ":".join(["flag", f"{alert.case_id.int:032x}", f"{int(alert.raised_at.timestamp())}", f"{step}{hit}", *ids])
