"""The whole way from a patient's words to a real SMTP server in another process, with the server failing on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot_service.channels.email import Email
from bot_service.storage import clinics
from tests.channels.contract import IMPATIENT_S
from tests.fakes.smtp_process import FakeMailServer, running_mail_server
from tests.notice_clinic import EMERGENCY
from tests.patience import PATIENT_S
from tests.running_clinic import RunningClinic

FROM = "stepwise@clinic.example"


@pytest.fixture(scope="module")
def server() -> Iterator[FakeMailServer]:
    with running_mail_server() as running:
        yield running


@pytest.fixture
def mailing(clinic: RunningClinic, server: FakeMailServer, request: pytest.FixtureRequest) -> RunningClinic:
    server.fail()
    hangs = str(request.node.callspec.params["fault"]).startswith("hang")
    mail = Email(f"smtp://127.0.0.1:{server.port}", FROM, timeout_s=IMPATIENT_S if hangs else PATIENT_S)
    clinic.service.add_channel(clinic.clinic.id, FROM, mail, None)
    return clinic


@pytest.mark.parametrize(
    ("fault", "states", "arrive"),
    [
        (None, ["sent"], 1),
        ("rcpt 4xx", ["sent"], 1),
        ("data 4xx", ["sent"], 1),
        ("drop before", ["sent"], 1),
        ("hang before", ["sent"], 1),
        ("drop after", ["in_doubt", "sent"], 2),
        ("drop after and lose", ["in_doubt", "sent"], 1),
        ("hang after", ["in_doubt", "sent"], 2),
    ],
)
async def test_a_notice_arrives_whatever_the_server_does_once(
    mailing: RunningClinic, server: FakeMailServer, fault: str | None, states: list[str], arrive: int
) -> None:
    """The wrong builds fail here: one that sends a notice in doubt blindly again under its own id, and one that gives it up."""
    before = len(server.accepted())
    person = await mailing.opted_in()
    if fault:
        server.fail(fault)
    await person.say(EMERGENCY)
    await mailing.service.move_clock(mailing.clock.now() + timedelta(minutes=4))
    rows = sorted(mailing.messages(kind="flag_notice"), key=lambda row: row.due_at)
    assert [row.status for row in rows] == states
    found = server.accepted()[before:]
    assert len(found) == arrive
    ids = [each["headers"]["message-id"] for each in found]
    assert ids == [f"<{row.id}@clinic.example>" for row in rows][-arrive:] and len(set(ids)) == arrive
    assert found[-1]["headers"]["subject"] == f"Red flag for {person.episode().ref}"
    if len(rows) == 2:
        assert found[-1]["headers"]["references"] == f"<{rows[0].id}@clinic.example>" and "was sent before" in found[-1]["text"]


@pytest.mark.parametrize(
    ("fault", "status", "sender"), [("rcpt 5xx", "failed", "active"), ("data 5xx", "failed", "active"), ("mail 5xx", "due", "broken")]
)
async def test_a_refusal_for_good_is_not_tried_again(
    mailing: RunningClinic, server: FakeMailServer, fault: str, status: str, sender: str
) -> None:
    person = await mailing.opted_in()
    server.fail(fault)
    await person.say(EMERGENCY)
    first = min(mailing.messages(kind="flag_notice"), key=lambda row: (row.due_at, row.staff_id != mailing.physio.id))
    assert (first.status, first.staff_id) == (status, mailing.physio.id)
    with mailing.db.read() as tx:
        assert [each.status for each in clinics.list_senders(tx) if each.channel == "email"] == [sender]
