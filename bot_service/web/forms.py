"""What a form posted, read with limits: small, url-encoded, text only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from urllib.parse import parse_qsl

from starlette.requests import Request

LARGEST_BODY = 64 * 1024
MOST_FIELDS = 400


class Unreadable(Exception):
    """A body that none of our forms sends. `status` says how to answer."""

    def __init__(self, status: int) -> None:
        super().__init__(f"unreadable form ({status})")
        self.status = status


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a posted form, line ends as typed on any system. Raises Unreadable."""
    kind = request.headers.get("content-type", "application/x-www-form-urlencoded").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Unreadable(415)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise Unreadable(413)
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")
    except ValueError:
        raise Unreadable(400) from None
    # Neither half a surrogate pair nor a NUL can be stored.
    return {name: text.replace("\r\n", "\n").replace("\0", "") for name, text in fields}


def day_of(text: str) -> date | None:
    """A date as a date field sends it, None when left empty. Raises ValueError with a sentence."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("Write the day as year-month-day, for example 2027-01-31.") from None
