"""Templates and what every answer carries: escaping on, unknown names refused, and headers that allow nothing from elsewhere."""

from __future__ import annotations

import hashlib
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot_service.web.access import Visit
from bot_service.web.stale import showing

STATIC = Path(__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # `no-referrer` would make browsers send `Origin: null` with our own forms
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
}


@cache
def templates() -> Environment:
    """The templates: a name that is not given is an error, never a blank where a number should be."""
    found = Environment(
        loader=PackageLoader("bot_service.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found.globals["static"] = static_url
    return found


def page(visit: Visit, template: str, *, status: int = 200, **view: Any) -> HTMLResponse:
    """A page for this visit."""
    service = visit.service
    told: dict[str, Any] = {
        "member": visit.member,
        "token": visit.form_token,
        "is_sample": service.settings.is_sample,
        "here": visit.request.url.path,
    }
    told |= {"showing": partial(showing, visit, view.get("clash")), "clash": None}
    return HTMLResponse(templates().get_template(template).render(told | view), status)


def plain_page(template: str, status: int, **view: Any) -> HTMLResponse:
    """A page that is the same for everybody."""
    text = templates().get_template(template).render(member=None, token="", is_sample=False, here="", **view)
    return HTMLResponse(text, status, headers=dict(HEADERS) | {"cache-control": "no-store"})


@cache
def static_url(name: str) -> str:
    """The address of a static file, new whenever its content is."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]}"


class Headers:
    """Adds the headers to every answer; pages are not kept by anybody, static files for a day."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers["cache-control"] = "public, max-age=86400" if scope["path"].startswith("/static/") else "no-store"
                if self.https:
                    headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)
