"""Two clinics with a WhatsApp number each, in accounts of their own, in one running service: forms, receipts and tokens never cross."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bot_service.storage.database import open_database
from tests.fakes.twilio_api_process import DAILY, OURS, FakeTwilio, encoded, running_twilio, signature
from tests.patience import PATIENT_S, wait_for
from tests.running_clinic import all_messages
from tests.service.running_service import SECRET, Installation
from tests.twilio_clinic import INBOUND, STATUS

THEIRS, PAT = "+447700900555", "whatsapp:+447700900123"
THEIR_ACCOUNT, THEIR_TOKEN = "AC" + "2" * 32, "e" * 32
NUMBERS = count(1)


@dataclass
class Number:
    """A clinic's number as its patients and Twilio know it."""

    installation: Installation
    fake: FakeTwilio
    number: str
    account: str
    token: str = field(repr=False)

    def form(self, body: str) -> dict[str, str]:
        sid = f"SMa{next(NUMBERS):031x}"
        fields = {"AccountSid": self.account, "ApiVersion": "2010-04-01", "Body": body, "From": PAT, "MessageSid": sid, "NumMedia": "0"}
        return fields | {"SmsMessageSid": sid, "SmsStatus": "received", "To": f"whatsapp:{self.number}", "WaId": PAT[10:]}

    def post(self, path: str, form: dict[str, str], *, query: str = "", token: str | None = None) -> int:
        """POST a form over HTTP, signed with this account's token unless another is given; the status."""
        url = self.installation.settings["STEPWISE_PUBLIC_URL"] + path + query
        headers = {"content-type": "application/x-www-form-urlencoded"}
        headers["x-twilio-signature"] = signature(self.token if token is None else token, url, form)
        try:
            with urllib.request.urlopen(urllib.request.Request(url, encoded(form), headers), timeout=PATIENT_S) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def sent(self) -> list[dict[str, str]]:
        return [entry["given"] for entry in self.fake.control("state", account=self.account)["ledger"]]

    def wait(self, words: str) -> dict[str, str]:
        """The newest message with these words that went out through this account."""
        found: Callable[[], list[dict[str, str]]] = lambda: [each for each in self.sent() if words in each.get("Body", "")]  # noqa: E731
        newest: dict[str, str] = wait_for(found, f"{words!r} from {self.number}")[-1]
        return newest


@pytest.fixture
def fake() -> Iterator[FakeTwilio]:
    with running_twilio() as fake:
        fake.control("subaccount", account=THEIR_ACCOUNT, token=THEIR_TOKEN)
        yield fake


@pytest.fixture
def installation(tmp_path: Path, fake: FakeTwilio) -> Installation:
    made = Installation(
        tmp_path, STEPWISE_CHANNELS="whatsapp", STEPWISE_TWILIO_ACCOUNT_SID=fake.account, STEPWISE_TWILIO_AUTH_TOKEN=fake.token,
        STEPWISE_TWILIO_API_URL=fake.url, STEPWISE_WHATSAPP_FROM=OURS, STEPWISE_WHATSAPP_TEMPLATES=f"daily:en={DAILY}",
    )  # fmt: skip
    made.set_up_clinic()
    made.run("clinics", "add", "hillside", "Hillside Physiotherapy")
    made.run("staff", "invite", "ben@hillside.example", "Ben Hill", "--clinic", "hillside")
    return made


def add(installation: Installation, number: str = THEIRS) -> str:
    file = installation.folder / "token"
    file.write_text(f"{THEIR_TOKEN}\n", encoding="utf-8")
    words = ("--channel", "whatsapp", "--name", number, "--account", THEIR_ACCOUNT, "--templates", f"daily:en={DAILY}")
    return installation.run("senders", "add", "--clinic", "hillside", *words, "--token-file", str(file))


def of_both(installation: Installation, fake: FakeTwilio) -> tuple[Number, Number]:
    return Number(installation, fake, OURS, fake.account, fake.token), Number(installation, fake, THEIRS, THEIR_ACCOUNT, THEIR_TOKEN)


def codes(installation: Installation) -> tuple[str, str]:
    """An invitation of each clinic, whose link names the clinic's own number and no other."""
    ours = installation.enrol("Jo Park", "--zone", "UTC")
    theirs = json.loads(installation.run("enrol", "Kim Vale", "--as", "ben@hillside.example", "--eligible", "--json", "--zone", "UTC"))
    assert [ours["links"], theirs["links"]] == [
        [f"https://wa.me/{number[1:]}?text=Start%20{made['code']}"] for number, made in ((OURS, ours), (THEIRS, theirs))
    ]
    return ours["code"], theirs["code"]


