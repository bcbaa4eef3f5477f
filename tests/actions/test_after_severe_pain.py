"""What goes out between a score of eight or more and the physio's look at it (clinical.md 0.6), and what counts as a look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot_service.actions import review
from bot_service.actions.histories import load_record
from bot_service.actions.prescribing import supersede
from bot_service.clinical.adherence import counted_days
from bot_service.clinical.engagement import silent_days
from bot_service.clinical.record import Record
from bot_service.storage import episodes
from tests.actions.test_review import decision
from tests.actions.told import DAY1, DAY2, DAY3, open_cases, open_questions, prescription
from tests.running_clinic import Person, RunningClinic

WHICH = "Leave out the exercise that brought on the pain in"


def record_of(person: Person) -> Record:
    with person.clinic.db.read() as tx:
        return load_record(tx, person.episode(), person.clinic.clock.now())


def prescribe_one(person: Person) -> None:
    """The physio prescribes a single exercise."""
    clinic, early = person.clinic, prescription(person)
    document = early.model_copy(update={"slots": (early.slots[0].model_copy(update={"exercises": ("E2",)}),)})
    with clinic.db.begin() as tx:
        supersede(tx, episodes.load(tx, person.episode().id), document, clinic.physio.id, "one is enough", clinic.clock.now())


async def hurt(clinic: RunningClinic, *, alone: bool = False) -> Person:
    """Somebody with the flare plan signed whose first session reached a nine; `alone`: of one exercise, and nothing else is named."""
    person = clinic.in_care()
    if alone:
        prescribe_one(person)
    await clinic.service.move_clock(DAY1)
    await person.say("done 9")
    await person.tap("None")
    return person


async def test_all_come_in_the_easier_version_since_only_the_patient_knows_which_one_hurt(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    await clinic.service.move_clock(DAY2)
    await person.say("4")
    shown = person.texts[-1]
    assert f"{WHICH} yesterday's session until your physio has looked." in shown
    assert all(f"{number}. " in shown for number in (1, 2, 3)) and "no exercises" not in shown
    assert "5 × 15 s hold, about 50 % effort, rest 60 s" in shown and "5 × 30 s" not in shown
    await person.tap("How to do them")
    steps = person.texts[-1]
    assert steps.startswith(WHICH) and "Bridge hold, both feet down: 5 × 15 s hold" in steps and "5 × 30 s" not in steps
    await clinic.service.move_clock(DAY3)
    assert f"{WHICH} Tuesday's session" in person.texts[-1] and "0" in person.received[-1].labels


async def test_where_the_session_had_one_exercise_nothing_comes_and_nothing_counts(clinic: RunningClinic) -> None:
    person = await hurt(clinic, alone=True)
    await clinic.service.move_clock(DAY2)
    assert person.texts[-1].startswith("One question about yesterday's session.") and "follow" not in person.texts[-1]
    await person.say("4")
    await person.say("plan")
    assert "no exercises for today" in person.texts[-1] and not person.received[-1].labels
    await person.say("how do I do the press?")
    assert "Step by step" not in person.texts[-1] and "Please leave this out" in person.texts[-1]
    so_far = len(person.received)
    await clinic.service.move_clock(DAY1 + timedelta(days=12))
    assert len(person.received) == so_far, "no exercises, no pain question, no word about silence"
    assert not [each for each in open_questions(person) if each.kind in ("session", "session_pain")]
    record = record_of(person)
    assert [status for _, status in record.strip(11)] == ["paused"] * 11
    assert silent_days(record) == 0 and len(counted_days(record, 14)) == 1
    assert set(open_cases(person)) == {"A4", "B3"}
    review.close_case(clinic.db, decision(person), open_cases(person)["A4"].id, clinic.clock.now())
    await clinic.service.move_clock(DAY1 + timedelta(days=13))
    assert "1. Lying hamstring press" in person.texts[-1]


def close_another(person: Person) -> None:
    review.close_case(person.clinic.db, decision(person), open_cases(person)["X3"].id, person.clinic.clock.now())


def acknowledge(person: Person) -> None:
    review.acknowledge_case(person.clinic.db, decision(person), open_cases(person)["A4"].id, person.clinic.clock.now())


def close_the_pain(person: Person) -> None:
    review.close_case(person.clinic.db, decision(person), open_cases(person)["A4"].id, person.clinic.clock.now())


def hold(person: Person) -> None:
    review.hold(person.clinic.db, decision(person), None, None, person.clinic.clock.now())


@pytest.mark.parametrize(
    ("act", "looked"), [(close_another, False), (acknowledge, False), (close_the_pain, True), (hold, True), (prescribe_one, True)]
)
async def test_the_physio_has_looked_after_the_pains_own_case_or_a_decision(
    clinic: RunningClinic, act: Callable[[Person], None], looked: bool
) -> None:
    person = clinic.in_care()
    await clinic.service.move_clock(DAY1)
    await person.say("talk to my physio: can I bring a friend?")
    await person.say("done 9")
    await person.tap("None")
    act(person)
    await person.say("plan")
    assert (WHICH not in person.texts[-1]) == looked


async def test_a_step_or_a_time_that_the_patient_chose_is_nobodys_look(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    await person.say("send it at 7pm")
    await person.tap("Yes")
    await person.say("plan")
    assert WHICH in person.texts[-1]


async def test_a_decision_before_severe_pain_was_told_is_no_look_at_it(clinic: RunningClinic) -> None:
    person = clinic.in_care()
    await clinic.service.move_clock(DAY1)
    await person.say("done")
    await clinic.service.move_clock(DAY1 + timedelta(hours=1))
    supersede_with_the_same(person)
    await clinic.service.move_clock(DAY1 + timedelta(hours=2))
    await person.say("9")
    await person.tap("None")
    await clinic.service.move_clock(DAY2)
    await person.say("4")
    assert f"{WHICH} yesterday's session until your physio has looked." in person.texts[-1]


def supersede_with_the_same(person: Person) -> None:
    clinic = person.clinic
    with clinic.db.begin() as tx:
        episode = episodes.load(tx, person.episode().id)
        supersede(tx, episode, prescription(person), clinic.physio.id, "looked at the answers so far", clinic.clock.now())
