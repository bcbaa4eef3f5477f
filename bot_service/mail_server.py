"""How a mail server and an e-mail address are written down in settings, and read from there."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import getaddresses
from urllib.parse import parse_qsl, unquote, urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_WRONG = "must look like smtp://user:password@mail.example:587, or smtps:// for TLS from the start; write @ in a password as %40"


@dataclass(frozen=True)
class Server:
    """Where mail goes out. `tls`: `start` asks for it after connecting, `always` connects with it, `off` sends in the clear."""

    host: str
    port: int
    tls: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def server_of(url: str) -> Server:
    """The server that `STEPWISE_SMTP_URL` names. Raises ValueError with a sentence that does not quote it: it may hold a password."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise ValueError(_WRONG) from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme not in ("smtp", "smtps") or not host or parts.path not in ("", "/") or options not in ({}, {"tls": "off"}):
        raise ValueError(_WRONG)
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    if parts.scheme == "smtps":
        return Server(host, port or 465, "always", user, password)
    if options and user:
        raise ValueError("tls=off would send the password in the clear; leave it out, or use a server that asks for none")
    return Server(host, port or 587, "off" if options else "start", user, password)


def sender_of(text: str) -> tuple[str, str]:
    """Name and address of `STEPWISE_MAIL_FROM`. Raises ValueError with a sentence."""
    found = getaddresses([text])
    name, address = found[0] if len(found) == 1 else ("", "")
    if not is_address(address) or "\n" in text or "\r" in text:
        raise ValueError("must be an address such as stepwise@clinic.example, or Stepwise <stepwise@clinic.example>")
    return name, address


def is_address(text: str) -> bool:
    """Whether mail can be sent to it: one plain ASCII address."""
    try:
        return text.isascii() and "." in Address(addr_spec=text).domain and " " not in text
    except (MessageError, ValueError, IndexError):
        return False
