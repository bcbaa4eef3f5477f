"""An answer to the 24-hour question after the time in which it says how a session was taken. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from bot_service.conversation.situation import Asked, Situation

LATE = "pain_24h_late"
"""How pain is when the day after the session is over: kept and shown, and nothing that the rules read."""


def is_over(question: Asked | None, day: date, now: Situation) -> bool:
    """Whether it is later than the accepted hours after that day's sessions were done (`clinical.md` 5.0), and nothing is put right."""
    if question is None or question.detail.get("anew") or now.at is None or now.record is None:
        return False
    done = [session.done_at for session in now.record.sessions if session.day == day and session.done_at is not None]
    return bool(done) and now.at > max(done) + timedelta(hours=now.record.rules.after_24h.window_h[1])


def question_of(kind: str) -> str:
    """The kind of question that asks for a recorded value once more."""
    return {"pain_during": "session_pain", LATE: "pain_24h"}.get(kind, kind)
