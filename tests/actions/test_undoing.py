"""Undo: everything is as it was while nothing went to the patient, and plainly refused from then on; on both kinds of database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest

from bot_service.actions import review, undoing
from bot_service.actions.deciding import Decision
from bot_service.actions.prepare import prepare
from bot_service.actions.prompt import move_cursor, queue_for_patient
from bot_service.actions.undoing import UNDO_FOR
from bot_service.errors import Conflict, NotFound
from bot_service.storage import audit, claims, episodes, outbox, prescriptions, reviews
from bot_service.storage.claims import Line
from tests.actions.told import audited, open_cases, proposals
from tests.patience import PATIENT_S
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import live, look

READY = "done 2/1, " * 14 + "done 2/1"


def after(clinic: RunningClinic, days: str = READY, **more: Any) -> Person:
    """A patient who has lived these days, with the next prompt ahead; after fifteen good ones a step is proposed."""
    person = clinic.in_care(**more)
    live(clinic, person, days)
    look(person)
    with clinic.db.begin() as tx:
        move_cursor(tx, episodes.load(tx, person.invitation.episode_id), clinic.clock.now())
    return person


def decision(person: Person, reason: str = "looks good", **more: Any) -> Decision:
    return replace(Decision(person.clinic.physio, person.episode().id, reason, grace=UNDO_FOR), **more)


def approve(person: Person, **more: Any) -> UUID:
    pending = next(each for each in proposals(person) if each.status == "pending")
    review.approve(person.clinic.db, decision(person, **more), pending.id, person.clinic.clock.now())
    return pending.id


def undo(person: Person, decided: UUID) -> None:
    undoing.undo(person.clinic.db, decision(person), decided, person.clinic.clock.now())


def undoable(person: Person) -> list[UUID]:
    with person.clinic.db.read() as tx:
        return [item.id for item in undoing.list_undoable(tx, person.episode(), person.clinic.clock.now())]


def standing(person: Person) -> dict[str, Any]:
    """What a decision changes and an undo puts back."""
    episode = person.episode()
    with person.clinic.db.read() as tx:
        history = [item.id for item in prescriptions.list_of_episode(tx, episode.patient_id, episode.id)]
        held = [item.id for item in reviews.list_held(tx, episode, person.clinic.clock.now().date())]
        pending = [item.rule for item in reviews.list_proposals(tx, episode) if item.status == "pending"]
        offers = [item.rule for item in reviews.list_offered(tx, episode)]
    reminders = [each.status for each in person.messages(kind="nudge")]
    names = ("stage", "stage_start", "prescription_id", "next_prompt_at")
    return {name: getattr(episode, name) for name in names} | {
        "history": history, "held": held, "pending": pending, "offers": offers, "reminders": reminders, "cases": sorted(open_cases(person)),
    }  # fmt: skip


async def a_minute_later(clinic: RunningClinic) -> None:
    await clinic.service.move_clock(clinic.clock.now() + timedelta(minutes=1))


async def test_an_approval_undone_in_time_leaves_everything_as_it_was_and_the_patient_hears_nothing(clinic: RunningClinic) -> None:
    person, now = after(clinic), clinic.clock.now()
    with clinic.db.begin() as tx:
        reviews.offer(tx, now, person.episode(), "C0", ("E1", "E1_2"), {})
        an_hour, two = now + timedelta(hours=1), now + timedelta(hours=2)
        queue_for_patient(tx, person.episode(), now, "nudge", "nudge:tonight", an_hour, two, {"lines": []}, day=now.date(), slot=1)
    before, heard = standing(person), len(person.received)
    assert (before["offers"], before["reminders"]) == (["C0"], ["due"])
    decided = approve(person, ticked=("Strong on one leg",), unticked=("Sits for an hour",))
    await clinic.service.tick()
    assert person.episode().stage == "intermediate" and len(person.received) == heard, "the news waits"
    assert (standing(person)["offers"], standing(person)["reminders"]) == ([], ["cancelled"])
    assert undoable(person) == [decided]
    undo(person, decided)
    assert standing(person) == before
    await a_minute_later(clinic)
    assert len(person.received) == heard
    kept = {each.status: each for each in proposals(person)}
    assert set(kept) == {"undid", "undone", "pending", "offered"}, "nothing is deleted"
    assert kept["undid"].detail["was"] == "approved" and kept["undid"].decided_by == clinic.physio.id
    assert (kept["undone"].detail["ticked"], kept["undone"].detail["unticked"]) == (["Strong on one leg"], ["Sits for an hour"])
    assert audited(person)[-1] == "decision_undone" and undoable(person) == []
    with clinic.db.read() as tx:
        assert audit.verify(tx) is None
    with pytest.raises(Conflict, match="not in force"):
        undo(person, decided)


async def test_once_the_patient_was_told_nothing_is_undone(clinic: RunningClinic) -> None:
    person = after(clinic)
    decided = approve(person)
    await a_minute_later(clinic)
    assert "moved you on" in person.texts[-1] and undoable(person) == []
    then = standing(person)
    with pytest.raises(Conflict, match="too late to undo this: the patient has been told"):
        undo(person, decided)
    assert standing(person) == then and audited(person)[-1] == "approved"


async def test_what_the_patient_read_under_the_new_plan_ends_the_undo_before_the_news_does(clinic: RunningClinic) -> None:
    person = after(clinic)
    decided = approve(person)
    await person.say("help")
    with pytest.raises(Conflict, match="had a message under the new plan"):
        undo(person, decided)
    assert undoable(person) == [] and person.episode().stage == "intermediate"


async def test_a_hold_undone_proposes_again_and_brings_back_the_hold_before_it(clinic: RunningClinic) -> None:
    person = after(clinic)
    clock, today = clinic.clock, clinic.clock.now().date()
    review.hold(clinic.db, decision(person, grace=timedelta(0)), None, today + timedelta(days=3), clock.now())
    await a_minute_later(clinic)
    before = standing(person)
    review.hold(clinic.db, decision(person), None, today + timedelta(days=30), clock.now())
    (second,) = undoable(person)
    undo(person, second)
    assert standing(person) == before and len(before["held"]) == 1
    texts = len(person.received)
    await a_minute_later(clinic)
    assert len(person.received) == texts


def test_a_step_back_undone_opens_the_cases_again_that_it_had_closed(clinic: RunningClinic) -> None:
    person = after(clinic, "done 2/1, -, done 7/6", stage="intermediate")
    before, pain = standing(person), [case.id for case in open_cases(person).values()]
    review.step_back(clinic.db, decision(person), clinic.clock.now(), answered=pain)
    assert pain and not open_cases(person) and person.episode().stage == "early"
    (decided,) = undoable(person)
    undo(person, decided)
    assert standing(person) == before


async def test_only_the_last_decision_can_be_undone_and_nobody_elses(clinic: RunningClinic) -> None:
    person, other = after(clinic), clinic.in_care("Another")
    first = approve(person)
    clinic.clock.move_to(clinic.clock.now() + timedelta(seconds=5))
    review.hold(clinic.db, decision(person), None, None, clinic.clock.now())
    assert first not in undoable(person)
    with pytest.raises(Conflict, match="something else was decided since"):
        undo(person, first)
    with pytest.raises(NotFound):
        undo(other, first)


async def test_a_message_taken_back_never_leaves_and_its_words_come_back(clinic: RunningClinic) -> None:
    person = clinic.in_care()
    for words, late in (("See you Tuesday <3", False), ("Well done", True)):
        review.write_to_patient(clinic.db, decision(person, ""), words, clinic.clock.now())
        (message,) = undoable(person)
        if late:
            await a_minute_later(clinic)
            with pytest.raises(Conflict, match="too late to take this message back"):
                undoing.take_message_back(clinic.db, decision(person), message, clinic.clock.now())
        else:
            assert undoing.take_message_back(clinic.db, decision(person), message, clinic.clock.now()) == words
    await a_minute_later(clinic)
    assert [text for text in person.texts if "Tuesday" in text] == [] and "Well done" in person.texts[-1]


@pytest.mark.parametrize("claimed_first", [True, False], ids=["claimed", "sending"])
def test_a_message_that_is_being_sent_is_either_undone_or_sent_and_never_both(clinic: RunningClinic, claimed_first: bool) -> None:
    person = clinic.in_care()
    now, later = clinic.clock.now(), clinic.clock.now() + UNDO_FOR
    review.write_to_patient(clinic.db, decision(person), "Well done", now)
    (message,) = undoable(person)
    with clinic.db.begin() as tx:
        claims.claim(tx, later, Line(clinic.sender.id, "now"), worker="w", lease_until=later + UNDO_FOR, limit=1)

    def send() -> bool:
        return prepare(clinic.db, message, "w", later, later + UNDO_FOR) is not None

    def take_back() -> bool:
        try:
            return bool(undoing.take_message_back(clinic.db, decision(person), message, later))
        except Conflict:
            return False

    order = (take_back, send) if claimed_first else (send, take_back)
    assert [act() for act in order] == [True, False]


def test_undo_and_sending_at_the_same_moment_agree_on_who_came_first(clinic: RunningClinic) -> None:
    person = clinic.in_care()
    now = clinic.clock.now()
    for number in range(6):
        at = now + timedelta(minutes=number)
        review.write_to_patient(clinic.db, decision(person), f"Message {number}", at)
        (waiting,) = [each for each in person.messages(kind="news") if each.status == "due"]
        with clinic.db.begin() as tx:
            claims.claim(tx, at + UNDO_FOR, Line(clinic.sender.id, "now"), worker="w", lease_until=at + UNDO_FOR * 2, limit=1)
        done = at_once(partial(take_back, person, waiting.id, at), partial(send, person, waiting.id, at))
        assert sorted(done) == [False, True], number
        with clinic.db.begin() as tx:
            outbox.move(tx, waiting.id, ("sending",), "sent", at)


def take_back(person: Person, message: UUID, at: datetime) -> bool:
    try:
        return bool(undoing.take_message_back(person.clinic.db, decision(person), message, at))
    except Conflict:
        return False


def send(person: Person, message: UUID, at: datetime) -> bool:
    return prepare(person.clinic.db, message, "w", at + UNDO_FOR, at + UNDO_FOR * 2) is not None


def at_once(*acts: Callable[[], bool]) -> list[bool]:
    """What each gave, all begun at the same moment."""
    barrier, done = Barrier(len(acts)), list[bool]()

    def run(act: Callable[[], bool]) -> None:
        barrier.wait()
        done.append(act())

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENT_S)
    return done
