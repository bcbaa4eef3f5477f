"""A number together with what it is built into: a half, a range, a fraction, "3 x 10"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot_service.conversation.items import BIG, Item

Standing = Literal["explicit", "plain", "unsure", "bad", "other"]

PASSED = frozenset({"lead", "article", "nearly", "filler", "only", "perhaps"})
"""What may stand between a number and the words that say what it is."""
UNITS = frozenset({"unit", "oclock", "unit_one", "exercise", "things", "preunit"})
"""What a number may count."""
_WIDEST_RANGE = 2
_JOINS = frozenset({"-", "to", "or", "~", "perhaps"})


@dataclass
class Amount:
    """A number with the items it covers.

    `standing`: explicit ("5/10", "pain 5"), plain, unsure, bad (a scale or sense that we cannot read) or other (not pain).
    """

    value: float
    start: int
    end: int
    standing: Standing = "plain"
    labels: set[str] = field(default_factory=set)


def tag(items: Sequence[Item], at: int) -> str:
    """The tag of an item, "" beyond either end."""
    return items[at].tag if 0 <= at < len(items) else ""


def number_at(items: Sequence[Item], at: int) -> Amount:
    """The number together with what it is built into: a half, a range, a fraction, "3 x 10"."""
    value, end = items[at].value, at + 1
    if tag(items, end) == "half_more":
        value, end = value + 1, end + 1
    if tag(items, end) in {"/", "scale_of"} and tag(items, end + 1) == "num":
        return _fraction(items, at, value, end)
    joined = tag(items, end) in _JOINS or (tag(items, end) == "conj_and" and _between(items, at))
    second = end + 2 if tag(items, end + 1) in {"lead", "article"} else end + 1
    if joined and tag(items, second) == "num":
        return _range(items, at, value, second)
    if tag(items, end) == "scale_after" and tag(items, end + 1) == "num":
        if tag(items, end + 2) in UNITS:
            return Amount(BIG, at, end + 2, "other")
        return _scored(items[end + 1].value, at, end + 2) if value == 10 else Amount(BIG, at, end + 2, "bad")
    return Amount(value, at, end)


def _between(items: Sequence[Item], at: int) -> bool:
    return tag(items, at - 1) == "between" or (tag(items, at - 1) in PASSED and tag(items, at - 2) == "between")


def _fraction(items: Sequence[Item], at: int, value: float, end: int) -> Amount:
    below = items[end + 1].value
    whole_end = end + 2
    if tag(items, end) == "/" and tag(items, whole_end) == "/":
        return Amount(BIG, at, min(len(items), whole_end + 2), "other")
    if tag(items, end) == "/" and abs(below - value) <= _WIDEST_RANGE and _out_of_ten(items, whole_end):
        return _scored(max(value, below), at, whole_end + 2)
    if below == 10 and tag(items, whole_end) in _JOINS and tag(items, whole_end + 1) == "num" and _out_of_ten(items, whole_end + 2):
        return _range(items, at, value, whole_end + 1)
    if below == 10:
        return _scored(value, at, whole_end) if tag(items, whole_end) not in UNITS else Amount(BIG, at, whole_end, "other")
    return Amount(BIG, at, whole_end, "other" if tag(items, whole_end) in UNITS else "bad")


def _range(items: Sequence[Item], at: int, low: float, second: int) -> Amount:
    high, end = items[second].value, second + 1
    if tag(items, end) == "half_more":
        high, end = high + 1, end + 1
    if tag(items, end) == "-" and tag(items, end + 1) == "num":
        return Amount(BIG, at, end, "bad")
    if tag(items, end) in UNITS:
        return Amount(BIG, at, end, "other")
    if low in {0, 1} and high == 10:
        return Amount(BIG, at, end, "other")
    if abs(high - low) > _WIDEST_RANGE:
        return Amount(BIG, at, end, "bad")
    if _out_of_ten(items, end):
        return _scored(max(low, high), at, end + 2)
    return Amount(max(low, high), at, end)


def _out_of_ten(items: Sequence[Item], at: int) -> bool:
    return tag(items, at) in {"/", "scale_of"} and tag(items, at + 1) == "num" and items[at + 1].value == 10


def _scored(value: float, start: int, end: int) -> Amount:
    return Amount(value, start, end, "explicit")
