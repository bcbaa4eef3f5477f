"""Who may open what: every route names its policy, and every request passes here before a page sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlsplit

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bot_service.clock import real_now
from bot_service.errors import NotFound
from bot_service.storage import staff
from bot_service.storage.staff import Member
from bot_service.web.forms import read_form, read_upload
from bot_service.web.service import Service

Access = Literal["public", "phone", "staff", "decide", "signed"]
"""public: anybody · phone: the sample clinic's simulated phones, on this machine · staff: signed in · decide: signed in, changes care ·
signed: a provider, which the page itself knows by the signature over the raw body."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
TOUCH_EVERY_S = 60
"""A sign-in's last use is noted at most this often, so that reading a page seldom writes."""
MOST_TOUCHED = 10_000
VISITOR = "visitor"


@dataclass(frozen=True)
class Visit:
    """One request, after the doors: who it is (None on public and phone pages), the token for forms, what was posted, and a file."""

    service: Service
    request: Request
    member: Member | None
    form_token: str
    form: Mapping[str, str] = field(default_factory=dict)
    file: bytes = b""

    @property
    def who(self) -> Member:
        """The member of staff on a staff page."""
        assert self.member is not None
        return self.member

    def part(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def asked(self, name: str) -> str:
        """A value of the query, empty when absent."""
        return self.request.query_params.get(name, "").strip()


Page = Callable[[Visit], Response | Awaitable[Response]]


@dataclass(frozen=True)
class Door:
    """One route: method, path, policy and page. With `upload` the form may carry a file."""

    method: Literal["GET", "POST"]
    path: str
    access: Access
    page: Page
    upload: bool = False


class SignInNeeded(Exception):
    """A staff page was asked for by nobody we know."""


class Refused(Exception):
    """A request that no page of ours makes; its text is a sentence for whoever sees it."""

    def __init__(self, sentence: str, status: int = 403) -> None:
        super().__init__(sentence)
        self.status = status


def guarded(service: Service, door: Door) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a route: policy, origin and form token first, then the page, in a thread unless it is a coroutine."""

    async def endpoint(request: Request) -> Response:
        if door.access == "signed":
            return await _open(door.page, Visit(service, request, None, ""))
        if door.method == "POST":
            check_origin(request, service.settings.public_url)
        form, file = await _posted(door, request)
        visit = replace(await run_in_threadpool(_admit, service, door, request, form), file=file)
        request.state.visit = visit  # a refusal has the navigation of whoever is refused
        response = await _open(door.page, visit)
        if door.access == "decide":
            response.background = BackgroundTask(service.heed)  # what was decided is sent at once, not at the next tick
        return response

    return endpoint


async def _posted(door: Door, request: Request) -> tuple[Mapping[str, str], bytes]:
    if door.method == "GET":
        return {}, b""
    return await read_upload(request) if door.upload else (await read_form(request), b"")


async def _open(page: Page, visit: Visit) -> Response:
    found = await run_in_threadpool(page, visit)
    return found if isinstance(found, Response) else await found


def check_origin(request: Request, public_url: str) -> None:
    """Raise Refused for a change that another site's page asks for."""
    if request.headers.get("sec-fetch-site") in ("same-origin", "none"):
        return
    origin = urlsplit(request.headers.get("origin", ""))
    if origin.netloc and origin.netloc in (urlsplit(public_url).netloc, request.headers.get("host")):
        return
    raise Refused("This request did not come from a page of this service. Go back, reload the page and try again.")


def cookie_name(public_url: str) -> str:
    """With https the browser itself guards the cookie's host and path (`__Host-`); on loopback http it would refuse that name."""
    return "__Host-stepwise" if public_url.startswith("https://") else "stepwise"


def form_token(service: Service, session: str) -> str:
    """The token in every form of a sign-in: nobody who cannot read our pages can know it."""
    return service.db.keys.index("form", session).hex()


def _admit(service: Service, door: Door, request: Request, form: Mapping[str, str]) -> Visit:
    if door.access == "phone":
        _check_phone(service, request)
    session = request.cookies.get(cookie_name(service.settings.public_url), "")
    member = _signed_in(service, request, session) if session and door.access != "phone" else None
    if member is None and door.access in ("staff", "decide"):
        raise SignInNeeded
    token = form_token(service, session if member else VISITOR)
    if door.method == "POST" and form.get("token") != token:
        raise Refused("This page was open for too long, or you signed in again since. Go back, reload it and try again.")
    return Visit(service, request, member, token, form)


def _check_phone(service: Service, request: Request) -> None:
    if not service.settings.is_sample:
        raise NotFound("no such page")
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname
    if host not in LOOPBACK and host != urlsplit(service.settings.public_url).hostname:
        raise NotFound("no such page")  # another name for this machine: a page elsewhere may be reaching through the browser


def _signed_in(service: Service, request: Request, session: str) -> Member | None:
    now = real_now()
    with service.db.read() as tx:
        member = staff.find_signed_in(tx, now, session)
    touched: dict[str, float] = request.app.state.touched
    key = form_token(service, session)
    if member is not None and now.timestamp() - touched.get(key, 0) > TOUCH_EVERY_S:
        with service.db.begin() as tx:
            staff.touch(tx, now, session)
        if len(touched) > MOST_TOUCHED:
            touched.clear()
        touched[key] = now.timestamp()
    return member
