"""What a clinician writes down about a patient beside decisions: notes, outcome measures, the next appointment, language."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from bot_service.actions.assess import assess
from bot_service.actions.deciding import LONGEST_REASON, Decision, episode_of, note_decision
from bot_service.actions.eligibility import LONGEST_GOALS
from bot_service.actions.histories import local_today
from bot_service.actions.prompt import move_cursor
from bot_service.actions.stale import Fields, check_fresh
from bot_service.actions.voices import offered_languages
from bot_service.clinical.outcome_measures import LONGEST_ACTIVITY, MEASURES, MOST_ACTIVITIES, Measure
from bot_service.conversation.states import MEASURED
from bot_service.errors import Conflict, NotFound
from bot_service.storage import audit, care_records, case_care, cases, clinics, contacts, conversations, episodes, patients
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode
from schedules.places import zone_for

LONGEST_NOTE = 4000
BEFORE_CARE = timedelta(days=60)
"""How long before the start of care a value may have been taken (default)."""


def add_note(db: Database, decision: Decision, words: str, now: datetime) -> None:
    """A private note: colleagues of the clinic see it, the patient never. Raises Conflict when empty or too long."""
    with db.begin() as tx:
        episode = episode_of(tx, decision, sees_to=True)
        if not words.strip():
            raise Conflict("write something first")
        if len(words.strip()) > LONGEST_NOTE:
            raise Conflict(f"the note is longer than {LONGEST_NOTE} characters; make it shorter")
        care_records.add_note(tx, now, episode, decision.member.id, words.strip())
        note_decision(tx, now, decision, episode, "note_written", {})


def note_case(db: Database, decision: Decision, case_id: UUID, words: str, now: datetime) -> None:
    """A note on an open case, for colleagues. Raises Conflict when empty or too long, or the case is closed, and NotFound."""
    with db.begin() as tx:
        episode = episode_of(tx, decision, sees_to=True)
        case = cases.load_case(tx, episode, case_id)
        if case is None:
            raise NotFound("no such case for this patient")
        if case.closed_at is not None:
            raise Conflict("this case is closed; open it again first, or write a note about the patient")
        if not words.strip():
            raise Conflict("write something first")
        if len(words.strip()) > LONGEST_REASON:
            raise Conflict(f"the note is longer than {LONGEST_REASON} characters; make it shorter")
        case_care.note_case(tx, now, episode, case.id, decision.member.name, words.strip())
        note_decision(tx, now, decision, episode, "case_noted", {"rule": case.rule})


def record_outcome(
    db: Database, decision: Decision, measure: str, activity: str, value: int | None, day: date | None, now: datetime
) -> None:
    """Enter a value of an outcome measure, of today when no day is named. Raises Conflict for what cannot be, and NotFound.

    An activity may be named without a value: the patient is asked for it in chat.
    """
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        kind = MEASURES.get(measure)
        if kind is None:
            raise NotFound("no such outcome measure")
        if value is None and not kind.has_activity:
            raise Conflict("write the value as a whole number")
        if value is not None and not kind.low <= value <= kind.high:
            raise Conflict(f"{kind.title} runs from {kind.low} to {kind.high}")
        today, activity = local_today(now, episode.zone), " ".join(activity.split())
        when = day or today
        if not episode.start_date - BEFORE_CARE <= when <= today:
            raise Conflict(f"the day must lie between {BEFORE_CARE.days} days before the start of care and today")
        _check_activity(tx, episode, kind, activity)
        care_records.add_outcome(tx, now, episode, decision.member.id, measure=measure, activity=activity, value=value, day=when)
        note_decision(tx, now, decision, episode, "outcome_recorded", {"measure": measure})


def _check_activity(tx: Tx, episode: Episode, kind: Measure, activity: str) -> None:
    if activity and not kind.has_activity:
        raise Conflict(f"an activity belongs to {MEASURES['psfs'].title} only; choose that measure, or leave the activity empty")
    if not kind.has_activity:
        return
    known = {item.name.casefold() for item in care_records.list_activities(tx, episode, kind.id) if item.stands}
    if not activity or len(activity) > LONGEST_ACTIVITY:
        raise Conflict(f"name the activity in the patient's words, in at most {LONGEST_ACTIVITY} characters")
    if activity.casefold() not in known and len(known) >= MOST_ACTIVITIES:
        raise Conflict(f"there are {MOST_ACTIVITIES} activities already; rate one of them again")


def record_told(tx: Tx, episode: Episode, measure: str, activity: str, value: int | None, day: date, now: datetime) -> None:
    """What the patient told of a measure in chat, in the place of what they told before for that day; without a value, an activity."""
    care_records.withdraw_told(tx, now, episode, measure, activity, day, named=value is None)
    care_records.add_outcome(tx, now, episode, None, measure=measure, activity=activity, value=value, day=day)
    detail = {"measure": measure}
    audit.record(tx, now, "patient", "outcome_told", clinic_id=episode.clinic_id, subject_id=episode.patient_id, detail=detail)


def ask_in_chat(db: Database, decision: Decision, ask: bool, now: datetime) -> None:
    """Let a patient be asked for the outcome measures in chat, or not any more."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        episodes.change(tx, episode.id, measures_off_at=None if ask else now)
        if not ask:
            conversations.close_all(tx, episode.id, now, "withdrawn", MEASURED)
        note_decision(tx, now, decision, episode, "measures_asked" if ask else "measures_not_asked", {})


