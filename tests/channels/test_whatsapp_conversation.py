"""Weeks of rehab over WhatsApp: the link, the template outside the service window, the tap, the exercises, the answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot_service.conversation.wording import load_catalogue
from bot_service.storage import patients
from bot_service.storage.outbox import Message
from tests.fakes.twilio_api_process import DAILY, FakeTwilio
from tests.running_clinic import START, RunningClinic
from tests.twilio_clinic import TwilioClinic, with_twilio

PAT = "whatsapp:+447700900123"
TEXTS = load_catalogue("en")
EXERCISES = TEXTS.text("prompt_intro", {})


def said(key: str, **values: object) -> str:
    """A sentence of the catalogue."""
    return TEXTS.text(key, values)


async def until_template(whatsapp: TwilioClinic) -> Message:
    """Two days without a word: the second morning finds the window closed. The prompt that went out as the template."""
    await whatsapp.clinic.service.move_clock(START + timedelta(days=2, hours=-1))
    (prompt,) = [each for each in whatsapp.clinic.messages(kind="prompt") if each.content.get("unseen") == "yes"]
    return prompt


async def test_from_the_link_to_a_recorded_answer(whatsapp: TwilioClinic) -> None:
    episode = await whatsapp.opted_in()
    assert said("first_prompt", prompt_at="08:00") in whatsapp.last()
    await whatsapp.clinic.service.move_clock(START + timedelta(days=1, hours=-1))
    first = whatsapp.last()
    assert EXERCISES in first, "within a day of the last word the exercises themselves go out"
    assert first.endswith("Reply with a number from 0 to 10, or write: Did some · Not today · How to do them · Something's wrong")
    await whatsapp.clinic.service.move_clock(START + timedelta(days=1, hours=6))
    sent = len(whatsapp.sent())
    prompt = await until_template(whatsapp)
    fields = whatsapp.sent()[-1]
    assert (fields["ContentSid"], fields["ContentVariables"], "Body" in fields) == (DAILY, '{"1": "Riverside Physio"}', False)
    assert fields["StatusCallback"].endswith(f"?m={prompt.id}")

    await whatsapp.tap_template()
    assert len(whatsapp.sent()) == sent + 2, "the tap answers nothing, and brings one message: the exercises"
    assert EXERCISES in whatsapp.last()
    assert whatsapp.entries(episode) == []

    await whatsapp.say("4")
    kept = {(entry.kind, entry.day, entry.score, entry.outcome) for entry in whatsapp.entries(episode)}
    assert kept == {("session", prompt.day, None, "done"), ("pain_during", prompt.day, 4, None)}
    assert said("recorded", score=4) in whatsapp.last()
    await whatsapp.tap_template()
    assert said("when_done") in whatsapp.last(), "tapped again it still shows today's exercises"


async def test_the_template_brings_yesterdays_safety_question_if_that_is_what_it_stood_for(whatsapp: TwilioClinic) -> None:
    await whatsapp.opted_in()
    await whatsapp.clinic.service.move_clock(START + timedelta(days=1, hours=-2))
    await whatsapp.say("done, 9")
    prompt = await until_template(whatsapp)
    assert prompt.content["ask"]["kind"] == "pain_24h", "what it says by itself is kept for another try"
    await whatsapp.tap_template()
    assert "still open" in whatsapp.last() and said("safety_question") in whatsapp.last()


async def test_a_number_typed_in_answer_to_the_template_counts_and_brings_no_exercises(whatsapp: TwilioClinic) -> None:
    episode = await whatsapp.opted_in()
    prompt = await until_template(whatsapp)
    before = len(whatsapp.sent())
    await whatsapp.say("3")
    assert [(entry.day, entry.score) for entry in whatsapp.entries(episode) if entry.score is not None] == [(prompt.day, 3)]
    assert [fields["Body"][:8] for fields in whatsapp.sent()[before:]] == [said("recorded", score=3)[:8]]


@pytest.mark.parametrize("words", ["hi", "ok thanks", "what is this"])
async def test_any_words_bring_the_exercises_and_no_complaint_that_they_were_no_answer(whatsapp: TwilioClinic, words: str) -> None:
    episode = await whatsapp.opted_in()
    await until_template(whatsapp)
    before = len(whatsapp.sent())
    await whatsapp.say(words)
    bodies = [fields["Body"] for fields in whatsapp.sent()[before:]]
    assert sum(EXERCISES in body for body in bodies) == 1
    assert not [body for body in bodies if said("not_understood") in body]
    assert whatsapp.entries(episode) == []


async def test_the_button_is_understood_even_by_its_words_alone(whatsapp: TwilioClinic) -> None:
    """A message that is found again later in Twilio's list has no payload."""
    await whatsapp.opted_in()
    await until_template(whatsapp)
    before = len(whatsapp.sent())
    await whatsapp.say("Show my plan")
    bodies = [fields["Body"] for fields in whatsapp.sent()[before:]]
    assert bodies
    assert all(said("when_done") in body for body in bodies)


async def test_stop_in_answer_to_the_template_brings_the_goodbye_alone(whatsapp: TwilioClinic) -> None:
    episode = await whatsapp.opted_in()
    await until_template(whatsapp)
    before = len(whatsapp.sent())
    await whatsapp.say("STOP")
    assert [said("goodbye") in fields["Body"] for fields in whatsapp.sent()[before:]] == [True]
    assert whatsapp.episode(episode.id).patient_status == "opted_out"
    await whatsapp.clinic.service.move_clock(START + timedelta(days=6))
    assert len(whatsapp.sent()) == before + 1


