"""What the fake Twilio knows and how it answers, in the documented form of its messages, accounts and content resources."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

Json = dict[str, Any]

# The form fields of POST Messages.json in Twilio's own API description.
PARAMETERS = frozenset(
    "To StatusCallback ApplicationSid MaxPrice ProvideFeedback Attempt ValidityPeriod ForceDelivery ContentRetention AddressRetention "
    "SmartEncoded PersistentAction TrafficType ShortenUrls ScheduleType SendAt SendAsMms ContentVariables MessageIntent RiskCheck From "
    "FallbackFrom MessagingServiceSid Body MediaUrl ContentSid".split()
)
FILTERS = frozenset({"To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"})
LONGEST_BODY = 1600
_UNFIT = re.compile(r"[\n\r\t]| {5}")
"""What WhatsApp takes in no variable."""
_ADDRESS = re.compile(r"whatsapp:(\+[1-9]\d{6,14}|[A-Z]{2}\.\w+)")


class Refused(Exception):
    """An answer that is no success, with Twilio's code."""

    def __init__(self, status: int, code: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.body = {"code": code, "message": words, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}


@dataclass
class State:
    """`ledger` holds every accepted message; `templates` content by SID with its approval, `bodies` its words, `stopped` who opted out."""

    account: str
    ledger: list[Json] = field(default_factory=list)
    offences: list[str] = field(default_factory=list)
    templates: dict[str, Json] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)
    contents: dict[str, Json] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    account_status: str = "active"
    number: int = 0
    now: datetime = datetime(2026, 9, 21, 9, tzinfo=UTC)
    received: list[Json] = field(default_factory=list)
    largest_page: int = 1000
    fetched_media: list[Json] = field(default_factory=list)

    def create(self, given: Mapping[str, str]) -> tuple[int, Json]:
        """POST Messages.json."""
        self._check(given)
        self.number += 1
        sid = f"{'MM' if 'MediaUrl' in given else 'SM'}{self.number:032x}"
        first = json.loads(given.get("ContentVariables", "{}")).get("1", "")
        body = given.get("Body", "")
        if "ContentSid" in given:
            body = self.bodies.get(given["ContentSid"], "Hello, this is {}. Tap the button.").format(first)
        message = self._message(sid, body, given.get("From"), given["To"], given.get("MessagingServiceSid"))
        self.ledger.append({"message": message, "given": dict(given)})
        return 201, message

    def receive(self, form: Mapping[str, str]) -> None:
        """Somebody wrote: whether or not we hear of it, it is in the list."""
        service = form.get("MessagingServiceSid")
        message = self._message(form["MessageSid"], form["Body"], form["From"], form["To"], service)
        self.received.append({"message": message | {"direction": "inbound", "status": "received", "date_sent": _date(self.now)}})

    def _message(self, sid: str, body: str, sender: str | None, to: str, service: str | None) -> Json:
        return {
            "account_sid": self.account, "api_version": "2010-04-01", "body": body, "date_created": _date(self.now),
            "date_sent": None, "date_updated": _date(self.now), "direction": "outbound-api", "error_code": None, "error_message": None,
            "from": sender, "messaging_service_sid": service, "num_media": "1" if sid.startswith("MM") else "0", "num_segments": "1",
            "price": None, "price_unit": None, "sid": sid, "status": "queued", "subresource_uris": {}, "to": to,
            "uri": f"/2010-04-01/Accounts/{self.account}/Messages/{sid}.json",
        }  # fmt: skip

    def listed(self, given: Mapping[str, str]) -> tuple[int, Json]:
        """GET Messages.json, newest first, filtered by recipient, sender and time."""
        entries = sorted([*self.ledger, *self.received], key=lambda entry: _time(entry["message"]["date_created"]))
        messages = [entry["message"] for entry in reversed(entries)]
        if since := given.get("DateSent>"):
            messages = [each for each in messages if _time(each["date_created"]) >= datetime.fromisoformat(since)]
        for name, key in (("To", "to"), ("From", "from")):
            messages = [message for message in messages if given.get(name) in (None, message[key])]
        size, page = min(self.largest_page, int(given.get("PageSize", "50"))), int(given.get("Page", "0"))
        shown = messages[page * size : (page + 1) * size]
        uri = f"/2010-04-01/Accounts/{self.account}/Messages.json"
        more = len(messages) > (page + 1) * size
        following = f"{uri}?{urlencode({**given, 'PageSize': size, 'Page': page + 1})}" if more else None
        return 200, {"messages": shown, "page": page, "page_size": size, "uri": uri, "next_page_uri": following, "first_page_uri": uri}

    def fetched(self, sid: str) -> tuple[int, Json]:
        """GET Messages/{sid}.json."""
        found = next((entry["message"] for entry in self.ledger if entry["message"]["sid"] == sid), None)
        if found is None:
            raise Refused(404, 20404, "The requested resource was not found")
        return 200, found

    def the_account(self) -> tuple[int, Json]:
        """GET Accounts/{sid}.json."""
        return 200, {"sid": self.account, "friendly_name": "Riverside", "status": self.account_status, "type": "Full"}

    def approval(self, sid: str) -> tuple[int, Json]:
        """GET Content/{sid}/ApprovalRequests."""
        if sid not in self.templates:
            raise Refused(404, 20404, "The requested resource was not found")
        url = f"https://content.twilio.com/v1/Content/{sid}/ApprovalRequests"
        return 200, {"sid": sid, "account_sid": self.account, "whatsapp": self.templates[sid], "url": url}

    def content(self, sid: str) -> tuple[int, Json]:
        """GET Content/{sid}."""
        if sid not in self.templates:
            raise Refused(404, 20404, "The requested resource was not found")
        reply = {
            "body": "Hello, this is {{1}}. Tap the button.",
            "actions": [{"type": "QUICK_REPLY", "title": "Show my plan", "id": "show"}],
        }
        daily = {"language": "en", "variables": {"1": "Riverside Physio"}, "types": {"twilio/quick-reply": reply}}
        known = {"sid": sid, "account_sid": self.account, "friendly_name": "stepwise_daily_en", "date_created": "2026-09-01T09:00:00Z"}
        url = f"https://content.twilio.com/v1/Content/{sid}"
        links = {"approval_fetch": f"{url}/ApprovalRequests", "approval_create": f"{url}/ApprovalRequests/whatsapp"}
        return 200, known | {"date_updated": "2026-09-01T09:00:00Z", "url": url, "links": links} | daily | self.contents[sid]

    def _check(self, given: Mapping[str, str]) -> None:
        if not _ADDRESS.fullmatch(given.get("To", "")):
            raise Refused(400, 21211, "The 'To' number is not a valid phone number.")
        if given["To"] in self.stopped:
            raise Refused(400, 21610, "Attempt to send to unsubscribed recipient")
        if not _ADDRESS.fullmatch(given.get("From", "")) and not given.get("MessagingServiceSid", "").startswith("MG"):
            raise Refused(400, 21603, "A 'From' phone number is required.")
        if "ContentSid" in given:
            self._check_content(given)
        elif not given.get("Body") and not given.get("MediaUrl"):
            raise Refused(400, 21602, "Message body is required.")
        elif len(given.get("Body", "").encode("utf-16-le")) // 2 > LONGEST_BODY:
            raise Refused(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        if not 1 <= int(given.get("ValidityPeriod", "1")) <= 36_000:
            raise Refused(400, 21611, "ValidityPeriod out of range")
        if "StatusCallback" in given and (
            not urlsplit(given["StatusCallback"]).hostname or "_" in urlsplit(given["StatusCallback"]).netloc
        ):
            raise Refused(400, 21609, "Invalid StatusCallback URL")

    def _check_content(self, given: Mapping[str, str]) -> None:
        if "Body" in given or "MediaUrl" in given:
            raise Refused(400, 63030, "Unsupported parameter for type of channels message")
        if given["ContentSid"] not in self.templates:
            raise Refused(400, 21655, "The ContentSid is invalid.")
        values = json.loads(given.get("ContentVariables", "{}"))
        if not all(key.isdigit() and isinstance(value, str) and value and not _UNFIT.search(value) for key, value in values.items()):
            raise Refused(400, 21656, "The ContentVariables parameter is invalid.")


def _date(when: datetime) -> str:
    return format_datetime(when)


def _time(text: str) -> datetime:
    return parsedate_to_datetime(text)
