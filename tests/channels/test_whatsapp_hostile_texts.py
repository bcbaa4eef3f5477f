"""Reliability C4 for WhatsApp: whatever a name or a text holds, Twilio takes the message; a state that applies its rules is the judge."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence

from bot_service.channels.whatsapp import Account, WhatsApp
from bot_service.channels.whatsapp_texts import Step, in_steps
from bot_service.messages import Button, Outbound
from tests.channels.test_telegram_hostile_texts import SEED, hostile, message
from tests.fakes.twilio_api_process import DAILY, OURS
from tests.fakes.twilio_api_state import Refused, State

PAT, BUTTONS = "whatsapp:+447700900123", "HX" + "2" * 32
CHANNEL = WhatsApp(Account("AC" + "0" * 32, ("f" * 32,), OURS, {"daily:en": DAILY}), "https://stepwise.example.org")
ROWS = ((Button("Yes", "v1:q:yes"), Button("No", "v1:q:no")),)


def outbound(text: str, *, asks: bool) -> Outbound:
    return Outbound("m", "s", PAT, text, ROWS if asks else ())


def refusals(sent: Sequence[Mapping[str, str]]) -> list[str]:
    """Why any of these would be refused, by the rules of the fake server."""
    state, found = State("AC" + "0" * 32, templates={DAILY: {}, BUTTONS: {}}), list[str]()
    for fields in sent:
        try:
            state.create({"To": PAT, "From": f"whatsapp:{OURS}", **fields})
        except Refused as refused:
            found.append(str(refused))
    return found


def fields_of(step: Step) -> dict[str, str]:
    if step.content_sid is None:
        return {"Body": step.text}
    return {"ContentSid": step.content_sid, "ContentVariables": json.dumps(dict(step.values))}


def as_free_text(drawn: random.Random) -> list[dict[str, str]]:
    asked = outbound(message(drawn), asks=drawn.random() < 0.5)
    return [fields_of(step) for step in in_steps(asked, lambda name: BUTTONS if name == "buttons2" else None)]


def as_template(drawn: random.Random) -> dict[str, str]:
    given = CHANNEL._template(Outbound("m", "s", PAT, "", template="daily", values={"1": hostile(drawn)}, window_open=False))
    return {"ContentSid": given["content_sid"], "ContentVariables": given["content_variables"]}


def test_ten_thousand_hostile_texts_and_names_are_refused_by_no_rule() -> None:
    drawn = random.Random(SEED)
    sent = [fields for _ in range(5000) for fields in (*as_free_text(drawn), as_template(drawn))]
    assert len(sent) >= 10_000
    assert refusals(sent) == [], "zero of 10 000 is below 0.03 % (95 %)"


def test_the_same_rules_condemn_a_build_that_sends_words_as_they_are() -> None:
    drawn = random.Random(SEED)
    raw = [{"ContentSid": DAILY, "ContentVariables": json.dumps({"1": message(drawn)})} for _ in range(50)]
    assert "The ContentVariables parameter is invalid." in refusals(raw)
    assert "The concatenated message body exceeds the 1600 character limit." in refusals([{"Body": "x" * 1601}])
