"""What patients say of a session in their own words: not yet, last night's, today's before it is asked, part of it, the day after."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from bot_service.conversation.answers import another_number, answer_scored, record_score, record_session, session_question
from bot_service.conversation.exercise_text import slots_on
from bot_service.conversation.measured import tells_of_exercises
from bot_service.conversation.parsing import Reading, read
from bot_service.conversation.showing import once_more, same_again
from bot_service.conversation.situation import Answered, Ask, Asked, Close, Effect, ForPhysio, Keep, Line, Situation, Told, Turn
from bot_service.conversation.states import KINDS, MEASURED
from bot_service.conversation.typed import is_question, names_today
from bot_service.conversation.which_one import ask_which


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
    """The session of today that has no answer yet, as if it had been asked about, the latest of several: the day counts as done by either,
    and its pain is that of the worse one. None on other days."""
    told = {session.slot for session in now.record.sessions if session.day == now.today} if now.record else set()
    due = {each.slot for each in now.record.scheduled if each.day == now.today and not each.optional} if now.record else set()
    left = sorted((due | {question.detail.get("show", 0)}) - told - {0})
    return Asked(question.id, "session", now.today, left[-1]) if left else None


def report_unasked(reading: Reading, told: Told, target: Asked | None, now: Situation) -> Turn | None:
    """ "Did the lot at lunch, 3. Is it normal that my calf is sore?": the session counts, asked about or not yet, and whatever else the
    message asks is for the physio."""
    asks = reading.answer == "help" or is_question(told.text)
    if reading.session not in ("yes", "partly") or not reading.reported or reading.correction or told.replied_to:
        return None
    if reading.request not in (None, "help"):
        return None
    turn = None
    if target is not None and target.kind in MEASURED:
        turn = _ahead_of_its_prompt(reading, told, target, now)
    elif target is None or target.kind == "rung":
        slot = _slot_left(now)
        score = read(told.text, "did_you_exercise", now.language, now.today).score
        sure = score is not None or reading.session == "yes"  # "I only did some of it" may take something back
        turn = _done_after_all(reading.session, score, now.today, slot, now) if slot is not None and sure else None
    elif reading.request == "help" and target.kind in ("session", "session_pain", "pain_24h"):
        answer = reading.session if target.kind == "session" or reading.score is None else reading.score
        turn = answer_told(replace(reading, request=None, answer=answer), told, target, now)
    return _with_words(turn, told) if turn is not None and asks else turn


def _ahead_of_its_prompt(reading: Reading, told: Told, measure: Asked, now: Situation) -> Turn | None:
    """ "Did all my exercises, 3" while a measure is asked: of a session of today that no prompt has asked about, and the measure stays.

    None where every session of today was prompted: those have a question of their own, which takes the words if it is open.
    """
    prompted = {each.slot for each in now.record.scheduled if each.day == now.today and each.status != "not_sent"} if now.record else set()
    slot, older = _slot_left(now), any(KINDS[each.kind].scored for each in now.open)
    if slot is None or slot in prompted or older or reading.session is None or not tells_of_exercises(told.text, now.language):
        return None
    score = read(told.text, "did_you_exercise", now.language, now.today).score
    turn = _done_after_all(reading.session, score, now.today, slot, now)
    return turn if turn.ask is not None else replace(turn, lines=(*turn.lines, *once_more(measure)), ask=same_again(measure))


def _with_words(turn: Turn, told: Told) -> Turn:
    """The turn, with the patient's words for the physio, and no praise beside a question that waits."""
    if any(isinstance(effect, ForPhysio) for effect in turn.effects):
        return turn
    said = (line for line in turn.lines[1:] if line.key != "day_after_settled")
    return replace(turn, effects=(*turn.effects, ForPhysio("X3", told.text)), lines=(*turn.lines[:1], Line("words_kept"), *said))


def _slot_left(now: Situation) -> int | None:
    """The only session of today that was asked about and has no answer, or else the only one still to come; None when there is no one."""
    if now.record is None:
        return None
    told = {session.slot for session in now.record.sessions if session.day == now.today}
    if now.last is not None and (now.last.kind, now.last.day) == ("pain_during", now.today):
        told.add(now.last.slot or 1)
    asked = {each.slot for each in now.record.scheduled if each.day == now.today and not each.optional}
    optional = {slot.number for slot in now.record.prescription.slots if slot.optional}
    left = asked - told or set(slots_on(now.record.prescription, now.today)) - asked - told - optional
    return next(iter(left)) if len(left) == 1 else None


