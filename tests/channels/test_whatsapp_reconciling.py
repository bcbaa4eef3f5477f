"""After an outage and after a call that ended in doubt Twilio's own list is asked: nothing is lost, nothing goes out twice."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest

from bot_service.channels.whatsapp_forms import find_sent, listed_form, parse_form
from bot_service.conversation.wording import load_catalogue
from bot_service.errors import OutcomeUnknown
from bot_service.reconciling import Reconciler
from bot_service.storage import clinics, conversations, inbox
from bot_service.storage.outbox import Message
from tests.fakes.twilio_api_process import FakeTwilio
from tests.running_clinic import START, RunningClinic
from tests.twilio_clinic import INBOUND, TwilioClinic, with_twilio

TEXTS = load_catalogue("en")
FIRST_PROMPT = START + timedelta(days=1, hours=-2)


def reconciler(whatsapp: TwilioClinic) -> Reconciler:
    service = whatsapp.clinic.service
    with service.db.read() as tx:
        sender = next(each for each in clinics.list_senders(tx) if each.id == whatsapp.sender_id)
    return Reconciler(service, sender, service.channels[whatsapp.sender_id])


def words_of(whatsapp: TwilioClinic, patient_id: UUID) -> list[str]:
    with whatsapp.clinic.db.read() as tx:
        return [said.text for said in inbox.list_of_patient(tx, patient_id)]


async def at(whatsapp: TwilioClinic, when: datetime) -> None:
    whatsapp.fake.control("clock", at=when.isoformat())
    await whatsapp.clinic.service.move_clock(when)


async def in_doubt(whatsapp: TwilioClinic, fault: str) -> Message:
    """The first prompt, whose call ends without an answer."""
    await at(whatsapp, FIRST_PROMPT - timedelta(minutes=1))
    whatsapp.fake.control("faults", faults=[{"kind": fault}])
    await at(whatsapp, FIRST_PROMPT)
    (prompt,) = whatsapp.clinic.messages(kind="prompt")
    assert prompt.status == "in_doubt"
    return prompt


def prompts(whatsapp: TwilioClinic) -> list[str]:
    return [fields["Body"] for fields in whatsapp.sent() if TEXTS.text("prompt_intro", {}) in fields.get("Body", "")]


async def test_what_was_written_while_no_webhook_came_through_is_found_once(whatsapp: TwilioClinic) -> None:
    episode = await whatsapp.opted_in()
    await at(whatsapp, FIRST_PROMPT + timedelta(hours=2))
    missed = whatsapp.form("3")
    whatsapp.fake.control("received", form=missed)
    rounds = reconciler(whatsapp)
    for _ in range(3):
        await rounds.go_round()
    answered = (await whatsapp.post(INBOUND, missed)).status_code
    assert answered == 200, "Twilio's own late repetition is acknowledged"
    assert [entry.score for entry in whatsapp.entries(episode) if entry.score is not None] == [3]
    replies = [body for body in (fields.get("Body", "") for fields in whatsapp.sent()) if TEXTS.text("recorded", {"score": 3}) in body]
    assert len(replies) == 1


async def test_half_of_a_hundred_and_twenty_never_arrived_and_each_is_found_once(whatsapp: TwilioClinic) -> None:
    """More than one page of the list; half came by webhook, some by both ways, in any order."""
    episode = await whatsapp.opted_in()
    await at(whatsapp, FIRST_PROMPT + timedelta(hours=2))
    chance = random.Random(5)
    forms = [whatsapp.form(f"note number {number} for my physio") for number in range(120)]
    heard_before = len(words_of(whatsapp, episode.patient_id))
    for form in forms:
        whatsapp.fake.control("received", form=form)
    for form in chance.sample(forms, 60):
        await whatsapp.clinic.service.hear(whatsapp.sender_id, form)
    await reconciler(whatsapp).go_round()
    said = words_of(whatsapp, episode.patient_id)[heard_before:]
    assert sorted(said) == sorted(form["Body"] for form in forms)


async def test_the_list_is_read_page_by_page_each_with_its_own_time(clinic: RunningClinic, fake: FakeTwilio) -> None:
    """Longer than one call may take, in pages smaller than were asked for, from a list that grows while it is read."""
    async with with_twilio(clinic, fake, timeout_s=3.0) as whatsapp:
        episode = await whatsapp.opted_in()
        await at(whatsapp, FIRST_PROMPT + timedelta(hours=2))
        forms = [whatsapp.form(f"note number {number} for my physio") for number in range(24)]
        for form in forms:
            fake.control("received", form=form)
        fake.control("pages", largest=3, seconds=0.45)
        await reconciler(whatsapp).go_round()
        assert set(words_of(whatsapp, episode.patient_id)) >= {form["Body"] for form in forms}
        assert fake.control("state")["calls"]["list"] >= 8


async def test_a_list_that_breaks_off_keeps_what_it_gave_and_is_read_again_from_its_beginning(whatsapp: TwilioClinic) -> None:
    episode = await whatsapp.opted_in()
    await at(whatsapp, FIRST_PROMPT + timedelta(hours=2))
    for number in range(6):
        whatsapp.fake.control("received", form=whatsapp.form(f"note number {number} for my physio"))
    await at(whatsapp, FIRST_PROMPT + timedelta(hours=3))
    whatsapp.fake.control("pages", largest=3, seconds=0)
    whatsapp.fake.control("faults", faults=[{"kind": "none", "method": "list"}, {"kind": "status", "status": 503, "method": "list"}])
    rounds = reconciler(whatsapp)
    await rounds.go_round()
    await whatsapp.clinic.service.tick()
    assert sum("note number" in words for words in words_of(whatsapp, episode.patient_id)) == 3
    await rounds.go_round()
    assert sum("note number" in words for words in words_of(whatsapp, episode.patient_id)) == 6


async def test_the_words_of_strangers_in_the_list_are_left_alone_but_a_code_is_not(whatsapp: TwilioClinic) -> None:
    invitation = whatsapp.clinic.enrol(baseline=2)
    stranger = "whatsapp:+447700900777"
    whatsapp.fake.control("received", form=whatsapp.form("Hi, are you open on Sunday?", stranger))
    await reconciler(whatsapp).go_round()
    assert whatsapp.sent() == []
    whatsapp.fake.control("received", form=whatsapp.form(f"Start {invitation.code}", stranger))
    await reconciler(whatsapp).go_round()
    assert TEXTS.text("consent_question", {}) in whatsapp.last()


async def test_a_stop_that_was_missed_counts_before_the_next_prompt(whatsapp: TwilioClinic) -> None:
    episode = await whatsapp.opted_in()
    whatsapp.fake.control("received", form=whatsapp.form("STOP"))
    await reconciler(whatsapp).go_round()
    sent = len(whatsapp.sent())
    await at(whatsapp, FIRST_PROMPT + timedelta(days=3))
    assert whatsapp.episode(episode.id).patient_status == "opted_out"
    assert len(whatsapp.sent()) == sent


async def test_a_message_in_doubt_that_twilio_has_was_sent_and_is_not_repeated(whatsapp: TwilioClinic) -> None:
    await whatsapp.opted_in()
    prompt = await in_doubt(whatsapp, "reset_after")
    await reconciler(whatsapp).go_round()
    (found,) = whatsapp.clinic.messages(kind="prompt")
    assert found.status == "sent"
    assert found.provider_id == whatsapp.fake.ledger()[-1]["message"]["sid"]
    await at(whatsapp, prompt.due_at + timedelta(hours=2))
    await reconciler(whatsapp).go_round()
    assert len(prompts(whatsapp)) == 1


async def test_what_the_list_says_became_of_it_counts_as_a_receipt_does(whatsapp: TwilioClinic) -> None:
    await whatsapp.opted_in()
    await in_doubt(whatsapp, "reset_after")
    whatsapp.fake.control("status", sid=whatsapp.fake.ledger()[-1]["message"]["sid"], status="undelivered", error_code=63024)
    await reconciler(whatsapp).go_round()
    (found,) = whatsapp.clinic.messages(kind="prompt")
    assert found.status == "failed"


async def test_a_message_that_twilio_denies_goes_out_after_all_but_not_before_that_is_sure(whatsapp: TwilioClinic) -> None:
    episode = await whatsapp.opted_in()
    prompt = await in_doubt(whatsapp, "reset_before")
    await reconciler(whatsapp).go_round()
    assert (whatsapp.clinic.messages(kind="prompt")[0].status, prompts(whatsapp)) == ("in_doubt", []), "the list may be late"
    assert prompt.sent_at is not None
    await at(whatsapp, prompt.sent_at + timedelta(minutes=6))
    await reconciler(whatsapp).go_round()
    with whatsapp.clinic.db.read() as tx:
        assert conversations.list_open(tx, episode.id, prompt.sent_at) == [], "what surely did not go out asks nothing"
    await whatsapp.clinic.service.tick()
    assert (whatsapp.clinic.messages(kind="prompt")[0].status, len(prompts(whatsapp))) == ("sent", 1)
    await whatsapp.say("4")
    assert TEXTS.text("recorded", {"score": 4}) in whatsapp.last()


async def test_a_denied_message_that_is_too_late_stays_in_doubt_for_staff_to_see(whatsapp: TwilioClinic) -> None:
    await whatsapp.opted_in()
    prompt = await in_doubt(whatsapp, "reset_before")
    await at(whatsapp, prompt.expires_at + timedelta(minutes=1))
    await reconciler(whatsapp).go_round()
    calls = whatsapp.fake.control("state")["calls"]["list"]
    await reconciler(whatsapp).go_round()
    found = whatsapp.clinic.messages(kind="prompt")[0]
    assert (found.status, found.reason) == ("in_doubt", "the provider has no record of it")
    assert whatsapp.fake.control("state")["calls"]["list"] == calls + 1, "it is not asked about again; only the inbound list is"
    assert prompts(whatsapp) == []


async def test_a_provider_that_is_down_neither_ends_the_rounds_nor_loses_what_it_has(whatsapp: TwilioClinic) -> None:
    episode = await whatsapp.opted_in()
    await at(whatsapp, FIRST_PROMPT + timedelta(hours=2))
    whatsapp.fake.control("received", form=whatsapp.form("5"))
    whatsapp.fake.control("faults", faults=[{"kind": "status", "status": 503, "method": "list"}])
    rounds = reconciler(whatsapp)
    await rounds.go_round()
    assert [entry for entry in whatsapp.entries(episode) if entry.score is not None] == []
    await rounds.go_round()
    assert [entry.score for entry in whatsapp.entries(episode) if entry.score is not None] == [5]


HIDDEN, NUMBER = "whatsapp:GB.4566123", "whatsapp:+447700900123"


@pytest.mark.parametrize(("first", "also", "later"), [(HIDDEN, HIDDEN, HIDDEN), (NUMBER, HIDDEN, HIDDEN), (HIDDEN, HIDDEN, NUMBER)])
async def test_somebody_with_two_names_is_found_in_the_list_under_either(whatsapp: TwilioClinic, first: str, also: str, later: str) -> None:
    """The list names one of the two, and does not say which other belongs to it."""
    invitation = whatsapp.clinic.enrol(baseline=2)
    await whatsapp.say(f"Start {invitation.code}", first, ExternalUserId=also)
    await whatsapp.say("Yes", later, ExternalUserId=also)
    episode = whatsapp.episode(invitation.episode_id)
    await at(whatsapp, FIRST_PROMPT + timedelta(hours=2))
    whatsapp.fake.control("received", form=whatsapp.form("3", later))
    rounds = reconciler(whatsapp)
    for _ in range(2):
        await rounds.go_round()
    assert [entry.score for entry in whatsapp.entries(episode) if entry.score is not None] == [3]
    assert {fields["To"] for fields in whatsapp.sent()} == {first}


@pytest.mark.parametrize("fault", ["reset_after", "reset_before"])
async def test_a_call_in_doubt_to_somebody_without_a_number_is_cleared_up_like_any_other(whatsapp: TwilioClinic, fault: str) -> None:
    invitation = whatsapp.clinic.enrol(baseline=2)
    await whatsapp.say(f"Start {invitation.code}", HIDDEN, ExternalUserId=HIDDEN)
    await whatsapp.say("Yes", HIDDEN, ExternalUserId=HIDDEN)
    prompt = await in_doubt(whatsapp, fault)
    await at(whatsapp, prompt.due_at + timedelta(minutes=6))
    await reconciler(whatsapp).go_round()
    await whatsapp.clinic.service.tick()
    (found,) = whatsapp.clinic.messages(kind="prompt")
    assert (found.status, len(prompts(whatsapp)), whatsapp.sent()[-1]["To"]) == ("sent", 1, HIDDEN)


async def test_a_picture_beside_it_does_not_leave_a_message_in_doubt(whatsapp: TwilioClinic) -> None:
    await whatsapp.opted_in()
    prompt = await in_doubt(whatsapp, "reset_before")
    picture = whatsapp.fake.control("state")["ledger"][-1]
    whatsapp.fake.control("picture", **{"to": picture["given"]["To"], "from": picture["given"]["From"]})
    await at(whatsapp, prompt.due_at + timedelta(minutes=6))
    await reconciler(whatsapp).go_round()
    await whatsapp.clinic.service.tick()
    assert (whatsapp.clinic.messages(kind="prompt")[0].status, len(prompts(whatsapp))) == ("sent", 1)


def listed(body: str, minutes: float, sid: str = "SM1") -> SimpleNamespace:
    return SimpleNamespace(sid=sid, body=body, date_created=START + timedelta(minutes=minutes), date_sent=None)


@pytest.mark.parametrize(
    ("found", "bodies", "taken", "expected"),
    [
        ([], ["hello"], (), None),
        ([listed("hello", 0)], ["hello"], (), "SM1"),
        ([listed("hello ", 1)], ["hello"], (), "SM1"),
        ([listed("other", 0)], ["hello"], (), "unknown"),
        ([listed("hello", 0)], ["hello"], ("SM1",), None),
        ([listed("hello", 6)], ["hello"], (), None),
        ([listed("hello", -2)], ["hello"], (), None),
        ([listed("hello", 0), listed("hello", 1, "SM2")], ["hello"], (), "unknown"),
        ([listed("hello", 0), listed("hello", 1, "SM2")], ["hello"], ("SM1",), "SM2"),
        ([listed("one", 0), listed("two", 0, "SM2")], ["one", "two"], (), "SM2"),
        ([listed("one", 0)], ["one", "two"], (), "unknown"),
        ([listed("anything", 0)], [], (), "SM1"),
        ([listed("anything", 0), listed("else", 0, "SM2")], [], (), "unknown"),
    ],
)
def test_a_call_is_known_by_its_words_and_its_time(
    found: list[SimpleNamespace], bodies: list[str], taken: tuple[str, ...], expected: str | None
) -> None:
    if expected == "unknown":
        with pytest.raises(OutcomeUnknown):
            find_sent(found, [{body} for body in bodies], START, taken)
        return
    sent = find_sent(found, [{body} for body in bodies], START, taken)
    assert (sent and sent.sid) == expected


def test_a_listed_message_reads_as_the_posted_one_would_with_its_time() -> None:
    message = SimpleNamespace(
        sid="SM" + "1" * 32, account_sid="AC1", from_="whatsapp:+447700900123", to="whatsapp:+447700900999", body="done, 4",
        num_media="0", date_sent=START, date_created=None,
    )  # fmt: skip
    inbound = parse_form(listed_form(message))
    assert (inbound.text, inbound.heard, inbound.address, inbound.at) == ("done, 4", "text", "whatsapp:+447700900123", START)
    posted = {name: value for name, value in listed_form(message).items() if name != "DateSent"}
    assert parse_form(posted).at is None
