"""What the columns of a file of patients may be: their names, what stands in them, and a guess by the heading. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bot_service.actions.import_file import WHAT_TO_DO
from plans.model import CarePlan

ANSWERS = "answers."
"""Before the id of an eligibility question."""


@dataclass(frozen=True)
class Column:
    """A column: its heading in our own template, what stands in it, and other headings it is known by."""

    title: str
    holds: str
    known: tuple[str, ...] = ()


COLUMNS: Mapping[str, Column] = {
    "name": Column("Name", "The patient's whole name.", ("patient", "patient name", "full name", "name of patient")),
    "first_name": Column("First name", "In place of a name, with Last name.", ("given name", "forename", "firstname")),
    "last_name": Column("Last name", "In place of a name, with First name.", ("surname", "family name", "lastname")),
    "record_number": Column(
        "Record number",
        "Your own number for the patient: it tells two people of one name apart.",
        ("nhs number", "hospital number", "mrn", "patient id", "patient number", "id", "number", "record", "reference", "own number"),
    ),
    "phone": Column(
        "Phone",
        "With country code, or as in the clinic's country. May be empty.",
        ("telephone", "mobile", "mobile number", "phone number", "mobile phone", "cell", "tel", "contact number"),
    ),
    "channel": Column("Channel", "telegram or whatsapp.", ("app", "chat app", "messenger")),
    "language": Column("Language", "Such as en or Spanish. English when empty.", ("lang", "preferred language")),
    "zone": Column("Time zone", "Such as Europe/London. The clinic's when empty.", ("zone", "timezone", "tz")),
    "at": Column("Time", "When the exercises should come, such as 07:30.", ("at", "time of day", "reminder time", "prompt time", "hour")),
    "days": Column("Days", "Such as Mon Wed Fri. The plan's when empty.", ("weekdays", "exercise days", "days of the week")),
    "plan": Column("Plan", "Its id or title. The only one when empty.", ("care plan", "condition", "diagnosis", "programme", "program")),
    "stage": Column("Stage", "Such as early. The first when empty.", ("phase", "plan stage", "start stage")),
    "treated_side": Column("Side", "left, right or both.", ("treated side", "affected side", "leg")),
    "baseline": Column("Usual pain", "0 to 10. The patient is asked when empty.", ("baseline", "baseline pain", "pain", "usual pain 0 10")),
    "goals": Column("Goals", "What the patient wants to be able to do.", ("goal", "aim", "aims", "patient goals")),
    "flare_plan_signed": Column("Flare plan agreed", "yes or no.", ("flare plan", "flare plan signed", "flare_plan_signed")),
    "rungs_preauthorised": Column("Next steps agreed", "yes or no.", ("rungs preauthorised", "next steps", "preauthorised rungs")),
    "physio": Column(
        "Physio",
        "E-mail address or name of the treating physiotherapist.",
        ("treating physio", "physiotherapist", "therapist", "clinician", "physio email"),
    ),
    "eligible": Column(
        "Eligible", "yes: every question below was asked and this plan fits.", ("eligibility", "eligibility checked", "is eligible")
    ),
}


def columns_for(library: Mapping[str, CarePlan]) -> dict[str, Column]:
    """Every column that a file may have, the plans' eligibility questions last."""
    questions = {question.id: question for plan in library.values() for question in plan.eligibility}
    asked = {f"{ANSWERS}{key}": Column(_titled(key), f"yes or no. {question.text}", (key,)) for key, question in questions.items()}
    return {**COLUMNS, **asked}


def guess(headings: Sequence[str], columns: Mapping[str, Column]) -> list[str | None]:
    """What each column seems to be by its heading, None where nothing fits; no column twice."""
    names = {_norm(word): key for key, column in columns.items() for word in (column.title, key, *column.known)}
    found: list[str | None] = [names.get(_norm(heading)) for heading in headings]
    taken = {key for key in found if key}
    for index, heading in enumerate(headings):
        near = get_close_matches(_norm(heading), names, 1, 0.86) if found[index] is None and heading != WHAT_TO_DO else []
        if near and names[near[0]] not in taken:
            found[index] = names[near[0]]
            taken.add(names[near[0]])
    return [key if key is not None and found.index(key) == index else None for index, key in enumerate(found)]


def mapping_problem(fields: Sequence[str | None], columns: Mapping[str, Column]) -> str | None:
    """Why these columns cannot be taken in, None when they can."""
    chosen = [key for key in fields if key]
    if twice := next((key for key in chosen if chosen.count(key) > 1), None):
        return f"two columns are {columns[twice].title}; choose one of them"
    if "name" not in chosen and not {"first_name", "last_name"} <= set(chosen):
        return "choose the column that holds the name, or those of first and last name"
    if "eligible" not in chosen and not any(key.startswith(ANSWERS) for key in chosen):
        return "the answers to the eligibility questions are missing: add a column for each, or one called Eligible"
    return None


def _norm(heading: str) -> str:
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", heading) if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[a-z0-9]+", bare.casefold()))


def _titled(key: str) -> str:
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]
