"""What a failed call to Twilio, or the error code of a receipt, means for a message: one closed table (channels.md 1C)."""

from __future__ import annotations

import aiohttp
from twilio.base.exceptions import TwilioRestException, TwilioServiceException

from bot_service import errors

_WAIT_S = {20429: 5.0, 63018: 60.0, 63017: 60.0, 21611: 30.0, 30001: 30.0}
"""Codes that ask the sender to wait, and for how long (default): the library passes no response headers on, so no Retry-After."""
_LATER = frozenset({20500, 20503, 63009, 63010, 63012, 63019})
_STOPPED = frozenset({63003, 63024, 63014, 63033, 21610, 21211, 21614, 21612, 30003, 30005, 30006, 63015})
_SET_UP = frozenset(
    {
        20003, 20005, 10001, 90010, 30002, 20404, 21603, 21606, 21609, 21212, 21703, 21608, 21408, 63001, 63002, 63007, 63008, 63011, 63020,
        63022, 63027, 63029, 63038, 63040, 63041, 63051, 21654, 21655,
    }
)  # fmt: skip
_SCOPES: dict[int, errors.Scope] = {
    21408: "recipient", 21654: "template", 21655: "template", 63027: "template", 63040: "template", 63041: "template",
}  # fmt: skip
"""Faults of the set-up that leave the rest of the sender's messages alone: a country that is not enabled, one template."""
_FORM = frozenset({21656, 63005, 63006, 63013, 63021, 63028, 63030})
"""Refusals of content that may be about its form: its variables, its buttons, what the channel makes of them. The plain words are tried."""
_OPTED_OUT = 21610
_WINDOW_CLOSED = 63016
_RECEIPT_UNKNOWN = 30008
# Before a connection stands nothing has been sent. `aiohttp` names a full pool and a slow handshake ConnectionTimeoutError too.
_BEFORE_SENDING = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


def meaning_of(error: Exception, *, begun: bool = True) -> errors.DeliveryError:
    """What an error of a call says. What no line names is OutcomeUnknown; `begun` is false when no byte of the request can have left."""
    if isinstance(error, TwilioRestException | TwilioServiceException):
        return _refusal(error.status, error.code)
    kind = type(error).__name__
    if isinstance(error, _BEFORE_SENDING) or (isinstance(error, TimeoutError) and not begun):
        return errors.ChannelUnavailable(f"Twilio was not reached ({kind}).")
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return errors.ChannelMisconfigured("Twilio's address is not a URL: check STEPWISE_TWILIO_API_URL.")
    return errors.OutcomeUnknown(f"Twilio may or may not have accepted this ({kind}).")


def meaning_of_code(code: int) -> errors.DeliveryError:
    """What one of Twilio's codes says about a message that was refused, at once or later. A code that nobody has heard of is a refusal."""
    if code in _WAIT_S:
        return errors.RateLimited(f"Twilio asks this sender to wait ({code}).", _WAIT_S[code])
    if code in _LATER:
        return errors.ChannelUnavailable(f"WhatsApp cannot take messages at the moment ({code}).")
    if code in _STOPPED:
        return errors.RecipientStopped(f"WhatsApp does not reach this recipient ({code}).", opted_out=code == _OPTED_OUT)
    if code in _SET_UP:
        words = f"The WhatsApp sender's set-up is refused ({code}): run stepwise doctor."
        return errors.ChannelMisconfigured(words, scope=_SCOPES.get(code, "sender"))
    if code == _WINDOW_CLOSED:
        return errors.OutsideServiceWindow(f"Only an approved template may be sent now ({code}).")
    return errors.MessageRejected(f"WhatsApp refused this message ({code}).", of_form=code in _FORM)


def _refusal(status: object, code: object) -> errors.DeliveryError:
    """An answer with an error status. 5xx are unknown: a 502 or 504 may have been carried out."""
    if not isinstance(status, int) or not isinstance(code, int) or not 400 <= status < 500 or code == _RECEIPT_UNKNOWN:
        return errors.OutcomeUnknown(f"Twilio answered {status}, which does not say whether it accepted this.")
    if status == 429:
        return errors.RateLimited(f"Twilio asks this sender to wait ({code}).", _WAIT_S.get(code, _WAIT_S[20429]))
    if status == 401 or code == 404:
        return errors.ChannelMisconfigured(f"Twilio does not accept the account's credentials or address ({status}): run stepwise doctor.")
    if code == status:
        # The library puts the status there when the body has no code: the answer is a proxy's and says nothing about the message.
        return errors.OutcomeUnknown(f"Something before Twilio answered {status}.")
    return meaning_of_code(code)
