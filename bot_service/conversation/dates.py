"""The days of a pause: its first and last day, or its length, as far as a message names them."""

from __future__ import annotations

import re
from datetime import date, timedelta

from bot_service.conversation.language import Language

_ISO = re.compile(r"(?<!\S)(20\d\d) ?- ?(\d{1,2}) ?- ?(\d{1,2})(?!\S)")
_SLASHED = re.compile(r"(?<!\S)(\d{1,2}) / (\d{1,2})(?: / (\d{2,4}))?(?!\S)")
_YEAR = r"(?: ?,?(?: de)? ?(20\d\d))?(?!\S)"
_DAY_AND_MONTH = re.compile(r"(?<!\S)(\d{1,2}) ?(?:(?:st|nd|rd|th|de|of)(?!\w))? ?(?:of |de )?([^\s\d,]+)" + _YEAR)
_MONTH_AND_DAY = re.compile(r"(?<!\S)([^\s\d]+) (?:the )?(\d{1,2})(?: (?:st|nd|rd|th))?" + _YEAR)
_DAY = re.compile(r"(?<!\S)(\d{1,2}) ?(?:st|nd|rd|th)(?!\S)")
_DAY_ALONE = re.compile(r"(\d{1,2})(?= [.,;!?]|$)")
_WORD = re.compile(r"\S+")
_SIGNS = " .,;!"
_TWO_MONTHS = 62


def pause_of(text: str, days: int | None, language: Language, today: date | None) -> tuple[date | None, date | None, int | None]:
    """The first day, the day on which it ends, and the days it lasts; None for what is not named, or today for the first.

    Days that are counted from a first day that is named come back as the day on which they end. A first day that cannot be told leaves
    all three None, so that it is asked: a pause of two weeks "from next Friday" does not end two weeks from today.
    """
    if today is None:
        return None, None, days
    begun = _begins(text, language, today)
    if begun is None:
        return None, None if days else _until(text, language, today), days
    first, rest = begun
    until = None if days else _ends(rest, language, first if isinstance(first, date) else today)
    if isinstance(first, int):
        first, until = _first_before(first, until, today)
    if first is None:
        return None, None, None
    if isinstance(until, int):
        until = _coming_day(until, first + timedelta(days=1))
    return first, first + timedelta(days=days) if days else until, None


def _begins(text: str, language: Language, today: date) -> tuple[date | int | None, str] | None:
    """What follows or stands before a word for "from", and the text behind it; (None, ...) for a day that cannot be told."""
    for match in language.pattern("from_day").finditer(text):
        before = next((group for group in match.groups() if group), "")
        phrases = [before, before.split()[-1]] if before else [text[match.end() :].lstrip()]
        for phrase in phrases:
            day, rest = _named(phrase, language, today)
            rest = text[match.end() :].lstrip() if before else rest
            if day is None or (isinstance(day, int) and not _is_end(rest, language)):
                continue
            return day, rest
        if any(word in language.weekdays for word in phrases[0].split()[:2]):
            return None, ""
    return None


def _is_end(rest: str, language: Language) -> bool:
    """Whether a word for "until" stands there: "from 3 to 10 December" names two days, "from 3 colleagues" none."""
    return language.pattern("up_to").match(rest) is not None or language.pattern("until_day").match(rest) is not None


def _ends(rest: str, language: Language, first: date) -> date | int | None:
    marker = language.pattern("up_to").match(rest)
    if marker is None:
        return _until(rest, language, first) if language.pattern("until_day").search(rest) else None
    day, beyond = _named(rest[marker.end() :].lstrip(), language, first)
    another = _until(beyond, language, first) if language.pattern("until_day").search(beyond) else None
    return day if another in (None, day) else None


def _first_before(first: int, until: date | int | None, today: date) -> tuple[date | None, date | int | None]:
    """ "From 3 to 10 December": the last 3rd before that day, unless it is over."""
    if not isinstance(until, date):
        return (_coming_day(first, today) if until is not None else None), until
    earlier = (until - timedelta(days=back) for back in range(1, _TWO_MONTHS))
    begins = next((day for day in earlier if day.day == first), None)
    return (begins if begins is not None and begins >= today else None), until


