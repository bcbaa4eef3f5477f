"""A file of patients on its way in: choose it, say what its columns are, look at what is wrong, enrol the good rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from starlette.background import BackgroundTask
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot_service.actions import importing
from bot_service.actions.enrol import check_may_enrol
from bot_service.actions.import_columns import columns_for, mapping_problem
from bot_service.actions.import_file import MOST_ROWS, Sheet, plain, read_sheet
from bot_service.actions.import_rows import Setting
from bot_service.actions.importing import Checked
from bot_service.actions.invitations import Doors, doors_of
from bot_service.actions.treating import physios_of
from bot_service.clinical.in_words import sentence
from bot_service.errors import Conflict, NotFound
from bot_service.logs import log
from bot_service.storage import clinics, imports, staff
from bot_service.storage.imports import ImportFile
from bot_service.web.access import Visit
from bot_service.web.invitations import leaflet_of
from bot_service.web.pages import page
from bot_service.web.times import moment

SHOWN = 100
"""Wrong rows on the page; the file to correct holds them all."""


AT_ONCE = 200
"""Rows that are taken in while the browser waits, a second or two; more go on behind a page that says how far they are."""
LISTED = timedelta(days=14)
"""How long an import that was interrupted stands on the page where files are chosen (default)."""
LEAFLETS = 50
"""Leaflets on a page: a browser prints so many without trouble."""


@dataclass(frozen=True)
class ColumnChoice:
    """A column of the file: its heading, what its first cells hold, and what it is taken for."""

    number: int
    heading: str
    examples: str
    field: str


@dataclass(frozen=True)
class _At:
    """The import that a page is about."""

    file: ImportFile
    setting: Setting
    doors: Doors


def show_start(visit: Visit) -> Response:
    """Choose a file."""
    check_may_enrol(visit.who)
    return _start(visit, "")


def upload(visit: Visit) -> Response:
    """Keep the file and ask what its columns are."""
    try:
        new_id = importing.upload(visit.service.db, visit.who, visit.file, visit.service.library, visit.service.clock.now())
    except Conflict as error:
        return _start(visit, sentence(str(error)))
    return RedirectResponse(f"/import/{new_id}/columns", 303)


def template(visit: Visit) -> Response:
    """An empty file with every column."""
    check_may_enrol(visit.who)
    return _download(importing.template(visit.service.library), "patients.csv")


def show_columns(visit: Visit) -> Response:
    """What each column is taken for."""
    at = _at(visit)
    if at.file.status != "uploaded":
        return RedirectResponse(f"/import/{at.file.id}", 303)
    missing = mapping_problem(at.file.fields, at.setting.columns)
    return _columns(visit, at, at.file.fields, str(at.file.physio_id or ""), "", sentence(missing) if missing else "")


def set_columns(visit: Visit) -> Response:
    """Keep the choices and look at the rows."""
    at = _at(visit)
    known = columns_for(visit.service.library)
    fields = [visit.form.get(f"column-{number}", "") for number in range(len(at.file.fields))]
    chosen = [name if name in known else None for name in fields]
    physio = next((each for each in at.setting.physios if str(each.id) == visit.form.get("physio")), None)
    if problem := mapping_problem(chosen, known):
        return _columns(visit, at, chosen, visit.form.get("physio", ""), sentence(problem))
    with visit.service.db.begin() as tx:
        imports.set_fields(tx, at.file.id, chosen, physio.id if physio else None)
    return RedirectResponse(f"/import/{at.file.id}", 303)


def show_check(visit: Visit) -> Response:
    """What would be enrolled and what is wrong, or what came of it."""
    at = _at(visit)
    if _is_running(visit, at.file) and at.file.content is not None:
        return page(visit, "import_running.html", file=at.file, total=_rows(at.file), counts=_counts(at.file))
    if at.file.status == "imported":
        return page(visit, "import_done.html", file=at.file, counts=_counts(at.file), kept=at.file.content is not None)
    if at.file.content is not None and mapping_problem(at.file.fields, at.setting.columns):
        return RedirectResponse(f"/import/{at.file.id}/columns", 303)
    return _check(visit, at, _stopped(visit).pop(at.file.id, ""))


def take_in(visit: Visit) -> Response:
    """Enrol the good rows."""
    at, going_on = _at(visit), _going_on(visit)
    skip, shown = visit.form.get("rows") == "good", RedirectResponse(f"/import/{at.file.id}", 303)
    if _is_running(visit, at.file):
        return shown
    if at.file.status != "imported" and at.file.content is not None and _rows(at.file) > AT_ONCE:
        going_on.add(at.file.id)
        shown.background = BackgroundTask(_go_on, visit, at, skip=skip)
        return shown
    try:
        importing.take_in(visit.service.db, visit.who, at.file.id, at.setting, visit.service.clock.now, skip_wrong=skip)
    except Conflict as error:
        return _check(visit, at, sentence(str(error)))
    return shown


def _go_on(visit: Visit, at: _At, *, skip: bool) -> None:
    """The same after the answer; what keeps it from going on stands on the check again, since nothing of a wrong row is done."""
    try:
        importing.take_in(visit.service.db, visit.who, at.file.id, at.setting, visit.service.clock.now, skip_wrong=skip)
    except Conflict as error:
        log().warning("import stopped", file=str(at.file.id), error=type(error).__name__)
        _stopped(visit)[at.file.id] = sentence(str(error))
    finally:
        _going_on(visit).discard(at.file.id)


def _going_on(visit: Visit) -> set[UUID]:
    """The files that this process takes in at this moment."""
    found: set[UUID] = visit.request.app.state.going_on
    return found


def _is_running(visit: Visit, file: ImportFile) -> bool:
    """Whether rows of it are being taken in: by this process, or by another request or replica, which shows by their moving."""
    return file.id in _going_on(visit) or file.is_moving(visit.service.clock.now())


def _stopped(visit: Visit) -> dict[UUID, str]:
    """Why this process did not go on with a file, for whoever looks next."""
    found: dict[UUID, str] = visit.request.app.state.stopped
    return found


def _rows(file: ImportFile) -> int:
    return len(read_sheet(importing.content_of(file)).rows)


def wrong_rows(visit: Visit) -> Response:
    """The wrong rows as a file to correct."""
    return _download(_checked(visit, _at(visit)).corrected(), "patients-to-correct.csv")


def links(visit: Visit) -> Response:
    """The invitations of everybody in the file."""
    at = _at(visit)
    return _download(importing.links_of(visit.service.db, at.file, at.doors, visit.service.clock.now()), "invitations.csv")


def leaflets(visit: Visit) -> Response:
    """A leaflet for everybody in the file who has not begun, some at once."""
    at = _at(visit)
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, at.file.clinic_id)
        invited = [made for _, made in importing.list_invited(tx, at.file, visit.service.clock.now())]
        pages = max(1, -(-len(invited) // LEAFLETS))
        asked = visit.asked("page")
        number = min(max(1, int(asked)), pages) if asked.isascii() and asked.isdecimal() and len(asked) < 7 else 1
        shown = [leaflet_of(tx, made, clinic, at.doors) for made in invited[(number - 1) * LEAFLETS : number * LEAFLETS]]
    return page(visit, "leaflet.html", leaflets=shown, file=str(at.file.id), number=number, pages=pages)


def _at(visit: Visit) -> _At:
    check_may_enrol(visit.who)
    try:
        wanted = UUID(visit.part("file"))
    except ValueError:
        raise NotFound("no such import") from None
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, visit.who.clinic_id)
        file, doors = imports.load(tx, clinic.id, wanted), doors_of(tx, visit.service.settings, clinic)
        return _At(file, importing.setting_for(tx, clinic, visit.service.library, doors, file.physio_id), doors)


def _checked(visit: Visit, at: _At) -> Checked:
    sheet = read_sheet(importing.content_of(at.file))
    with visit.service.db.read() as tx:
        return importing.check(tx, at.file.clinic_id, sheet, at.file.fields, at.setting)


@dataclass(frozen=True)
class _Begun:
    """An import that is not finished. `total` is None once its file was forgotten; `runs`: somebody is doing it."""

    id: str
    began: str
    by: str
    done: int
    total: int | None
    counts: dict[str, int]
    runs: bool


def _begun(visit: Visit, file: ImportFile, names: dict[UUID, str], zone: str) -> _Begun:
    total = None if file.content is None else _rows(file)
    by = names.get(file.staff_id, "somebody who left")
    return _Begun(str(file.id), moment(file.created_at, zone), by, file.rows_done, total, _counts(file), _is_running(visit, file))


def _start(visit: Visit, problem: str) -> HTMLResponse:
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, visit.who.clinic_id)
        physios = physios_of(tx, clinic.id)
        names = {each.id: each.name for each in staff.list_of_clinic(tx, clinic.id)}
        begun = imports.list_begun(tx, clinic.id, visit.service.clock.now() - LISTED)
    return page(
        visit,
        "import.html",
        status=422 if problem else 200,
        clinic=clinic.name,
        problem=problem,
        columns=list(columns_for(visit.service.library).values()),
        most=f"{MOST_ROWS:,}",
        has_physio=bool(physios),
        begun=[_begun(visit, file, names, clinic.zone) for file in begun],
    )


def _columns(visit: Visit, at: _At, fields: Sequence[str | None], physio: str, problem: str, missing: str = "") -> HTMLResponse:
    try:
        sheet = read_sheet(importing.content_of(at.file))
    except Conflict as error:
        return _start(visit, sentence(str(error)))
    with visit.service.db.read() as tx:
        before = imports.find_imported(tx, at.file.clinic_id, importing.content_of(at.file))
    return page(
        visit,
        "import_columns.html",
        status=422 if problem else 200,
        file=at.file,
        problem=problem,
        missing=missing,
        rows=len(sheet.rows),
        choices=[_choice(sheet, number, field) for number, field in enumerate(fields)],
        columns=[(name, column.title) for name, column in at.setting.columns.items()],
        physios=[("", "Each row says it"), *((str(each.id), each.name) for each in at.setting.physios)],
        physio=physio,
        before=before is not None,
    )


def _choice(sheet: Sheet, number: int, field: str | None) -> ColumnChoice:
    cells = [plain(row.cells[number]) for row in sheet.rows[:50] if number < len(row.cells)]
    examples = list(dict.fromkeys(cell[:40] for cell in cells if cell))[:3]
    return ColumnChoice(number, sheet.headings[number] or f"Column {number + 1}", "; ".join(examples) or "empty", field or "")


def _check(visit: Visit, at: _At, problem: str) -> HTMLResponse:
    try:
        checked = _checked(visit, at)
    except Conflict as error:
        return _start(visit, sentence(str(error)))
    return page(
        visit,
        "import_check.html",
        status=409 if problem else 200,
        file=at.file,
        problem=problem,
        checked=checked,
        total=len(checked.rows),
        names={read.number: read.name for read in checked.rows},
        wrong=[(each, sentence(each.remedy)) for each in checked.wrong[:SHOWN]],
        more=max(0, len(checked.wrong) - SHOWN),
        unread=[heading for heading, field in zip(checked.sheet.headings, checked.fields, strict=True) if field is None and heading],
        known=list(checked.known.items())[:SHOWN],
        counts=_counts(at.file),
    )


def _counts(file: ImportFile) -> dict[str, int]:
    return {what: file.counts.get(what, 0) for what in ("enrolled", "known", "wrong")}


def _download(content: bytes, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
