"""Answers on the 0-10 scale and to "did you exercise": what is recorded, what the patient hears, and what is asked next."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from bot_service.clinical.flare import flare_state
from bot_service.clinical.pain import is_read_by_no_rule, safety_question_due, settled, worse
from bot_service.clinical.running import after_run
from bot_service.conversation.items import denies
from bot_service.conversation.late_answers import LATE, is_over, question_of
from bot_service.conversation.parsing import Reading
from bot_service.conversation.situation import (
    NO_EXERCISES,
    Answered,
    Ask,
    Asked,
    Close,
    Effect,
    ForPhysio,
    Keep,
    Line,
    SetBaseline,
    Situation,
    Told,
    Turn,
)
from bot_service.conversation.states import KINDS
from bot_service.conversation.times import may_be_time
from bot_service.conversation.which_one import ask_which
from plans.running import run_text

ENTRY = {"session": "pain_during", "session_pain": "pain_during", "pain_24h": "pain_24h", "baseline": "baseline"}
"""What a score in answer to each question is recorded as."""


def answer_scored(reading: Reading, told: Told, target: Asked, now: Situation) -> Turn | None:
    """An answer while a scored question is open, with the load if one was named; None when it answers none of them."""
    turn = _answered(reading, told, target, now)
    done = [effect for effect in turn.effects if isinstance(effect, Keep) and effect.kind in ("session", "pain_during")] if turn else []
    if turn is None or reading.load is None or not done or any(effect.outcome == "not_done" for effect in done):
        return turn
    load = Keep("load", done[0].day, done[0].slot, outcome=reading.load, question_id=done[0].question_id)
    return replace(turn, effects=(*turn.effects, load))


def _answered(reading: Reading, told: Told, target: Asked, now: Situation) -> Turn | None:
    session = session_question(target, now)
    if session is not None and (reading.session == "no" or reading.answer in ("no", "skip")):
        return _not_done(reading, told, session, now)
    if reading.score is not None and _is_doubtful(reading, told, now):
        then_and_now = reading.both.get("now", reading.score) != reading.score  # "was 3 and this morning its a 2": asked for one of them
        return None if then_and_now else ask_which(reading.score, now)
    if session is not None and (reading.session is not None or reading.answer in ("yes", "partly")):
        return record_session(reading, session, now)
    if session is None and reading.answer in ("no", "skip") and target.detail.get("show") is not None:
        return _not_today_before_answering(reading, told, target, now)
    if reading.score is None or (session is None and not isinstance(reading.answer, int)):
        return None
    return record_score(reading.score, target.kind, target.day or now.today, target.slot, target, now)


def record_score(
    score: int,
    kind: str,
    day: date,
    slot: int | None,
    question: Asked | None,
    now: Situation,
    *,
    corrected: bool = False,
    safe: bool = False,
) -> Turn:
    """Record a score as the answer to a question of that kind, and say what it means; `safe` when it was asked about safety already."""
    entry = ENTRY.get(kind, kind)
    if entry == "baseline":
        return _baseline(score, question, now)
    if entry == "pain_24h" and not corrected and is_over(question, day, now):
        entry = LATE
    question_id = question.id if question else None
    change = None if entry == LATE else question_id
    effects: list[Effect] = []
    if entry == "pain_during" and not corrected and kind == "session":
        effects.append(Keep("session", day, slot, outcome="done", question_id=question_id))
    effects.append(Keep(entry, day, slot, score, question_id=question_id))
    if question is not None:
        effects.append(Close(question.id))
    recorded = _recorded(score, entry, day, now, corrected=corrected)
    unread = entry == "pain_during" and now.record is not None and is_read_by_no_rule(now.record.prescription, slot, score)
    if unread:
        effects.append(ForPhysio("X3", f"Worst pain in an extra session, which no rule counts: {score}/10", same_day=True))
    meaning = _meaning(score, entry, day, now, _after_run(score, entry, day, slot, now), unread=unread)
    show = question.detail.get("show") if question else None
    if now.record is not None and not safe and safety_question_due(now.record, score, on=day if entry == "pain_during" else None):
        # The question comes before the advice, which is long: whoever reads only the first lines must have read it. And no praise with it.
        lines = (recorded, Line("safety_question"), *(line for line in meaning if line.key != "day_after_settled"))
        return Turn(tuple(effects), lines, Ask("safety", day, slot, {"show": show} if show else {}), change=change)
    return _then_exercises(effects, [recorded, *meaning], show, change, now)


def _recorded(score: int, entry: str, day: date, now: Situation, *, corrected: bool) -> Line:
    """What was written down; an answer that comes late, and a correction, names the day it counts for."""
    about = {"score": score, "day": day.isoformat()}
    if entry == LATE:
        return Line("late_24h", about)
    if corrected:
        return Line("corrected" if entry == "pain_during" else "corrected_24h", about)
    if entry == "pain_during" and day < now.today:
        return Line("recorded_for", about)
    if entry == "pain_24h" and day < now.today - timedelta(days=1):
        return Line("recorded_24h_for", about)
    return Line("recorded", {"score": score})


def another_number(score: int, last: Answered) -> Turn:
    """A number that nothing asks for, after one that was recorded: how to put that right, or that it is there already."""
    if score == last.score:
        return Turn(lines=(Line("which_done"),), change=last.question_id)
    about = {"score": score, "recorded": last.score, "day": last.day.isoformat()}
    meant = "meant_instead_24h" if question_of(last.kind) == "pain_24h" else "meant_instead"
    return Turn(lines=(Line(meant, about),), change=None if last.kind == LATE else last.question_id, read=False)


def _meaning(score: int, entry: str, day: date, now: Situation, run: list[Line], *, unread: bool) -> list[Line]:
    """The plan's own words for a session score; for 24 hours, whether it has settled; after a hard `run`, how to go on running."""
    if "red_flag" in now.held:
        return [Line("held_for_physio")]  # no word about the next session while nobody has cleared the red flag
    if now.record is None or entry == LATE:
        return []
    rules, signed = now.record.rules, now.record.prescription.flare_plan is not None and not unread
    # The signed words are read once when they begin to apply; a reminder is enough while they do.
    flare = Line("flare_continues" if signed and flare_state(now.record) else "flare_plan")
    if entry == "pain_during" and signed and score > rules.pain_ceiling:  # what was signed is the one instruction: two would blur it
        return [*run, flare] if run or score < rules.session_pain.severe_min else [Line("severe_leave_out")]
    if entry == "pain_during":
        return run or [Line("advice", {"score": score} | ({"late": True} if day < now.today else {}))]
    if worse(score, now.record.baseline, rules):
        return [Line("day_after_worse"), flare if signed else Line("day_after_worse_unsigned"), *run]
    match settled(score, now.record.baseline, rules):
        case True:
            return [Line("day_after_settled")]
        case False:
            return [Line("day_after_up"), *run]
        case _:
            return [Line("day_after_noted")]


