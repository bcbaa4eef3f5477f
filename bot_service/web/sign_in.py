"""Signing in with a one-time link, and signing out."""

from __future__ import annotations

from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot_service.clock import real_now
from bot_service.storage import staff
from bot_service.web.access import Visit, cookie_name
from bot_service.web.pages import page

SEE_OTHER = 303


def explain(visit: Visit) -> Response:
    """How to get a link."""
    if visit.member is not None:
        return RedirectResponse("/", SEE_OTHER)
    return page(visit, "sign_in.html", problem=None)


def confirm(visit: Visit) -> Response:
    """One button, because programs that preview links open them too, and must not use them up."""
    return page(visit, "sign_in_confirm.html", action=f"/sign-in/{visit.part('token')}")


def use_link(visit: Visit) -> Response:
    """Trade the link for a sign-in. Unknown, used and expired links get the same answer."""
    settings = visit.service.settings
    name = cookie_name(settings.public_url)
    with visit.service.db.begin() as tx:
        session = staff.use_link(tx, real_now(), visit.part("token"))
        before = visit.request.cookies.get(name)
        if session is not None and before:
            staff.sign_out(tx, real_now(), before)
    if session is None:
        return RedirectResponse("/", SEE_OTHER) if visit.member is not None else _refused(visit)
    response = RedirectResponse("/", SEE_OTHER)
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
    return page(visit, "sign_in.html", status=403, problem="This link does not work any more. Each link works once, for 24 hours.")