def rows(installation: Installation) -> list[Any]:
    db = open_database(installation.settings["STEPWISE_DATABASE_URL"], [SECRET])
    try:
        return all_messages(db)
    finally:
        db.close()


def test_each_number_serves_its_own_clinic_with_its_own_credentials(installation: Installation, fake: FakeTwilio) -> None:
    assert f"Added {THEIRS} for Hillside Physiotherapy" in add(installation)
    ours, theirs = of_both(installation, fake)
    our_code, their_code = codes(installation)
    with installation.serving():
        assert ours.post(INBOUND, ours.form(f"Start {their_code}")) == 200
        ours.wait("does not work any more")
        assert [ours.post(INBOUND, ours.form(f"Start {our_code}")), theirs.post(INBOUND, theirs.form(f"Start {their_code}"))] == [200, 200]
        ours.wait("Anna Reed would like to")
        asked = theirs.wait("Ben Hill would like to")
        assert {fields["From"] for fields in ours.sent()} == {f"whatsapp:{OURS}"}
        assert {fields["From"] for fields in theirs.sent()} == {f"whatsapp:{THEIRS}"}
        assert not any("Ben Hill" in fields["Body"] for fields in ours.sent())
        before = len(theirs.sent())
        refused = [
            theirs.post(INBOUND, theirs.form("Yes"), token=fake.token),
            ours.post(INBOUND, ours.form("Yes"), token=THEIR_TOKEN),
            ours.post(INBOUND, ours.form("Yes") | {"To": f"whatsapp:{THEIRS}"}),
            theirs.post(INBOUND, theirs.form("Yes") | {"AccountSid": fake.account}),
            theirs.post(INBOUND, theirs.form("Yes"), token=""),
        ]
        assert refused == [403] * 5
        assert (len(theirs.sent()), asked["To"]) == (before, PAT)
        assert theirs.post(INBOUND, theirs.form("Yes")) == 200
        theirs.wait("0 to 10")
    assert "Yes" not in installation.log() and THEIR_TOKEN not in installation.log()


def test_a_receipt_counts_only_with_the_token_of_its_own_account(installation: Installation, fake: FakeTwilio) -> None:
    add(installation)
    ours, theirs = of_both(installation, fake)
    _, their_code = codes(installation)
    with installation.serving():
        theirs.post(INBOUND, theirs.form(f"Start {their_code}"))
        theirs.wait("Ben Hill would like to")
        (message,) = wait_for(lambda: [row for row in rows(installation) if row.status == "sent"], "the message to be sent")
        form = {"AccountSid": THEIR_ACCOUNT, "MessageSid": message.provider_id, "MessageStatus": "delivered", "To": PAT}
        form |= {"From": f"whatsapp:{THEIRS}", "SmsSid": message.provider_id, "SmsStatus": "delivered"}
        query = f"?m={message.id}"
        assert theirs.post(STATUS, form, query=query, token=fake.token) == 403
        assert ours.post(STATUS, form | {"AccountSid": fake.account}, query=query) == 200, "signed, but of no message of that account"
        assert [row.status for row in rows(installation)] == ["sent"]
        assert theirs.post(STATUS, form, query=query) == 200
        assert [row.status for row in rows(installation)] == ["delivered"]


def test_of_two_numbers_of_one_account_the_one_that_was_written_to_answers(installation: Installation, fake: FakeTwilio) -> None:
    add(installation)
    add(installation, second := "+447700900666")
    _, theirs = of_both(installation, fake)
    other = Number(installation, fake, second, THEIR_ACCOUNT, THEIR_TOKEN)
    with installation.serving():
        for number in (other, theirs):
            assert number.post(INBOUND, number.form("hello?")) == 200
            wait_for(lambda: number.sent() and number.sent()[-1]["From"] == f"whatsapp:{number.number}", f"an answer from {number.number}")  # noqa: B023


def test_no_token_of_a_picture_is_logged(installation: Installation) -> None:
    with installation.serving():
        for method in ("HEAD", "GET"):
            url = f"{installation.settings['STEPWISE_PUBLIC_URL']}/media/{'x' * 64}"
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=PATIENT_S)
    assert "x" * 20 not in installation.log() and "/media" not in installation.log()


def test_a_number_whose_token_was_revoked_stops_alone(installation: Installation, fake: FakeTwilio) -> None:
    add(installation)
    fake.control("subaccount", account=THEIR_ACCOUNT, token="0" * 32)
    ours, _ = of_both(installation, fake)
    our_code, _ = codes(installation)
    with installation.serving():
        assert ours.post(INBOUND, ours.form(f"Start {our_code}")) == 200
        ours.wait("Anna Reed would like to")
    listed = {each["name"]: each["status"] for each in json.loads(installation.run("senders", "list", "--json"))}
    assert listed == {OURS: "active", THEIRS: "broken"}
