"""Twilio's posted forms, read field by field: who wrote what, what became of a message, and whether a form can be what was signed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from bot_service.channels.whatsapp_errors import meaning_of_code
from bot_service.errors import MessageRejected, OutcomeUnknown
from bot_service.messages import Heard, Inbound, Receipt

ADDRESS = re.compile(r"whatsapp:(?:\+[1-9][0-9]{6,14}|[A-Z]{2}\.[A-Za-z0-9._-]{1,130})")
"""A phone number, or the user id of somebody whose number we cannot see (`CC.…`; channels.md 0.4)."""
SID = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}")
MOST_FIELDS = 200
_DOCUMENTED = (
    "AccountSid", "ApiVersion", "Body", "ButtonPayload", "ButtonText", "ChannelMetadata", "ErrorCode", "ExternalUserId", "Forwarded",
    "FrequentlyForwarded", "From", "Latitude", "Longitude", "MessageSid", "MessageStatus", "MessageType", "MessagingServiceSid", "NumMedia",
    "NumSegments", "OriginalRepliedMessageSender", "OriginalRepliedMessageSid", "ProfileName", "ReferralNumMedia", "SmsMessageSid",
    "SmsSid", "SmsStatus", "To", "WaId",
)  # fmt: skip
"""Fields that Twilio posts (channels.md 1B); new ones come without notice."""
_KNOWN = frozenset(_DOCUMENTED)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_SIGNED_SID = re.compile(r"(?<!OriginalReplied)MessageSid((?:SM|MM)[0-9a-fA-F]{32})")
_START = re.compile(r"\s*start[\s:]+([A-Za-z0-9_-]{20,64})\W*", re.IGNORECASE)
_BUTTONS = frozenset({"button", "interactive"})
_WORDS = frozenset({"", "text", "reaction", *_BUTTONS})
_STATUS = {
    "accepted": "sent", "scheduled": "sent", "queued": "sent", "sending": "sent", "sent": "sent", "delivered": "delivered", "read": "read",
    "failed": "failed", "undelivered": "failed", "canceled": "failed",
}  # fmt: skip
SENT_AT = "DateSent"
"""The field of a form of ours that holds when Twilio's list says that a message was sent; a posted form has none."""
EARLY, LATE = timedelta(minutes=1), timedelta(minutes=5)
"""How far Twilio's clock may differ from ours, and how long after its call a message may be accepted (default)."""
_MEDIA = {"image": "photo", "audio": "voice", "video": "video", "text": "contact", "application": "document"}


def read_form(body: bytes) -> dict[str, str] | None:
    """The fields of a url-encoded form, empty ones included (the signature covers them); None for what Twilio does not post."""
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        return None
    form = dict(fields)
    return form if fields and len(form) == len(fields) and all(_NAME.fullmatch(name) for name in form) else None


def can_be_signed_so(form: Mapping[str, str]) -> bool:
    """Whether the form was split as Twilio split it.

    The signature covers names and values run together, so that a patient's own words, cut elsewhere, could pose as a sender or as the
    id of a message. Whoever cuts anew leaves the true ones behind inside another field: then there are two (channels.md 0.5).
    """
    # No documented name begins with another, so those need no look.
    if any(name.startswith(known) and known not in form for name in form if name not in _KNOWN for known in _DOCUMENTED):
        return False  # a name that has swallowed the beginning of its value
    signed = "".join(name + form[name] for name in sorted(form))
    sids = set(_SIGNED_SID.findall(signed))
    return signed.count("Fromwhatsapp:") <= 1 and signed.count("Towhatsapp:") <= 1 and sids <= {form.get("MessageSid")}


def is_message(form: Mapping[str, str]) -> bool:
    """Whether From, To and MessageSid are each what Twilio's grammar allows."""
    addressed = ADDRESS.fullmatch(form.get("From", "")) and ADDRESS.fullmatch(form.get("To", ""))
    return bool(addressed and SID.fullmatch(form.get("MessageSid", "")))


