"""What becomes of a message that is due: every outcome of a call and the state it leads to (the contract's states)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import cast
from uuid import UUID

import pytest
from sqlalchemy import update

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.actions.histories import load_record
from bot_service.actions.prompt import queue_for_patient
from bot_service.errors import (
    ChannelMisconfigured,
    ChannelUnavailable,
    DeliveryError,
    MessageRejected,
    OutcomeUnknown,
    OutsideServiceWindow,
    RateLimited,
    RecipientStopped,
)
from bot_service.messages import Outbound
from bot_service.storage import cases, clinics, conversations, outbox, tables
from bot_service.storage.outbox import Message
from tests.running_clinic import Person, RunningClinic

EIGHT = datetime(2026, 9, 22, 7, tzinfo=UTC)
"""08:00 in London on the Tuesday: the first prompt."""
Fault = Callable[[], DeliveryError]


def down() -> DeliveryError:
    return ChannelUnavailable("connection refused")


def unknown() -> DeliveryError:
    return OutcomeUnknown("read timed out")


def failing(clinic: RunningClinic, fault: Fault | None, times: int = 1_000) -> None:
    """The provider fails so, that many times, and then works."""
    left = iter(range(times))
    clinic.phones.fails = None if fault is None else lambda _outbound: fault() if next(left, None) is not None else None


def the_prompt(person: Person) -> Message:
    [row] = person.messages(kind="prompt")
    return row


def open_questions(person: Person) -> list[str]:
    with person.clinic.db.read() as tx:
        found = conversations.list_open(tx, person.invitation.episode_id, person.clinic.clock.now())
    return [question.kind for question in found]


def open_cases(person: Person) -> list[str]:
    with person.clinic.db.read() as tx:
        return [case.rule for case in cases.list_open(tx, person.episode())]


async def test_a_message_that_arrives_is_sent_with_its_id_time_and_question(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    await clinic.service.move_clock(EIGHT)
    row = the_prompt(jo)
    assert (row.status, row.status_at, row.sent_at, row.attempts) == ("sent", EIGHT, EIGHT, 1)
    assert row.provider_id == jo.received[0].provider_id
    assert open_questions(jo) == ["session"]


@pytest.mark.parametrize(
    ("fault", "state", "counted"),
    [
        (down, "due", 1),
        (lambda: RateLimited("slow down", 20), "due", 0),
        (lambda: ChannelMisconfigured("unauthorized"), "due", 0),
        (lambda: RecipientStopped("bot was blocked"), "failed", 1),
        (lambda: MessageRejected("bad request"), "failed", 1),
        (unknown, "in_doubt", 1),
        (lambda: cast(DeliveryError, RuntimeError("a bug in the channel")), "in_doubt", 1),
    ],
    ids=["unavailable", "429", "misconfigured", "blocked", "rejected", "unknown", "a bug"],
)
async def test_each_outcome_leads_to_its_state(clinic: RunningClinic, fault: Fault, state: str, counted: int) -> None:
    jo = clinic.in_care()
    failing(clinic, fault)
    await clinic.service.move_clock(EIGHT)
    row = the_prompt(jo)
    assert (row.status, row.attempts, row.provider_id) == (state, counted, None)
    assert row.reason and row.status_at == EIGHT
    assert clinic.phones.tried == 1 and jo.received == []
    went_out = state == "in_doubt"
    assert open_questions(jo) == (["session"] if went_out else []), "a question nobody was asked is taken back"
    assert row.sent_at == (EIGHT if went_out else None)


async def test_what_may_not_be_said_outside_the_window_is_said_in_the_approved_form_once(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    failing(clinic, lambda: OutsideServiceWindow("63016"))
    await clinic.service.move_clock(EIGHT + timedelta(hours=1))
    assert [outbound.template is not None for outbound in clinic.phones.attempted] == [False, True]
    assert (the_prompt(jo).status, the_prompt(jo).reason) == ("failed", "only an approved template may be sent now")
    assert open_questions(jo) == []


async def test_what_was_surely_not_accepted_is_tried_three_times_more_with_growing_waits(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    tried_at: list[datetime] = []

    def refuse(_outbound: Outbound) -> DeliveryError:
        tried_at.append(clinic.clock.now())
        return down()

    clinic.phones.fails = refuse
    await clinic.service.move_clock(EIGHT + timedelta(hours=2, minutes=59))
    waits = [(after - before).total_seconds() for before, after in pairwise(tried_at)]
    assert tried_at[0] == EIGHT
    assert [least <= wait < least * 1.25 for wait, least in zip(waits, (30, 120, 480), strict=True)] == [True] * 3
    assert waits != [30, 120, 480], "not all of them at once"
    assert (the_prompt(jo).status, the_prompt(jo).attempts) == ("failed", 4)
    assert open_questions(jo) == []


@pytest.mark.parametrize("failures", [1, 2, 3])
async def test_a_retry_that_gets_through_is_one_message_with_one_question(clinic: RunningClinic, failures: int) -> None:
    jo = clinic.in_care()
    failing(clinic, down, failures)
    await clinic.service.move_clock(EIGHT + timedelta(hours=1))
    assert len(jo.received) == 1 and the_prompt(jo).status == "sent"
    assert open_questions(jo) == ["session"]
    assert the_prompt(jo).sent_at == jo.received[0].at


async def test_nothing_is_tried_past_its_expiry(clinic: RunningClinic) -> None:
    late = clinic.in_care(at=time(20, 59))
    failing(clinic, down)
    await clinic.service.move_clock(datetime(2026, 9, 21, 19, 59, 45, tzinfo=UTC))
    assert clinic.phones.tried == 2, "at 20:59:00 and half a minute later; two minutes after that quiet hours will have begun"
    assert (the_prompt(late).status, the_prompt(late).reason) == ("expired", "the provider could not be reached in time")


async def test_nothing_in_doubt_goes_out_again_by_itself(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    failing(clinic, unknown, 1)
    await clinic.service.move_clock(EIGHT)
    clinic.service.recover()
    await clinic.service.move_clock(EIGHT + timedelta(hours=23))
    assert the_prompt(jo).status == "in_doubt"
    assert [each for each in clinic.phones.attempted if each.id == str(the_prompt(jo).id)] == clinic.phones.attempted[:1]


async def test_a_tap_on_a_message_in_doubt_proves_that_it_arrived(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    failing(clinic, unknown, 1)
    await clinic.service.move_clock(EIGHT)
    [button] = [cell for row in clinic.phones.attempted[0].rows for cell in row if cell.label == "3"]
    await jo.say("", kind="tap", data=button.data)
    assert the_prompt(jo).status == "sent" and the_prompt(jo).reason == "answered"


async def test_a_safety_text_in_doubt_is_said_again_in_a_new_message_that_names_the_old(clinic: RunningClinic) -> None:
    jo = await clinic.opted_in()
    failing(clinic, unknown, 1)
    await jo.say("I can't feel my legs")
    [old] = jo.messages(kind="safety", status="in_doubt")
    before = len(jo.received)
    await clinic.service.move_clock(clinic.clock.now() + timedelta(minutes=1))
    [new] = jo.messages(kind="safety", status="sent")
    with clinic.db.read() as tx:
        row = tx.one(tables.outbox.select().where(tables.outbox.c.id == new.id))
    assert row.replaces_id == old.id
    assert len(jo.received) == before + 1 and jo.messages(kind="safety", status="in_doubt") == [old]


async def test_news_in_doubt_is_said_again_but_not_without_end(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    failing(clinic, unknown)
    review.write_to_patient(clinic.db, Decision(clinic.physio, jo.invitation.episode_id, "a word"), "Well done", clinic.clock.now())
    await clinic.service.move_clock(clinic.clock.now() + timedelta(hours=3))
    copies = jo.messages(kind="news")
    assert [copy.status for copy in copies] == ["in_doubt"] * 4
    waits = [round((after.due_at - before.due_at).total_seconds()) for before, after in pairwise(copies)]
    assert [least <= wait <= least * 1.25 for wait, least in zip(waits, (30, 120, 480), strict=True)] == [True] * 3


async def test_a_429_stops_the_whole_sender_and_burns_nothing(clinic: RunningClinic) -> None:
    people = [clinic.in_care(f"P {number}") for number in range(5)]
    with clinic.db.begin() as tx:
        tx.run(update(tables.senders).values(rate_per_s=1000.0))
    failing(clinic, lambda: RateLimited("slow down", 40), 1)
    await clinic.service.move_clock(EIGHT)
    assert clinic.phones.tried == 1, "what the provider asks of one message holds for all"
    rows = [the_prompt(person) for person in people]
    assert [row.status for row in rows] == ["due"] * 5
    await people[0].say("help")
    assert clinic.phones.tried == 1, "and for both lanes"
    with clinic.db.begin() as tx:
        tx.run(update(tables.rates).values(tat=0.0))  # forty real seconds later
    await clinic.service.move_clock(EIGHT + timedelta(minutes=1))
    assert [the_prompt(person).status for person in people] == ["sent"] * 5
    assert all(len([each for each in person.received if each.outbound.id == str(the_prompt(person).id)]) == 1 for person in people)


async def test_refused_credentials_stop_the_sender_without_burning_a_row(clinic: RunningClinic) -> None:
    people = [clinic.in_care(f"P {number}") for number in range(5)]
    failing(clinic, lambda: ChannelMisconfigured("401"))
    await clinic.service.move_clock(EIGHT)
    for _ in range(3):
        await clinic.service.tick()
    assert clinic.phones.tried == 1
    assert [(the_prompt(person).status, the_prompt(person).attempts) for person in people] == [("due", 0)] * 5
    with clinic.db.read() as tx:
        [sender] = clinics.list_senders(tx)
    assert sender.status == "broken" and sender.reason == "the provider refused its credentials"
    failing(clinic, None)
    clinic.service.add_channel(clinic.clinic.id, sender.name, clinic.service.channels[sender.id], None)
    await clinic.service.tick()
    assert [the_prompt(person).status for person in people] == ["sent"] * 5


async def test_a_stopped_sender_does_not_stop_time(clinic: RunningClinic) -> None:
    """Moving the clock used to spin for ever on a message that could not be sent."""
    jo = clinic.in_care()
    failing(clinic, lambda: ChannelMisconfigured("401"))
    await clinic.service.move_clock(EIGHT + timedelta(days=3))
    assert clinic.clock.now() == EIGHT + timedelta(days=3)
    assert [row.status for row in jo.messages(kind="prompt")] == ["expired", "expired", "expired", "due"]


async def test_a_blocked_chat_is_a_case_once_and_never_the_patients_fault(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    failing(clinic, lambda: RecipientStopped("bot was blocked"))
    await clinic.service.move_clock(EIGHT + timedelta(days=3))
    rows = jo.messages(kind="prompt")
    assert [row.status for row in rows] == ["failed"] * 4
    assert {row.reason for row in rows} == {"the patient cannot be reached at this address"}
    assert open_cases(jo) == ["X1"]
    with clinic.db.read() as tx:
        record = load_record(tx, jo.episode(), clinic.clock.now())
    assert {item.status for item in record.scheduled} == {"not_sent"}
    assert "no_reply" not in [status for _, status in record.strip(7)]


async def test_a_message_that_cannot_be_prepared_holds_up_nobody(clinic: RunningClinic) -> None:
    jo, sam = clinic.in_care("Jo"), clinic.in_care("Sam")
    await clinic.service.move_clock(EIGHT - timedelta(seconds=1))
    with clinic.db.begin() as tx:
        poison, tomorrow = {"lines": [["no such sentence", {}]]}, EIGHT + timedelta(days=1)
        queue_for_patient(tx, jo.episode(), clinic.clock.now(), "news", "poison", clinic.clock.now(), tomorrow, poison, lane="now")
    await clinic.service.move_clock(EIGHT + timedelta(hours=1))
    assert (the_prompt(jo).status, the_prompt(sam).status) == ("sent", "sent")
    [row] = jo.messages(kind="news")
    assert (row.status, row.attempts, row.reason) == ("failed", 4, "could not be prepared")


async def test_a_crash_before_the_call_leaves_the_message_due_and_one_in_it_leaves_doubt(clinic: RunningClinic) -> None:
    jo, sam = clinic.in_care("Jo"), clinic.in_care("Sam")
    with clinic.db.begin() as tx:
        clinics.mark_sender(tx, clinic.sender.id, "broken", "for now")
    await clinic.service.move_clock(EIGHT)
    with clinic.db.begin() as tx:
        outbox.move(tx, the_prompt(jo).id, ("due",), "claimed", EIGHT, claimed_by="dead", lease_until=EIGHT - timedelta(days=9999))
        outbox.move(tx, the_prompt(sam).id, ("due",), "sending", EIGHT, claimed_by="dead", lease_until=EIGHT - timedelta(days=9999))
        clinics.mark_sender(tx, clinic.sender.id, "active", None)
    assert clinic.service.recover() == 1
    await clinic.service.tick()
    assert (the_prompt(jo).status, the_prompt(sam).status) == ("sent", "in_doubt")
    assert sam.received == []


async def test_a_lapsed_lease_is_found_while_the_service_runs(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    with clinic.db.begin() as tx:
        clinics.mark_sender(tx, clinic.sender.id, "broken", "for now")
    await clinic.service.move_clock(EIGHT)
    with clinic.db.begin() as tx:
        outbox.move(tx, the_prompt(jo).id, ("due",), "claimed", EIGHT, claimed_by="dead", lease_until=EIGHT - timedelta(days=9999))
        clinics.mark_sender(tx, clinic.sender.id, "active", None)
    clinic.service.delivery.looked_after_at = -1e9  # a quarter of a minute later
    await clinic.service.tick()
    assert the_prompt(jo).status == "sent"


async def test_a_quick_answer_before_the_providers_own_keeps_the_providers_id(clinic: RunningClinic) -> None:
    jo = clinic.in_care()

    def answered_at_once(outbound: Outbound) -> None:
        with clinic.db.begin() as tx:
            assert outbox.prove_sent(tx, UUID(outbound.id), clinic.clock.now())

    clinic.phones.fails = answered_at_once
    await clinic.service.move_clock(EIGHT)
    assert (the_prompt(jo).status, the_prompt(jo).provider_id) == ("sent", jo.received[0].provider_id)


async def test_a_nudge_that_did_not_go_out_leaves_the_prompts_question_open(clinic: RunningClinic) -> None:
    jo = clinic.in_care(stage="intermediate", at=time(9))  # mon, wed, fri: the nudge comes the day after
    await clinic.service.move_clock(datetime(2026, 9, 23, 8, tzinfo=UTC))
    assert open_questions(jo) == ["session"]
    failing(clinic, lambda: MessageRejected("no"))
    await clinic.service.move_clock(datetime(2026, 9, 24, 8, tzinfo=UTC))
    assert [row.status for row in jo.messages(kind="nudge")] == ["failed"]
    assert open_questions(jo) == ["session"], "the prompt's own question, which the nudge had taken the place of"
    failing(clinic, None)
    await jo.say("done 3")
    assert "3" in jo.texts[-1]


async def test_a_hundred_messages_keep_to_the_rate_and_do_not_wait_for_the_next_tick(sqlite_clinic: RunningClinic) -> None:
    for number in range(40):
        sqlite_clinic.in_care(f"P {number}")
    with sqlite_clinic.db.begin() as tx:
        tx.run(update(tables.senders).values(rate_per_s=60.0))
    await sqlite_clinic.service.move_clock(EIGHT)
    assert len(sqlite_clinic.phones.received) == 40
