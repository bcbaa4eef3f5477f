"""The channel of the simulated phones: the same interface as the real ones, with everything that could vary handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

from bot_service.errors import DeliveryError
from bot_service.messages import Button, Heard, Inbound, Outbound

Sink = Callable[[str, Outbound], None]
Faults = Callable[[Outbound], DeliveryError | None]
Edited = Callable[[str, str, str, Sequence[Sequence[Button]]], bool]

_KINDS: tuple[Heard, ...] = get_args(Heard)


class Simulator:
    """Sends to simulated phones.

    `next_id` gives provider ids; `sink` receives what arrived, with its id; `faults` says how the provider fails a message, if it does
    (a failed message does not arrive); `edited` is told of edits and says whether the phone knew the message.
    """

    name = "simulator"

    def __init__(self, next_id: Callable[[], str], sink: Sink, faults: Faults | None = None, edited: Edited | None = None) -> None:
        self._next_id = next_id
        self._sink = sink
        self._faults = faults
        self._edited = edited

    async def send(self, outbound: Outbound) -> str:
        """Put the message on its phone. Raises the DeliveryError that `faults` answers."""
        fault = self._faults(outbound) if self._faults else None
        if fault is not None:
            raise fault
        provider_id = self._next_id()
        self._sink(provider_id, outbound)
        return provider_id

    def parse(self, raw: Mapping[str, Any]) -> Inbound | None:
        """Read what a simulated phone posted: id, address, kind, and text, data, message_id, reply_to, code, at, media as they apply.

        Raises ValueError naming the key that is missing or of the wrong type.
        """
        kind = _text(raw, "kind")
        heard = next((known for known in _KINDS if known == kind), None)
        if heard is None:
            raise ValueError(f"A simulated phone cannot do {kind!r}; it can {', '.join(_KINDS)}.")
        return Inbound(
            provider_id=_required(raw, "id"),
            address=_required(raw, "address"),
            heard=heard,
            text=_text(raw, "text") or "",
            data=_text(raw, "data"),
            message_id=_text(raw, "message_id"),
            reply_to=_text(raw, "reply_to"),
            start_code=_text(raw, "code"),
            media=(_text(raw, "media") or "photo") if heard == "media" else None,
            callback_id=_required(raw, "id") if heard == "tap" else None,
            at=_moment(_text(raw, "at")),
        )

    async def answer_tap(self, callback_id: str, text: str = "") -> bool:  # noqa: ARG002  (the interface's arguments)
        """Nothing waits on a simulated phone."""
        return True

    async def edit(self, address: str, message_id: str, text: str, rows: Sequence[Sequence[Button]] = ()) -> bool:
        """Change a message on its phone; False when the phone does not have it."""
        return self._edited is not None and self._edited(address, message_id, text, rows)


def _text(raw: Mapping[str, Any], key: str) -> str | None:
    value = raw.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key!r} of a simulated message must be text.")
    # Half a surrogate pair is legal in JSON and in no database; neither is a NUL.
    return value and value.encode("utf-8", "replace").decode().replace("\0", "")


def _required(raw: Mapping[str, Any], key: str) -> str:
    value = _text(raw, key)
    if not value:
        raise ValueError(f"A simulated message needs {key!r}.")
    return value


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("'at' of a simulated message must say its zone.")
    return at