def a_day_later(reading: Reading, told: Told, target: Asked | None, now: Situation) -> Turn | None:
    """ "Still 6" the morning after, asked by nobody: how it is a day later, or asked which, and never yesterday's number put right."""
    last = now.last
    if reading.score is None or reading.correction or reading.session is not None or told.replied_to or now.record is None:
        return None
    if now.measured is not None or any(KINDS[question.kind].scored for question in now.open):
        return None
    if last is not None and ((last.kind, last.day < now.today) != ("pain_during", True) or _has_next_day(last.day, now)):
        return None
    if target is None:
        return _ask_which_day(reading.score, last, now) if last is not None else None
    if target.kind != "safety" or (target.day or now.today) == now.today:
        return None
    about = (last.day, last.slot) if last is not None else _not_asked_yet(now)
    if about is None:
        return None
    turn = record_score(reading.score, "pain_24h", *about, None, now)
    lines = (line for line in turn.lines if line.key not in ("day_after_settled", "safety_question"))
    return Turn(turn.effects, (*lines, Line("again_safety")), same_again(target))


def _has_next_day(day: date, now: Situation) -> bool:
    return now.record is not None and any(each.day == day for each in now.record.next_days)


def _not_asked_yet(now: Situation) -> tuple[date, int] | None:
    """The latest session of an earlier day whose next day has no number yet and is not over: its own number is no longer fresh."""
    if now.record is None or now.at is None:
        return None
    since = now.at - timedelta(hours=now.record.rules.after_24h.window_h[1])
    done = [each for each in now.record.sessions if each.day < now.today and each.outcome != "not_done" and each.done_at is not None]
    found = [each for each in done if each.done_at and each.done_at >= since and not _has_next_day(each.day, now)]
    return (found[-1].day, found[-1].slot) if found else None


def _ask_which_day(score: int, last: Answered, now: Situation) -> Turn:
    """Which day's number it is; none of these was asked about, so any may be chosen as long as the day lasts."""
    day, left = last.day.isoformat(), _slot_left(now)
    choices = [{"id": "", "kind": kind, "day": day, "slot": last.slot} for kind in ("pain_24h", "session_pain")]
    choices += [{"id": "", "kind": "session", "day": now.today.isoformat(), "slot": left}] if left is not None else []
    detail = {"score": score, "choices": choices, "on": now.today.isoformat()}
    return Turn(lines=(Line("which", {"score": score}),), ask=Ask("which", detail=detail), read=False)


def with_number(turn: Turn, told: Told, target: Asked, now: Situation) -> Turn:
    """ "Yes. And it was a 2": what was confirmed, and the answer to the only question about pain that is open too."""
    scored = [question for question in now.open if KINDS[question.kind].scored]
    if target.kind not in ("confirm_pause", "confirm_time"):
        return turn
    read_as = KINDS[scored[0].kind].read_as if scored and scored[0].kind != "session" else "session_pain"
    score = read(told.text, read_as, now.language, now.today).score
    is_the_time = score is not None and target.kind == "confirm_time" and score == int(target.detail["at"][:2]) % 12
    if score is None or is_the_time or (not scored and now.last is None):
        return turn
    if len(scored) != 1:
        asked = ask_which(score, now) if scored or now.last is None else another_number(score, now.last)
        return replace(turn, lines=(*turn.lines, *asked.lines), ask=turn.ask or asked.ask, change=asked.change)
    kept = record_score(score, scored[0].kind, scored[0].day or now.today, scored[0].slot, scored[0], now)
    return replace(turn, effects=(*kept.effects, *turn.effects), lines=(*kept.lines, *turn.lines), ask=kept.ask or turn.ask)


def part_after_all(reading: Reading, now: Situation) -> Turn | None:
    """ "I only did some of it" after "done": today's session is corrected, and its score stays."""
    sessions = [session for session in now.record.sessions if session.day == now.today] if now.record else []
    done = [session for session in sessions if session.outcome == "done"]
    if reading.session != "partly" or reading.score is not None or len(done) != 1 or len(sessions) != 1:
        return None
    return Turn((Keep("session", now.today, done[0].slot, outcome="partly"),), (Line("recorded_partly"),))


