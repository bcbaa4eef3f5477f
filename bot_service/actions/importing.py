"""Take a file of patients in: look at every row first, then enrol the good ones, whole patients in short transactions, none twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bot_service.actions.enrol import ANEW, Invitation, check_may_enrol, enrol_in, find_made
from bot_service.actions.import_columns import columns_for, guess, mapping_problem
from bot_service.actions.import_file import WHAT_TO_DO, Sheet, decode, read_sheet, write_sheet
from bot_service.actions.import_rows import ReadRow, Setting, Wrong, heading_of, read_rows
from bot_service.actions.invitations import Doors, code_of
from bot_service.actions.prescribing import in_clinic
from bot_service.actions.treating import physios_of
from bot_service.actions.voices import offered_languages
from bot_service.clinical.in_words import plural
from bot_service.errors import Conflict
from bot_service.storage import audit, clinics, contacts, imports
from bot_service.storage.clinics import Clinic
from bot_service.storage.contacts import Known, same_name
from bot_service.storage.database import Database, Tx
from bot_service.storage.imports import ImportFile
from bot_service.storage.staff import Member
from plans.model import CarePlan

AT_ONCE = 50
"""Patients in one transaction (default): about a tenth of a second in which nobody else writes."""
KEPT = timedelta(days=1)
"""How long a file is kept to be worked on (default)."""


@dataclass(frozen=True)
class Checked:
    """A file that was looked at: its rows, what is wrong, and which rows are patients already (row number to reference)."""

    sheet: Sheet
    fields: tuple[str | None, ...]
    rows: tuple[ReadRow, ...]
    wrong: tuple[Wrong, ...]
    known: Mapping[int, str]

    @property
    def wrong_rows(self) -> int:
        return len({each.row for each in self.wrong})

    @property
    def new_rows(self) -> int:
        """Rows that would be enrolled."""
        return len(self.rows) - self.wrong_rows - len(self.known)

    def corrected(self) -> bytes:
        """The wrong rows as a file like the one that came, with a column that says what to do; that column is not read again."""
        by_row: dict[int, list[str]] = {}
        for each in self.wrong:
            by_row.setdefault(each.row, []).append(f"{each.column}: {each.remedy}.")
        width = len(self.sheet.headings)
        keep = [index for index, heading in enumerate(self.sheet.headings) if heading != WHAT_TO_DO]
        lines = [(read.cells + ("",) * width, by_row[read.number]) for read in self.rows if read.number in by_row]
        rows = [[*(cells[index] for index in keep), " ".join(told)] for cells, told in lines]
        return write_sheet([*(self.sheet.headings[index] for index in keep), WHAT_TO_DO], rows, self.sheet.separator)


def template(library: Mapping[str, CarePlan]) -> bytes:
    """An empty file with every column there is."""
    parts = ("first_name", "last_name", "eligible")  # other ways to write a name and the answers
    return write_sheet([column.title for key, column in columns_for(library).items() if key not in parts], [])


def upload(db: Database, member: Member, raw: bytes, library: Mapping[str, CarePlan], now: datetime) -> UUID:
    """Keep a file to be looked at; what its columns are is guessed. Raises Conflict with what to do, NotPermitted for a viewer."""
    check_may_enrol(member)
    text = decode(raw)
    sheet = read_sheet(text)
    with db.begin() as tx:
        imports.forget(tx, now - KEPT)
        fields = guess(sheet.headings, columns_for(library))
        new_id = imports.add(tx, now, clinic_id=member.clinic_id, staff_id=member.id, content=text, fields=fields)
        physios = physios_of(tx, member.clinic_id)
        treating = member if member in physios else physios[0] if len(physios) == 1 else None
        imports.set_fields(tx, new_id, fields, treating.id if treating else None)
    return new_id


def forget_old(db: Database, now: datetime) -> None:
    """Files whose day is over go, whether or not another one comes."""
    with db.begin() as tx:
        imports.forget(tx, now - KEPT)


def content_of(file: ImportFile) -> str:
    """Raises Conflict once the file was forgotten."""
    if file.content is None:
        raise Conflict("files are kept for a day only; choose the file again")
    return file.content


def setting_for(tx: Tx, clinic: Clinic, library: Mapping[str, CarePlan], doors: Doors, physio_id: UUID | None) -> Setting:
    """What the rows of this clinic's files are read against."""
    physios = physios_of(tx, clinic.id)
    default = next((each for each in physios if each.id == physio_id), None)
    library = {key: in_clinic(plan, clinic) for key, plan in library.items()}
    return Setting(library, columns_for(library), clinic.zone, physios, default, doors.channels, offered_languages(clinic))


def check(tx: Tx, clinic_id: UUID, sheet: Sheet, fields: Sequence[str | None], setting: Setting) -> Checked:
    """Look at every row without changing anything. Raises Conflict when the columns do not do."""
    if problem := mapping_problem(fields, setting.columns):
        raise Conflict(problem)
    rows = read_rows(sheet, fields, setting)
    wrong, known = [each for read in rows for each in read.wrong], {}
    for read in rows:
        if read.enrolment is None:
            continue
        found = _known(tx, clinic_id, read)
        if isinstance(found, Known):
            known[read.number] = found.ref
        elif found is not None:
            field, sentence = found
            wrong.append(Wrong(read.number, heading_of(field, sheet, fields, setting.columns), sentence))
    return Checked(sheet, tuple(fields), tuple(rows), tuple(sorted(wrong, key=lambda each: each.row)), known)


