"""Times of day in a message: one that is named in a request, a message that is a time, and the answer to "what time suits you?"."""

from __future__ import annotations

import re
from datetime import time

from bot_service.clinical.words import is_symbol, tokens
from bot_service.conversation.language import Language, language_for

_CLOCK = re.compile(r"(?<!\S)(\d{1,2})(?: ?[:.h] ?([0-5]\d))? ?(am|pm|a m|p m|oclock)?(?!\S)")
_HOURS_OF_A_HALF = 12


def time_in(text: str, language: Language) -> time | None:
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


def times_meant(text: str, code: str, hour: time | None = None) -> tuple[time, ...]:
    """What an answer to "what time suits you?" may mean: one time, the two halves of the day for a bare "7", or nothing.

    Nothing but a time, and words that may stand beside one, is an answer. `hour` is one of which only the half of the day is still asked.
    """
    language = language_for(code)
    if language is None:
        return ()
    said = _in_digits(text, language)
    clocks = list(_CLOCK.finditer(said))
    if _left_beside_times(said, language) or len(clocks) > 1:
        return ()
    if not clocks:
        return _other_half(said, hour, language)
    if (sure := time_in(said, language)) is not None:
        return (sure,)
    return halves(int(clocks[0][1]))


def halves(hour: int) -> tuple[time, ...]:
    """What a bare hour may mean: 7 is 07:00 or 19:00, 12 is noon, 19 is 19:00; nothing for what is no hour, or midnight."""
    if 0 < hour < _HOURS_OF_A_HALF:
        return time(hour), time(hour + _HOURS_OF_A_HALF)
    return (time(hour),) if _HOURS_OF_A_HALF <= hour < 24 else ()


def may_be_time(text: str, code: str) -> bool:
    """Whether a number in it may be a time because nothing says otherwise: "7", "7 or 8", and not "0", "3/10" or "pain 3"."""
    language = language_for(code)
    if language is None or "/" in text:
        return False
    said = _in_digits(text, language)
    times = [match for match in _CLOCK.finditer(said) if match[2] or match[3] or halves(int(match[1]))]
    return bool(times) and not _left_beside_times(said, language)


def _in_digits(text: str, language: Language) -> str:
    said = " ".join(word.text for word in tokens(text))
    said = language.pattern("half_past").sub(lambda match: _half_past(match, language), said)
    return " ".join(_as_digits(word, language) for word in said.split())


def _left_beside_times(said: str, language: Language) -> bool:
    """Whether any word is left that does not belong to a time."""
    rest = _CLOCK.sub(" ", said)
    for name in ("evening", "morning", "beside_time"):
        rest = language.pattern(name).sub(" ", rest)
    return any(not is_symbol(word) for word in rest.split())


def _other_half(said: str, hour: time | None, language: Language) -> tuple[time, ...]:
    """ "In the evening", once the hour is known."""
    late, early = language.pattern("evening").search(said), language.pattern("morning").search(said)
    if hour is None or (late is None) == (early is None):
        return ()
    return (hour.replace(hour=hour.hour + _HOURS_OF_A_HALF) if late else hour,)


def _as_digits(word: str, language: Language) -> str:
    value = language.hours.get(word, language.numbers.get(word))
    return word if value is None or value > 24 else str(value)


def _half_past(match: re.Match[str], language: Language) -> str:
    """ "half past ten" as "10:30", whatever is no hour as it was."""
    hour = next((group for group in match.groups() if group), "")
    number = int(hour) if hour.isdecimal() and len(hour) < 3 else language.hours.get(hour, language.numbers.get(hour))
    return match[0] if number is None or not 0 < number < 24 else f"{number}:30"
