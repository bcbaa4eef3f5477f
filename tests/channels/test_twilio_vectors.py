"""Twilio's published signatures: the worked example of its security page and those that its libraries are tested with."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from bot_service.channels.whatsapp import Account, WhatsApp
from tests.fakes.twilio_api_process import OURS, signature

TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"


def call(number: str) -> dict[str, str]:
    return {"CallSid": "CA1234567890ABCDE", "Caller": number, "Digits": "1234", "From": number, "To": "+18005551212"}


VOICE = {
    "ToState": "California", "CalledState": "California", "Direction": "inbound", "FromState": "CA",
    "AccountSid": "ACba8bc05eacf94afdae398e642c9cc32d", "Caller": "+14153595711", "CallerZip": "94108", "CallerCountry": "US",
    "From": "+14153595711", "FromCity": "SAN FRANCISCO", "CallerCity": "SAN FRANCISCO", "To": "+14157669926", "FromZip": "94108",
    "FromCountry": "US", "ToCity": "", "CallStatus": "ringing", "CalledCity": "", "CallerState": "CA", "CalledZip": "", "ToZip": "",
    "ToCountry": "US", "CallSid": "CA136d09cd59a3c0ec8dbff44da5c03f31", "CalledCountry": "US", "Called": "+14157669926",
    "ApiVersion": "2010-04-01", "ApplicationSid": "AP44efecad51364e80b133bb7c07eb8204",
}  # fmt: skip
PUBLISHED = {
    "twilio.com/docs/usage/security": (TOKEN, URL, call("+12349013030"), "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
    "the same page, as it was before": (TOKEN, URL, call("+14158675309"), "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    "twilio-csharp, a host in mixed case": (
        TOKEN, "https://MyCompany.com/myapp.php?foo=1&bar=2", call("+14158675309"), "g9IN/x4Cft2g517EjYvEvM/W7LU=",
    ),
    "twilio-csharp, with a port": (
        TOKEN, "https://MyCompany.com:1234/myapp.php?foo=1&bar=2", call("+14158675309"), "PCqOZm8cnu/L6+u5i5fuEd+Iac4=",
    ),
    "twilio-ruby, a call with blank fields": (
        "2bd9e9638872de601313dc77410d3b23", "http://twiliotests.heroku.com/validate/voice", VOICE, "oVb2kXoVy8GEfwBDjR8bk/ZZ6eA=",
    ),
}  # fmt: skip


def channel(token: str, sid: str) -> WhatsApp:
    return WhatsApp(Account(sid, (token,), OURS), "https://stepwise.example.org")


@pytest.mark.parametrize(("token", "url", "fields", "published"), PUBLISHED.values(), ids=PUBLISHED)
def test_a_published_signature_is_taken_and_nothing_near_it(token: str, url: str, fields: dict[str, str], published: str) -> None:
    ours = channel(token, fields.get("AccountSid", "AC" + "1" * 32))
    body = urlencode(fields).encode()
    assert ours.admit(url, body, published) == fields
    assert ours.admit(url, urlencode(dict(reversed(fields.items()))).encode(), published) == fields, "in whatever order they come"
    assert signature(token, url, fields) == published, "the fake of the tests signs in the same way"
    assert ours.admit(url + "&x=1", body, published) is None
    assert ours.admit(url, urlencode(fields | {"From": "+15005550006"}).encode(), published) is None
    assert ours.admit(url, urlencode({name: value for name, value in fields.items() if name != "To"}).encode(), published) is None
    assert ours.admit(url, body, published[:-2] + "0=") is None
    assert channel(token + "6", fields.get("AccountSid", "AC" + "1" * 32)).admit(url, body, published) is None


def test_a_repeated_name_which_no_message_has_is_not_taken_even_when_it_is_signed() -> None:
    body = urlencode([("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")]).encode()
    assert channel(TOKEN, "AC" + "1" * 32).admit(URL, body, "IK+Dwps556ElfBT0I3Rgjkr1wJU=") is None
