"""All pages and their doors: the one table of routes, and the application that is made of it."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot_service.clinical.in_words import sentence
from bot_service.errors import Conflict, NotFound, NotPermitted
from bot_service.web import (
    audit_page,
    care,
    caseload,
    clinic,
    decisions,
    discharging,
    enrolment,
    episode,
    health,
    importing,
    invitations,
    media,
    notices,
    outcomes,
    outlook,
    phone,
    queue,
    rewriting,
    sign_in,
    summary,
    team,
    updates,
    webhooks,
)
from bot_service.web.access import Door, Refused, SignInNeeded, guarded
from bot_service.web.compression import Compression
from bot_service.web.forms import Unreadable
from bot_service.web.pages import STATIC, Headers, page, plain_page
from bot_service.web.service import Service

DOORS: tuple[Door, ...] = (
    Door("GET", "/healthz", "public", health.alive),
    Door("GET", "/readyz", "public", health.ready),
    Door("GET", "/metrics", "public", health.measured),
    Door("GET", "/sign-in", "public", sign_in.explain),
    Door("POST", "/sign-in", "public", sign_in.ask),
    Door("GET", "/sign-in/{token}", "public", sign_in.confirm),
    Door("POST", "/sign-in/{token}", "public", sign_in.use_link),
    Door("POST", "/sign-out", "staff", sign_in.sign_out),
    Door("GET", "/", "staff", caseload.show),
    Door("GET", "/patients/{ref}", "staff", episode.show),
    Door("POST", "/patients/{ref}/decision", "decide", decisions.decide),
    Door("POST", "/patients/{ref}/undo", "decide", decisions.undo),
    Door("POST", "/patients/{ref}/release", "decide", decisions.release),
    Door("POST", "/patients/{ref}/cases/{case}/acknowledge", "decide", decisions.acknowledge),
    Door("POST", "/patients/{ref}/cases/{case}/note", "decide", care.note_case),
    Door("POST", "/patients/{ref}/cases/{case}/close", "decide", decisions.close),
    Door("POST", "/patients/{ref}/take", "decide", queue.take),
    Door("POST", "/patients/{ref}/cases/{case}/reopen", "decide", decisions.reopen),
    Door("POST", "/patients/{ref}/pause", "decide", decisions.pause),
    Door("POST", "/patients/{ref}/resume", "decide", decisions.resume),
    Door("POST", "/patients/{ref}/run", "decide", decisions.run),
    Door("GET", "/patients/{ref}/message", "staff", decisions.show_message),
    Door("POST", "/patients/{ref}/message", "decide", decisions.write),
    Door("POST", "/patients/{ref}/note", "decide", care.note),
    Door("POST", "/patients/{ref}/appointment", "decide", care.appointment),
    Door("POST", "/patients/{ref}/usual-pain", "decide", care.usual_pain),
    Door("POST", "/patients/{ref}/goals", "decide", care.goals),
    Door("POST", "/patients/{ref}/settle", "decide", care.settle),
    Door("POST", "/patients/{ref}/discharge", "decide", care.discharge),
    Door("GET", "/patients/{ref}/outcomes", "staff", outcomes.show),
    Door("POST", "/patients/{ref}/outcomes", "decide", outcomes.record),
    Door("GET", "/forecast", "staff", outlook.show_forecast),
    Door("GET", "/rules", "staff", outlook.show_rules),
    Door("GET", "/team", "staff", team.show),
    Door("POST", "/team/invite", "staff", team.invite),
    Door("POST", "/team/clinic", "staff", team.change_clinic),
    Door("POST", "/team/{member}", "staff", team.change),
    Door("GET", "/audit", "staff", audit_page.show),
    Door("GET", "/clinic", "staff", clinic.show),
    Door("POST", "/clinic", "staff", clinic.change),
    Door("GET", "/clinic/thresholds", "staff", clinic.show_numbers),
    Door("POST", "/clinic/thresholds", "staff", clinic.change_numbers),
    Door("GET", "/clinic/wording", "staff", clinic.show_wording),
    Door("POST", "/clinic/wording", "staff", clinic.change_wording),
    Door("GET", "/notices", "staff", notices.show),
    Door("POST", "/notices", "staff", notices.save),
    Door("POST", "/notices/telegram", "staff", notices.link_chat),
    Door("POST", "/notices/telegram/unlink", "staff", notices.unlink_chat),
    Door("POST", "/notices/leave", "staff", notices.go_on_leave),
    Door("POST", "/notices/leave/{leave}/end", "staff", notices.end_leave),
    Door("POST", "/notices/limits", "staff", notices.set_limits),
    Door("POST", "/notices/duty", "staff", notices.set_duty),
    Door("GET", "/patients/{ref}/summary", "staff", summary.show),
    Door("GET", "/patients/{ref}/prescription", "staff", rewriting.show),
    Door("POST", "/patients/{ref}/prescription", "decide", rewriting.submit),
    Door("GET", "/enrol", "staff", enrolment.show),
    Door("POST", "/enrol", "staff", enrolment.submit),
    Door("GET", "/invitations", "staff", invitations.show_list),
    Door("POST", "/invitations/{ref}/again", "staff", invitations.again),
    Door("POST", "/invitations/{ref}/revoke", "staff", invitations.revoke),
    Door("POST", "/invitations/{ref}/leaflet", "staff", invitations.leaflet),
    Door("GET", "/import", "staff", importing.show_start),
    Door("POST", "/import", "staff", importing.upload, upload=True),
    Door("GET", "/import/template.csv", "staff", importing.template),
    Door("GET", "/import/{file}", "staff", importing.show_check),
    Door("POST", "/import/{file}", "staff", importing.take_in),
    Door("GET", "/import/{file}/columns", "staff", importing.show_columns),
    Door("POST", "/import/{file}/columns", "staff", importing.set_columns),
    Door("GET", "/import/{file}/wrong.csv", "staff", importing.wrong_rows),
    Door("GET", "/import/{file}/links.csv", "staff", importing.links),
    Door("GET", "/import/{file}/leaflets", "staff", importing.leaflets),
    Door("GET", "/discharge", "staff", discharging.show),
    Door("POST", "/discharge", "decide", discharging.submit),
    Door("POST", "/webhooks/telegram", "signed", updates.receive_update),
    Door("POST", "/webhooks/telegram/{sender}", "signed", updates.receive_update),
    Door("POST", "/webhooks/twilio/inbound", "signed", webhooks.receive_message),
    Door("POST", "/webhooks/twilio/status", "signed", webhooks.receive_status),
    Door("GET", "/media/{token}", "public", media.show),
    Door("GET", "/phone", "phone", phone.show_list),
    Door("POST", "/phone/clock", "phone", phone.move_clock),
    Door("GET", "/phone/{ref}", "phone", phone.show_chat),
    Door("POST", "/phone/{ref}/clock", "phone", phone.move_clock),
    Door("POST", "/phone/{ref}/say", "phone", phone.say),
    Door("POST", "/phone/{ref}/tap", "phone", phone.tap),
    Door("POST", "/phone/{ref}/edit", "phone", phone.edit),
    Door("POST", "/phone/{ref}/photo", "phone", phone.photo),
    Door("POST", "/phone/{ref}/open", "phone", phone.open_invitation),
)


def build_site(service: Service) -> FastAPI:
    """The web application of a service. Raises RuntimeError when a route has no policy."""
    app = FastAPI(title="Stepwise", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.registry = health.make_registry(service)
    app.state.touched = {}
    app.state.going_on = set()
    app.state.stopped = {}
    app.state.phones = phone.Phones()
    for door in DOORS:
        app.add_route(door.path, guarded(service, door), methods=[door.method], include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Compression)
    app.add_middleware(Headers, https=service.settings.public_url.startswith("https://"))
    _add_problems(app)
    check_doors(app)
    return app


def check_doors(app: FastAPI, doors: Collection[Door] = DOORS) -> None:
    """Raise RuntimeError for a route that no door names: whoever adds one decides who may open it."""
    named = {(door.method, door.path) for door in doors}
    for route in app.routes:
        if isinstance(route, Mount) and route.path == "/static":
            continue
        methods = (route.methods or set()) - {"HEAD"} if isinstance(route, Route) else {"*"}
        for method in methods:
            if (method, getattr(route, "path", "")) not in named:
                raise RuntimeError(f"{method} {getattr(route, 'path', route)} has no access policy; add it to DOORS in web/site.py")


def _add_problems(app: FastAPI) -> None:
    """Every way a request can end without its page, as a page."""

    def missing(request: Request, _: object = None) -> Response:
        words = "There is no such page, or you may not see it. Check the address, or go to your caseload."
        return _problem(request, 404, "Page not found", words)

    def refused(request: Request, error: Exception) -> Response:
        title = "Not allowed" if request.method in ("GET", "HEAD") else "Not done"
        return _problem(request, error.status if isinstance(error, Refused) else 403, title, sentence(str(error)))

    def sign_in_first(request: Request, _: Exception) -> Response:
        if request.method in ("GET", "HEAD"):
            return RedirectResponse("/sign-in" if request.url.path == "/" else f"/sign-in?to={quote(request.url.path)}", 303)
        words = (
            "You are signed out, so nothing was changed. Sign in in another tab, then go back here: what you typed is still in the form."
        )
        return _problem(request, 403, "Signed out", words)

    def wrong_way(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 400
        return (
            missing(request) if status == 404 else _problem(request, status, "Not understood", "This page cannot be asked for in that way.")
        )

    def moved_on(request: Request, error: Exception) -> Response:
        return _problem(request, 409, "Not done", sentence(str(error)))

    def broken(request: Request, _: Exception) -> Response:
        return _problem(request, 500, "Something went wrong", f"{_what_stands(request)} If it stays, tell whoever runs this service.")

    app.add_exception_handler(NotFound, missing)
    app.add_exception_handler(NotPermitted, refused)
    app.add_exception_handler(Conflict, moved_on)
    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(SignInNeeded, sign_in_first)
    app.add_exception_handler(Unreadable, _unreadable)
    app.add_exception_handler(HTTPException, wrong_way)
    app.add_exception_handler(Exception, broken)


def _what_stands(request: Request) -> str:
    """What may have been done before the fault: looking changes nothing, an import is done in parts, anything else whole or not at all."""
    if request.method in ("GET", "HEAD"):
        return "Nothing was changed. Please try again."
    if request.url.path.startswith("/import/"):
        return "Part of the file may be taken in already. Open Import: it says how many rows are done and goes on with the rest."
    return "It may or may not have been done. Go back, reload the page and look before you try again."


def _problem(request: Request, status: int, title: str, words: str) -> HTMLResponse:
    """The page, with the navigation of whoever is known to be signed in; of a fault of ours nothing is read again."""
    visit = getattr(request.state, "visit", None)
    if visit is None or visit.member is None or status == 500:
        return plain_page("problem.html", status, title=title, sentence=words)
    return page(visit, "problem.html", status=status, title=title, sentence=words)


def _unreadable(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, Unreadable) else 400
    if status == 413:
        return _problem(request, status, "Too large", "That is more than this page takes; a file may have 2 MB. Nothing was changed.")
    return _problem(request, status, "Not understood", "The form could not be read. Nothing was changed.")
