"""What a patient asks of the service itself: stop, start, pause, another time, help, or a word with the physio."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, time
from typing import Literal, NamedTuple

from bot_service.clinical.words import BREAKS, Token, is_symbol, tokens
from bot_service.conversation.dates import pause_of
from bot_service.conversation.language import Language, language_for, stop_words
from bot_service.conversation.times import time_in

Kind = Literal["how_to_stop", "start", "pause", "time", "remind", "privacy", "physio", "plan", "help"]

_A_SCORE = re.compile(r"\D{0,14}\d{1,2}(?: 10| out of 10)?")
_LONGEST_DAYS = 366
_LONGEST_BARE_STOP = 12


class Request(NamedTuple):
    """What is asked, with the time of day, the first and the last day or the number of days that was named."""

    kind: Kind
    time: time | None = None
    since: date | None = None
    until: date | None = None
    days: int | None = None


def wants_stop(words: Sequence[Token], clauses: Sequence[str], code: str, language: Language | None) -> bool:
    """A stop word alone, in any language, or a clear request in the patient's own."""
    texts = [word.text for word in words if not is_symbol(word.text)]
    if _bare_stop(texts, stop_words(code), language):
        return True
    if language is None:
        return False
    if _asks_to_pause(" , ".join(clauses), language):
        return False
    asked = [clause for clause in clauses if _asks_to_stop(clause, clauses, language)]
    return any(language.pattern("schedule").search(clause) is None for clause in asked)


def wants_erasure(clauses: Sequence[str], language: Language | None) -> bool:
    """A clear request to erase what is kept about the patient; a question about that, a "do not", or one answer of one day is none."""
    if language is None or _is_of_one_answer(clauses, language):
        return False
    erase, none = language.pattern("erasure"), language.pattern("not_erasure")
    return any(erase.search(clause) is not None and none.search(clause) is None for clause in clauses)


def _is_of_one_answer(clauses: Sequence[str], language: Language) -> bool:
    """Whether what is to be deleted is one answer or the answers of one day: no wish to be forgotten, and none to be left alone."""
    return any(_A_SCORE.fullmatch(clause) or language.pattern("not_all_of_it").search(clause) for clause in clauses)


def _asks_to_stop(clause: str, clauses: Sequence[str], language: Language) -> bool:
    """A clear request, or "stop" as a clause of its own unless another clause is the score: "stop, 6" may speak of the exercise."""
    if language.pattern("not_a_stop").search(clause) or language.pattern("how_to_stop").search(clause):
        return False
    if language.pattern("erasure").search(clause) and _is_of_one_answer(clauses, language):
        return False
    if language.pattern("stop_clause").fullmatch(clause):
        return not any(_A_SCORE.fullmatch(other) for other in clauses)
    return language.pattern("stop_request").search(clause) is not None


def find_request(clauses: Sequence[str], text: str, language: Language, today: date | None) -> Request | None:
    """Anything asked but STOP, or None. `text` is the whole message, folded, with its signs."""
    whole = " , ".join(clauses)
    if any(language.pattern("start_request").fullmatch(clause) for clause in clauses) and len(clauses) <= 2:
        return Request("start")
    if _wants_pause(whole, language):
        return Request("pause", None, *pause_of(text, _days(whole, language), language, today))
    if any(language.pattern("how_to_stop").search(clause) for clause in clauses):
        return Request("how_to_stop")
    if language.pattern("remind_once").search(whole):
        return Request("remind")
    if language.pattern("time_request").search(whole):
        return Request("time", time=time_in(text, language))
    if language.pattern("privacy").search(whole):
        return Request("privacy")
    if language.pattern("physio_request").search(whole):
        return Request("physio")
    if language.pattern("plan_request").search(whole):
        return Request("plan")
    questions = language.pattern("question")
    if language.pattern("help_whole").fullmatch(whole) or any(questions.match(clause) for clause in clauses):
        return Request("help")
    return None


def _wants_pause(whole: str, language: Language) -> bool:
    return language.pattern("pause_request").search(whole) is not None and language.pattern("not_a_pause").search(whole) is None


def _asks_to_pause(whole: str, language: Language) -> bool:
    """A pause of a length that is named: "away for a week, stop the messages" is no STOP."""
    return _wants_pause(whole, language) and (_days(whole, language) is not None or any(letter.isdigit() for letter in whole))


def _bare_stop(texts: Sequence[str], words: frozenset[str], language: Language | None) -> bool:
    if len(texts) > _LONGEST_BARE_STOP:
        return False
    if " ".join(texts) in words or (len(set(texts)) == 1 and texts[0] in words):
        return True
    if language is None:
        return False
    left = [text for text in texts if not language.pattern("beside_stop").fullmatch(text)]
    return bool(left) and (" ".join(left) in words or (len(set(left)) == 1 and left[0] in words))


def _days(whole: str, language: Language) -> int | None:
    for name, each in (("two_days", 2), ("days", 1), ("weeks", 7), ("fortnight", 14), ("months", 30)):
        found = language.pattern(name).search(whole)
        if found:
            number = next((group for group in found.groups() if group), "1")
            count = int(number) if number.isdigit() and number.isascii() and len(number) < 4 else language.numbers.get(number, 1)
            return count * each if 0 < count * each <= _LONGEST_DAYS else None
    return None


def time_alone(text: str, code: str) -> time | None:
    """The time of day that a message consists of; None for any other message."""
    language, words = language_for(code), tokens(text)
    if language is None or not language.pattern("time_alone").fullmatch(" , ".join(clauses_of(words, language))):
        return None
    return time_in(" ".join(word.text for word in words), language)


def clauses_of(words: Sequence[Token], language: Language | None = None) -> list[str]:
    """The words between marks, joined by single spaces, without signs, emoji and closing thanks."""
    clauses: list[list[str]] = [[]]
    for word in words:
        if word.text in BREAKS or (word.text == "-" and not word.glued):
            clauses.append([])
        elif not is_symbol(word.text):
            clauses[-1].append(word.text)
    joined = [" ".join(clause) for clause in clauses]
    if language is not None:
        joined = [language.courtesies.sub("", clause).strip() for clause in joined]
    return [clause for clause in joined if clause]
