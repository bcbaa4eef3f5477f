"""What a button carries: which question it answers and how, in at most 64 bytes."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

_VERSION = "v1"
MAX_BYTES = 64


def button_data(question_id: UUID, answer: str) -> str:
    """`v1:<question>:<answer>`. Raises ValueError when the answer makes it longer than a button may carry."""
    data = f"{_VERSION}:{urlsafe_b64encode(question_id.bytes).decode().rstrip('=')}:{answer}"
    if len(data.encode()) > MAX_BYTES:
        raise ValueError("the answer does not fit into a button")
    return data


def parse_button(data: str | None) -> tuple[UUID, str] | None:
    """The question and the answer; None for anything we did not make. Anybody can send anything, so this proves nothing."""
    version, _, rest = (data or "").partition(":")
    token, _, answer = rest.partition(":")
    if version != _VERSION or len(token) != 22 or not answer:
        return None
    try:
        return UUID(bytes=urlsafe_b64decode(token + "==")), answer
    except ValueError:
        return None
