"""The admin's pages: who works here, the clinic's numbers and hours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from starlette.responses import RedirectResponse, Response

from bot_service.actions import team
from bot_service.actions.stale import Stale
from bot_service.actions.team import Invitation
from bot_service.actions.voices import clinic_setting, hours_in_words
from bot_service.clinical.working_hours import WEEKDAYS
from bot_service.clock import real_now
from bot_service.conversation.wording import load_catalogue
from bot_service.errors import Conflict, NotFound, NotPermitted
from bot_service.storage import clinics, episodes, staff
from bot_service.web.access import Visit
from bot_service.web.decisions import id_posted
from bot_service.web.pages import page
from bot_service.web.stale import Clash, clash, showed

DONE = {
    "role": "The role is changed.",
    "disabled": "Disabled, and signed out everywhere.",
    "handed": "The patients are handed over.",
    "clinic": "Saved. Patients read it from the next message on.",
}
_PREVIEWS = ("safety_emergency", "safety_urgent", "safety_suicide")
_DAYS = {"mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday", "sat": "Saturday", "sun": "Sunday"}


def show(visit: Visit) -> Response:
    """Team and clinic."""
    return _render(visit)


def invite(visit: Visit) -> Response:
    """Add somebody, or a new link for somebody; it is sent to them, and shown only where there is no mail and they are new."""
    form = visit.form
    try:
        invited = team.invite(
            visit.service.db, visit.who, form.get("email", ""), form.get("name", ""), form.get("role", ""),
            visit.service.clock.now(), real_now(), visit.service.settings.public_url,
        )  # fmt: skip
    except (Conflict, NotPermitted) as error:
        return _render(visit, trouble=error)
    return _render(visit, invited=invited)


def change(visit: Visit) -> Response:
    """Another role, the end of a sign-in, or patients handed over."""
    db, who, form = visit.service.db, visit.who, visit.form

    def carry_out(now: datetime) -> str:
        member = id_posted(visit.part("member"))
        if form.get("do") == "disable":
            team.disable(db, who, member, now, real_now())
            return "disabled"
        if form.get("do") == "hand_over":
            team.hand_over(db, who, member, id_posted(form.get("to", "")), now)
            return "handed"
        team.change_role(db, who, member, form.get("role", ""), now, showed(visit))
        return "role"

    return _carry_out(visit, carry_out, "role_changed")


def change_clinic(visit: Visit) -> Response:
    """The clinic's numbers and hours."""

    def carry_out(now: datetime) -> str:
        team.change_clinic(visit.service.db, visit.who, visit.form, now, showed(visit))
        return "clinic"

    return _carry_out(visit, carry_out, "clinic_changed")


def _carry_out(visit: Visit, do: Callable[[datetime], str], kind: str) -> Response:
    """`kind` is how the trail calls it."""
    try:
        done = do(visit.service.clock.now())
    except Stale as error:
        subject = visit.who.clinic_id if kind == "clinic_changed" else id_posted(visit.part("member"))
        if found := clash(visit, error, subject, [kind]):
            return _render(visit, found=found)
        done = "clinic" if kind == "clinic_changed" else "role"
    except (Conflict, NotFound, NotPermitted) as error:
        return _render(visit, trouble=error)
    return RedirectResponse(f"/team?done={done}", 303)


def _render(visit: Visit, *, trouble: Exception | None = None, invited: Invitation | None = None, found: Clash | None = None) -> Response:
    if visit.who.role != "admin":
        raise NotPermitted("Only an admin can change the team and the clinic.")
    now, words = visit.service.clock.now(), str(trouble or "")
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, visit.who.clinic_id)
        everybody = staff.list_of_clinic(tx, clinic.id)
        numbers = {member.id: episodes.count_of_physio(tx, member.id) for member in everybody if member.role == "physio"}
        told = {name: clinic_setting(clinic, name) for name in ("emergency", "urgent", "crisis")}
        kept = team.clinic_fields(clinic)
        values = told | {"hours": hours_in_words(clinic, now, "en"), "clinic": clinic.name, "physio": "your physio"}
    return page(
        visit,
        "team.html",
        status=(403 if isinstance(trouble, NotPermitted) else 409) if trouble or found else 200,
        kept=kept,
        member_fields=team.member_fields,
        clash=found,
        stale=visit.request.path_params.get("member", "") if found else "",
        clinic=clinic,
        members=everybody,
        numbers=numbers,
        physios=[each for each in everybody if each.role == "physio" and each.status == "active"],
        roles=team.ROLES,
        hours=[(day, _DAYS[day]) for day in WEEKDAYS],
        previews=[load_catalogue("en").text(key, values) for key in _PREVIEWS],
        trouble=words[:1].upper() + words[1:].rstrip(".") + "." if words else "",
        typed=found.fields if found else visit.form if trouble else {},
        done=DONE.get(visit.asked("done"), ""),
        invited=invited,
    )
