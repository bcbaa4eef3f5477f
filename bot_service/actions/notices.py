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
from bot_service.storage import alerts, audit, cases, clinics, episodes, escalations, notices, outbox, staff
from bot_service.storage.alerts import Alert
from bot_service.storage.clinics import Clinic, Sender
from bot_service.storage.database import Database, Tx
from bot_service.storage.staff import Member

FLAG_NOTICE = "flag_notice"
NOTICE_KEPT = timedelta(days=7)
"""How long a notice that cannot leave is tried: the flag itself stays on the pages (default)."""
GAP = timedelta(minutes=10)
"""After an outage the steps that were missed do not all come at once (default)."""
LONGEST_GAP = timedelta(days=1)
"""While nothing reaches anybody, how seldom that is looked at again at the most (default)."""


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
    with db.read() as tx:
        due = alerts.list_due(tx, now)
    return sum(_carry_on(db, case_id, episode_id, now, public_url) for case_id, episode_id in due)


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


def _carry_on(db: Database, case_id: UUID, episode_id: UUID, now: datetime, public_url: str) -> bool:
    """One flag's step. Its episode is locked first: the patient's new words may be raising it again at this moment."""
    with db.begin() as tx:
        episodes.load_locked(tx, episode_id)
        alert = alerts.find_due(tx, case_id, now)
        if alert is not None and not tx.shielded(lambda: _step(tx, alert, now, public_url)):
            alerts.put_off(tx, alert, now + GAP)
    return alert is not None


def _step(tx: Tx, alert: Alert, now: datetime, public_url: str) -> None:
    if alert.status != "open":
        alerts.end(tx, alert.case_id)
        return
    team = _team(tx, alert, now, public_url)
    lead_at = _told_at("lead", alert, team.clinic)
    if lead_at <= now and alert.in_care and escalations.mark_for_lead(tx, now, alert.case_id):
        audit.record(tx, now, f"rule {alert.rule}", "escalated", clinic_id=alert.clinic_id, subject_id=alert.patient_id)
    if not any(ways_to(tx, each.id, team.senders) for each in team.people.values() if each.active):
        again = now + min(max(GAP, now - alert.raised_at), LONGEST_GAP)  # the pages show it; whoever is reached next is told
        alerts.put_off(tx, alert, min(again, lead_at) if lead_at > now else again)
        return
    following = _tell_next(tx, team, alert, now)
    if following == len(STEPS) or not alert.in_care:
        alerts.end(tx, alert.case_id)
    else:
        alerts.advance(tx, alert, following, max(_told_at(STEPS[following], alert, team.clinic), now + GAP))


def _tell_next(tx: Tx, team: _Team, alert: Alert, now: datetime) -> int:
    """What is due: every new hit is told first, then one step after the other. Which step follows."""
    if alert.hits > alert.told:
        _tell(tx, team, alert, "tell", now)
        return max(alert.step, 1)
    step = STEPS[alert.step]
    if step == "check":
        _check(tx, team, alert, now)
    else:
        _tell(tx, team, alert, step, now)
    return alert.step + 1


def _told_at(step: Step, alert: Alert, clinic: Clinic) -> datetime:
    return told_at(step, alert.raised_at, limits_of(clinic), clinic_setting(clinic, "hours"), clinic.zone)


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
