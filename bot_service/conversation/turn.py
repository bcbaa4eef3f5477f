"""One turn of the conversation: from what the patient did and the situation to what is recorded, done and said. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from bot_service.conversation.answers import after_giving_up, another_number, not_done_after_all, pain_kept_from_it, record_score
from bot_service.conversation.beside_safety import (
    answers_both,
    as_safety_answer,
    asked_too,
    is_for_either,
    may_answer_both,
    safety_stays,
    session_before_safety,
)
from bot_service.conversation.choices import answer_choice, give_reason, given_to_physio, lapsed, left_over, words_for_choice
from bot_service.conversation.commands import ask_anew, asked_of_us, for_physio, in_own_words, without_slash
from bot_service.conversation.held import about_talking, seen_as_told, what_it_answers, while_held
from bot_service.conversation.late_answers import question_of
from bot_service.conversation.measured import (
    about_exercises,
    ask_measure_anew,
    correct_measure,
    mentions_pain,
    tapped_measure,
    written_measure,
)
from bot_service.conversation.opting_in import after_refusal, before_opt_in, come_back
from bot_service.conversation.parsing import Reading, read
from bot_service.conversation.reports import (
    a_day_later,
    about_yesterday,
    answer_told,
    part_after_all,
    report_unasked,
    with_answer,
    with_number,
)
from bot_service.conversation.safety import asks_erasure, red_flag_turn, something_is_wrong
from bot_service.conversation.severe import severe_is_asked
from bot_service.conversation.showing import how_to, same_again, show_exercises
from bot_service.conversation.situation import (
    Answered,
    Ask,
    Asked,
    CountAgain,
    Effect,
    ForPhysio,
    Line,
    OptOut,
    Situation,
    Told,
    Turn,
)
from bot_service.conversation.states import ASK_AGAIN_AT_MOST, CHANGE, KINDS, MEASURED, WRONG
from bot_service.conversation.too_much import heard_too_much
from bot_service.conversation.typed import means_nothing, names_several_scores, names_today, says_start, typed_answer, without_no
from bot_service.conversation.which_one import safety_before_which, severe_unasked
from bot_service.conversation.worries import for_today, words_for_physio

AFTER_A_NUMBER = frozenset({"safety", "reason", "rung", "confirm_not_done"})
"""Questions that follow a number, so that another number is about that one."""
ABOUT_SAFETY = frozenset({"safety", "new_or_worse", "seen"})
"""Questions about something that may be serious: words that are no answer to one are for the physio at once."""
PLEASANTRIES = frozenset({"sticker", "animation", "dice", "game"})
"""Kinds of media that stand for a smile: in the transcript, but nothing that a physio need look after (default)."""


def take_turn(told: Told, now: Situation) -> Turn:
    """What follows from one message. Red flags come first, then STOP, in every state; every text gets a decision."""
    told, now = without_slash(told, now.language), replace(now, open=tuple(each for each in now.open if not lapsed(each, now)))
    now = what_it_answers(told, now)
    target = _target(told, now)
    if target is None or target.kind != "what_is_wrong":  # whose answer is kept word for word
        told = _as_tap(in_own_words(told, now.language), now)
    target = _target(told, now)
    kind = KINDS[target.kind] if target else None
    reading = read(told.text, kind.read_as if kind else None, now.language, now.today)
    if reading.score is None and now.last is not None and (meant := _meant_instead(told.text, now.last, now)) is not None:
        reading = replace(reading, answer=meant.answer, score=meant.score, correction=True)
    told = as_safety_answer(told, reading, target, now)
    turn = left_over(severe_unasked(safety_before_which(_decided(told, reading, target, now), now), now), now)
    turn = severe_is_asked(heard_too_much(asked_too(turn, told, target, now), told, reading, now), told, reading, target, now)
    return about_talking(while_held(turn, told, reading, now) if "red_flag" in now.held else turn, target, now)


def _meant_instead(text: str, last: Answered, now: Situation) -> Reading | None:
    """ "8 was a typo, I meant 3": read without the recorded number, which is named only to take it back."""
    without, found = re.subn(rf"(?<!\d){last.score}(?!\d)", "", text, count=1)
    meant = read(without, None, now.language, now.today) if found else None
    return meant if meant is not None and meant.correction and meant.score is not None else None


def _decided(told: Told, reading: Reading, target: Asked | None, now: Situation) -> Turn:
    if reading.red_flag is not None:
        return red_flag_turn(reading, told, target, now)
    if now.status == "opted_out":
        return _after_stop(told, reading, now)
    if reading.stop or reading.answer == "stop":
        stop = OptOut(declined=now.status in ("invited", "asked"))
        return Turn((stop, *asks_erasure(reading, told)), (Line("goodbye"), *([Line("erasure_told")] if reading.erase else [])))
    if now.status == "discharged":
        return Turn(lines=(Line("discharged"),)) if told.media is None else Turn()
    if now.status != "opted_in":
        return before_opt_in(told, reading, target, now)
    if told.media is not None and not told.text:
        return Turn() if told.is_edit else _media(told.media, target, now)  # a live location is an edit for every step
    if seen := seen_as_told(told, reading, now):
        return seen
    if told.tapped is not None:
        return _tapped(told, told.tapped, now)
    turn = after_giving_up(_written(told, reading, target, now), target, now)
    return for_today(words_for_physio(turn, told, reading, target, now), told, now)


def _after_stop(told: Told, reading: Reading, now: Situation) -> Turn:
    """START brings messages back; nothing is sent otherwise, also when the clinic is told that what is kept should be erased."""
    if reading.erase:
        return Turn(asks_erasure(reading, told))
    return come_back(now) if reading.answer == "start" and says_start(told.text, now.language) else after_refusal(told, now)


def _as_tap(told: Told, now: Situation) -> Told:
    """The words of a button of the question that these words would answer count as a tap on it."""
    target = _target(told, now)
    if target is None or told.tapped is not None or not told.text.strip() or (told.is_edit and told.edited):
        return told
    answer = None if is_for_either(told.text, target, now) else typed_answer(told.text, target, now.language, now.today)
    return told if answer is None else replace(told, tapped=target, answer=answer)


def _target(told: Told, now: Situation) -> Asked | None:
    """The question that these words would answer: the one tapped or replied to, else the youngest open one."""
    return told.tapped or told.replied_to or next(iter(now.open), None)


def _media(kind: str, target: Asked | None, now: Situation) -> Turn:
    """One kind answer, however many come together; the physio sees each, and is told of all that may want a look."""
    effects = () if kind in PLEASANTRIES else (ForPhysio("X3", "", media=kind),)
    if now.media_just_came:
        return Turn(effects)
    return Turn(effects, (Line("media_received"),), same_again(target))


def _tapped(told: Told, question: Asked, now: Situation) -> Turn:
    answer, kind = told.answer or "", KINDS[question.kind]
    if answer == WRONG:
        return something_is_wrong()
    if question.kind in MEASURED:
        return tapped_measure(answer, question, now)
    if answer == CHANGE and kind.scored:
        return ask_anew(question.kind, question.day, question.slot)
    if answer == "show" and question.kind == "pain_24h":
        return show_exercises(question.detail.get("show"), now)
    if answer == "how":
        return how_to(question, now)
    if question.kind != "which" and not any(answer in row for row in kind.rows):
        return Turn(lines=(Line("nothing_asked"),), read=False)  # not a button of ours, or of another version
    if kind.scored:
        return answer_told(replace_answer(answer, question), told, question, now) or Turn(lines=(Line("nothing_asked"),), read=False)
    return give_reason(answer, told.text, question, now) if question.kind == "reason" else answer_choice(answer, question, now)


def replace_answer(answer: str, question: Asked) -> Reading:
    """A tapped answer of a scored question as if it had been read from words."""
    if answer.isdecimal() and 0 <= int(answer) <= 10:
        session = "yes" if question.kind == "session" else None
        return Reading(answer=int(answer), score=int(answer), session=session)  # type: ignore[arg-type]  # narrowed by the line above
    if answer == "some":
        return Reading(answer="partly", session="partly")
    if answer == "not_today":
        return Reading(answer="no", session="no")
    return Reading(answer="ambiguous")


def _written(told: Told, reading: Reading, target: Asked | None, now: Situation) -> Turn:
    if told.is_edit and told.edited:
        return _edited(told, reading, now)
    if reported := about_yesterday(reading, told, now) or report_unasked(reading, told, target, now):
        return reported
    if reading.correction and reading.score is not None and now.measured is not None and told.replied_to is None:
        return correct_measure(reading.score, now.measured, now)
    if reading.correction and reading.score is not None and now.last is not None and told.replied_to is None:
        last = now.last
        question = Asked(last.question_id, last.kind, last.day, last.slot) if last.question_id else None
        return record_score(reading.score, last.kind, last.day, last.slot, question, now, corrected=True)
    if target is not None and target.kind == "what_is_wrong":
        return given_to_physio(told.text, target)
    if asked := asked_of_us(reading, target, told, now):
        return with_answer(asked, reading, told, target, now)
    if late := _late_reason(told, reading, target, now) or a_day_later(reading, told, target, now):
        return late
    if target is None:
        return _nothing_asked(reading, told, now)
    if target.kind in MEASURED:
        return written_measure(told, reading, target, now) or _measure_again(told, reading, target, now)
    if not KINDS[target.kind].scored:
        return _answer_to_choice(told, reading, target, now)
    about_today = reading.later or (target.kind == "pain_24h" and reading.reported)
    if reading.answer in ("ambiguous", "none") and not about_today and not _is_score_of_session(reading, told, target, now):
        return _ask_again(told, reading, target, now)
    return answer_told(reading, told, target, now) or _ask_again(told, reading, target, now)


def _answer_to_choice(told: Told, reading: Reading, target: Asked, now: Situation) -> Turn:
    """Words while a choice is the youngest question: its answer, else the answer to an older question about pain, else unreadable."""
    if is_for_either(told.text, target, now):
        return Turn((CountAgain(target.id),), (Line("again_safety"),), same_again(target), read=False)
    if turn := answers_both(told, target, now):
        return turn
    if not may_answer_both(told.text, target, now) and (turn := words_for_choice(told.text, reading, target, now)):
        return with_number(turn, told, target, now)
    if turn := session_before_safety(told, reading, target, now):
        return turn
    scored = next((question for question in now.open if KINDS[question.kind].scored), None)
    if scored is not None and (reading.score is not None or reading.session is not None):
        as_asked = reading if scored.kind == "session" else read(told.text, KINDS[scored.kind].read_as, now.language, now.today)
        return safety_stays(answer_told(as_asked, told, scored, now), target) or _ask_again(told, reading, target, now)
    again = _ask_again(told, reading, target, now, keep=target.kind == "which_time" and mentions_pain(told.text, reading, now.language))
    return _beside_number(again, reading, now) if target.kind in AFTER_A_NUMBER else again


def _beside_number(again: Turn, reading: Reading, now: Situation) -> Turn:
    """The question once more, behind what can be said of a number that is about the score recorded last."""
    if reading.score is None or now.last is None or again.ask is None:
        return again
    number = another_number(reading.score, now.last)
    return replace(again, lines=(*number.lines, *again.lines[1:]), change=number.change)


def _measure_again(told: Told, reading: Reading, target: Asked, now: Situation) -> Turn:
    """The measure once more; a number of pain is about the exercises, and other words of pain are for the physio at once.

    So is a session told of that fits none: it corrects no number but that of a session of today.
    """
    if reading.session is not None and now.last is not None and (now.last.kind, now.last.day) != ("pain_during", now.today):
        return _ask_again(told, replace(reading, score=None, session=None), target, now, keep=True)
    if about_exercises(told, reading, now):
        return _beside_number(_ask_again(told, reading, target, now), reading, now)
    return _ask_again(told, reading, target, now, keep=mentions_pain(told.text, reading, now.language))


def _is_score_of_session(reading: Reading, told: Told, target: Asked, now: Situation) -> bool:
    """A number alone says that the session was done and how it was, since that is what the prompt asks for. "None" may mean either."""
    return target.kind == "session" and reading.score is not None and not means_nothing(told.text, now.language)


def _edited(told: Told, reading: Reading, now: Situation) -> Turn:
    """An edited answer is about the session that it was about before, whatever has been asked since."""
    newest = told.edited[-1]
    question = Asked(newest.question_id, newest.kind, newest.day, newest.slot) if newest.question_id else None
    kind = question_of(newest.kind)
    if kind == "session_pain" and question is not None and (reading.session in ("no", "partly") or reading.answer in ("no", "skip")):
        session = replace(question, kind="session", detail={"anew": True})
        return answer_told(reading, replace(told, replied_to=session), session, now) or Turn(lines=(Line("nothing_asked"),), read=False)
    if reading.score is not None:
        return record_score(reading.score, newest.kind, newest.day, newest.slot, question, now, corrected=True)
    about = {"day": newest.day.isoformat()}
    return Turn(lines=(Line("not_understood"), Line(f"again_{kind}", about)), ask=Ask(kind, newest.day, newest.slot), read=False)


def _late_reason(told: Told, reading: Reading, target: Asked | None, now: Situation) -> Turn | None:
    """A reason and nothing else, while we still ask why an earlier day's exercises were not done, is about that day, not about today."""
    asked = next((question for question in now.open if question.kind == "reason"), None)
    if asked is None or asked.day is None or target is None or target.kind != "session" or told.replied_to is not None:
        return None
    if asked.day >= (target.day or now.today) or reading.score is not None or names_today(told.text, now.language):
        return None
    answer = typed_answer(told.text, asked, now.language, now.today) or ("pain" if reading.pain_mentioned else None)
    if answer is None or reading.session in ("yes", "partly"):
        return None
    turn = give_reason(answer, told.text, asked, now)
    return replace(turn, lines=(*turn.lines, Line("again_session", _about(target))), ask=same_again(target))