def _after_run(score: int, entry: str, day: date, slot: int | None, now: Situation) -> list[Line]:
    """After a hard run: wait for the physio, or stay on the step, or go back to the one before, in the plan's words."""
    found = after_run(score, entry, day, slot, now.record) if now.record else None
    if found is None or now.record is None:
        return []
    plan = now.record.prescription
    before = {"before": run_text(plan, plan.run_step - 1)} if found == "back" and plan.run_step else {}
    return [Line({"wait": "run_wait", "stay": "run_stay", "back": "run_back"}[found], before)]


def _then_exercises(effects: list[Effect], lines: list[Line], show: int | None, change: UUID | None, now: Situation) -> Turn:
    if show is None or not exercises_follow(show, now):
        return Turn(tuple(effects), tuple(lines), change=change)
    values = {"day": now.today.isoformat(), "slot": show}
    said = [line for line in lines if line.key != "day_after_worse_unsigned"]  # which the exercises say of today
    return Turn(tuple(effects), (*said, Line("exercises", values)), Ask("session", now.today, show), change=change)


def exercises_follow(slot: int, now: Situation) -> bool:
    """Whether today's exercises come after an answer: not while they are held, when that day is over, or when they were shown since, or it
    is known how they went."""
    answered = now.record is not None and any((session.day, session.slot) == (now.today, slot) for session in now.record.sessions)
    return not answered and slot not in now.followed and not now.day_is_over and not NO_EXERCISES & now.held


