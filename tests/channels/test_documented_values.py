"""The fake providers are as strict about values as the providers' documents: what they would refuse is an offence, not a surprise."""

from __future__ import annotations

import pytest

from tests.fakes.documented_values import BOT_API, TWILIO, undocumented

MENU = '[{"command": "plan", "description": "Your plan"}]'


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("limit", "100", "101"),
        ("timeout", "25", "-1"),
        ("allowed_updates", '["message", "callback_query"]', '["messages"]'),
        ("secret_token", "a-Z_9" * 8, "a secret"),
        ("commands", MENU, MENU.replace("plan", "Plan", 1)),
        ("commands", "[]", MENU.replace("Your plan", "")),
        ("language_code", "pl", "pol"),
        ("drop_pending_updates", "false", "0"),
        ("MessagingServiceSid", "MG" + "a" * 32, "MG1"),
        ("ContentSid", "HX" + "0" * 32, "HX" + "z" * 32),
        ("ContentVariables", '{"1": "Riverside"}', '{"1": 5}'),
        ("StatusCallback", "https://clinic.example/webhooks/twilio/status?m=1", "https://my_clinic.example/"),
        ("MediaUrl", "https://clinic.example/media/x", "/media/x"),
        ("ValidityPeriod", "36000", "36001"),
        ("DateSent>", "2026-09-21T09:00:00Z", "yesterday"),
        ("PageSize", "1000", "1001"),
    ],
)
def test_a_value_that_no_document_allows_is_an_offence(name: str, good: str, bad: str) -> None:
    allowed = TWILIO if name[0].isupper() else BOT_API
    assert undocumented({name: good}, allowed) == []
    assert undocumented({name: bad}, allowed) == [name]
