"""Pictures that a provider fetches: by a signed link, within minutes, once. Nothing of the link is logged."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot_service.actions import pictures
from bot_service.clock import real_now
from bot_service.errors import NotFound
from bot_service.web.access import Visit

PNG = "image/png"


def show(visit: Visit) -> Response:
    """The picture. A HEAD looks at it without using the link up; a GET uses it, unless whoever asked goes away before the last byte."""
    db, now = visit.service.db, real_now()
    shown = pictures.look(db, visit.part("token"), visit.service.clock.now(), now)
    if shown is None:
        raise NotFound("no such picture")
    if visit.request.method == "HEAD":
        return Response(shown.png, media_type=PNG)
    if not pictures.take(db, shown, now):
        raise NotFound("no such picture")
    return HandedOver(shown.png, lambda: pictures.give_back(db, shown, now))


class HandedOver(Response):
    """A picture whose last byte is held back until the rest has left; `give_back` is called when nobody is there for it.

    Twilio tries again when a transfer fails, and must find the picture then. Nobody has the whole of it without the last byte.
    """

    def __init__(self, png: bytes, give_back: Callable[[], None]) -> None:
        super().__init__(png, media_type=PNG)
        self._give_back = give_back

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body[:-1], "more_body": True})
        if await Request(scope, receive).is_disconnected():
            await run_in_threadpool(self._give_back)
        else:
            await send({"type": "http.response.body", "body": self.body[-1:], "more_body": False})
