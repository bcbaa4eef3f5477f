"""What is new in the plan is told before the prompt that shows it; and what a day without a message offers is named before it."""

from __future__ import annotations

from datetime import time, timedelta

from bot_service.actions import review
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
