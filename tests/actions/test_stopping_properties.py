"""STOP against everything that may be under way: in no interleaving does anything begin to go out after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot_service.actions import prompt, receive, review
from bot_service.actions.assess import assess_due
from bot_service.actions.deciding import Decision
from bot_service.actions.outcomes import record_outcome, recover_after_crash
from bot_service.actions.prepare import AFTER_STOP, may_begin, prepare
from bot_service.clock import MovableClock, real_now
from bot_service.errors import ChannelUnavailable, DeliveryError, OutcomeUnknown, RateLimited
from bot_service.messages import Outbound
from bot_service.storage import claims, outbox
from bot_service.storage.database import Database
from tests.running_clinic import START, Person, RunningClinic, open_clinic

STEPS = [
    "plan", "look", "claim now", "claim bulk", "prepare", "send", "send", "record", "receive", "receive", "tap time", "type 3", "news",
    "an hour", "crash",
]  # fmt: skip
OUTCOMES: list[DeliveryError | None] = [None, ChannelUnavailable("down"), OutcomeUnknown("?"), RateLimited("slow", 1)]


@dataclass
class Worker:
    """One process, taken apart into the steps between which anything may happen."""

    name: str
    claimed: list[UUID] = field(default_factory=list)
    in_flight: list[Outbound] = field(default_factory=list)
    answered: list[Outbound] = field(default_factory=list)


@dataclass
class Story:
    """A patient who will say STOP, workers that do their steps in any order, and what began to go out after the STOP was handled."""

    clinic: RunningClinic
    person: Person
    outcomes: list[DeliveryError | None]
    began_after: list[str] = field(default_factory=list)
    sent: int = 0

    @property
    def has_stopped(self) -> bool:
        return self.person.episode().patient_status == "opted_out"

    def step(self, worker: Worker, what: str) -> None:
        db, now = self.clinic.db, self.clinic.clock.now()
        match what.split():
            case ["plan"]:
                prompt.queue_due_prompts(db, now)
            case ["look"]:
                assess_due(db, now)
            case ["claim", lane]:
                self._claim(worker, lane)
            case ["prepare"] if worker.claimed:
                self._prepare(worker)
            case ["send"] if worker.in_flight:
                worker.answered.append(worker.in_flight.pop(0))
                self.sent += 1
            case ["record"] if worker.answered:
                error = self.outcomes[self.sent % len(self.outcomes)]
                record_outcome(db, worker.answered.pop(0), now, "" if error else uuid4().hex, error)
            case ["receive"]:
                receive.receive_next(db, self.clinic.service.channels, now, set())
            case ["tap", _] | ["type", _]:
                self.hear("3")
            case ["news"] if not self.has_stopped:
                review.write_to_patient(db, Decision(self.clinic.physio, self.person.invitation.episode_id, "x"), "Well done", now)
            case ["an", "hour"]:
                self.clinic.clock.move_to(now + timedelta(hours=1))
            case ["crash"]:
                worker.claimed, worker.in_flight, worker.answered = [], [], []
                recover_after_crash(db, now, everything=True)

    def hear(self, text: str) -> None:
        raw = {"id": uuid4().hex, "address": self.person.address, "kind": "text", "text": text}
        receive.store(
            self.clinic.db, self.clinic.sender.id, raw, self.clinic.service.channels[self.clinic.sender.id], self.clinic.clock.now()
        )

    def _claim(self, worker: Worker, lane: str) -> None:
        with self.clinic.db.begin() as tx:
            now, line, lease = self.clinic.clock.now(), claims.Line(self.clinic.sender.id, lane), real_now() + timedelta(minutes=2)
            worker.claimed += [each.id for each in claims.claim(tx, now, line, worker=worker.name, lease_until=lease, limit=2)]

    def _prepare(self, worker: Worker) -> None:
        now, message_id, stopped = self.clinic.clock.now(), worker.claimed.pop(0), self.has_stopped
        outbound = prepare(self.clinic.db, message_id, worker.name, now, real_now() + timedelta(minutes=10))
        if outbound is None:
            return
        worker.in_flight.append(outbound)
        with self.clinic.db.read() as tx:
            row = outbox.load(tx, message_id)
        if stopped and row is not None and row.kind not in AFTER_STOP:
            self.began_after.append(f"{row.kind} {row.status}")


def a_story(db: Database, number: int, outcomes: list[DeliveryError | None]) -> Story:
    """A patient with messages of every kind due or about to be, in a clinic of their own."""
    clinic = open_clinic(db, MovableClock(frozen=START), slug=f"clinic{number}")
    person = clinic.in_care()
    clinic.clock.move_to(START + timedelta(hours=22))
    story = Story(clinic, person, outcomes)
    with db.begin() as tx:
        for kind in ("check_in", "nudge", "seen", "silence", "news", "reply"):
            key, until = f"{kind}:{number}", START + timedelta(hours=60)
            about = {"lane": "now" if kind in ("news", "reply") else "bulk", "day": START.date(), "slot": 1}
            prompt.queue_for_patient(tx, person.episode(), START, kind, key, START, until, {"lines": [["not_watched", {}]]}, **about)
    return story


numbers = iter(range(1_000_000))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=10)
@given(
    begun=st.sampled_from([[], ["claim now", "prepare", "prepare"], ["claim bulk", "prepare"], ["claim now", "prepare", "send"]]),
    before=st.lists(st.tuples(st.integers(0, 1), st.sampled_from(STEPS)), max_size=15),
    after=st.lists(st.tuples(st.integers(0, 1), st.sampled_from(STEPS)), min_size=5, max_size=25),
    outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=4),
)
@example(["claim bulk", "prepare"], [], [(0, "plan")] * 5, [ChannelUnavailable("down")])
def test_nothing_begins_to_go_out_after_stop_in_any_interleaving(
    sqlite_db: Database, begun: list[str], before: list[tuple[int, str]], after: list[tuple[int, str]], outcomes: list[DeliveryError | None]
) -> None:
    story = a_story(sqlite_db, next(numbers), outcomes)
    workers = [Worker("w1"), Worker("w2")]
    for number, what in [*((1, what) for what in begun), *before]:
        story.step(workers[number], what)
    story.hear("STOP")
    for number, what in after:
        story.step(workers[number], what)
    for _ in range(len(before) + len(after) + 1):
        story.step(workers[0], "receive")
    assert story.has_stopped
    for what in ["plan", "look", "claim now", "claim bulk", "prepare", "send", "record", "an hour"] * 4:
        story.step(workers[1], what)
    assert story.began_after == []
    left = {row.status for row in story.person.messages() if row.kind not in AFTER_STOP}
    assert "due" not in left, "nothing waits for a patient who has stopped"


async def test_an_answer_that_was_under_way_at_the_stop_is_not_tried_again(clinic: RunningClinic) -> None:
    jo = clinic.in_care()

    def stop_meanwhile_and_fail(outbound: Outbound) -> DeliveryError | None:
        if outbound.id not in {str(row.id) for row in jo.messages(kind="reply")}:
            return None
        story = Story(clinic, jo, [])
        story.hear("STOP")
        story.step(Worker("another"), "receive")
        return ChannelUnavailable("down")

    clinic.phones.fails = stop_meanwhile_and_fail
    await jo.say("help")
    await clinic.service.move_clock(START + timedelta(hours=2))
    assert [row.status for row in jo.messages(kind="reply")] == ["cancelled"]
    assert len(jo.received) == 1, "the goodbye"


async def test_who_blocks_the_chat_is_sent_nothing_until_they_let_it_in_or_write(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    await clinic.service.move_clock(START + timedelta(hours=23))
    tried = clinic.phones.tried
    await jo.say("", kind="blocked")
    await clinic.service.move_clock(START + timedelta(days=3))
    assert clinic.phones.tried == tried
    assert {row.reason for row in jo.messages(kind="prompt", status="cancelled")} == {"the patient blocked the chat"}
    await jo.say("", kind="unblocked")
    await clinic.service.move_clock(START + timedelta(days=4))
    assert clinic.phones.tried > tried
    assert jo.episode().patient_status == "opted_in"


async def test_a_block_between_the_last_look_but_one_and_the_call_holds_the_message_back(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    story = Story(clinic, jo, [])
    clinic.clock.move_to(START + timedelta(hours=23))
    worker = Worker("w1")
    for what in ("plan", "claim bulk", "prepare"):
        story.step(worker, what)
    [prepared] = worker.in_flight
    assert may_begin(clinic.db, UUID(prepared.id), "w1", clinic.clock.now(), real_now())
    await jo.say("", kind="blocked", tick=False)
    story.step(worker, "receive")
    assert not may_begin(clinic.db, UUID(prepared.id), "w1", clinic.clock.now(), real_now())


@pytest.mark.parametrize("word", ["STOP", "stop", "Please stop texting me", "unsubscribe"])
async def test_stop_cancels_what_waits_and_only_the_goodbye_follows(clinic: RunningClinic, word: str) -> None:
    jo = clinic.in_care()
    await clinic.service.move_clock(START + timedelta(hours=23))
    await jo.say("done 3")
    received = len(jo.received)
    await jo.say(word)
    assert jo.episode().patient_status == "opted_out" and jo.episode().next_prompt_at is None
    assert len(jo.received) == received + 1
    [goodbye] = jo.messages(kind="goodbye")
    assert goodbye.status == "sent"
    await clinic.service.move_clock(START + timedelta(days=10))
    assert len(jo.received) == received + 1
    assert {row.reason for row in jo.messages(status="cancelled")} == {"the patient stopped all messages"}


async def test_a_red_flag_in_a_stop_gets_its_one_safety_text(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    await clinic.service.move_clock(START + timedelta(hours=23))
    await jo.say("STOP, I can't feel my legs")
    assert jo.episode().patient_status == "opted_out"
    assert len([row for row in jo.messages(status="sent") if row.kind == "safety"]) == 1
    received = len(jo.received)
    await clinic.service.move_clock(START + timedelta(days=4))
    assert len(jo.received) == received
