"""The load that a patient names beside an answer ("done with 8 kg, 3"): kept as it was said, and never read as a score."""

from __future__ import annotations

from collections.abc import Sequence

from bot_service.clinical.words import fold
from bot_service.conversation.amounts import tag
from bot_service.conversation.items import UNKNOWN, Item

LIGHTEST, HEAVIEST = 0.5, 200.0
"""Kilos outside of these are no weight that anybody does these exercises with (default)."""
_KILOS = frozenset(fold(word) for word in "kg kgs kilo kilos kilogram kilograms kilogramy kilogramów किलो كيلو كجم كيلوغرام".split())
_BEFORE = frozenset({"", "break", "paren", "scope", "done", "yes", "now"})
_OTHERWISE = frozenset({"not", "gain", "trend", "better", "worse", "past", "before", "then", "correct", "meant", "retract"})
"""Beside these a weight may be another one than today's: a change, a comparison, another day."""


def load_of(items: Sequence[Item]) -> str | None:
    """The load in kilos, as "8 kg" or "7.5 kg"; None when the message names none, several, or one that was not plainly used today."""
    named = [at for at, item in enumerate(items) if item.tag == "num" and tag(items, at + 1) == "unit" and items[at + 1].text in _KILOS]
    if len(named) != 1 or tag(items, named[0] - 1) not in _BEFORE or {item.tag for item in items} & _OTHERWISE:
        return None
    if any(item.text == "?" for item in items) or UNKNOWN in _said_before(items, named[0]):
        return None
    written = items[named[0]].text.replace(",", ".")
    kilos = float(written) if written.isascii() and written.replace(".", "", 1).isdigit() else items[named[0]].value
    return f"{kilos:g} kg" if LIGHTEST <= kilos <= HEAVIEST else None


def _said_before(items: Sequence[Item], at: int) -> set[str]:
    """What the words of the same clause before the number do: "tomorrow with 10 kg" is not about today."""
    start = max((before + 1 for before in range(at) if items[before].tag == "break"), default=0)
    return {item.tag for item in items[start:at]}
