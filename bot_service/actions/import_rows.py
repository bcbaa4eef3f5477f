"""Rows of a file of patients, read into enrolments, or into what is wrong in them: row, column and remedy. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot_service.actions import import_cells as cells
from bot_service.actions.eligibility import Enrolment, problems
from bot_service.actions.import_columns import ANSWERS, Column
from bot_service.actions.import_file import Row, Sheet, plain
from bot_service.actions.phone_numbers import read_phone
from bot_service.storage.staff import Member
from plans.model import CarePlan
from schedules.places import zone_for


@dataclass(frozen=True)
class Setting:
    """What rows are read against: plans, the clinic's zone, channels and languages, who may treat, and who does when a row names nobody."""

    library: Mapping[str, CarePlan]
    columns: Mapping[str, Column]
    zone: str
    physios: Sequence[Member]
    physio: Member | None
    channels: Collection[str] = ()
    languages: Sequence[str] = ("en",)


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong in a row. `column` is the heading in the file, or the one that is missing from it."""

    row: int
    column: str
    remedy: str


@dataclass(frozen=True)
class ReadRow:
    """A row: whom it would enrol, or what is wrong with it. `cells` are as in the file."""

    number: int
    cells: tuple[str, ...]
    name: str
    enrolment: Enrolment | None = None
    plan: CarePlan | None = None
    physio: Member | None = None
    wrong: tuple[Wrong, ...] = ()


def read_rows(sheet: Sheet, fields: Sequence[str | None], setting: Setting) -> list[ReadRow]:
    """Every row of the sheet in its order; of two rows for one patient the later is wrong."""
    seen: dict[tuple[str, str], int] = {}
    return [_once(_read(row, sheet, fields, setting), sheet, fields, setting, seen) for row in sheet.rows]


def heading_of(key: str, sheet: Sheet, fields: Sequence[str | None], columns: Mapping[str, Column]) -> str:
    """The heading under which a field stands in the file, else the one it has in our own template."""
    for heading, mapped in zip(sheet.headings, fields, strict=True):
        if mapped == key:
            return heading or columns[key].title
    if key == "name" and "first_name" in fields:
        return heading_of("first_name", sheet, fields, columns)
    if key.startswith(ANSWERS) and "eligible" in fields:
        return heading_of("eligible", sheet, fields, columns)
    return columns[key].title


@dataclass
class _Reading:
    """A row while it is read: its texts by field, and what was found wrong, by field."""

    texts: Mapping[str, str]
    wrong: dict[str, str] = field(default_factory=dict)

    def value(self, key: str, reader: Callable[[str], Any], default: Any = None) -> Any:
        """What the reader makes of the cell; the default for an empty or wrong one."""
        text = self.texts.get(key, "")
        try:
            cells.fit_to_read(text)
            return reader(text) if text else default
        except ValueError as error:
            self.wrong[key] = str(error)
            return default


def _read(row: Row, sheet: Sheet, fields: Sequence[str | None], setting: Setting) -> ReadRow:
    given = row.cells + ("",) * (len(fields) - len(row.cells))
    reading = _Reading({key: plain(cell) for key, cell in zip(fields, given, strict=False) if key})
    plan = reading.value("plan", lambda text: cells.plan_of(text, setting.library), next(iter(setting.library.values())))
    enrolment = _enrolment(reading, plan, setting)
    physio = _physio(reading, setting)
    for problem in problems(plan, enrolment):
        reading.wrong.setdefault(problem.field, problem.sentence)
    told: dict[str, str] = {}
    for key, sentence in _ordered(reading.wrong, fields):
        told.setdefault(heading_of(key, sheet, fields, setting.columns), sentence)
    if any(given[len(fields) :]):
        told["(the whole row)"] = "it has more cells than there are headings; put a cell that holds the separator in quotation marks"
    wrong = tuple(Wrong(row.number, heading, sentence) for heading, sentence in told.items())
    return ReadRow(row.number, row.cells, enrolment.name, None if wrong else enrolment, plan, physio, wrong)


def _enrolment(reading: _Reading, plan: CarePlan, setting: Setting) -> Enrolment:
    zone = reading.value("zone", zone_for, setting.zone)
    each_part = (reading.value(key, str, "") for key in ("first_name", "last_name"))
    return Enrolment(
        name=" ".join((reading.value("name", str, "") or " ".join(each_part)).split()),
        zone=zone,
        language=reading.value("language", lambda text: cells.language(text, setting.languages), setting.languages[0]),
        stage=reading.value("stage", lambda text: cells.stage_of(text, plan)),
        at=reading.value("at", cells.time_of_day),
        baseline=reading.value("baseline", cells.score),
        treated_side=reading.value("treated_side", cells.side, "both"),
        flare_plan_signed=reading.value("flare_plan_signed", cells.yes_or_no, default=False),
        rungs_preauthorised=reading.value("rungs_preauthorised", cells.yes_or_no, default=False),
        answers=_answers(reading, plan),
        phone=reading.value("phone", lambda text: read_phone(text, zone)),
        record_number=reading.value("record_number", str),
        channel=reading.value("channel", lambda text: cells.channel(text, setting.channels)),
        goals=reading.value("goals", str, ""),
        days=reading.value("days", cells.weekdays, ()),
    )


def _answers(reading: _Reading, plan: CarePlan) -> dict[str, bool]:
    """Each question's own column, else what Eligible says of all of them."""
    all_fit = reading.value("eligible", cells.yes_or_no)
    if all_fit is False:
        reading.wrong["eligible"] = "this plan is not for this patient; take the row out, and see the patient first"
    answers = {question.id: question.must_be for question in plan.eligibility} if all_fit is not None else {}
    for question in plan.eligibility:
        own = reading.value(f"{ANSWERS}{question.id}", cells.yes_or_no)
        if own is not None:
            answers[question.id] = own
    if reading.texts.get("eligible") == "" and len(answers) < len(plan.eligibility):
        reading.wrong["eligible"] = "ask the plan's questions, then write yes"
    return answers


