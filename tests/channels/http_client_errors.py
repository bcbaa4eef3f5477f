"""The errors of the HTTP client that both providers are spoken to with, and what may have been sent when one comes."""

from __future__ import annotations

import sys

import aiohttp
from aiohttp import http_exceptions

# The only errors of aiohttp after which nothing can have been sent, and those that mean the address itself is wrong.
NEVER_SENT = {
    "ClientConnectorError", "ClientConnectorDNSError", "ClientConnectorSSLError", "ClientConnectorCertificateError",
    "ClientProxyConnectionError", "ClientSSLError", "UnixClientConnectorError", "ConnectionTimeoutError",
}  # fmt: skip
WRONG_ADDRESS = {
    "InvalidURL", "InvalidUrlClientError", "NonHttpUrlClientError", "InvalidUrlRedirectClientError", "NonHttpUrlRedirectClientError",
}  # fmt: skip


def subclasses(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(subclasses(sub) for sub in kind.__subclasses__()))


def of_the_http_client() -> set[type[Exception]]:
    """The errors of aiohttp and of the standard library below it, not those of whatever else was imported before."""
    kinds = subclasses(aiohttp.ClientError) | subclasses(OSError) | subclasses(http_exceptions.HttpProcessingError)
    return {kind for kind in kinds if kind.__module__.partition(".")[0] in {"aiohttp", *sys.stdlib_module_names}}
