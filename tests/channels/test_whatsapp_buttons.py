"""Within the service window a few answers in words are buttons; more of them, or numbers, are named in words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_service.channels.whatsapp_texts import LONGEST_LABEL, Step, in_steps
from bot_service.conversation.wording import load_catalogue
from bot_service.messages import Button, Outbound
from bot_service.reconciling import Reconciler
from bot_service.storage import clinics, outbox
from tests.fakes.twilio_api_process import DAILY, FakeTwilio
from tests.running_clinic import RunningClinic
from tests.twilio_clinic import TwilioClinic, with_twilio

TEXTS = load_catalogue("en")
TWO, ONE = "HX" + "2" * 32, "HX" + "1" * 32
WITH_BUTTONS = {"daily:en": DAILY, "buttons1:en": ONE, "buttons2:en": TWO}


@pytest.fixture
async def whatsapp(clinic: RunningClinic, twilio_server: FakeTwilio) -> AsyncIterator[TwilioClinic]:
    twilio_server.control("reset")
    for sid in (ONE, TWO):
        twilio_server.control("template", sid=sid, status="unsubmitted", category="", body="{}")
    async with with_twilio(clinic, twilio_server, templates=WITH_BUTTONS) as world:
        yield world
    assert twilio_server.control("state")["offences"] == []


def values(whatsapp: TwilioClinic) -> dict[str, str]:
    fields = whatsapp.sent()[-1]
    return {"sid": fields["ContentSid"], **json.loads(fields["ContentVariables"])}


async def tap(whatsapp: TwilioClinic, label: str) -> None:
    shown = values(whatsapp)
    at = next(int(key) for key, value in shown.items() if value == label)
    await whatsapp.say(label, ButtonText=label, ButtonPayload=shown[str(at + 1)], MessageType="interactive")


async def test_consent_is_a_tap_and_a_wrong_number_is_changed_by_one(whatsapp: TwilioClinic) -> None:
    invitation = whatsapp.clinic.enrol()
    await whatsapp.say(f"Start {invitation.code}")
    shown = values(whatsapp)
    assert (shown["sid"], shown["1"], shown["2"], shown["4"]) == (TWO, TEXTS.text("consent_question", {}), "Yes", "No")
    assert TEXTS.text("not_watched", {"emergency": "999"}) in whatsapp.sent()[-2]["Body"]
    await tap(whatsapp, "Yes")
    assert "Reply with a number from 0 to 10" in whatsapp.last(), "a scale has too many answers for buttons"
    await whatsapp.say("3")
    assert whatsapp.episode(invitation.episode_id).baseline == 3


async def test_a_call_in_doubt_is_found_by_the_words_of_its_question(whatsapp: TwilioClinic) -> None:
    invitation = whatsapp.clinic.enrol()
    whatsapp.fake.control("faults", faults=[{"kind": "none"}, {"kind": "reset_after"}])
    await whatsapp.say(f"Start {invitation.code}")
    (asked,) = whatsapp.clinic.messages(status="in_doubt")
    service = whatsapp.clinic.service
    with service.db.read() as tx:
        sender = next(each for each in clinics.list_senders(tx) if each.id == whatsapp.sender_id)
    await Reconciler(service, sender, service.channels[sender.id]).go_round()
    assert [message.status for message in whatsapp.clinic.messages() if message.id == asked.id] == ["sent"]


CONSENT = TEXTS.text("consent_question", {})
IN_WORDS = f"{CONSENT}\n\nYou can write: Yes · No"


@pytest.mark.parametrize("code", [21655, 21656, 63005, 63006, 63013, 63021, 63027, 63028, 63030, 63040, 63041])
async def test_buttons_that_are_refused_at_once_are_said_in_words(whatsapp: TwilioClinic, code: int) -> None:
    invitation = whatsapp.clinic.enrol(baseline=2)
    refusal = {"kind": "status", "status": 400, "text": json.dumps({"code": code, "message": "x", "status": 400})}
    whatsapp.fake.control("faults", faults=[{"kind": "none"}, refusal])
    await whatsapp.say(f"Start {invitation.code}")
    assert [fields.get("Body", "")[-len(IN_WORDS) :] for fields in whatsapp.sent()[1:]] == [IN_WORDS]
    assert {message.status for message in whatsapp.clinic.messages()} == {"sent"}
    await whatsapp.say("Yes")
    assert whatsapp.episode(invitation.episode_id).patient_status == "opted_in"


@pytest.mark.parametrize("code", [63021, 63028, 63041])
async def test_buttons_that_are_refused_later_go_out_once_more_in_words(whatsapp: TwilioClinic, code: int) -> None:
    invitation = whatsapp.clinic.enrol(baseline=2)
    await whatsapp.say(f"Start {invitation.code}")
    (asked,) = whatsapp.clinic.messages()
    sid = asked.provider_id
    await whatsapp.report(asked, "failed", str(code))
    with whatsapp.clinic.db.begin() as tx:  # a repetition comes while the words are being sent
        assert outbox.move(tx, asked.id, ("due",), "sending", asked.due_at)
    await whatsapp.report(asked, "failed", str(code), sid=sid)
    with whatsapp.clinic.db.begin() as tx:
        assert outbox.move(tx, asked.id, ("sending",), "due", asked.due_at)
    await whatsapp.clinic.service.tick()
    assert whatsapp.last() == IN_WORDS, "what went before the question had been taken, and does not come twice"
    for status in ("failed", "undelivered"):
        await whatsapp.report(asked, status, str(code), sid=sid)
    (again,) = whatsapp.clinic.messages()
    assert (again.status, again.provider_id == sid) == ("sent", False), "what is said of the first try is history"
    await whatsapp.say("Yes")
    assert whatsapp.episode(invitation.episode_id).patient_status == "opted_in"


async def test_words_that_are_refused_too_have_failed(whatsapp: TwilioClinic) -> None:
    invitation = whatsapp.clinic.enrol(baseline=2)
    await whatsapp.say(f"Start {invitation.code}")
    for _ in range(2):
        (asked,) = whatsapp.clinic.messages()
        await whatsapp.report(asked, "failed", "63021")
        await whatsapp.clinic.service.tick()
    assert [message.status for message in whatsapp.clinic.messages()] == ["failed"]
    assert len(whatsapp.sent()) == 3, "the text before the question, the buttons, and the words in full"


@pytest.mark.parametrize("code", [21610, 63003, 63049, 21617])
async def test_a_refusal_that_is_not_about_the_form_is_final(whatsapp: TwilioClinic, code: int) -> None:
    invitation = whatsapp.clinic.enrol(baseline=2)
    refusal = {"kind": "status", "status": 400, "text": json.dumps({"code": code, "message": "x", "status": 400})}
    whatsapp.fake.control("faults", faults=[{"kind": "none"}, refusal])
    await whatsapp.say(f"Start {invitation.code}")
    assert len(whatsapp.sent()) == 1
    assert [message.status for message in whatsapp.clinic.messages()] == ["failed"]


async def test_words_in_place_of_buttons_whose_call_ends_in_doubt_are_found(whatsapp: TwilioClinic) -> None:
    invitation = whatsapp.clinic.enrol(baseline=2)
    refusal = {"kind": "status", "status": 400, "text": '{"code": 63021, "message": "x"}'}
    whatsapp.fake.control("faults", faults=[{"kind": "none"}, refusal, {"kind": "reset_after"}])
    await whatsapp.say(f"Start {invitation.code}")
    assert len(whatsapp.clinic.messages(status="in_doubt")) == 1
    service = whatsapp.clinic.service
    with service.db.read() as tx:
        sender = next(each for each in clinics.list_senders(tx) if each.id == whatsapp.sender_id)
    await Reconciler(service, sender, service.channels[sender.id]).go_round()
    assert {message.status for message in whatsapp.clinic.messages()} == {"sent"}


def outbound(text: str, *labels: str) -> Outbound:
    return Outbound(
        "m", "s", "whatsapp:+447700900123", text, (tuple(Button(label, f"v1:q:{label}") for label in labels),), hints=TEXTS.hints
    )


def content(name: str) -> str | None:
    return WITH_BUTTONS.get(f"{name}:en")


async def test_of_a_long_text_with_a_picture_only_the_question_goes_out_again(whatsapp: TwilioClinic) -> None:
    channel = whatsapp.clinic.service.channels[whatsapp.sender_id]
    asked = replace(outbound("\n\n".join(["word " * 200] * 4) + "\n\nDo you?", "Yes", "No"), picture_token="t" * 64)
    await channel.send(asked)
    first = whatsapp.sent()
    kinds = [name for fields in first for name in ("Body", "ContentSid", "MediaUrl") if name in fields]
    assert kinds == ["Body", "Body", "Body", "Body", "ContentSid", "MediaUrl"]
    await channel.send(replace(asked, plain=True))
    assert [fields.get("Body") for fields in whatsapp.sent()[len(first) :]] == ["Do you?\n\nYou can write: Yes · No"]


@pytest.mark.parametrize("text", ["Hello.\n\nDo you?", "Do you?", "Hello.\n\n" + "Why? " * 400])
def test_what_goes_out_again_in_words_is_the_last_message_of_the_first_try(text: str) -> None:
    asked = outbound(text, "Yes", "No")
    [again] = in_steps(replace(asked, plain=True), content)
    last = in_steps(asked, content)[-1]
    assert again == Step(last.in_words or last.text)


@pytest.mark.parametrize(
    "given_up",
    [
        outbound("Hello.\n\nDo you?", "Yes", "No", "Maybe"),
        outbound("Hello.\n\nDo you?", "Yes", "No" * LONGEST_LABEL),
        outbound("Hello.\n\nHow was it?", "1", "2"),
        outbound("Hello.\n\n" + "Why? " * 300, "Yes", "No"),
    ],
)
def test_what_does_not_fit_buttons_is_named_in_words(given_up: Outbound) -> None:
    steps = in_steps(given_up, content)
    assert all(step.content_sid is None for step in steps)
    assert given_up.rows[0][0].label in steps[-1].text


def test_without_such_content_everything_is_named_in_words() -> None:
    assert in_steps(outbound("Do you?", "Yes", "No"), lambda _: None) == [Step("Do you?\n\nYou can write: Yes · No")]


@given(st.text(max_size=3000))
def test_no_words_are_lost_and_no_value_holds_a_line_break(text: str) -> None:
    steps = in_steps(outbound(text, "Yes", "No"), content)
    said = "".join("".join(step.text.split()) for step in steps).replace("Youcanwrite:Yes·No", "")
    assert said == "".join(text.replace("\0", "").encode("utf-8", "replace").decode().split())
    assert not [value for step in steps for value in step.values.values() if len(value.splitlines()) > 1]