def after_giving_up(turn: Turn, target: Asked | None, now: Situation) -> Turn:
    """The 24-hour question was given up, and its words are for the physio: the exercises that waited for the answer follow at once."""
    show = target.detail.get("show") if target is not None and target.kind == "pain_24h" else None
    if show is None or [line.key for line in turn.lines] != ["given_to_physio"]:
        return turn
    return replace(_then_exercises(list(turn.effects), list(turn.lines), show, turn.change, now), read=turn.read)


def record_session(reading: Reading, question: Asked, now: Situation) -> Turn:
    """Record yes or partly, perhaps with the score in the same breath."""
    day, slot = question.day or now.today, question.slot
    outcome = "partly" if "partly" in (reading.session, reading.answer) else "done"
    did = Keep("session", day, slot, outcome=outcome, question_id=question.id)
    if reading.score is not None:
        turn = record_score(reading.score, "session_pain", day, slot, question, now)
        return Turn((did, *turn.effects), turn.lines, turn.ask, turn.change)
    about, late = {"day": day.isoformat()}, day < now.today
    if outcome == "partly":
        recorded = Line("recorded_partly_for", about) if late else Line("recorded_partly")
    else:
        recorded = Line("recorded_done_for", about) if late else Line("recorded_done")
    lines = (recorded, Line("ask_session_pain"))
    return Turn((did, Close(question.id)), lines, Ask("session_pain", day, slot), change=question.id)


def _not_today_before_answering(reading: Reading, told: Told, question: Asked, now: Situation) -> Turn:
    """ "Not today" to the message that asks about yesterday and announces today's exercises: today's are off, the question stays."""
    today = Asked(question.id, "session", now.today, question.detail["show"])
    turn = _not_done(reading, told, today, now)
    if turn.ask is not None and turn.ask.kind == "confirm_not_done":
        return turn
    effects = tuple(effect for effect in turn.effects if not isinstance(effect, Close))
    about = {"day": (question.day or now.today).isoformat()}
    again = Ask(question.kind, question.day, question.slot, again=question.id)
    return Turn(effects, (*turn.lines[:1], Line("again_pain_24h", about)), again)


def _not_done(reading: Reading, told: Told, question: Asked, now: Situation) -> Turn:
    day = question.day or now.today
    if not question.detail.get("anew") and (stays := _score_stays(reading, told, question, now)):
        return stays
    effects: list[Effect] = [
        Keep("session", day, question.slot, outcome="not_done", note=told.text or None, question_id=question.id),
        Close(question.id),
    ]
    if reading.pain_mentioned:
        effects += [Keep("reason", day, question.slot, outcome="pain", note=told.text or None), ForPhysio("X3", told.text)]
        pain = Line("not_done_pain_for", {"day": day.isoformat()}) if day < now.today else Line("not_today_pain")
        return Turn(tuple(effects), (pain,), change=question.id)
    recorded = Line("not_done_for", {"day": day.isoformat()}) if day < now.today else Line("not_today")
    if (_missed_before(now, day) + 1) % _in_a_row(now) == 0:
        return Turn(tuple(effects), (recorded, Line("ask_reason")), Ask("reason", day, question.slot), change=question.id)
    return Turn(tuple(effects), (recorded,), change=question.id)


