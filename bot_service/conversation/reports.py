"""What patients say of a session in their own words: not yet, today's under an older question, part of it after all."""

from __future__ import annotations

from dataclasses import replace

from bot_service.conversation.answers import answer_scored, record_score, record_session, session_question
from bot_service.conversation.parsing import Reading, read
from bot_service.conversation.situation import Ask, Asked, Close, ForPhysio, Keep, Line, Situation, Told, Turn


def answer_told(reading: Reading, told: Told, target: Asked, now: Situation) -> Turn | None:
    """An answer while a scored question is open, unless the words are about something else than it asks; None when they answer nothing."""
    if reading.later and not target.detail.get("anew"):
        return _not_yet(reading, told, target, now)
    if target.kind == "pain_24h" and reading.reported:
        return part_after_all(reading, now) or _todays_instead(reading, told, target, now)
    return answer_scored(reading, told, target, now)


def _not_yet(reading: Reading, told: Told, target: Asked, now: Situation) -> Turn:
    """An intention is no refusal: nothing is recorded of the session, and the question stays open."""
    day_after = next((question for question in (target, *now.open) if question.kind == "pain_24h"), None)
    score = read(told.text, "next_day_pain", now.language, now.today).score if day_after else None
    if day_after is not None and score is not None:
        return record_score(score, day_after.kind, day_after.day or now.today, day_after.slot, day_after, now)
    again = Ask(target.kind, target.day, target.slot, target.detail, again=target.id)
    if reading.pain_mentioned:
        return Turn((ForPhysio("X3", told.text),), (Line("no_hurry"), Line("words_kept")), again)
    if target.kind == "session" and (target.day or now.today) == now.today:
        return Turn(lines=(Line("no_hurry"), Line("when_done")), ask=again)
    about = {"day": target.day.isoformat()} if target.day else {}
    return Turn(lines=(Line("no_hurry"), Line(f"again_{target.kind}", about)), ask=again)


def _todays_instead(reading: Reading, told: Told, question: Asked, now: Situation) -> Turn | None:
    """ "Done, 3" while only the day after is asked about: said of today's session, which is named, and the question stays open."""
    session = session_question(question, now) or _todays_session(question, now)
    if session is None:
        return None
    score = read(told.text, "did_you_exercise", now.language, now.today).score
    turn = record_session(replace(reading, score=score), session, now)
    effects = tuple(effect for effect in turn.effects if effect != Close(question.id))
    if turn.ask is not None or score is None:
        return replace(turn, effects=effects)
    named = Line("recorded_for", {"score": score, "day": (session.day or now.today).isoformat()})
    again = Ask(question.kind, question.day, question.slot, question.detail, again=question.id)
    about = {"day": (question.day or now.today).isoformat()}
    return Turn(effects, (named, *turn.lines[1:], Line("again_pain_24h", about)), again)


def _todays_session(question: Asked, now: Situation) -> Asked | None:
    """The only session of today that has no answer yet, as if it had been asked about; None on other days."""
    told = {session.slot for session in now.record.sessions if session.day == now.today} if now.record else set()
    due = {each.slot for each in now.record.scheduled if each.day == now.today and not each.optional} if now.record else set()
    left = sorted((due | {question.detail.get("show", 0)}) - told - {0})
    return Asked(question.id, "session", now.today, left[0]) if len(left) == 1 else None


def part_after_all(reading: Reading, now: Situation) -> Turn | None:
    """ "I only did some of it" after "done": today's session is corrected, and its score stays."""
    sessions = [session for session in now.record.sessions if session.day == now.today] if now.record else []
    done = [session for session in sessions if session.outcome == "done"]
    if reading.session != "partly" or reading.score is not None or len(done) != 1 or len(sessions) != 1:
        return None
    return Turn((Keep("session", now.today, done[0].slot, outcome="partly"),), (Line("recorded_partly"),))