def _physio(reading: _Reading, setting: Setting) -> Member | None:
    def named(text: str) -> Member:
        wanted = " ".join(text.casefold().split())
        found = [each for each in setting.physios if wanted in (each.email, " ".join(each.name.casefold().split()))]
        if len(found) != 1:
            raise ValueError("no physiotherapist of this clinic is called so; write the e-mail address they sign in with")
        return found[0]

    physio: Member | None = reading.value("physio", named, setting.physio)
    if physio is None and "physio" not in reading.wrong:
        reading.wrong["physio"] = "nobody treats this patient; write the physiotherapist's e-mail address, or choose one for all rows"
    return physio


def _once(read: ReadRow, sheet: Sheet, fields: Sequence[str | None], setting: Setting, seen: dict[tuple[str, str], int]) -> ReadRow:
    """The row itself, or that another one stands for the same patient."""
    if read.enrolment is None:
        return read
    number, phone = read.enrolment.record_number, read.enrolment.phone
    keys = {"record_number": "".join((number or "").casefold().split()), "phone": phone or ""}
    if not any(keys.values()):
        keys = {"name": read.name.casefold()}
    for key, value in keys.items():
        earlier = seen.setdefault((key, value), read.number) if value else read.number
        if earlier != read.number:
            more = "; if they are two people, give each a record number" if key == "name" else ""
            remedy = f"row {earlier} has the same; delete one of the two, or correct it{more}"
            wrong = Wrong(read.number, heading_of(key, sheet, fields, setting.columns), remedy)
            return ReadRow(read.number, read.cells, read.name, wrong=(wrong,))
    return read


def _ordered(wrong: Mapping[str, str], fields: Sequence[str | None]) -> list[tuple[str, str]]:
    """What is wrong in the order of the file's columns, missing ones last."""
    place = {key: index for index, key in enumerate(fields) if key}
    return sorted(wrong.items(), key=lambda item: place.get(item[0], len(fields)))
