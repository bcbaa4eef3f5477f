"""The strip of the last 28 days: one cell a day, told apart by sign and word as well as by colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from bot_service.clinical.record import DayStatus, Record
from bot_service.storage.episodes import Episode
from bot_service.web.times import day_words

WROTE = "wrote"
"""A day without an answer about the exercises on which the patient wrote something else."""
WORDS: dict[str, tuple[str, str]] = {
    "done": ("✓", "done"),
    "partly": ("◐", "partly done"),
    "not_done": ("✕", "not done"),
    "no_reply": ("?", "no reply"),
    WROTE: ("✎", "wrote, nothing about the exercises"),
    "paused": ("‖", "paused or on hold"),
    "not_sent": ("!", "not sent by us"),
    "rest": ("·", "rest day"),
    "waiting": ("…", "waiting"),
}


@dataclass(frozen=True)
class Cell:
    """A day: its status as a class, the sign in it, all of it in words, and whether it is evidence of what is open."""

    status: str
    sign: str
    weekday: str
    number: int
    words: str
    raised: bool = False


@dataclass(frozen=True)
class Legend:
    """A status, its sign and name, and on how many of the days."""

    status: str
    sign: str
    name: str
    count: int


@dataclass(frozen=True)
class Strip:
    """The cells, oldest first, and what the signs mean."""

    cells: tuple[Cell, ...]
    legend: tuple[Legend, ...]


def strip_of(record: Record, ahead: str = "", raised: Mapping[date, Sequence[str]] = MappingProxyType({})) -> Strip:
    """The strip of a record's last 28 days, fewer when the episode is younger. `ahead`: see `still_ahead`.

    `raised` names for each day the open cases that it is evidence of.
    """
    days = [(day, shown_status(day, status, record, ahead)) for day, status in record.strip()]
    counts = Counter(status for _, status in days)
    pains = {day.day: day.pain for day in record.rated_days}
    cells = []
    for day, status in days:
        sign, name = WORDS[status]
        pain = pains.get(day)
        words = f"{day_words(day)}: {name}" + (f", worst pain {pain}" if pain is not None else "")
        words += f", evidence for: {', '.join(raised[day])}" if day in raised else ""
        cells.append(Cell(status, sign, day_words(day)[:1], day.day, words, day in raised))
    return Strip(tuple(cells), tuple(Legend(status, sign, name, counts[status]) for status, (sign, name) in WORDS.items()))


def shown_status(day: date, status: DayStatus, record: Record, ahead: str = "") -> str:
    """The status of a day as the pages show it: no silence on a day on which the patient wrote, no rest before its exercises."""
    if status == "no_reply" and day in record.wrote:
        return WROTE
    return ahead if status == "rest" and ahead and day == record.today else status


def still_ahead(episode: Episode, today: date, *, held: bool) -> str:
    """What today is before its prompt falls due: waiting, or paused while it is held; empty when no prompt comes today."""
    if episode.status != "active" or episode.patient_status != "opted_in" or episode.next_prompt_day != today:
        return ""
    return "paused" if held else "waiting"
