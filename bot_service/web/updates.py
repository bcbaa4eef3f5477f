"""Updates that a Bot API server posts to us: admitted by their secret, kept durably, and only then acknowledged."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, Response

from bot_service.channels.channel import PostsUpdates
from bot_service.logs import log
from bot_service.web.access import Visit
from bot_service.web.webhooks import read_body

HEADER = "x-telegram-bot-api-secret-token"


async def receive_update(visit: Visit) -> Response:
    """Something a person did: 200 only when it is stored. Whatever has the secret is stored, since a refusal would be repeated all day."""
    bots = _bots(visit)
    if not bots:
        return PlainTextResponse("no such bot", 404)
    given = visit.request.headers.getlist(HEADER)
    sender_id = next((sender_id for sender_id, channel in bots if len(given) == 1 and channel.admits(given[0])), None)
    if sender_id is None:
        log().warning("webhook refused", reason="secret")
        return PlainTextResponse("refused", 403)
    body = await read_body(visit.request)
    if body is None:
        return PlainTextResponse("too large", 413)
    is_new = await visit.service.hear(sender_id, _update(body))
    return Response(background=BackgroundTask(visit.service.heed) if is_new else None)


def _bots(visit: Visit) -> list[tuple[UUID, PostsUpdates]]:
    """The bot that the path names, by username or id, or the first one; none while updates are fetched."""
    found: list[tuple[UUID, PostsUpdates]] = []
    for sender_id, channel in visit.service.channels.items():
        if isinstance(channel, PostsUpdates) and channel.is_posted_to:
            found.append((sender_id, channel))
    name = visit.request.path_params.get("sender")
    return found[:1] if name is None else [(sender_id, bot) for sender_id, bot in found if name in (str(sender_id), bot.account)]


def _update(body: bytes) -> dict[str, Any]:
    """The JSON object of the body. Anything else is kept as words that no channel reads, so that it is set aside where staff see it."""
    try:
        found = json.loads(body)
        json.dumps(found)  # too deep to be written again is too deep to be stored
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"unreadable": body.decode("utf-8", "replace")}
