"""What a patient asks of the service itself: stop, start, pause, another time, help, or a word with the physio."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Literal, NamedTuple

from bot_service.clinical.words import BREAKS, Token, is_symbol, tokens
from bot_service.conversation.language import Language, language_for, stop_words

Kind = Literal["stop", "start", "pause", "time", "remind", "privacy", "physio", "plan", "help"]

_CLOCK = re.compile(r"(?<!\S)(\d{1,2})(?: ?[:.h] ?([0-5]\d))? ?(am|pm|a m|p m|oclock)?(?!\S)")
_ISO = re.compile(r"(?<!\S)(20\d\d) ?- ?(\d{1,2}) ?- ?(\d{1,2})(?!\S)")
_SLASHED = re.compile(r"(?<!\S)(\d{1,2}) / (\d{1,2})(?: / (\d{2,4}))?(?!\S)")
_DAY_AND_MONTH = re.compile(r"(?<!\S)(\d{1,2}) ?(?:(?:st|nd|rd|th|de|of)(?!\w))? ?(?:of |de )?([^\s\d]+)(?!\S)")
_MONTH_AND_DAY = re.compile(r"(?<!\S)([^\s\d]+) (?:the )?(\d{1,2})(?: (?:st|nd|rd|th))?(?!\S)")
_DAY = re.compile(r"(?<!\S)(\d{1,2}) ?(?:st|nd|rd|th)(?!\S)")
_A_SCORE = re.compile(r"\D{0,14}\d{1,2}(?: 10| out of 10)?")
_SIGNS = " .,;!"
_LONGEST_DAYS = 366
_LONGEST_BARE_STOP = 12


class Request(NamedTuple):
    """What is asked, with the time of day, the last day or the number of days that was named."""

    kind: Kind
    time: time | None = None
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
    """A clear request to erase what is kept about the patient; a question about that, or a "do not", is none."""
    if language is None:
        return False
    erase, none = language.pattern("erasure"), language.pattern("not_erasure")
    return any(erase.search(clause) is not None and none.search(clause) is None for clause in clauses)


def _asks_to_stop(clause: str, clauses: Sequence[str], language: Language) -> bool:
    """A clear request, or "stop" as a clause of its own unless another clause is the score: "stop, 6" may speak of the exercise."""
    if language.pattern("not_a_stop").search(clause):
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
        days = _days(whole, language)
        return Request("pause", until=None if days else _until(text, language, today), days=days)
    if language.pattern("remind_once").search(whole):
        return Request("remind")
    if language.pattern("time_request").search(whole):
        return Request("time", time=_time(text, language))
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


def _time(text: str, language: Language) -> time | None:
    """The only time of day named; a bare "7" needs a word for the half of the day unless it can only mean one."""
    found: set[time] = set()
    text = language.pattern("half_past").sub(lambda match: _half_past(match, language), text)
    for match in _CLOCK.finditer(text):
        hour, minute = int(match[1]), int(match[2] or 0)
        half = (match[3] or "").replace(" ", "")
        if half in {"", "oclock"}:
            half = "pm" if language.pattern("evening").search(text) else "am" if language.pattern("morning").search(text) else ""
            if not half and not match[2] and hour < 13:
                continue
        hour = hour % 12 + 12 if half == "pm" and hour <= 12 else hour % 12 if half == "am" and hour <= 12 else hour
        if hour < 24:
            found.add(time(hour, minute))
    return found.pop() if len(found) == 1 else None


def time_alone(text: str, code: str) -> time | None:
    """The time of day that a message consists of; None for any other message."""
    language, words = language_for(code), tokens(text)
    if language is None or not language.pattern("time_alone").fullmatch(" , ".join(clauses_of(words, language))):
        return None
    return _time(" ".join(word.text for word in words), language)


def _half_past(match: re.Match[str], language: Language) -> str:
    """ "half past ten" as "10:30", whatever is no hour as it was."""
    hour = next((group for group in match.groups() if group), "")
    number = int(hour) if hour.isdecimal() and len(hour) < 3 else language.numbers.get(hour)
    return match[0] if number is None or not 0 < number < 24 else f"{number}:30"


def _until(text: str, language: Language, today: date | None) -> date | None:
    if today is None:
        return None
    iso = _ISO.search(text)
    if iso:
        return _date(int(iso[1]), int(iso[2]), int(iso[3]))
    slashed = _SLASHED.search(text)
    if slashed:
        return _coming(int(slashed[1]), int(slashed[2]), today)
    for match in _DAY_AND_MONTH.finditer(text):
        if match[2] in language.months:
            return _coming(int(match[1]), language.months[match[2]], today)
    for match in _MONTH_AND_DAY.finditer(text):
        if match[1] in language.months:
            return _coming(int(match[2]), language.months[match[1]], today)
    day = _DAY.search(text)
    return _coming_day(int(day[1]), today) if day else _after_until(text, language, today)


def _coming(day: int, month: int, today: date) -> date | None:
    this_year = _date(today.year, month, day)
    return this_year if this_year is None or this_year >= today else _date(today.year + 1, month, day)


def _coming_day(day: int, today: date) -> date | None:
    """The next date with that day of the month, within two months."""
    coming = (today + timedelta(days=ahead) for ahead in range(62))
    return next((one for one in coming if one.day == day), None)


def _after_until(text: str, language: Language, today: date) -> date | None:
    """The next such day of the week or month after a word for "until"; a week later for "Saturday week", none where two are named."""
    named = {
        (group, "week" in match.groups())
        for match in language.pattern("until_day").finditer(text)
        for group in match.groups()
        if group in language.weekdays or (_is_day_of_month(group) and not text[match.end() :].strip(_SIGNS))
    }
    if len(named) != 1:
        return None
    (day, a_week_later), *_ = named
    if day not in language.weekdays:
        return _coming_day(int(day), today)
    return today + timedelta(days=(language.weekdays[day] - today.weekday() - 1) % 7 + 1 + 7 * a_week_later)


def _is_day_of_month(word: str | None) -> bool:
    return word is not None and word.isdecimal() and 1 <= int(word) <= 31


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


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