def _score_stays(reading: Reading, told: Told, question: Asked, now: Situation) -> Turn | None:
    """A score is not taken back by one tap: today's only once the patient confirms it, one of an earlier day by *Change*."""
    day, slot = question.day or now.today, question.slot or 1
    same = (each for each in now.record.sessions if (each.day, each.slot) == (day, slot)) if now.record else iter(())
    score = next((each.pain for each in same if each.pain is not None and each.outcome != "not_done"), None)
    if score is None:
        return None
    note = (ForPhysio("X3", told.text),) if reading.pain_mentioned else ()
    about = {"score": score, "day": day.isoformat()}
    if day < now.today:
        return Turn((*note, Close(question.id)), (Line("recorded_for", about),), change=question.id)
    asked = (each for each in now.open if (each.kind, each.day, each.slot) == ("confirm_not_done", day, question.slot))
    again = next((each.id for each in asked), None)  # tapped once more: a Yes under either message answers it
    ask = Ask("confirm_not_done", day, question.slot, {"about": str(question.id)}, again)
    return Turn(note, (Line("confirm_not_done", about),), ask)


def not_done_after_all(reading: Reading, told: Told, now: Situation) -> Turn | None:
    """ "Not today" in words when nothing is asked, after a score was given for today: as a tap on that question's button."""
    last = now.last
    if reading.session != "no" or reading.later or last is None or last.question_id is None:
        return None
    if (last.kind, last.day) != ("pain_during", now.today):
        return None
    return _score_stays(reading, told, Asked(last.question_id, "session", last.day, last.slot), now)


def pain_kept_from_it(reading: Reading, told: Told, now: Situation) -> Turn | None:
    """ "My back hurts" right after "not today", asked or not: the reason of that day, and for the physio. None when one was given, or
    some pain is denied: the words are for the physio as they stand."""
    if now.record is None or not reading.pain_mentioned or denies(told.text, now.language):
        return None
    skipped = [each for each in now.record.sessions if (each.day, each.outcome) == (now.today, "not_done")]
    if not skipped or any(given.day == now.today for given in now.record.skip_reasons):
        return None
    reason = Keep("reason", now.today, skipped[-1].slot, outcome="pain", note=told.text)
    return Turn((reason, ForPhysio("X3", told.text)), (Line("reason_pain"),))


def _in_a_row(now: Situation) -> int:
    return now.record.rules.review.missed_in_a_row if now.record else 3


def _missed_before(now: Situation, day: date) -> int:
    """How many scheduled days right before `day` were answered with no; none when another session of that day was done."""
    if now.record is None or now.record.status(day) in ("done", "partly"):
        return 0
    count = 0
    for earlier in sorted(now.record.asked, reverse=True):
        if earlier >= day:
            continue
        if now.record.status(earlier) != "not_done":
            break
        count += 1
    return count


def _baseline(score: int, question: Asked | None, now: Situation) -> Turn:
    """The usual pain before loading. Once exercises have been planned only a clinician changes what we compare with."""
    question_id = question.id if question else None
    if now.baseline_known and now.record is not None and now.record.scheduled:
        note = ForPhysio("X3", f"Usual pain: {score}")
        return Turn((note, *((Close(question.id),) if question else ())), (Line("baseline_fixed", {"score": score}),))
    effects: list[Effect] = [SetBaseline(score), Keep("baseline", now.today, score=score, question_id=question_id)]
    if question is not None:
        effects.append(Close(question.id))
    high = now.record is not None and score > now.record.rules.baseline_physio_first_above
    before = now.record.baseline if now.record is not None and now.baseline_known else None
    changed = before is not None and before != score
    recorded = Line("baseline_corrected", {"score": score, "before": before}) if changed else Line("recorded", {"score": score})
    lines = (recorded, Line("baseline_high" if high else "baseline_thanks"), Line("not_watched"))
    return Turn(tuple(effects), lines, change=question_id)


def _is_doubtful(reading: Reading, told: Told, now: Situation) -> bool:
    """A bare number while two scored questions are open, or one and the question about the time of the reminders."""
    if told.tapped or told.replied_to or reading.session is not None or told.text == "":
        return False
    if any(question.kind == "which_time" for question in now.open) and may_be_time(told.text, now.language):
        return True
    return len([question for question in now.open if KINDS[question.kind].scored]) > 1


def session_question(target: Asked, now: Situation) -> Asked | None:
    """Yes, some and no are about the session, even when the 24-hour question was asked last."""
    if target.kind in ("session", "session_pain"):
        return target
    return next((question for question in now.open if question.kind in ("session", "session_pain")), None)
