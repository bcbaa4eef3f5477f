"""Answers to the outcome measures that are asked in chat: what is hard to do, how well it goes, and what has changed since the start."""

from __future__ import annotations

from datetime import timedelta

from bot_service.clinical.outcome_measures import LONGEST_ACTIVITY
from bot_service.clinical.words import tokens
from bot_service.conversation.answers import answer_scored
from bot_service.conversation.items import items_of
from bot_service.conversation.language import language_for
from bot_service.conversation.parsing import Reading
from bot_service.conversation.situation import Answered, Ask, Asked, Close, Line, Measured, Named, Situation, Told, Turn
from bot_service.conversation.states import CHANGE, CHANGES, KINDS
from bot_service.conversation.wording import load_catalogue

COUNTS_FOR = timedelta(days=7)
"""How long after a measure was asked an answer still counts for that day; what is tapped later is about another time (default)."""
NOT_NOW = "not_now"
_LEAST_LETTERS = 3
_FULL = 10
_NOTHING_TO_DO = frozenset({"yes", "no", "not", "okay", "now", "num", "or", "break", "article", "desc", "better", "worse", "thanks"})
"""What the words of a message do (see the language files) when they name nothing that anybody could do."""

_ONLY_DONE = frozenset({"done", "num", "break", "/", "scale_of", "yes", "okay", "thanks", "greeting", "mark", "emoji"})


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
    elsewhere = about_exercises(told, reading, now)
    if (reading.session is not None or elsewhere) and older is not None:
        return answer_scored(reading, told, older, now)  # "done, 4" is about the exercises, whatever was asked after them
    if question.kind in ("activity", "another"):
        words = " ".join(told.text.split())
        return _named(words, question, now) if _is_activity(words, reading, now.language) else None
    number = _only_number(told.text, reading, now.language) if question.kind == "function" and not elsewhere else None
    return None if number is None else _recorded(question, number, str(number), now)


def about_exercises(told: Told, reading: Reading, now: Situation) -> bool:
    """Whether the one number of these words is about the exercises or their pain, whatever is asked: "pain 7", "done, 4"."""
    number = _only_number(told.text, reading, now.language)
    return number is not None and (reading.session is not None or mentions_pain(told.text, reading, now.language))


def mentions_pain(text: str, reading: Reading, language: str) -> bool:
    """Whether a word of pain stands there, or that something is worse: that is neither a rating of an activity nor the name of one."""
    known, said = language_for(language), tokens(text)
    worse = {word.text for word in tokens(load_catalogue(language).buttons["worse"])}
    hurts = known is not None and any(item.tag == "hurt_word" for item in items_of(said, known))
    return reading.pain_mentioned or hurts or any(word.text in worse for word in said)


def tells_of_exercises(text: str, language: str) -> bool:
    """Whether the words name the exercises, or are nothing but "all done" and a number: "did the shopping, 3" is about something else."""
    tags = {item.tag for item in items_of(tokens(text), language_for(language))}
    return not tags.isdisjoint(("things", "exercise")) or ("done" in tags and tags <= _ONLY_DONE)


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


def _is_activity(words: str, reading: Reading, language: str) -> bool:
    """Something to do, in a few words: no question, no thanks, no number, no word of pain or of the exercises, and no "don't know"."""
    letters = sum(sign.isalpha() for sign in words)
    if letters < _LEAST_LETTERS or len(words) > LONGEST_ACTIVITY or "?" in words or "؟" in words:
        return False
    if reading.score is not None or reading.answer in ("none", "skip", "yes", "no") or _reports_exercises(words, reading, language):
        return False
    return not mentions_pain(words, reading, language) and not _names_nothing(words, language)


def _names_nothing(words: str, language: str) -> bool:
    """A bare "yes", "seven or eight" or "I don't know"."""
    known, said = language_for(language), tokens(words)
    if known is None:
        return False
    return {item.tag for item in items_of(said, known)} <= _NOTHING_TO_DO or _matches("unsure", words, language)


def _reports_exercises(words: str, reading: Reading, language: str) -> bool:
    """ "Did them" and "not today"; "do the shopping" only looks like it."""
    return reading.session is not None and (reading.session == "no" or not _matches("thing_to_do", words, language))


def _matches(pattern: str, words: str, language: str) -> bool:
    known = language_for(language)
    return known is not None and known.pattern(pattern).search(" ".join(word.text for word in tokens(words))) is not None


def _only_number(text: str, reading: Reading, language: str) -> int | None:
    """The one number that stands in the words: "no pain" is a nought of pain, and of two numbers the worse pain is the better function."""
    known = language_for(language)
    named = known.numbers if known else {}
    said = [int(word.text) if word.text.isdecimal() else named.get(word.text) for word in tokens(text)]
    numbers = {number for number in said if number is not None}
    asked_for = numbers if reading.score == _FULL else numbers - {_FULL}  # "6/10"
    return reading.score if asked_for == {reading.score} else None
