"""Ending the care of several patients: tick or paste, look, confirm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot_service.actions.deciding import LONGEST_REASON, MAY_DECIDE
from bot_service.actions.discharging import MOST, discharge_each, look_up, refs_in
from bot_service.errors import NotPermitted
from bot_service.storage import caseload, clinics
from bot_service.web.access import Visit
from bot_service.web.pages import page

ON_A_PAGE = 100
STATUS = {"invited": "Not begun", "asked": "Not agreed yet", "opted_in": "In care", "opted_out": "Stopped messages"}


@dataclass(frozen=True)
class Row:
    """A patient who may be ticked."""

    ref: str
    name: str
    physio: str
    status: str
    ticked: bool


def show(visit: Visit) -> Response:
    """Patients in care to tick, those who have not begun first; or a place to paste references."""
    _check_role(visit)
    done = visit.asked("done")
    ended = f"Care has ended for {done}." if done.isascii() and done.isdecimal() and len(done) < 6 else ""
    return _choose(visit, {}, "", ended)


def submit(visit: Visit) -> Response:
    """Look at who it will be, or do it."""
    _check_role(visit)
    form = visit.form
    refs = list(dict.fromkeys([*(name[4:] for name in form if name.startswith("ref-")), *refs_in(form.get("refs", ""))]))
    reason = form.get("reason", "").strip()
    problem = _problem(refs, reason)
    if problem or form.get("step") == "edit":
        return _choose(visit, form, problem, "")
    if form.get("step") == "confirm":
        count = discharge_each(visit.service.db, visit.who, refs, reason, visit.service.clock.now())
        return RedirectResponse(f"/discharge?done={count}", 303)
    with visit.service.db.read() as tx:
        leaving, unknown = look_up(tx, visit.who, refs)
    if not leaving:
        return _choose(visit, form, "None of these is a patient in care here.", "")
    return page(visit, "discharge_check.html", leaving=leaving, unknown=unknown, reason=reason)


def _problem(refs: list[str], reason: str) -> str:
    if not refs:
        return "Tick a patient, or paste references such as P001ABC."
    if len(refs) > MOST:
        return f"These are {len(refs)} patients; take at most {MOST} at once."
    if not reason:
        return "Write a short reason: it stays in each patient's record."
    return f"The reason is longer than {LONGEST_REASON} characters; make it shorter." if len(reason) > LONGEST_REASON else ""


def _check_role(visit: Visit) -> None:
    if visit.who.role not in MAY_DECIDE:
        raise NotPermitted("Only a physiotherapist can end care.")


def _choose(visit: Visit, form: Mapping[str, str], problem: str, done: str) -> HTMLResponse:
    words, ticked = visit.asked("q"), [name.removeprefix("ref-") for name in form if name.startswith("ref-")]
    number = int(asked) if (asked := visit.asked("page")).isascii() and asked.isdecimal() and 0 < len(asked) < 6 else 1
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, visit.who.clinic_id)
        part = ((max(1, number) - 1) * ON_A_PAGE, ON_A_PAGE)
        listed, total = caseload.list_in_care(tx, clinic.id, words, ticked, part)
        names = caseload.load_names(tx, [item.patient_id for item in listed])
    rows = [
        Row(item.ref, names[item.patient_id], item.physio, STATUS.get(item.patient_status, item.patient_status), f"ref-{item.ref}" in form)
        for item in listed
    ]
    return page(
        visit,
        "discharge.html",
        status=422 if problem else 200,
        clinic=clinic.name,
        rows=rows,
        number=max(1, number),
        pages=max(1, -(-total // ON_A_PAGE)),
        total=total,
        words=words,
        problem=problem,
        done=done,
        refs=form.get("refs", ""),
        reason=form.get("reason", ""),
    )
