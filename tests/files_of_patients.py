"""Files of patients as clinics would send them: good rows, and rows that are wrong in many ways, each with the column to be named."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence

from plans.model import CarePlan

HEADINGS = {
    "name": "Name", "record_number": "Record number", "phone": "Phone", "language": "Language", "zone": "Time zone", "at": "Time",
    "days": "Days", "stage": "Stage", "side": "Side", "baseline": "Usual pain", "goals": "Goals", "flare": "Flare plan agreed",
    "physio": "Physio", "channel": "Channel",
}  # fmt: skip
Cells = dict[str, str]


def good_row(plan: CarePlan, number: int) -> Cells:
    """A patient who fits; every number is another person."""
    row = {
        "name": f"Patient {_letters(number)}", "record_number": f"R-{number:05d}", "phone": f"07700 9{number:05d}", "language": "English",
        "zone": "", "at": "7:30", "days": "", "stage": "Early", "side": "left", "baseline": str(number % 6), "goals": "Sit for an hour",
        "flare": "yes", "physio": "", "channel": "",
    }  # fmt: skip
    return row | {question.id: "yes" if question.must_be else "no" for question in plan.eligibility}


def headings(plan: CarePlan) -> list[str]:
    return [*HEADINGS.values(), *(question.id.replace("_", " ").capitalize() for question in plan.eligibility)]


def as_file(rows: Sequence[Sequence[str]], separator: str = ",", encoding: str = "utf-8", end: str = "\r\n") -> bytes:
    """Rows as a file, headings first."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator=end).writerows(rows)
    return out.getvalue().encode(encoding)


def a_file(plan: CarePlan, rows: Sequence[Cells], **how: str) -> bytes:
    return as_file([headings(plan), *(list(row.values()) for row in rows)], **how)


def _set(**cells: str) -> Callable[[Cells], Cells]:
    return lambda row: row | cells


WAYS: Mapping[str, tuple[str, Callable[[Cells], Cells]]] = {
    "no name": ("Name", _set(name=" ")),
    "a number for a name": ("Name", _set(name="12345")),
    "a name of a novel": ("Name", _set(name="Maria " * 40)),
    "a formula": ("Name", _set(name="=HYPERLINK(1)")),
    "an error of the spreadsheet": ("Goals", _set(goals="#REF!")),
    "a rounded number": ("Phone", _set(phone="4.47701E+11")),
    "words for a number": ("Phone", _set(phone="ask reception")),
    "too few digits": ("Phone", _set(phone="07700 9")),
    "too many digits": ("Phone", _set(phone="+44 7700 900123 456 789")),
    "an unknown language": ("Language", _set(language="Klingon")),
    "an unknown zone": ("Time zone", _set(zone="Europe/Atlantis")),
    "no time of day": ("Time", _set(at="mornings")),
    "a time that is none": ("Time", _set(at="25:00")),
    "no weekdays": ("Days", _set(days="sometimes")),
    "days too close": ("Days", _set(days="Mon Tue", stage="Intermediate")),
    "an unknown stage": ("Stage", _set(stage="expert")),
    "an unknown side": ("Side", _set(side="top")),
    "pain off the scale": ("Usual pain", _set(baseline="11")),
    "pain in words": ("Usual pain", _set(baseline="quite bad")),
    "too much pain": ("Usual pain", _set(baseline="8")),
    "an answer that is neither": ("Flare plan agreed", _set(flare="perhaps")),
    "somebody who does not work here": ("Physio", _set(physio="nobody@example.org")),
    "an unknown channel": ("Channel", _set(channel="pigeon")),
    "no adult": ("Adult", _set(adult="no")),
    "not diagnosed": ("Diagnosed by clinician", _set(diagnosed_by_clinician="no")),
    "a tear": ("Acute tear", _set(acute_tear="yes")),
    "an operation": ("Post operative", _set(post_operative="yes")),
    "a red flag": ("Open red flag", _set(open_red_flag="yes")),
    "a question not asked": ("Fluoroquinolone asked", _set(fluoroquinolone_asked="")),
    "somebody of row 2 again": ("Record number", _set(record_number="R-00001")),
}
"""Each way to be wrong: the heading that must be named, and what makes a good row so."""


def crowd(plan: CarePlan, rows: int, wrong: int) -> tuple[list[Cells], dict[int, str]]:
    """So many rows with so many wrong ones spread among them, in every way; and the heading to be named by row number."""
    ways, made = list(WAYS.values()), []
    told: dict[int, str] = {}
    every = rows // wrong
    for number in range(1, rows + 1):
        row = good_row(plan, number)
        if number % every == 0 and len(told) < wrong:
            heading, spoil = ways[len(told) % len(ways)]
            row, told[number + 1] = spoil(row), heading
        made.append(row)
    return made, told


def _letters(number: int) -> str:
    """A surname for a number, as names hold no digits as a rule."""
    letters = ""
    while number:
        number, rest = divmod(number, 26)
        letters = chr(97 + rest) + letters
    return letters.capitalize()