def about_yesterday(reading: Reading, told: Told, now: Situation) -> Turn | None:
    """ "I did do them last night. 3": the session of that day, which a "not done" no longer is; words that fit none are for the physio."""
    today_too = names_today(told.text, now.language)
    if reading.past is None or now.record is None or reading.request is not None or (reading.session is not None and today_too):
        return None
    day = now.today - timedelta(days=1)
    sessions = {session.slot: session for session in now.record.sessions if session.day == day}
    slots = {each.slot for each in now.record.scheduled if each.day == day and not each.optional} | set(sessions)
    done = [session for session in sessions.values() if session.outcome != "not_done"]
    score = read(told.text, "did_you_exercise", now.language, now.today)
    certain = None if today_too or score.both else score.score
    if reading.past == "no":
        left = slots - set(sessions)
        return _missed(reading, told, day, left.pop(), now) if len(left) == 1 else _for_the_physio(told)
    left = slots - {session.slot for session in done}
    if len(left) == 1:
        return _done_after_all(reading.past, certain, day, left.pop(), now)
    if len(slots) == len(done) == 1 and done[0].pain is not None and certain in (None, done[0].pain):
        return Turn(lines=(Line("recorded_for", {"score": done[0].pain, "day": day.isoformat()}),))
    return _for_the_physio(told)


def _done_after_all(outcome: str, score: int | None, day: date, slot: int, now: Situation) -> Turn:
    question = _open_about(day, slot, now)
    kept = "partly" if outcome == "partly" else "done"
    did = Keep("session", day, slot, outcome=kept, question_id=question.id if question else None)
    reasons = tuple(Close(each.id) for each in now.open if (each.kind, each.day) == ("reason", day))
    if score is not None:
        turn = record_score(score, "session_pain", day, slot, question, now)
        return Turn((did, *reasons, *turn.effects), turn.lines, turn.ask, turn.change)
    closed = (Close(question.id),) if question else ()
    if day == now.today:
        lines = (Line(f"recorded_{kept}"), Line("ask_session_pain"))
    else:
        lines = (Line(f"recorded_{kept}_for", {"day": day.isoformat()}), Line("again_session_pain", {"day": day.isoformat()}))
    return Turn((did, *reasons, *closed), lines, Ask("session_pain", day, slot))


def _missed(reading: Reading, told: Told, day: date, slot: int, now: Situation) -> Turn:
    question = _open_about(day, slot, now)
    effects: list[Effect] = [Keep("session", day, slot, outcome="not_done", note=told.text, question_id=question.id if question else None)]
    if question is not None:
        effects.append(Close(question.id))
    if reading.pain_mentioned:
        effects += [Keep("reason", day, slot, outcome="pain", note=told.text), ForPhysio("X3", told.text)]
    said = "not_done_pain_for" if reading.pain_mentioned else "not_done_for"
    return Turn(tuple(effects), (Line(said, {"day": day.isoformat()}),), change=question.id if question else None)


def _open_about(day: date, slot: int, now: Situation) -> Asked | None:
    about = (each for each in now.open if each.kind in ("session", "session_pain") and (each.day, each.slot or 1) == (day, slot))
    return next(about, None)


def _for_the_physio(told: Told) -> Turn:
    return Turn((ForPhysio("X3", told.text),), (Line("words_kept"),), read=False)


def with_answer(asked: Turn, reading: Reading, told: Told, target: Asked | None, now: Situation) -> Turn:
    """A request that comes with a plain "done, 4" answers the open question too."""
    if reading.request == "privacy":
        return _with_score(asked, reading, told, target, now)
    done = reading.session in ("yes", "partly") and (reading.score is not None or reading.reported)
    if not done or target is None or reading.request != "time" or not KINDS[target.kind].scored or target.kind == "pain_24h":
        return asked
    answer = reading.session if target.kind == "session" else reading.score
    plain = replace(reading, request=None, answer=answer if answer is not None else "ambiguous")
    answered = answer_told(plain, told, target, now)
    if answered is None:
        return asked
    if answered.ask is not None:  # one question at a time: the other can be answered whenever it suits
        asked = Turn(lines=(Line("time_how"),))
    lines = (*answered.lines, *asked.lines)
    return Turn((*answered.effects, *asked.effects), lines, answered.ask or asked.ask, answered.change, answered.read)


def _with_score(asked: Turn, reading: Reading, told: Told, target: Asked | None, now: Situation) -> Turn:
    """ "4. Who reads this?": the number answers the question that is open, which then need not be asked again."""
    if reading.score is None or target is None or not KINDS[target.kind].scored:
        return asked
    answered = answer_told(replace(reading, request=None, answer=reading.score), told, target, now)
    if answered is None:
        return asked
    return replace(answered, lines=(*answered.lines, asked.lines[0]))
