"""A mail server for tests, as a process of its own: aiosmtpd with faults that are ordered over its standard input.

Each line on standard input is a JSON object: `{"fault": KIND}` for the next connection or message, `{"state": true}` for what was accepted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import sys
from email import message_from_bytes
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

ANSWERS = {
    "rcpt 4xx": ("RCPT", "451 4.7.1 Greylisted, come back later"),
    "rcpt 5xx": ("RCPT", "550 5.1.1 No such user"),
    "mail 5xx": ("MAIL", "553 5.7.1 Sender not allowed"),
    "mail 4xx": ("MAIL", "452 4.3.1 Disk full"),
    "data 4xx": ("DATA", "452 4.3.1 Out of storage"),
    "data 5xx": ("DATA", "554 5.7.1 Looks like spam"),
    "closing": ("RCPT", "421 4.3.2 Shutting down"),
}
HANG_S = 300.0


class Desk:
    """What the server was told to do wrong, and what it took."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.accepted: list[dict[str, Any]] = []
        self.connections = 0

    def answer(self, stage: str) -> str | None:
        """The fault's answer at this stage of a message, if it is its turn."""
        if self.faults and ANSWERS.get(self.faults[0], ("",))[0] == stage:
            return ANSWERS[self.faults.pop(0)][1]
        return None

    def takes(self, kind: str) -> bool:
        """Whether the next fault is of that kind; it is used up."""
        if self.faults and self.faults[0] == kind:
            self.faults.pop(0)
            return True
        return False

    # The names that aiosmtpd calls.
    async def handle_MAIL(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        if refusal := self.answer("MAIL"):
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:  # noqa: N802
        if self.takes("hang before"):
            await asyncio.sleep(HANG_S)
        if self.takes("drop before"):
            _cut(server)
            return "250 never seen"
        if refusal := self.answer("RCPT"):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if refusal := self.answer("DATA"):
            return refusal
        lost = self.takes("drop after and lose")
        if not lost:
            self._accept(server, session, envelope)
        if lost or self.takes("drop after"):
            _cut(server)
        if self.takes("hang after"):
            await asyncio.sleep(HANG_S)
        return "250 OK"

    def _accept(self, server: SMTP, session: Session, envelope: Envelope) -> None:
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        message = message_from_bytes(content, policy=default)
        login: Any = session.auth_data
        transport: Any = server.transport
        self.accepted.append(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "headers": {name.lower(): str(value) for name, value in message.items()},
                "text": message.get_content(),
                "tls": transport.get_extra_info("sslcontext") is not None,
                "user": login.login.decode() if login else None,
            }
        )


def _cut(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.WriteTransport)
    server.transport.abort()


def _authenticator(password: str) -> Any:
    def check(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
        good = isinstance(given, LoginPassword) and given.password == password.encode()
        return AuthResult(success=good, handled=good, auth_data=given if good else None)

    return check


async def _orders(desk: Desk) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        if "faults" in order:
            desk.faults = list(order["faults"])
        _say({"accepted": desk.accepted, "faults": desk.faults, "connections": desk.connections})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def _serve(wanted: argparse.Namespace) -> None:
    desk, context = Desk(), None
    if wanted.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(wanted.certificate)

    def protocol() -> SMTP:
        desk.connections += 1
        return SMTP(
            desk,
            hostname="mail.test",
            tls_context=None if wanted.tls == "always" else context,
            require_starttls=wanted.tls == "start",
            authenticator=_authenticator(wanted.password) if wanted.password else None,
            auth_required=bool(wanted.password),
            auth_require_tls=bool(context) and wanted.tls != "always",
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, wanted.host, wanted.port, ssl=context if wanted.tls == "always" else None)
    _say({"port": server.sockets[0].getsockname()[1]})
    await _orders(desk)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", choices=["off", "start", "always"], default="off")
    parser.add_argument("--certificate", help="PEM file with certificate and key")
    parser.add_argument("--password")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