async def test_red_flag_words_in_answer_to_the_template_bring_no_exercises(whatsapp: TwilioClinic) -> None:
    await whatsapp.opted_in()
    await until_template(whatsapp)
    before = len(whatsapp.sent())
    await whatsapp.say("I felt a loud pop in my leg and cannot walk")
    bodies = [fields["Body"] for fields in whatsapp.sent()[before:]]
    assert bodies
    assert not [body for body in bodies if EXERCISES in body]


async def test_without_a_template_the_prompt_fails_as_ours_and_not_as_the_patients(clinic: RunningClinic, fake: FakeTwilio) -> None:
    async with with_twilio(clinic, fake, templates={}) as whatsapp:
        await whatsapp.opted_in()
        before = len(whatsapp.sent())
        await clinic.service.move_clock(START + timedelta(days=2))
        failed = [each for each in clinic.messages(kind="prompt") if each.status == "failed"]
        assert [each.reason for each in failed] == ["only an approved template may be sent now"]
        assert [fields for fields in whatsapp.sent()[before:] if "ContentSid" in fields] == []


async def test_a_template_that_was_refused_at_the_window_is_tried_once(whatsapp: TwilioClinic, fake: FakeTwilio) -> None:
    """We believed the window open, Twilio did not: the same message goes out as the template, and then no more."""
    await whatsapp.opted_in()
    fake.refuse(400, 63016)
    await whatsapp.clinic.service.move_clock(START + timedelta(days=1, hours=-1))
    assert whatsapp.sent()[-1]["ContentSid"] == DAILY
    (prompt,) = whatsapp.clinic.messages(kind="prompt")
    assert (prompt.status, prompt.attempts) == ("sent", 2)
    await whatsapp.tap_template()
    assert EXERCISES in whatsapp.last()


async def test_a_button_typed_as_words_does_what_the_button_would(whatsapp: TwilioClinic) -> None:
    episode = await whatsapp.opted_in()
    await whatsapp.clinic.service.move_clock(START + timedelta(days=1, hours=-1))
    await whatsapp.say("How to do them")
    assert said("how_to_intro") in " ".join(fields.get("Body", "") for fields in whatsapp.sent()[-3:])
    await whatsapp.say("Something's wrong")
    assert said("what_is_wrong", urgent="111", emergency="999")[:14] in whatsapp.last()
    await whatsapp.say("my shoe broke")
    await whatsapp.say("did some")
    assert [entry.outcome for entry in whatsapp.entries(episode) if entry.kind == "session"] == ["partly"]
    await whatsapp.say("2")
    assert whatsapp.last().endswith('If that is wrong, write "sorry" and the right number.')
    await whatsapp.say("sorry, 3")
    assert [entry.score for entry in whatsapp.entries(episode) if entry.kind == "pain_during"] == [3]


async def test_a_patient_without_a_visible_number_is_a_patient_like_any_other(whatsapp: TwilioClinic) -> None:
    hidden = "whatsapp:GB.4566123"
    invitation = whatsapp.clinic.enrol(baseline=2)
    await whatsapp.say(f"Start {invitation.code}", hidden, ExternalUserId=hidden)
    await whatsapp.say("Yes", hidden, ExternalUserId=hidden)
    assert [fields["To"] for fields in whatsapp.sent()] == [hidden, hidden]
    assert whatsapp.episode(invitation.episode_id).patient_status == "opted_in"


async def test_a_patient_who_hides_the_number_later_is_still_known(whatsapp: TwilioClinic) -> None:
    hidden = "whatsapp:GB.4566123"
    invitation = whatsapp.clinic.enrol(baseline=2)
    await whatsapp.say(f"Start {invitation.code}", ExternalUserId=hidden)
    await whatsapp.say("Yes", hidden, ExternalUserId=hidden)
    await whatsapp.say("help", PAT, ExternalUserId=hidden)
    assert whatsapp.episode(invitation.episode_id).patient_status == "opted_in"
    assert {fields["To"] for fields in whatsapp.sent()} == {PAT}
    with whatsapp.clinic.db.read() as tx:
        address = patients.find_active_address(tx, invitation.patient_id)
    assert address is not None
    assert (address.address, address.status) == (PAT, "active")


async def test_a_stranger_gets_one_sentence_and_a_code_works_once(whatsapp: TwilioClinic) -> None:
    await whatsapp.say("hello", "whatsapp:+447700900777")
    assert said("stranger") in whatsapp.last()
    await whatsapp.opted_in()
    before = len(whatsapp.sent())
    await whatsapp.say("Start " + "x" * 22, "whatsapp:+447700900777")
    assert said("code_not_known") in whatsapp.sent()[before]["Body"]


async def test_a_photograph_is_acknowledged_and_kept_as_one(whatsapp: TwilioClinic) -> None:
    await whatsapp.opted_in()
    await whatsapp.say("", NumMedia="1", MediaContentType0="image/jpeg", MediaUrl0="https://api.twilio.com/x")
    assert said("media_received") in whatsapp.last()
