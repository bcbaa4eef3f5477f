"""Starts the fake Twilio as a process, and signs what Twilio would post to us, as its documentation says rather than as our code does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.fakes.server_process import FakeServer, running

OURS = "+447700900999"
DAILY = "HX" + "d" * 32


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """The X-Twilio-Signature of a form: HMAC-SHA1 of the URL and of all names and values run together in the order of the names."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def encoded(fields: Mapping[str, str]) -> bytes:
    return urlencode(fields).encode()


@dataclass(frozen=True)
class FakeTwilio(FakeServer):
    """A running fake of tests/fakes/twilio_api.py. Of its ledger: the `message` as it was answered, and the fields `given`."""

    account: str

    def refuse(self, status: int, code: int, **more: object) -> None:
        """The next message that is sent is answered with one of Twilio's errors."""
        body = {"code": code, "message": "Refused.", "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}
        self.fail("status", status=status, text=json.dumps(body), **more)


@contextmanager
def running_twilio() -> Iterator[FakeTwilio]:
    """A fake server in its own process, for as long as the block lasts."""
    with running("tests.fakes.twilio_api") as (process, api, control, started):
        yield FakeTwilio(api, control, started["token"], process, started["account"])