def parse_form(form: Mapping[str, object]) -> Inbound:
    """What a person did; pure. Raises ValueError, without quoting any of it, for a form that names no message or author."""
    fields = {name: _clean(value) for name, value in form.items() if isinstance(value, str)}
    if not is_message(fields):
        raise ValueError("The form names no message, author or recipient.")
    text = fields.get("ButtonText") or fields.get("Body", "")
    alias, media, replied = fields.get("ExternalUserId", ""), _media(fields), fields.get("OriginalRepliedMessageSid", "")
    start = _START.fullmatch(text)
    tapped = bool(fields.get("ButtonPayload")) or fields.get("MessageType", "") in _BUTTONS
    heard: Heard = "media" if media else "tap" if tapped else "text"
    return Inbound(
        provider_id=fields["MessageSid"],
        address=fields["From"],
        heard=heard,
        text="Start" if start else text,  # the code is spent at once, and is nobody's to read in a transcript
        data=fields.get("ButtonPayload") or None if heard == "tap" else None,
        message_id=fields["MessageSid"],
        reply_to=replied if SID.fullmatch(replied) else None,
        start_code=start[1] if start else None,
        media=media,
        at=_when(fields.get(SENT_AT, "")),
        alias=alias if ADDRESS.fullmatch(alias) and alias != fields["From"] else None,
    )


def parse_receipt(form: Mapping[str, str], message_id: str | None) -> Receipt | None:
    """What a status callback says; None for a status that we do not know or a message without an id."""
    sid = form.get("MessageSid") or form.get("SmsSid", "")
    status = _STATUS.get(form.get("MessageStatus") or form.get("SmsStatus", ""))
    if not SID.fullmatch(sid) or status is None:
        return None
    if status != "failed":
        return Receipt(sid, status, message_id)  # type: ignore[arg-type]  # one of the values of the table
    code = form.get("ErrorCode", "")
    known = int(code) if code.isascii() and code.isdigit() and len(code) < 7 else 0
    return Receipt(
        sid, "failed", message_id, meaning_of_code(known) if known else MessageRejected("WhatsApp could not deliver this message.")
    )


def listed_form(message: Any) -> dict[str, str]:
    """A message of Twilio's list in the form in which it would have been posted, as far as the list knows it: no payload of a button."""
    form = {
        "MessageSid": message.sid,
        "AccountSid": message.account_sid,
        "From": message.from_,
        "To": message.to,
        "Body": message.body or "",
    }
    sent = message.date_sent or message.date_created
    when = {SENT_AT: sent.astimezone(UTC).isoformat()} if isinstance(sent, datetime) else {}
    return {name: str(value) for name, value in form.items()} | {"NumMedia": str(message.num_media or 0)} | when


def find_sent(listed: Sequence[Any], bodies: Sequence[Collection[str]], began_at: datetime, taken: Collection[str]) -> Any | None:
    """The message of Twilio's list that a call made, or None when it made none; of a long text in parts, the last part.

    `bodies` are the texts that were sent, each as it may have been worded, or nothing for a template, whose words only Twilio knows.
    Twilio keeps no id of ours with a message, so it is known by its words and time. Raises OutcomeUnknown when several could be meant, or
    a part is missing.
    """
    near = [each for each in listed if each.sid not in taken and began_at - EARLY <= _made_at(each, began_at) <= began_at + LATE]
    worded = [{body.strip() for body in wordings} for wordings in bodies]
    found = [each for wordings in worded for each in near if str(each.body or "").strip() in wordings] if bodies else near
    if not near:
        return None
    if len(found) != max(1, len(bodies)):
        raise OutcomeUnknown("Twilio's list does not say which message it was.")
    return found[-1]


def _made_at(message: Any, otherwise: datetime) -> datetime:
    made = message.date_created or message.date_sent
    return made if isinstance(made, datetime) else otherwise


def _when(text: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when.astimezone(UTC) if when.tzinfo else None


def _media(fields: Mapping[str, str]) -> str | None:
    """The kind of what cannot be read as words, or None. A kind that is newer than this code counts when no words came with it."""
    count = fields.get("NumMedia", "")
    if count.isdigit() and int(count) > 0:
        return _MEDIA.get(fields.get("MediaContentType0", "").partition("/")[0], "other")
    if fields.get("Latitude"):
        return "location"
    return "other" if not fields.get("Body") and fields.get("MessageType", "") not in _WORDS else None


def _clean(text: str) -> str:
    # Neither half a surrogate pair nor a NUL can be stored.
    return text.encode("utf-8", "replace").decode().replace("\0", "")
