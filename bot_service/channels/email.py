"""E-mail to staff through an SMTP server; nothing else here knows the protocol, and nobody answers by mail."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Any

import aiosmtplib
from aiosmtplib import SMTPResponseException

from bot_service.clock import real_now
from bot_service.errors import (
    ChannelMisconfigured,
    ChannelUnavailable,
    DeliveryError,
    MessageRejected,
    OutcomeUnknown,
    RecipientStopped,
    TemporarilyRefused,
)
from bot_service.mail_server import LOOPBACK, sender_of, server_of
from bot_service.messages import Inbound, Outbound

TIMEOUT_S = 20.0
"""How long the server may take for each step (default); RFC 5321 allows minutes, but the next notice waits behind this one."""
SUBJECT = 120
"""Longest subject: the first line of a notice."""
_BUSY = (421, 454)
"""Closing down, or unable to check credentials just now: said of the server, not of a message or of us (RFC 5321, RFC 4954)."""
_CREDENTIALS = frozenset({530, 534, 535, 538})


class Email:
    """Mail through one server, from one address; a connection for each message, so that nothing is kept open between two."""

    name = "email"

    def __init__(self, url: str, mail_from: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._server = server_of(url)
        self._from = sender_of(mail_from)
        self._timeout_s = timeout_s

    async def send(self, outbound: Outbound) -> str:
        """Send one notice: its first line is the subject. The id is the `Message-ID`, made of our own id.

        Raises DeliveryError and nothing else. Until the server has been asked to take the text nothing can have been accepted; a line
        that breaks after that leaves it open.
        """
        message_id, content = self._written(outbound)
        client = await self._connected()
        try:
            await self._addressed(client, outbound.address)
            await _handed_over(client, content)
        finally:
            client.close()
        return message_id

    def parse(self, raw: Mapping[str, Any]) -> Inbound | None:  # noqa: ARG002  # the channel's interface
        """Nobody answers by mail."""
        return None

    async def check(self) -> None:
        """Connect, with TLS and credentials as for a notice, and send nothing. Raises DeliveryError."""
        client = await self._connected()
        try:
            await client.noop()
        except (aiosmtplib.SMTPException, OSError):
            raise ChannelUnavailable("The mail server broke off.") from None
        finally:
            client.close()

    def _written(self, outbound: Outbound) -> tuple[str, bytes]:
        domain = self._from[1].rpartition("@")[2]
        message_id = f"<{outbound.id}@{domain}>"
        # Neither half a surrogate pair nor a NUL can be written down.
        subject, _, text = outbound.text.encode("utf-8", "replace").decode().replace("\0", "").partition("\n")
        message = EmailMessage(policy=SMTP_POLICY)
        try:
            message["From"] = Address(self._from[0], addr_spec=self._from[1])
            message["To"] = Address(addr_spec=outbound.address)
            message["Subject"] = " ".join(subject.split())[:SUBJECT]
        except (MessageError, ValueError, IndexError):
            raise MessageRejected("The recipient's address is not an e-mail address.") from None
        message["Message-ID"] = message_id
        message["Date"] = format_datetime(real_now())
        message["Auto-Submitted"] = "auto-generated"  # no out-of-office reply, please (RFC 3834)
        if replaced := outbound.values.get("replaces"):
            message["References"] = f"<{replaced}@{domain}>"
        message.set_content(text.strip(), cte="quoted-printable")
        return message_id, message.as_bytes()

    async def _connected(self) -> aiosmtplib.SMTP:
        """A connection that may send. Raises DeliveryError."""
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=self._from[1].rpartition("@")[2],
            timeout=self._timeout_s,
            use_tls=server.tls == "always",
            start_tls=False,
            tls_context=ssl.create_default_context(),
        )
        try:
            await client.connect()
            await self._secured(client)
            if server.user is not None:
                await client.login(server.user, server.password or "")
        except DeliveryError as error:
            failure = error
        except SMTPResponseException as error:
            failure = _refused_connection(error)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            failure = ChannelUnavailable(
                "The mail server's certificate is not trusted, or not its own."
                if "CERTIFICATE_VERIFY_FAILED" in str(error)
                else f"The mail server was not reached ({type(error).__name__})."
            )
        else:
            return client
        client.close()
        raise failure

    async def _secured(self, client: aiosmtplib.SMTP) -> None:
        """Turn TLS on. Elsewhere it is insisted upon: a server that offers none may be somebody in between. On this machine nobody is."""
        if self._server.tls != "start":
            return
        await client.ehlo()
        if client.supports_extension("starttls"):
            await client.starttls()
        elif self._server.host not in LOOPBACK:
            raise ChannelUnavailable("The mail server offers no TLS; add ?tls=off to STEPWISE_SMTP_URL only inside your own network.")

    async def _addressed(self, client: aiosmtplib.SMTP, address: str) -> None:
        """Name sender and recipient. Raises DeliveryError; nothing is accepted yet."""
        try:
            await client.mail(self._from[1])
        except SMTPResponseException as error:
            raise _refused_sender(error) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise ChannelUnavailable(f"The mail server broke off ({type(error).__name__}).") from None
        try:
            await client.rcpt(address)
        except SMTPResponseException as error:
            raise _refused_recipient(error) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise ChannelUnavailable(f"The mail server broke off ({type(error).__name__}).") from None


async def _handed_over(client: aiosmtplib.SMTP, content: bytes) -> None:
    """Hand the text over. A refusal is one, whenever it comes; silence after the text began may mean either."""
    try:
        await client.data(content)
    except SMTPResponseException as error:
        if error.code // 100 == 5:
            raise MessageRejected(f"The mail server refused this message ({error.code}).") from None
        if error.code // 100 == 4:
            raise TemporarilyRefused(f"The mail server does not take this message now ({error.code}).") from None
        raise OutcomeUnknown(f"The mail server answered {error.code}.") from None
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise OutcomeUnknown(f"The mail server did not say whether it took this ({type(error).__name__}).") from None


def _refused_connection(error: SMTPResponseException) -> DeliveryError:
    if error.code in _CREDENTIALS:
        return ChannelMisconfigured("The mail server refuses the user or password of STEPWISE_SMTP_URL.")
    return ChannelUnavailable(f"The mail server takes nothing now ({error.code}).")


def _refused_sender(error: SMTPResponseException) -> DeliveryError:
    if error.code in _CREDENTIALS:
        return ChannelMisconfigured("The mail server wants a user and password: put them into STEPWISE_SMTP_URL.")
    if error.code // 100 == 5:
        return ChannelMisconfigured(f"The mail server does not send for STEPWISE_MAIL_FROM ({error.code}).")
    return ChannelUnavailable(f"The mail server takes nothing now ({error.code}).")


def _refused_recipient(error: SMTPResponseException) -> DeliveryError:
    if error.code in _CREDENTIALS:
        return ChannelMisconfigured("The mail server wants a user and password: put them into STEPWISE_SMTP_URL.")
    if error.code in _BUSY:
        return ChannelUnavailable(f"The mail server takes nothing now ({error.code}).")
    if error.code // 100 == 5:
        return RecipientStopped(f"The mail server does not reach this recipient ({error.code}).")
    return TemporarilyRefused(f"The mail server does not take mail for this recipient now ({error.code}).")
