"""What is new in the plan is told before the prompt that shows it; and what a day without a message offers is named before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from bot_service.actions import review, undoing
from tests.actions.test_review import decision
from tests.actions.told import DAY1, DAY2, DAY3
from tests.running_clinic import RunningClinic


async def test_news_of_the_night_comes_before_the_prompt_of_a_time_that_the_patient_chose(clinic: RunningClinic) -> None:
    person, other = clinic.in_care(at=time(7, 30)), clinic.in_care("Sam Lee", at=time(8))
    await clinic.service.move_clock(DAY1 + timedelta(hours=15))  # 23:00 in London
    so_far, others = len(person.received), len(other.received)
    for each in (person, other):
        review.step_up(clinic.db, decision(each), clinic.clock.now())
    await clinic.service.move_clock(DAY2 - timedelta(hours=2))
    assert len(person.received) == so_far, "the night is quiet while no prompt comes in it"
    await clinic.service.move_clock(DAY2 - timedelta(minutes=30))
    heads = [text.partition("\n")[0] for text in person.texts[so_far:]]
    assert heads == ["Good news about your plan.", "Your exercises for today are ready."]
    assert len(other.received) == others
    await clinic.service.move_clock(DAY2)
    assert [text.partition("\n")[0] for text in other.texts[-2:]] == heads
    assert len(person.received) == so_far + 2, "and no second time"


async def test_what_is_optional_on_a_day_without_a_message_is_named_the_day_before_and_shown_when_asked_for(clinic: RunningClinic) -> None:
    person = clinic.in_care(stage="intermediate", at=time(8))
    await clinic.service.move_clock(DAY2)
    prompt = person.texts[-1]
    assert "\n\nIf you like, tomorrow:\n• Bridge hold, both feet down: 5 × 30 s hold" in prompt
    assert prompt.index("If you like") < prompt.index("Stop an exercise if"), "the limits stand below all of it"
    await person.say("not today")
    so_far = len(person.received)
    await clinic.service.move_clock(DAY3 + timedelta(hours=3))
    assert len(person.received) == so_far, "no message of its own"
    await person.say("plan")
    told = person.texts[-1]
    assert told.startswith("Nothing is planned for today. If you like:\n• Bridge hold")
    assert "goes above 5 out of 10" in told and "Your next exercises come on Friday" in told and not person.received[-1].labels


async def test_the_plan_asked_for_before_the_news_is_the_one_that_the_patient_knows_with_the_day_of_the_change(
    clinic: RunningClinic,
) -> None:
    person = clinic.in_care(at=time(8))
    await clinic.service.move_clock(
        DAY1 + timedelta(hours=15)
    )  # 23:00 in London on a Tuesday; the new plan has Mondays, Wednesdays, Fridays
    await person.say("plan")
    before = person.texts[-1]
    review.step_up(clinic.db, decision(person), clinic.clock.now())
    await person.say("plan")
    change = "A change to your plan has been decided. It starts Wednesday 23 September, and we will tell you first what is new."
    assert person.texts[-1] == f"{change}\n\n{before}" and "Lying hamstring press" in before
    await person.say("how do I do the hamstring press")
    assert "Lying hamstring press" in person.texts[-1]
    await clinic.service.move_clock(DAY2 - timedelta(hours=3))
    await person.say("plan")
    assert person.texts[-1] == change.replace("Wednesday 23 September", "today"), "and no exercises of a plan that is over"
    await clinic.service.move_clock(DAY2)
    await person.say("plan")
    assert "decided" not in person.texts[-1] and "Bridge, two legs" in person.texts[-1]


@pytest.mark.parametrize(("at", "hours"), [(time(7, 30), -0.5), (time(8), 0.0)])
async def test_the_time_until_which_a_decision_can_be_undone_is_not_later_than_the_news(
    clinic: RunningClinic, at: time, hours: float
) -> None:
    person = clinic.in_care(at=at)
    await clinic.service.move_clock(DAY1 + timedelta(hours=15))
    review.step_up(clinic.db, replace(decision(person), grace=undoing.UNDO_FOR), clinic.clock.now())
    with clinic.db.read() as tx:
        (item,) = undoing.list_undoable(tx, person.episode(), clinic.clock.now())
    assert item.told_at == DAY2 + timedelta(hours=hours)
    heard = len(person.texts)
    await clinic.service.move_clock(item.told_at)
    assert person.texts[heard].startswith("Good news about your plan.")
