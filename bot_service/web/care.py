"""What a clinician keeps up to date beside decisions: notes, the next appointment, goals, language, time zone, and the end of care."""

from __future__ import annotations

from datetime import datetime

from starlette.responses import Response

from bot_service.actions import care_record, review
from bot_service.actions.deciding import Decision
from bot_service.web.access import Visit
from bot_service.web.decisions import Unfit, day_posted, id_posted, submit
from bot_service.web.stale import showed


def note(visit: Visit) -> Response:
    """Write a private note."""
    words = visit.form.get("words", "")
    return submit(visit, "note", "noted", lambda decision, now: care_record.add_note(visit.service.db, decision, words, now))


def note_case(visit: Visit) -> Response:
    """Write a note on an open case."""
    case, words = visit.part("case"), visit.form.get("words", "")

    def write(decision: Decision, now: datetime) -> None:
        care_record.note_case(visit.service.db, decision, id_posted(case), words, now)

    return submit(visit, f"note-{case}", "noted", write)


def appointment(visit: Visit) -> Response:
    """Set or clear the day of the next appointment."""

    def set_day(decision: Decision, now: datetime) -> None:
        care_record.set_appointment(visit.service.db, decision, day_posted(visit.form.get("day", "")), now, showed(visit))

    return submit(visit, "appointment", "appointment", set_day, kinds=("appointment_set",))


def usual_pain(visit: Visit) -> Response:
    """Set the usual pain, as the physio knows it."""

    def set_score(decision: Decision, now: datetime) -> None:
        text = visit.form.get("score", "").strip()
        if not (text.isascii() and text.isdecimal() and len(text) < 3):
            raise Unfit("Write the usual pain as a whole number from 0 to 10.")
        care_record.set_usual_pain(visit.service.db, decision, int(text), now, showed(visit))

    return submit(visit, "usual", "usual", set_score, kinds=("usual_pain_set",))


def goals(visit: Visit) -> Response:
    """Write down what the patient wants to be able to do again."""
    words = visit.form.get("goals", "")

    def set_goals(decision: Decision, now: datetime) -> None:
        care_record.set_goals(visit.service.db, decision, words, now, showed(visit))

    return submit(visit, "goals", "goals", set_goals, kinds=("goals_set",))


def settle(visit: Visit) -> Response:
    """Change the language that the patient is written to in, and the time zone that their day follows."""

    def change(decision: Decision, now: datetime) -> None:
        language, zone = visit.form.get("language", ""), visit.form.get("zone", "").strip()
        care_record.settle(visit.service.db, decision, language, zone, now, showed(visit))

    return submit(visit, "settle", "settled", change, kinds=("language_changed", "zone_changed"))


def discharge(visit: Visit) -> Response:
    """End the episode of care, once that is confirmed."""

    def end(decision: Decision, now: datetime) -> None:
        if visit.form.get("sure") != "on":
            raise Unfit("Tick that you mean it: nothing is sent to the patient any more, and this cannot be undone.")
        review.discharge(visit.service.db, decision, now)

    return submit(visit, "discharge", "discharged", end, needs_reason=True)
