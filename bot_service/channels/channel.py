"""What every channel offers: the one interface through which messages leave and arrive, whoever carries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from bot_service.messages import Button, Inbound, Outbound, Receipt

Rows = Sequence[Sequence[Button]]


class Channel(Protocol):
    """A way to reach people through one sender (a bot, a number). It keeps no state about them."""

    @property
    def name(self) -> str:
        """The channel's name in settings and in the database."""

    async def send(self, outbound: Outbound) -> str:
        """Send one message and return the provider's id of it (of the last part, which carries the buttons).

        Raises DeliveryError and nothing else; OutcomeUnknown when the provider may have accepted it.
        """

    def parse(self, raw: Mapping[str, Any]) -> Inbound | None:
        """What a person did, from the provider's own form; pure. None when it is nothing for us; ValueError when it is garbage."""


@runtime_checkable
class PostsUpdates(Protocol):
    """A channel whose provider may post raw updates to us, with a secret that we gave it."""

    @property
    def account(self) -> str:
        """The sender's own name at the provider."""

    @property
    def is_posted_to(self) -> bool:
        """Whether updates are to be posted; otherwise they are fetched, and nothing that is posted is the provider's."""

    def admits(self, secret: str) -> bool:
        """Whether a post with this secret is the provider's, compared in constant time."""


@runtime_checkable
class Editable(Protocol):
    """Courtesies outside the outbox, best effort: they return False instead of raising, and nothing depends on them."""

    async def answer_tap(self, callback_id: str, text: str = "") -> bool:
        """End the waiting sign on the button that was tapped."""

    async def edit(self, address: str, message_id: str, text: str, rows: Rows = ()) -> bool:
        """Replace the text and the buttons of a message of ours."""


@runtime_checkable
class PostsForms(Protocol):
    """A channel whose provider posts signed forms to us: what people did, and receipts for what we sent."""

    def admit(self, url: str, body: bytes, signature: str) -> dict[str, str] | None:
        """The fields of a form that this sender's provider signed for `url` and that is about this sender; None for anything else."""

    def is_message(self, form: Mapping[str, str]) -> bool:
        """Whether an admitted form names its message, its author and its recipient in the provider's grammar."""

    def is_named_in(self, form: Mapping[str, str]) -> bool:
        """Whether the form says by itself that it is about this sender, and no other of the same account."""

    def read_receipt(self, form: Mapping[str, str], message_id: str | None) -> Receipt | None:
        """What an admitted receipt says, with our id of the message from its URL; None when it says nothing new to us."""
