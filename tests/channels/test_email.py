"""Mail against a real SMTP server in another process, with every way in which one can fail."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot_service.channels.email import Email
from bot_service.errors import (
    ChannelMisconfigured,
    ChannelUnavailable,
    DeliveryError,
    MessageRejected,
    OutcomeUnknown,
    RecipientStopped,
    TemporarilyRefused,
)
from tests.channels.contract import HOSTILE, IMPATIENT_S, an_outbound
from tests.fakes.smtp_process import FakeMailServer, running_mail_server, write_certificate
from tests.patience import PATIENT_S

FROM = "Stepwise <stepwise@clinic.example>"
TO = "anna@riverside.example"
TEXT = "P-1203 needs you now\n\nRed flag. Open the page:\nhttps://clinic.example/patients/P-1203"


@pytest.fixture(scope="module")
def server() -> Iterator[FakeMailServer]:
    with running_mail_server() as running:
        yield running


@pytest.fixture
def mail(server: FakeMailServer) -> Email:
    server.fail()
    return Email(f"smtp://127.0.0.1:{server.port}", FROM, timeout_s=PATIENT_S)


async def failure_of(mail: Email, outbound: object = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        await mail.send(outbound or an_outbound(TO, TEXT))  # type: ignore[arg-type]
    return raised.value


async def test_a_notice_arrives_with_its_first_line_as_subject_and_our_own_id(server: FakeMailServer, mail: Email) -> None:
    outbound = an_outbound(TO, TEXT)
    assert await mail.send(outbound) == f"<{outbound.id}@clinic.example>"
    found = server.accepted()[-1]
    assert (found["from"], found["to"]) == ("stepwise@clinic.example", [TO])
    headers = found["headers"]
    assert headers["subject"] == "P-1203 needs you now" and headers["message-id"] == f"<{outbound.id}@clinic.example>"
    assert headers["auto-submitted"] == "auto-generated" and headers["from"] == FROM and "date" in headers
    assert found["text"].splitlines() == ["Red flag. Open the page:", "https://clinic.example/patients/P-1203"]
    assert "references" not in headers


async def test_a_notice_that_is_sent_again_names_the_one_before(server: FakeMailServer, mail: Email) -> None:
    await mail.send(dataclasses.replace(an_outbound(TO, TEXT), values={"replaces": "0a"}))
    assert server.accepted()[-1]["headers"]["references"] == "<0a@clinic.example>"


@pytest.mark.parametrize("text", HOSTILE)
async def test_any_text_arrives_and_no_line_of_it_becomes_a_header(server: FakeMailServer, mail: Email, text: str) -> None:
    await mail.send(an_outbound(TO, f"{text}\r\nBcc: eve@elsewhere.example\n.\n{text}"))
    found = server.accepted()[-1]
    assert found["to"] == [TO] and "bcc" not in found["headers"]
    assert found["text"].splitlines()[:2] == ["Bcc: eve@elsewhere.example", "."]


@pytest.mark.parametrize(
    "address", ["", "anna", "anna@", "a b@c.example", "anna@c.example\nBcc: eve@x.example", "ann\u00e4@c.example", "a@b@c.d"]
)
async def test_what_is_no_address_is_refused_before_anything_is_sent(server: FakeMailServer, mail: Email, address: str) -> None:
    before = server.connections()
    assert isinstance(await failure_of(mail, an_outbound(address, TEXT)), MessageRejected)
    assert server.connections() == before


@pytest.mark.parametrize(
    ("fault", "meaning", "accepted"),
    [
        ("rcpt 4xx", TemporarilyRefused, False),
        ("rcpt 5xx", RecipientStopped, False),
        ("mail 4xx", ChannelUnavailable, False),
        ("mail 5xx", ChannelMisconfigured, False),
        ("data 4xx", TemporarilyRefused, False),
        ("data 5xx", MessageRejected, False),
        ("closing", ChannelUnavailable, False),
        ("hang before", ChannelUnavailable, False),
        ("drop before", ChannelUnavailable, False),
        ("hang after", OutcomeUnknown, None),
        ("drop after", OutcomeUnknown, None),
        ("drop after and lose", OutcomeUnknown, None),
    ],
)
async def test_each_fault_has_one_meaning(server: FakeMailServer, fault: str, meaning: type[DeliveryError], accepted: bool | None) -> None:
    server.fail(fault)
    patience = IMPATIENT_S if fault.startswith("hang") else PATIENT_S
    error = await failure_of(Email(f"smtp://127.0.0.1:{server.port}", FROM, timeout_s=patience))
    assert type(error) is meaning and error.accepted is accepted
    assert TO not in str(error) and "P-1203" not in str(error)


async def test_a_server_that_is_not_there_or_says_nothing_has_taken_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert type(await failure_of(Email(f"smtp://127.0.0.1:{port}", FROM, timeout_s=0.3))) is ChannelUnavailable
    assert type(await failure_of(Email(f"smtp://127.0.0.1:{port}", FROM, timeout_s=0.3))) is ChannelUnavailable


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize(("tls", "scheme"), [("start", "smtp"), ("always", "smtps")])
async def test_tls_and_credentials_are_used_and_an_untrusted_certificate_is_refused(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, tls: str, scheme: str
) -> None:
    with running_mail_server(tls, certificate, "se@cret") as server:
        mail = Email(f"{scheme}://step%40wise:se%40cret@localhost:{server.port}", FROM, timeout_s=PATIENT_S)
        refused = await failure_of(mail)
        assert type(refused) is ChannelUnavailable and "certificate is not trusted" in str(refused)
        assert server.accepted() == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        await mail.send(an_outbound(TO, TEXT))
        await mail.check()
        (found,) = server.accepted()
        assert found["tls"] and found["user"] == "step@wise"
        wrong = await failure_of(Email(f"{scheme}://step%40wise:wrong@localhost:{server.port}", FROM, timeout_s=PATIENT_S))
        assert type(wrong) is ChannelMisconfigured and wrong.scope == "sender" and "wrong" not in str(wrong)
        anonymous = await failure_of(Email(f"{scheme}://localhost:{server.port}", FROM, timeout_s=PATIENT_S))
        assert type(anonymous) is ChannelMisconfigured


async def test_a_certificate_of_another_name_is_refused(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with running_mail_server("always", certificate) as server:
        error = await failure_of(Email(f"smtps://127.0.0.1:{server.port}", FROM, timeout_s=PATIENT_S))
    assert type(error) is ChannelUnavailable and "certificate" in str(error)


async def test_checking_sends_nothing_and_says_what_is_wrong(server: FakeMailServer, mail: Email) -> None:
    before = len(server.accepted())
    await mail.check()
    assert len(server.accepted()) == before


async def test_a_server_that_is_not_on_this_machine_must_offer_tls_unless_it_is_said_to_have_none() -> None:
    """127.0.0.2 stands for another machine: only the usual names of this one are trusted in the clear."""
    with running_mail_server(host="127.0.0.2") as server:
        error = await failure_of(Email(f"smtp://127.0.0.2:{server.port}", FROM, timeout_s=PATIENT_S))
        assert type(error) is ChannelUnavailable and "offers no TLS" in str(error)
        assert server.accepted() == []
        await Email(f"smtp://127.0.0.2:{server.port}?tls=off", FROM, timeout_s=PATIENT_S).send(an_outbound(TO, TEXT))
        assert len(server.accepted()) == 1


def test_it_hears_nothing() -> None:
    assert Email("smtp://127.0.0.1:1", FROM).parse({"any": "thing"}) is None
