"""Forms that a provider posts to us: verified, kept durably, and only then acknowledged. Never refused for being too many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot_service.actions.receipts import record_receipt
from bot_service.channels.channel import PostsForms
from bot_service.logs import log
from bot_service.web.access import Visit

LARGEST_FORM = 256 * 1024
SIGNATURE = "x-twilio-signature"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class _Admitted:
    """A form with a good signature, and whose it is."""

    sender_id: UUID
    channel: PostsForms
    form: Mapping[str, str]


async def receive_message(visit: Visit) -> Response:
    """Something a patient did: stored before it is acknowledged, since Twilio does not send it twice."""
    admitted = await _admit(visit)
    if isinstance(admitted, Response):
        return admitted
    addressed = _addressed(admitted)
    if addressed is None:
        log().warning("message refused", sender=str(admitted[0].sender_id), reason="not addressed as a message to this sender")
        return _refused(403)
    await visit.service.hear(addressed.sender_id, addressed.form)
    return _thanks(BackgroundTask(visit.service.heed))


async def receive_status(visit: Visit) -> Response:
    """What became of a message of ours."""
    admitted = await _admit(visit)
    if isinstance(admitted, Response):
        return admitted
    service = visit.service
    for each in admitted:  # of one account: a receipt of another sender's message changes nothing
        receipt = each.channel.read_receipt(each.form, visit.asked("m") or None)
        if receipt is not None and await run_in_threadpool(record_receipt, service.db, each.sender_id, receipt, service.clock.now()):
            break
    return _thanks()


def _addressed(admitted: list[_Admitted]) -> _Admitted | None:
    """Whose message it is: of several senders of one account, only the one that the form names."""
    messages = [each for each in admitted if each.channel.is_message(each.form)]
    named = [each for each in messages if each.channel.is_named_in(each.form)]
    return named[0] if named else messages[0] if len(messages) == 1 and len(admitted) == 1 else None


async def _admit(visit: Visit) -> list[_Admitted] | Response:
    """For which senders the form has a good signature: several when they share an account."""
    request, service = visit.request, visit.service
    senders = [(sender_id, channel) for sender_id, channel in service.channels.items() if isinstance(channel, PostsForms)]
    if not senders:
        return _refused(404)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return _refused(415)
    body = await read_body(request)
    if body is None:
        return _refused(413)
    url, signatures = _signed_url(request, service.settings.public_url), request.headers.getlist(SIGNATURE)
    admitted = [
        _Admitted(sender_id, channel, form)
        for sender_id, channel in senders
        if len(signatures) == 1 and (form := channel.admit(url, body, signatures[0])) is not None
    ]
    if admitted:
        return admitted
    log().warning("webhook refused", reason="signature")
    return _refused(403)


async def read_body(request: Request) -> bytes | None:
    """The raw body; None when it is larger than anything a provider posts."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            return None
    return bytes(body)


def _signed_url(request: Request, public_url: str) -> str:
    """The address as the provider knows it: ours from the settings, never the request's own word for it, with the query as it came."""
    path, query = str(request.scope["path"]), request.scope["query_string"].decode("latin-1")
    return public_url.rstrip("/") + path + (f"?{query}" if query else "")


def _thanks(after: BackgroundTask | None = None) -> Response:
    return Response("<Response/>", media_type="text/xml", background=after)


def _refused(status: int) -> Response:
    return PlainTextResponse("refused", status)
