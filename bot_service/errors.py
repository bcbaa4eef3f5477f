"""Every error this service raises on purpose, as one small tree; the channels' part is a closed list."""

from __future__ import annotations

from typing import Literal

Scope = Literal["sender", "template", "recipient"]


class BotServiceError(Exception):
    """Something the caller can act on; its text is one sentence that says what to do."""


class SettingsError(BotServiceError):
    """A setting is missing or wrong; the service does not start."""


class NotFound(BotServiceError):
    """No such thing, or not visible to whoever asked: the two are never told apart."""


class NotPermitted(BotServiceError):
    """The named person may not do this."""


class Conflict(BotServiceError):
    """Somebody else got there first, or the state has moved on."""


class AlreadyEnrolled(Conflict):
    """This person or address is a patient here already. `field` says what shows it, `ref` who it is."""

    def __init__(self, message: str, field: str = "", ref: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.ref = ref


class AlreadyDecided(Conflict):
    """The proposal was decided, withdrawn, or its evidence changed since it was shown."""


class DeliveryError(BotServiceError):
    """A channel could not, or may not have, sent.

    `accepted` is False when the provider surely did not take the message, None when that is not known. `retryable` only with the former.
    `of_form`: what was refused is the form of the message (its buttons, a template), while its words might be taken.
    """

    retryable = False
    accepted: bool | None = None
    of_form = False


class ChannelUnavailable(DeliveryError):
    """The provider was surely not reached (connection refused, name not found, pool exhausted)."""

    retryable = True
    accepted = False


class RateLimited(DeliveryError):
    """The provider refused for now; `retry_after` in seconds holds for the whole sender."""

    retryable = True
    accepted = False

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TemporarilyRefused(DeliveryError):
    """The provider refused this one message for now (a full mailbox, grey-listing); others may go."""

    retryable = True
    accepted = False


class RecipientStopped(DeliveryError):
    """The recipient blocked us, opted out at the provider (`opted_out`), or cannot be reached at this address."""

    accepted = False

    def __init__(self, message: str, *, opted_out: bool = False) -> None:
        super().__init__(message)
        self.opted_out = opted_out


class OutsideServiceWindow(DeliveryError):
    """Free text is not allowed now; only an approved template may be sent."""

    accepted = False


class MessageRejected(DeliveryError):
    """The provider refused this message for good."""

    accepted = False

    def __init__(self, message: str, *, of_form: bool = False) -> None:
        super().__init__(message)
        self.of_form = of_form


class ChannelMisconfigured(DeliveryError):
    """The set-up is wrong until an operator acts. `scope`: of the whole sender, which stops; of one template; or for one recipient."""

    accepted = False

    def __init__(self, message: str, *, scope: Scope = "sender") -> None:
        super().__init__(message)
        self.scope = scope
        self.of_form = scope == "template"


class OutcomeUnknown(DeliveryError):
    """The provider may or may not have accepted. Never retried."""
