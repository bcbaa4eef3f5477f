"""How the simulated provider fails now and then: by a source of chance that is handed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot_service.errors import ChannelUnavailable, DeliveryError, OutcomeUnknown, RateLimited, RecipientStopped
from bot_service.messages import Outbound


@dataclass(frozen=True)
class Trouble:
    """Shares of messages that fail in each way. The first `sure` messages to a phone are late at worst."""

    refused: float = 0.006
    limited: float = 0.002
    unknown: float = 0.003
    blocked: float = 0.0001
    sure: int = 0


class Provider:
    """Says how a message fails, if it does, by a number from 0 to 1 that `draw` gives for it; phones that blocked us refuse everything."""

    def __init__(self, draw: Callable[[Outbound], float], trouble: Trouble | None = None) -> None:
        self._draw = draw
        self._trouble = trouble or Trouble()
        self._blocking: set[str] = set()
        self._sent: Counter[str] = Counter()

    def calm(self, _now: datetime) -> None:
        """From here on messages are late at worst: no outcome stays unknown and nobody blocks."""
        self._trouble = Trouble(self._trouble.refused, self._trouble.limited, unknown=0.0, blocked=0.0)

    def block(self, address: str) -> None:
        """This phone takes nothing from us any more."""
        self._blocking.add(address)

    def __call__(self, outbound: Outbound) -> DeliveryError | None:
        if outbound.address in self._blocking:
            return RecipientStopped("blocked by the recipient")
        self._sent[outbound.address] += 1
        drawn, trouble = self._draw(outbound), self._trouble
        if (drawn := drawn - trouble.refused) < 0:
            return ChannelUnavailable("connection refused")
        if (drawn := drawn - trouble.limited) < 0:
            return RateLimited("too many requests", 20)
        if self._sent[outbound.address] <= trouble.sure:
            return None
        if (drawn := drawn - trouble.unknown) < 0:
            return OutcomeUnknown("no answer in time")
        if drawn < trouble.blocked:
            self.block(outbound.address)
            return RecipientStopped("blocked by the recipient")
        return None