# fmt: off
def take_in(
    db: Database, member: Member, import_id: UUID, setting: Setting, clock: Callable[[], datetime], *, skip_wrong: bool = False
) -> ImportFile:
    # fmt: on
    """Enrol the rows that are neither wrong nor known; after an interruption the rest of them. `clock` says when each of them moved.

    Raises Conflict when rows are wrong and `skip_wrong` does not say to leave them out, or when somebody else is doing it.
    """
    check_may_enrol(member)
    now = clock()
    with db.read() as tx:
        file = imports.load(tx, member.clinic_id, import_id)
        if file.status == "imported":
            return file
        checked = check(tx, member.clinic_id, read_sheet(content_of(file)), file.fields, setting)
    # Rows that were settled before an interruption are patients by now, who may look like namesakes of themselves.
    ahead = {read.number for read in checked.rows[file.rows_done :]}
    bad, counts = ahead & {each.row for each in checked.wrong}, Counter(file.counts)
    if bad and not skip_wrong:
        raise Conflict(
            f"{plural(len(bad), 'row')} {'is' if len(bad) == 1 else 'are'} wrong, so nobody was enrolled; correct them, or leave them out"
        )
    with db.begin() as tx:
        imports.begin(tx, now, import_id)
    for start in range(file.rows_done, len(checked.rows), AT_ONCE):
        batch = checked.rows[start : start + AT_ONCE]
        with db.begin() as tx:
            clinics.lock(tx, member.clinic_id)
            counts.update(_take_in_one(tx, member, import_id, read, now, wrong=read.number in bad) for read in batch)
            if not imports.advance(tx, clock(), import_id, start, start + len(batch), counts):
                raise Conflict("somebody else is taking this file in; wait a minute, then look again")
    with db.begin() as tx:
        if imports.finish(tx, now, import_id):
            audit.record(tx, now, member.email, "imported", clinic_id=member.clinic_id, subject_id=import_id, detail=dict(counts))
        return imports.load(tx, member.clinic_id, import_id)


def list_invited(tx: Tx, file: ImportFile, now: datetime) -> list[tuple[ReadRow, Invitation]]:
    """Rows of an imported file whose invitation is still good, while the file is kept."""
    sheet = read_sheet(content_of(file))
    width = len(file.fields)
    found = []
    for row in sheet.rows:
        made = find_made(tx, file.clinic_id, _code(tx.db, file.id, row.number), now)
        if made is not None:
            texts = dict(zip(file.fields, row.cells + ("",) * (width - len(row.cells)), strict=False))
            name = texts.get("name") or " ".join(texts.get(key) or "" for key in ("first_name", "last_name"))
            found.append((ReadRow(row.number, row.cells, name.strip()), made))
    return found


def links_of(db: Database, file: ImportFile, doors: Doors, now: datetime) -> bytes:
    """The invitations of an imported file, one row each, as a file."""
    with db.read() as tx:
        invited = list_invited(tx, file, now)
    rows = []
    for read, made in invited:
        links = [link.url or link.words for link in doors.links(made.ref, made.code)]
        rows.append([str(read.number), made.ref, read.name, made.expires_at.date().isoformat(), made.code, *links])
    return write_sheet(["Row", "Reference", "Name", "Until", "Code", *(f"Link {name}" for name in doors.channels)], rows)


def _take_in_one(tx: Tx, member: Member, import_id: UUID, read: ReadRow, now: datetime, *, wrong: bool) -> str:
    """What became of one row."""
    if wrong or read.enrolment is None or read.plan is None:
        return "wrong"
    found = _known(tx, member.clinic_id, read)
    if found is not None:
        return "known" if isinstance(found, Known) else "wrong"
    try:
        enrol_in(tx, read.plan, member, read.enrolment, now, _code(tx.db, import_id, read.number), physio=read.physio)
    except Conflict:
        return "wrong"  # somebody enrolled another patient with this number since the file was looked at
    return "enrolled"


def _known(tx: Tx, clinic_id: UUID, read: ReadRow) -> Known | tuple[str, str] | None:
    """The patient that a row is already; or the field of it that is somebody else's, and what to do; None for a new patient."""
    assert read.enrolment is not None
    number, phone, name = read.enrolment.record_number, read.enrolment.phone, read.name
    if number and (known := contacts.find_by_record(tx, clinic_id, number)):
        if same_name(known.name, name):
            return known if known.in_care else ("record_number", _left(known))
        return "record_number", f"this is the number of {known.ref}, who has another name; correct the number or the name"
    if phone and (others := contacts.list_by_phone(tx, clinic_id, phone)):
        same = [known for known in others if same_name(known.name, name)]
        if same:
            return next((known for known in same if known.in_care), None) or ("phone", _left(same[0]))
        return "phone", f"this is the number of {others[0].ref}, and one chat serves one patient; correct it, or leave it empty"
    if not number and not phone and (namesakes := contacts.list_by_name(tx, clinic_id, name)):
        # A name alone tells nobody apart: a second patient of that name must not be taken for the first and never get care.
        return "name", f"same name as {namesakes[0].ref}; add a record number or phone"
    return None


def _left(known: Known) -> str:
    return f"this is {known.ref}, whose care has ended; leave the row out and, {ANEW}"


def _code(db: Database, import_id: UUID, row: int) -> str:
    return code_of(db, "import", str(import_id), str(row))
