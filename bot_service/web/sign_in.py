"""Signing in with a one-time link, and signing out."""

from __future__ import annotations

import re

from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot_service.actions.sign_in_links import ask_for_link, can_send_links
from bot_service.clock import real_now
from bot_service.storage import staff
from bot_service.web.access import Visit, cookie_name
from bot_service.web.pages import page

SEE_OTHER = 303
_OURS = re.compile(r"/(?![/\\])[\w/.-]{0,200}")


def explain(visit: Visit) -> Response:
    """How to get a link; where mail or a bot can bring one, by asking for it here."""
    if visit.member is not None:
        return RedirectResponse(_back(visit.asked("to")) or "/", SEE_OTHER)
    return _explained(visit)


def ask(visit: Visit) -> Response:
    """Send a link to whoever has this address. The answer is the same whether anybody has."""
    email, service = visit.form.get("email", "").strip(), visit.service
    if "@" not in email:
        return _explained(visit, status=422, problem="Write the e-mail address that your clinic knows you by.")
    ask_for_link(service.db, email, service.clock.now(), real_now(), service.settings.public_url, _back(visit.form.get("to", "")))
    return _explained(visit, sent=True)


def confirm(visit: Visit) -> Response:
    """One button, because programs that preview links open them too, and must not use them up."""
    return page(visit, "sign_in_confirm.html", action=f"/sign-in/{visit.part('token')}", to=_back(visit.asked("to")))


def use_link(visit: Visit) -> Response:
    """Trade the link for a sign-in. Unknown, used and expired links get the same answer."""
    settings = visit.service.settings
    name = cookie_name(settings.public_url)
    with visit.service.db.begin() as tx:
        session = staff.use_link(tx, real_now(), visit.part("token"))
        before = visit.request.cookies.get(name)
        if session is not None and before:
            staff.sign_out(tx, real_now(), before)
    back = _back(visit.form.get("to", "")) or "/"
    if session is None:
        return RedirectResponse(back, SEE_OTHER) if visit.member is not None else _refused(visit)
    response = RedirectResponse(back, SEE_OTHER)
    response.set_cookie(
        name,
        session,
        max_age=int(staff.LONGEST.total_seconds()),
        secure=settings.public_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
    return response


def sign_out(visit: Visit) -> Response:
    """End this sign-in, here and on the server."""
    name = cookie_name(visit.service.settings.public_url)
    with visit.service.db.begin() as tx:
        staff.sign_out(tx, real_now(), visit.request.cookies.get(name, ""))
    response = RedirectResponse("/sign-in", SEE_OTHER)
    response.delete_cookie(name, secure=visit.service.settings.public_url.startswith("https://"), httponly=True, samesite="lax")
    return response


def _refused(visit: Visit) -> HTMLResponse:
    return _explained(visit, status=403, problem="This link does not work any more. Each link works once, for 24 hours.")


def _explained(visit: Visit, *, status: int = 200, problem: str | None = None, sent: bool = False) -> HTMLResponse:
    with visit.service.db.read() as tx:
        by_ourselves = can_send_links(tx)
    to = _back(visit.asked("to") or visit.form.get("to", ""))
    return page(visit, "sign_in.html", status=status, problem=problem, sent=sent, by_ourselves=by_ourselves, to=to)


def _back(path: str) -> str:
    """A page of ours to go back to; empty for anything else, so that no link of ours leads elsewhere."""
    return path if _OURS.fullmatch(path) else ""