def _ask_again(told: Told, reading: Reading, target: Asked, now: Situation, *, keep: bool = False) -> Turn:
    again = Ask(target.kind, target.day, target.slot, target.detail, again=target.id)
    if reading.answer == "none":
        return Turn(lines=(Line(f"again_{target.kind}", _about(target)),), ask=again, read=False) if told.text.strip() else Turn(read=False)
    if target.asked_again >= ASK_AGAIN_AT_MOST:
        return Turn((ForPhysio("X2", told.text),), (Line("given_to_physio"),), read=False)
    effects: tuple[Effect, ...] = (CountAgain(target.id),)
    first = Line("several_numbers" if KINDS[target.kind].scored and names_several_scores(told.text, now.language) else "not_understood")
    if (keep or target.kind in ABOUT_SAFETY) and reading.score is None and reading.session is None:
        effects, first = (*effects, ForPhysio("X3", told.text)), Line("words_kept")
    return Turn(effects, (first, Line(f"again_{target.kind}", _about(target))), again, read=False)


def _nothing_asked(reading: Reading, told: Told, now: Situation) -> Turn:
    if reading.answer == "none":
        return Turn()
    if reading.score is None and (about_today := _told_of_today(reading, told, now)):
        return about_today
    if reading.score is not None and now.measured is not None:
        return ask_measure_anew(now.measured, now)
    score = reading.score if reading.score is not None else _score_after_no(told, now)
    if score is not None and now.last is not None:
        return another_number(score, now.last)
    if score is None and reading.session is None and mentions_pain(told.text, reading, now.language):
        return for_physio(told, None)
    return Turn(lines=(Line("nothing_asked"),), read=False)


def _told_of_today(reading: Reading, told: Told, now: Situation) -> Turn | None:
    return not_done_after_all(reading, told, now) or part_after_all(reading, now) or pain_kept_from_it(reading, told, now)


def _score_after_no(told: Told, now: Situation) -> int | None:
    """ "No, 2" after a score: the number that would stand there instead."""
    rest = without_no(told.text, now.language)
    return read(rest, None, now.language, now.today).score if rest else None


def _about(question: Asked) -> dict[str, str]:
    return {"day": question.day.isoformat()} if question.day else {}
