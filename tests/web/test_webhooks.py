"""Twilio's posts at our door: only what is signed, once each, kept before it is thanked for; receipts that only move forward."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from bot_service.actions.receipts import record_receipt
from bot_service.conversation.wording import load_catalogue
from bot_service.messages import Receipt
from bot_service.storage import inbox, outbox, tables
from bot_service.storage.outbox import Message
from tests.fakes.twilio_api_process import DAILY, OURS, FakeTwilio, encoded, signature
from tests.running_clinic import START, RunningClinic
from tests.twilio_clinic import INBOUND, STATUS, TwilioClinic, with_twilio

SID = "SM" + "c" * 32


@pytest.fixture
async def on_sqlite(sqlite_clinic: RunningClinic, fake: FakeTwilio) -> AsyncIterator[TwilioClinic]:
    async with with_twilio(sqlite_clinic, fake) as world:
        yield world


def stored(whatsapp: TwilioClinic) -> list[str]:
    """The states of everything that came in."""
    with whatsapp.clinic.db.read() as tx:
        return [row.status for row in tx.all(tables.inbox.select())]


async def test_a_signed_message_is_kept_and_thanked_for_with_an_empty_answer(whatsapp: TwilioClinic) -> None:
    await whatsapp.say("hello")
    assert stored(whatsapp) == ["handled"]


async def test_nothing_unsigned_is_kept(on_sqlite: TwilioClinic) -> None:
    form = on_sqlite.form("4")
    url = on_sqlite.public_url + INBOUND
    good = signature(on_sqlite.fake.token, url, form)
    wrong = [
        signature("0" * 32, url, form), signature(on_sqlite.fake.token, url + "?", form), signature(on_sqlite.fake.token, url, {}),
        signature(on_sqlite.fake.token, "http://testserver" + INBOUND, form), good[:-1], good.lower(), " ", "", "x" * 5000,
    ]  # fmt: skip
    for bad in wrong:
        assert (await on_sqlite.post(INBOUND, form, signed=bad)).status_code == 403
    plain = {"content-type": "application/x-www-form-urlencoded"}
    assert (await on_sqlite.http.post(INBOUND, content=encoded(form), headers=plain)).status_code == 403
    two = [*plain.items(), ("x-twilio-signature", good), ("x-twilio-signature", good)]
    assert (await on_sqlite.http.post(INBOUND, content=encoded(form), headers=two)).status_code == 403
    assert (await on_sqlite.post(INBOUND, form | {"Body": "10"}, signed=good)).status_code == 403
    assert (await on_sqlite.post(STATUS, form, signed=good)).status_code == 403, "a message is no receipt"
    assert (await on_sqlite.post(INBOUND, form, query="?m=1", signed=good)).status_code == 403
    assert stored(on_sqlite) == []
    assert (await on_sqlite.post(INBOUND, form, signed=good)).status_code == 200


async def test_a_repeated_field_is_refused_even_with_a_good_signature(on_sqlite: TwilioClinic) -> None:
    form = on_sqlite.form("4")
    body = encoded(form) + b"&" + encoded({"From": form["From"]})
    headers = {"x-twilio-signature": signature(on_sqlite.fake.token, on_sqlite.public_url + INBOUND, form)}
    headers |= {"content-type": "application/x-www-form-urlencoded"}
    assert (await on_sqlite.http.post(INBOUND, content=body, headers=headers)).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [{"From": "+447700900123"}, {"To": "whatsapp:+15550001111"}, {"MessageSid": "x"}, {"AccountSid": "AC" + "9" * 32}, {"From": ""}],
)
async def test_a_signed_form_that_names_no_message_for_us_is_refused(on_sqlite: TwilioClinic, changes: dict[str, str]) -> None:
    form = on_sqlite.form("4") | changes
    assert (await on_sqlite.post(INBOUND, form)).status_code == 403
    assert stored(on_sqlite) == []


async def test_a_form_that_was_cut_elsewhere_is_refused_even_though_its_signature_holds(on_sqlite: TwilioClinic) -> None:
    unused = "SM" + "e" * 32
    genuine = on_sqlite.form(f"hiFromwhatsapp:+15550001111MessageSid{unused}To" + f"whatsapp:{OURS}Z")
    canonical = "".join(name + genuine[name] for name in sorted(genuine))
    cut = {"AccountSid": genuine["AccountSid"], "ApiVersion": genuine["ApiVersion"], "Body": "hi", "From": "whatsapp:+15550001111"}
    cut |= {"MessageSid": unused, "To": f"whatsapp:{OURS}", "Z": canonical.split(f"whatsapp:{OURS}Z", 1)[1]}
    held = signature(on_sqlite.fake.token, on_sqlite.public_url + INBOUND, genuine)
    assert held == signature(on_sqlite.fake.token, on_sqlite.public_url + INBOUND, cut)
    assert (await on_sqlite.post(INBOUND, cut, signed=held)).status_code == 403
    assert stored(on_sqlite) == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"a=" + b"x" * 300_000, "application/x-www-form-urlencoded", 413), (b"{}", "application/json", 415), (b"", "", 415),
        (b"--x--", "multipart/form-data; boundary=x", 415), (b"", "application/x-www-form-urlencoded", 403),
        (b"a=%ff&b=%00", "application/x-www-form-urlencoded; charset=utf-8", 403),
    ],
)  # fmt: skip
async def test_what_is_no_form_of_twilios_gets_no_further(on_sqlite: TwilioClinic, content: bytes, kind: str, status: int) -> None:
    headers = {"x-twilio-signature": "x", **({"content-type": kind} if kind else {})}
    for path in (INBOUND, STATUS):
        assert (await on_sqlite.http.post(path, content=content, headers=headers)).status_code == status


async def test_without_a_whatsapp_sender_there_is_no_such_page(sqlite_clinic: RunningClinic, fake: FakeTwilio) -> None:
    async with with_twilio(sqlite_clinic, fake) as world:
        del sqlite_clinic.service.channels[world.sender_id]
        assert (await world.post(INBOUND, world.form("4"))).status_code == 404


async def test_the_same_message_five_times_at_once_has_one_effect(whatsapp: TwilioClinic) -> None:
    episode = await whatsapp.opted_in()
    await whatsapp.clinic.service.move_clock(START + timedelta(days=1, hours=-1))
    before = len(whatsapp.sent())
    form = whatsapp.form("done, 3")
    answers = await asyncio.gather(*(whatsapp.post(INBOUND, form) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len(whatsapp.sent()) == before + 1
    assert [entry.score for entry in whatsapp.entries(episode) if entry.score is not None] == [3]
    await whatsapp.clinic.service.move_clock(whatsapp.clinic.clock.now() + timedelta(days=400))
    count = len(whatsapp.sent())
    assert (await whatsapp.post(INBOUND, form)).status_code == 200
    assert len(whatsapp.sent()) == count, "a year later it is still the same message"


async def test_a_message_is_kept_even_if_handling_it_fails(on_sqlite: TwilioClinic) -> None:
    """What is thanked for is in the database; handling it is another matter."""
    channel = on_sqlite.clinic.service.channels.pop(on_sqlite.sender_id)
    form = on_sqlite.form("hello")
    with on_sqlite.clinic.db.begin() as tx:
        assert inbox.store(tx, START, on_sqlite.sender_id, form, channel.parse(form))
    on_sqlite.clinic.service.channels[on_sqlite.sender_id] = channel
    assert stored(on_sqlite) == ["received"]
    await on_sqlite.clinic.service.tick()
    assert stored(on_sqlite) == ["handled"]


def a_message(whatsapp: TwilioClinic, number: int, status: str, provider_id: str | None = SID) -> Message:
    """A message of ours to nobody in particular, in that state."""
    db, clinic, new_id = whatsapp.clinic.db, whatsapp.clinic.clinic, UUID(int=number)
    with db.begin() as tx:
        outbox.queue(
            tx, START, clinic_id=clinic.id, patient_id=None, episode_id=None, kind="notice", key=f"test:{number}", due_at=START,
            expires_at=START + timedelta(hours=3), content={"lines": []}, sender_id=whatsapp.sender_id, new_id=new_id, status=status,
        )  # fmt: skip
        if provider_id is not None:
            outbox.move(tx, new_id, (status,), status, START, provider_id=provider_id)
        found = outbox.load(tx, new_id)
    assert found is not None
    return found


def state_of(whatsapp: TwilioClinic, message: Message) -> tuple[str, str | None]:
    with whatsapp.clinic.db.read() as tx:
        found = outbox.load(tx, message.id)
    assert found is not None
    return found.status, found.provider_id


@pytest.mark.parametrize("start", ["due", "claimed", "failed", "expired", "cancelled", "delivered", "read"])
async def test_what_has_ended_or_not_begun_is_not_moved_back_or_brought_to_life(on_sqlite: TwilioClinic, start: str) -> None:
    message = a_message(on_sqlite, 1, start)
    for status in ("queued", "sent", "failed", "undelivered"):
        await on_sqlite.report(message, status, "63005" if "ed" in status else "")
    assert state_of(on_sqlite, message)[0] == start


async def test_a_receipt_is_proof_for_a_message_in_doubt(on_sqlite: TwilioClinic) -> None:
    message = a_message(on_sqlite, 1, "in_doubt", None)
    await on_sqlite.report(message, "queued", sid=SID)
    assert state_of(on_sqlite, message) == ("sent", SID)
    by_provider_id = a_message(on_sqlite, 2, "sent", "SM" + "9" * 32)
    await on_sqlite.report("", "delivered", sid="SM" + "9" * 32)
    assert state_of(on_sqlite, by_provider_id)[0] == "delivered"


@pytest.mark.parametrize("named", ["", "no id at all", str(UUID(int=99)), "x" * 500, "%00"])
async def test_a_receipt_for_no_message_of_ours_changes_nothing_and_is_thanked_for(on_sqlite: TwilioClinic, named: str) -> None:
    message = a_message(on_sqlite, 1, "sent")
    await on_sqlite.report(named.replace(" ", "%20"), "failed", "63005", sid="SM" + "7" * 32)
    assert state_of(on_sqlite, message)[0] == "sent"


async def test_a_receipt_of_another_part_or_sender_is_not_this_messages(on_sqlite: TwilioClinic) -> None:
    message = a_message(on_sqlite, 1, "sent")
    await on_sqlite.report(message, "failed", "63005", sid="SM" + "7" * 32)
    assert state_of(on_sqlite, message)[0] == "sent"
    receipt = Receipt(SID, "failed", str(message.id))
    assert not record_receipt(on_sqlite.clinic.db, on_sqlite.clinic.sender.id, receipt, START)


async def sent_prompt(whatsapp: TwilioClinic) -> Message:
    """The prompt of the day after opting in, sent as free text."""
    await whatsapp.clinic.service.move_clock(START + timedelta(days=1, hours=-1))
    (prompt,) = whatsapp.clinic.messages(kind="prompt")
    assert prompt.status == "sent"
    return prompt


async def test_free_text_that_turns_out_to_be_outside_the_window_goes_out_again_as_the_template_once(whatsapp: TwilioClinic) -> None:
    await whatsapp.opted_in()
    prompt = await sent_prompt(whatsapp)
    await whatsapp.report(prompt, "failed", "63016")
    await whatsapp.clinic.service.tick()
    (again,) = whatsapp.clinic.messages(kind="prompt")
    assert (again.status, whatsapp.sent()[-1].get("ContentSid")) == ("sent", DAILY)
    assert again.provider_id != prompt.provider_id
    for _ in range(3):
        await whatsapp.report(prompt, "failed", "63016")  # the first try's receipt, repeated
    assert whatsapp.clinic.messages(kind="prompt")[0].status == "sent"
    await whatsapp.tap_template()
    assert load_catalogue("en").text("prompt_intro", {}) in whatsapp.last()
    await whatsapp.report(again, "undelivered", "63016")
    assert [(each.status, "63016" in (each.reason or "")) for each in whatsapp.clinic.messages(kind="prompt")] == [("failed", True)]


async def test_a_stop_that_twilio_took_for_us_is_the_patients_stop(whatsapp: TwilioClinic) -> None:
    episode = await whatsapp.opted_in()
    await whatsapp.report(await sent_prompt(whatsapp), "failed", "21610")
    assert whatsapp.episode(episode.id).patient_status == "opted_out"
    assert [case.rule for case in whatsapp.cases(episode)] == ["X1"]
    before = len(whatsapp.sent())
    await whatsapp.clinic.service.move_clock(START + timedelta(days=5))
    assert len(whatsapp.sent()) == before


async def test_a_stop_that_twilio_tells_of_at_once_counts_too(whatsapp: TwilioClinic) -> None:
    episode = await whatsapp.opted_in()
    whatsapp.fake.control("stopped", to="whatsapp:+447700900123")
    await whatsapp.clinic.service.move_clock(START + timedelta(days=1, hours=-1))
    assert whatsapp.episode(episode.id).patient_status == "opted_out"
    assert [each.status for each in whatsapp.clinic.messages(kind="prompt")] == ["failed"]


@pytest.mark.parametrize("code", ["63003", "63024"])
async def test_a_patient_who_is_not_reached_is_on_the_clinics_list_and_not_to_blame(whatsapp: TwilioClinic, code: str) -> None:
    episode = await whatsapp.opted_in()
    prompt = await sent_prompt(whatsapp)
    await whatsapp.report(prompt, "undelivered", code)
    await whatsapp.report(prompt, "undelivered", code)
    assert [case.rule for case in whatsapp.cases(episode)] == ["X1"]
    (failed,) = whatsapp.clinic.messages(kind="prompt")
    assert (failed.status, code in (failed.reason or "")) == ("failed", True)
    assert whatsapp.episode(episode.id).patient_status == "opted_in"


async def test_a_receipt_of_delivery_says_that_the_patient_is_reached_again(whatsapp: TwilioClinic) -> None:
    await whatsapp.opted_in()
    prompt = await sent_prompt(whatsapp)
    with whatsapp.clinic.db.begin() as tx:
        tx.run(tables.addresses.update().values(status="unreachable", failures=2))
    await whatsapp.report(prompt, "delivered")
    with whatsapp.clinic.db.read() as tx:
        row = tx.one(tables.addresses.select())
    assert (row.status, row.failures) == ("active", 0)


@pytest.mark.parametrize(("code", "state"), [("63001", "broken"), ("63005", "active")])
async def test_a_fault_of_the_set_up_stops_the_sender_and_a_fault_of_one_message_does_not(
    whatsapp: TwilioClinic, code: str, state: str
) -> None:
    await whatsapp.opted_in()
    await whatsapp.report(await sent_prompt(whatsapp), "failed", code)
    with whatsapp.clinic.db.read() as tx:
        row = tx.one(tables.senders.select().where(tables.senders.c.id == whatsapp.sender_id))
    assert row.status == state