def _named(text: str, language: Language, today: date) -> tuple[date | int | None, str]:
    """The day that a text begins with, as a date or as a bare day of the month, and what follows it."""
    if (article := language.pattern("before_day").match(text)) is not None:
        text = text[article.end() :].lstrip()
    if (tomorrow := language.pattern("tomorrow").match(text)) is not None:
        return today + timedelta(days=1), text[tomorrow.end() :].lstrip()
    for pattern in (_ISO, _SLASHED, _DAY_AND_MONTH, _MONTH_AND_DAY, _DAY):
        match = pattern.match(text)
        day = _date_of(pattern, match, language, today) if match else None
        if match is not None and day is not None:
            return day, text[match.end() :].lstrip()
    word = _WORD.match(text)
    if word is None:
        return None, text
    rest = text[word.end() :].lstrip()
    if word[0] in language.weekdays:
        number = _number_beside(rest)
        return _weekday(word[0], number, language, today), rest.removeprefix(number or "").lstrip()
    return (int(word[0]), rest) if _is_day_of_month(word[0]) else (None, text)


def _date_of(pattern: re.Pattern[str], match: re.Match[str], language: Language, today: date) -> date | None:
    if pattern is _ISO:
        return _date(int(match[1]), int(match[2]), int(match[3]))
    if pattern is _SLASHED:
        return _coming(int(match[1]), int(match[2]), today, match[3])
    if pattern is _DAY:
        return _coming_day(int(match[1]), today)
    day, month = (match[1], match[2]) if pattern is _DAY_AND_MONTH else (match[2], match[1])
    return _coming(int(day), language.months[month], today, match[3]) if month in language.months else None


def _until(text: str, language: Language, today: date) -> date | None:
    """The first date in the text, in the order of how certain a way of writing is; else the day after a word for "until"."""
    for pattern in (_ISO, _SLASHED):
        if (match := pattern.search(text)) is not None:
            return _date_of(pattern, match, language, today)
    for pattern, month in ((_DAY_AND_MONTH, 2), (_MONTH_AND_DAY, 1)):
        for match in pattern.finditer(text):
            if match[month] in language.months:
                return _date_of(pattern, match, language, today)
    day = _DAY.search(text)
    return _coming_day(int(day[1]), today) if day else _after_until(text, language, today)


def _coming(day: int, month: int, today: date, year: str | None) -> date | None:
    """The next such day, or the one of a year that is named; None when that one is over."""
    if year is not None:
        named = _date(2000 + int(year[-2:]), month, day)
        return named if named is not None and named >= today else None
    this_year = _date(today.year, month, day)
    return this_year if this_year is None or this_year >= today else _date(today.year + 1, month, day)


def _coming_day(day: int, today: date) -> date | None:
    """The next date with that day of the month, within two months."""
    coming = (today + timedelta(days=ahead) for ahead in range(_TWO_MONTHS))
    return next((one for one in coming if one.day == day), None)


def _after_until(text: str, language: Language, today: date) -> date | None:
    """The next such day of the week or month after a word for "until"; a week later for "Saturday week", none where two are named."""
    named = {
        (group, "week" in match.groups(), _number_beside(text[match.end() :].lstrip()))
        for match in language.pattern("until_day").finditer(text)
        for group in match.groups()
        if group in language.weekdays or (_is_day_of_month(group) and not text[match.end() :].strip(_SIGNS))
    }
    if len(named) != 1:
        return None
    (day, a_week_later, number), *_ = named
    if day not in language.weekdays:
        return _coming_day(int(day), today)
    if number is None and a_week_later:
        return _weekday(day, None, language, today + timedelta(days=7))
    return _weekday(day, number, language, today)


def _weekday(name: str, number: str | None, language: Language, today: date) -> date | None:
    """The next such day of the week; with a number beside it ("Sunday 6") the one that is that day of the month too, or none."""
    if number is None:
        return today + timedelta(days=(language.weekdays[name] - today.weekday() - 1) % 7 + 1)
    day = _coming_day(int(number), today)
    return day if day is not None and day.weekday() == language.weekdays[name] else None


def _number_beside(rest: str) -> str | None:
    number = _DAY_ALONE.match(rest)
    return number[1] if number else None


def _is_day_of_month(word: str | None) -> bool:
    return word is not None and word.isdecimal() and 1 <= int(word) <= 31


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
