"""One cell of a file of patients, read as its column asks: each reader returns the value or raises ValueError with what to do. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import time
from typing import Literal

from bot_service.actions.eligibility import CHANNELS
from bot_service.conversation.wording import SHIPPED
from plans.model import CarePlan, Weekday
from schedules.rhythm import WEEKDAYS

YES = frozenset("yes y true 1 x agreed signed sí si tak ja oui sim wahr vero da".split())
NO = frozenset("no n false 0 none nie nein non não falsch falso nao".split())
_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|#+)")
_TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(?:[:.]\d{2})?\s*([ap]\.?m\.?)?", re.IGNORECASE)
_LANGUAGES = {
    "english": "en", "spanish": "es", "español": "es", "espanol": "es", "castellano": "es", "polish": "pl", "polski": "pl", "arabic": "ar",
    "العربية": "ar", "hindi": "hi", "हिन्दी": "hi", "हिंदी": "hi",
}  # fmt: skip
_SIDES: Mapping[str, Literal["left", "right", "both"]] = {
    "left": "left", "l": "left", "lt": "left", "right": "right", "r": "right", "rt": "right", "both": "both", "b": "both", "l+r": "both",
    "bilateral": "both", "left and right": "both",
}  # fmt: skip


def fit_to_read(text: str) -> None:
    """Raise ValueError for a cell that holds what a spreadsheet failed to work out, or a formula."""
    if _ERROR.match(text):
        raise ValueError(f"the spreadsheet put an error here ({text[:10]}); enter the value itself")
    if text.startswith(("=", "@")):
        raise ValueError("this is a formula; enter the value itself")


def yes_or_no(text: str) -> bool:
    """Whether somebody said yes."""
    word = text.casefold().rstrip(".!")
    if word in YES:
        return True
    if word in NO:
        return False
    raise ValueError("write yes or no")


def time_of_day(text: str) -> time:
    """07:30, 7.30, 7:30 pm, 07:30:00, or the fraction of a day that spreadsheets keep."""
    if re.fullmatch(r"[01]?[.,]\d|0[.,]\d{3,}", text):
        minutes = round(float(text.replace(",", ".")) * 24 * 60)
        return time(minutes // 60 % 24, minutes % 60)
    found = _TIME.fullmatch(text)
    if found is None or (found[2] is None and found[3] is None):
        raise ValueError("write the time as hours and minutes, such as 07:30")
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "").replace(".", "").casefold()
    if half and not 1 <= hour <= 12:
        raise ValueError("write the time as hours and minutes, such as 07:30")
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    if hour > 23 or minute > 59:
        raise ValueError("there is no such time; write it between 00:00 and 23:59")
    return time(hour, minute)


def weekdays(text: str) -> tuple[Weekday, ...]:
    """Mon Wed Fri, however separated and spelled out; daily."""
    if text.casefold() in ("daily", "every day", "all", "each day"):
        return WEEKDAYS  # type: ignore[return-value]  # the same seven names
    words = re.findall(r"[^\W\d_]+", text.casefold().replace(" and ", " "))
    days = {_weekday(word) for word in words}
    if not words or None in days:
        raise ValueError("write the days as Mon Tue Wed Thu Fri Sat Sun, with spaces between them")
    return tuple(day for day in WEEKDAYS if day in days)  # type: ignore[misc]  # as above


def score(text: str) -> int:
    """A whole number from 0 to 10, also as 4/10 or 4.0."""
    found = re.fullmatch(r"(\d{1,2})(?:[.,]0+)?(?:\s*/\s*10)?", text)
    if found is None or int(found[1]) > 10:
        raise ValueError("write a whole number from 0 to 10")
    return int(found[1])


def language(text: str, offered: Collection[str] = SHIPPED) -> str:
    """The code of a language that the clinic offers messages in, from its code or name."""
    plain = text.casefold()
    code = _LANGUAGES.get(plain, re.split(r"[-_]", plain)[0])
    if code not in offered:
        raise ValueError(f"there are no messages in this language; write one of {', '.join(offered)}")
    return code


def side(text: str) -> Literal["left", "right", "both"]:
    """Left, right or both."""
    word = re.sub(r"\s+(?:side|leg|hip|hamstring)$", "", text.casefold())
    if word not in _SIDES:
        raise ValueError("write left, right or both")
    return _SIDES[word]


def channel(text: str, ours: Collection[str] = ()) -> str:
    """A channel of the clinic's; any that there is while the clinic has none yet."""
    word = re.sub(r"[^a-z]", "", text.casefold())
    if word not in (ours or CHANNELS):
        raise ValueError(f"this clinic cannot write there; write {' or '.join(ours or CHANNELS)}, or leave it empty")
    return word


def plan_of(text: str, library: Mapping[str, CarePlan]) -> CarePlan:
    """A plan by its id or title."""
    wanted = text.casefold()
    for plan in library.values():
        if wanted in (plan.id.casefold(), plan.title.casefold(), plan.id.replace("_", " ").casefold()):
            return plan
    raise ValueError(f"there is no plan of this name; write one of {', '.join(library)}, or leave it empty")


def stage_of(text: str, plan: CarePlan) -> str:
    """A stage of the plan by its id, title or number."""
    wanted = text.casefold()
    for number, stage in enumerate(plan.stages, 1):
        if wanted in (stage.id.casefold(), stage.title.casefold(), stage.title.casefold().removesuffix(" plan"), str(number)):
            return stage.id
    raise ValueError(f"there is no stage of this name; write one of {', '.join(stage.id for stage in plan.stages)}")


def _weekday(word: str) -> str | None:
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    short = {"tues": "tue", "weds": "wed", "thur": "thu", "thurs": "thu"} | dict(zip(full, WEEKDAYS, strict=True))
    return word if word in WEEKDAYS else short.get(word)
