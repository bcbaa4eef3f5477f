"""Answers to the outcome measures that are asked in chat: what is hard to do, how well it goes, and what has changed since the start."""

from __future__ import annotations

from datetime import timedelta

from bot_service.clinical.outcome_measures import LONGEST_ACTIVITY
from bot_service.clinical.words import tokens
from bot_service.conversation.answers import answer_scored
from bot_service.conversation.language import language_for
from bot_service.conversation.parsing import Reading
from bot_service.conversation.situation import Answered, Ask, Asked, Close, Line, Measured, Named, Situation, Told, Turn
from bot_service.conversation.states import CHANGE, CHANGES, KINDS

COUNTS_FOR = timedelta(days=7)
"""How long after a measure was asked an answer still counts for that day; what is tapped later is about another time (default)."""
NOT_NOW = "not_now"
_LEAST_LETTERS = 3
_FULL = 10


def tapped_measure(answer: str, question: Asked, now: Situation) -> Turn:
    """A button of a measure's question, or its words."""
    if answer == CHANGE:
        return ask_measure_anew(question, now)
    if not any(answer in row for row in KINDS[question.kind].rows):
        return Turn(lines=(Line("nothing_asked"),), read=False)
    if answer == NOT_NOW:
        return Turn((Close(question.id, NOT_NOW),), (Line("measure_not_now"),))
    if answer == "that_is_all":
        return Turn((Close(question.id),), (Line("measures_done"),))
    return _recorded(question, CHANGES[answer] if question.kind == "global_change" else int(answer), answer, now)


def written_measure(told: Told, reading: Reading, question: Asked, now: Situation) -> Turn | None:
    """Words while a measure's question is the youngest; None when they are no answer to it, so that it is asked again."""
    older = next((each for each in now.open if KINDS[each.kind].scored), None)
    if reading.session is not None and older is not None:
        return answer_scored(reading, told, older, now)  # "done, 4" is about the exercises, whatever was asked after them
    if question.kind in ("activity", "another"):
        words = " ".join(told.text.split())
        return _named(words, question, now) if _is_activity(words, reading) else None
    number = _only_number(told.text, reading, now.language) if question.kind == "function" else None
    return None if number is None else _recorded(question, number, str(number), now)


def correct_measure(score: int, last: Answered, now: Situation) -> Turn:
    """ "Sorry, 7" after a number for an activity; after an answer in words it is asked once more."""
    if last.kind != "function" or last.question_id is None:
        return ask_measure_anew(last, now)
    return _recorded(Asked(last.question_id, last.kind, last.day, last.slot), score, str(score), now)


def ask_measure_anew(about: Asked | Answered, now: Situation) -> Turn:
    """*Change*: the question once more, for the same day; the name of an activity is taken back first."""
    if now.today - (about.day or now.today) > COUNTS_FOR:
        return Turn(lines=(Line("measure_over"),))
    slot, day = about.slot or 1, about.day or now.today
    if about.kind in ("activity", "another"):
        return Turn((Named(day, slot, ""),), (Line("change_activity"),), Ask("activity", day, slot, {"anew": True}))
    line = Line("change_function", {"activity": slot}) if about.kind == "function" else Line("change_global_change")
    return Turn(lines=(line,), ask=Ask(about.kind, about.day, about.slot, {"anew": True}))


def _recorded(question: Asked, value: int, answer: str, now: Situation) -> Turn:
    day = question.day or now.today
    if now.today - day > COUNTS_FOR:
        return Turn((Close(question.id),), (Line("measure_over"),))
    if question.kind == "global_change":
        effect = Measured("global_change", day, None, value)
        return Turn((effect, Close(question.id)), (Line("recorded_change", {"label": answer}),), change=question.id)
    line = Line("recorded_function", {"score": value, "activity": question.slot or 1})
    return Turn((Measured("function", day, question.slot or 1, value), Close(question.id)), (line,), change=question.id)


def _named(words: str, question: Asked, now: Situation) -> Turn:
    """What the rating asks next names it, so that a slip is seen."""
    day, slot = question.day or now.today, question.slot or 1
    return Turn((Named(day, slot, words), Close(question.id)), (Line("recorded_activity"),), change=question.id)


def _is_activity(words: str, reading: Reading) -> bool:
    """Something to do, in a few words: no question, no thanks, and no number alone."""
    letters = sum(sign.isalpha() for sign in words)
    return (
        letters >= _LEAST_LETTERS and len(words) <= LONGEST_ACTIVITY and "?" not in words and "؟" not in words and reading.answer != "none"
    )


def _only_number(text: str, reading: Reading, language: str) -> int | None:
    """The one number that stands in the words: "no pain" is a nought of pain, and of two numbers the worse pain is the better function."""
    known = language_for(language)
    named = known.numbers if known else {}
    said = [int(word.text) if word.text.isdecimal() else named.get(word.text) for word in tokens(text)]
    numbers = {number for number in said if number is not None}
    asked_for = numbers if reading.score == _FULL else numbers - {_FULL}  # "6/10"
    return reading.score if asked_for == {reading.score} else None
