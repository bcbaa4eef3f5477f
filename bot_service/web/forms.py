"""What a form posted, read with limits: small, url-encoded, text only; and one file where a page asks for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import date
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

LARGEST_BODY = 64 * 1024
LARGEST_UPLOAD = 4 * 1024 * 1024
"""More than any file that is taken, so that the page can say what to do about one that is a little too large."""
LARGEST_DRAINED = 64 * 1024 * 1024
"""A browser that still sends does not read the answer: so much is let run past before it is cut off."""
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


async def read_upload(request: Request) -> tuple[Mapping[str, str], bytes]:
    """The fields of a posted form and the one file in it, empty when there is none. Raises Unreadable."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return await read_form(request), b""
    body, length = [], 0
    async for chunk in request.stream():
        length += len(chunk)
        if length <= LARGEST_UPLOAD:
            body.append(chunk)
        elif length > LARGEST_DRAINED:
            break
    if length > LARGEST_UPLOAD:
        raise Unreadable(413)

    async def whole() -> AsyncGenerator[bytes, None]:
        yield b"".join(body)

    try:
        posted = await MultiPartParser(request.headers, whole(), max_files=1, max_fields=10, max_part_size=LARGEST_BODY).parse()
    except (MultiPartException, KeyError):
        raise Unreadable(400) from None
    try:
        files = [part for part in posted.values() if isinstance(part, UploadFile)]
        fields = {name: part.replace("\0", "") for name, part in posted.items() if isinstance(part, str)}
        return fields, await files[0].read() if files else b""
    finally:
        await posted.close()


def day_of(text: str) -> date | None:
    """A date as a date field sends it, None when left empty. Raises ValueError with a sentence."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("Write the day as year-month-day, for example 2027-01-31.") from None
