"""Dates, counts and scores as a physiotherapist would write them in a note."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_VALUES = {
    "session": "exercises",
    "pain_during": "worst pain in the session",
    "pain_24h": "pain 24 hours after",
    "pain_24h_late": "pain told too late for the 24 hours",
    "baseline": "usual pain",
    "safety": "safety question",
    "reason": "why not",
}
_OUTCOMES = {"not_done": "not done", "partly": "partly done", "none": "none of these", "one_of_these": "one of these"}
_ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh")


def short_day(day: date) -> str:
    """17 Nov"""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def long_day(day: date) -> str:
    """Tuesday 17 Nov"""
    return f"{_WEEKDAYS[day.weekday()]} {short_day(day)}"


def session_of(day: date) -> str:
    """Tuesday's session (17 Nov)"""
    return f"{_WEEKDAYS[day.weekday()]}'s session ({short_day(day)})"


def ordinal(number: int) -> str:
    """second; beyond seven: 8th"""
    return _ORDINALS[number] if number < len(_ORDINALS) else f"{number}th"


def plural(number: int, noun: str) -> str:
    """1 day, 2 days"""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percent(share: Fraction) -> int:
    """A share as a whole percentage, a half rounded up; for words only, since 79.9 is not 80."""
    return int(100 * share + Fraction(1, 2))


def listed(parts: Iterable[str]) -> str:
    """a, b and c"""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def sentence(text: str) -> str:
    """The text with a capital letter and one full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def corrected_words(kind: str, day: date, score: int | None, outcome: str | None, old_score: int | None, old_outcome: str | None) -> str:
    """Now 3/10, corrected from 8/10 by the patient: worst pain in the session, Tuesday 17 Nov."""
    now, before = (
        f"{number}/10" if number is not None else _OUTCOMES.get(words or "", words or "")
        for number, words in ((score, outcome), (old_score, old_outcome))
    )
    return sentence(f"now {now}, corrected from {before} by the patient: {_VALUES.get(kind, kind)}, {long_day(day)}")