def withdraw_outcome(db: Database, decision: Decision, outcome_id: UUID, now: datetime) -> None:
    """Take back a value that was entered by mistake. Raises NotFound."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        if not care_records.withdraw_outcome(tx, now, episode, outcome_id):
            raise NotFound("no such value")
        note_decision(tx, now, decision, episode, "outcome_withdrawn", {})


def appointment_fields(episode: Episode) -> Fields:
    """What the form of the next appointment shows."""
    return {"day": episode.next_appointment.isoformat() if episode.next_appointment else ""}


def usual_fields(episode: Episode) -> Fields:
    """What the form of the usual pain shows."""
    return {"score": "" if episode.baseline is None else str(episode.baseline)}


def settle_fields(episode: Episode) -> Fields:
    """What the form of language and zone shows."""
    return {"language": episode.language, "zone": episode.zone}


def goals_fields(tx: Tx, episode: Episode) -> Fields:
    """What the form of the goals shows."""
    return {"goals": contacts.load_goals(tx, episode.patient_id, episode.id)}


def set_appointment(db: Database, decision: Decision, day: date | None, now: datetime, showed: Fields | None = None) -> None:
    """The day of the next appointment; None when there is none. Raises Conflict for a day in the past, Stale."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        check_fresh(showed, appointment_fields(episode))
        if day is not None and day < local_today(now, episode.zone):
            raise Conflict("the next appointment must lie ahead")
        episodes.change(tx, episode.id, next_appointment=day)
        note_decision(tx, now, decision, episode, "appointment_set", {"day": day and day.isoformat()})


def set_usual_pain(db: Database, decision: Decision, score: int, now: datetime, showed: Fields | None = None) -> None:
    """The usual pain before loading, 0-10, as the clinician knows it: what the next day's pain is compared with. Raises Conflict, Stale."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        check_fresh(showed, usual_fields(episode))
        if not 0 <= score <= 10:
            raise Conflict("the usual pain runs from 0 to 10")
        episodes.change(tx, episode.id, baseline=score)
        episodes.count_evidence(tx, episode.id)
        assess(tx, episodes.load(tx, episode.id), now)
        note_decision(tx, now, decision, episode, "usual_pain_set", {})


def set_goals(db: Database, decision: Decision, words: str, now: datetime, showed: Fields | None = None) -> None:
    """What the patient wants to be able to do again; empty takes it away. The trail does not repeat the words. Raises Conflict, Stale."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        check_fresh(showed, goals_fields(tx, episode))
        if len(words.strip()) > LONGEST_GOALS:
            raise Conflict(f"goals have at most {LONGEST_GOALS} characters; make them shorter")
        episodes.change(tx, episode.id, goals=contacts.sealed_goals(tx, episode.patient_id, episode.id, words))
        note_decision(tx, now, decision, episode, "goals_set", {})


def settle(db: Database, decision: Decision, language: str, zone: str, now: datetime, showed: Fields | None = None) -> None:
    """The language of messages and the zone of the patient's day, both or neither. Raises Conflict for one that does not exist, Stale."""
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        check_fresh(showed, settle_fields(episode))
        offered = offered_languages(clinics.load_clinic(tx, episode.clinic_id))
        if language not in (*offered, episode.language):
            raise Conflict(f"there are messages in {', '.join(offered)}; choose one of them")
        if zone != episode.zone:
            _change_zone(tx, episode, decision, zone, now)
        if language != episode.language:
            patients.set_language(tx, episode.patient_id, language)
            note_decision(tx, now, decision, episode, "language_changed", {"language": language})


def move_zone(db: Database, decision: Decision, zone: str, now: datetime) -> None:
    """The patient lives by another zone's clock from now on. Never the same local day twice, and 12 hours between two prompts of a slot."""
    with db.begin() as tx:
        _change_zone(tx, episode_of(tx, decision), decision, zone, now)


def _change_zone(tx: Tx, episode: Episode, decision: Decision, zone: str, now: datetime) -> None:
    try:
        zone = zone_for(zone)
    except ValueError as error:
        raise Conflict(str(error)) from None
    patients.set_zone(tx, episode.patient_id, zone)
    if episode.next_prompt_at is not None:
        move_cursor(tx, episodes.load(tx, episode.id), now)
    note_decision(tx, now, decision, episode, "zone_changed", {"zone": zone})
