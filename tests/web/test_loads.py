"""The ladders of the exercises over time, and the calendar's marks: what the drawing says is what was prescribed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from bot_service.storage.prescriptions import Prescribed
from bot_service.web.calendar import calendar_of
from bot_service.web.loads import ladders, load_chart, steps_taken
from plans.editing import at_rungs
from plans.model import Prescription
from tests.builders import a_prescription, an_episode, week

FIRST = date(2026, 9, 1)


def prescribed(*documents: Prescription) -> list[Prescribed]:
    """One every ten days."""
    starts = [FIRST + timedelta(days=10 * number) for number in range(len(documents))]
    at, by = datetime(2026, 9, 1, tzinfo=UTC), UUID(int=1)
    return [
        Prescribed(UUID(int=n), n, doc.stage, start, at, by, doc, None)
        for n, (doc, start) in enumerate(zip(documents, starts, strict=True))
    ]


def test_each_ladder_shows_its_step_since_when_and_every_step_before() -> None:
    early = a_prescription()
    climbed = next(item for item in early.exercises if len(item.exercise.rungs) > 1)
    second, third = (rung.id for rung in climbed.exercise.rungs[1:3])
    past = prescribed(early, at_rungs(early, {climbed.exercise.id: third}), at_rungs(early, {climbed.exercise.id: second}))
    found = {item.name: item for item in ladders(past, FIRST + timedelta(days=40))}
    ladder = found[climbed.exercise.name]
    assert (ladder.number, ladder.steps, ladder.since) == (2, len(climbed.exercise.rungs), "Mon 21 Sep")
    assert ladder.words == "step 1 from Tue 1 Sep; step 3 from Fri 11 Sep; step 2 from Mon 21 Sep"
    heights = [float(point.split(",")[1]) for point in ladder.line.split(" ")]
    assert heights[0] == heights[1] > heights[4] > heights[2] and ladder.end == ladder.line.split(" ")[-1].split(",")
    assert set(found) == {item.exercise.name for item in early.exercises if item.started and len(item.exercise.rungs) > 1}
    assert steps_taken(past)[0] == ("Mon 21 Sep 2026", climbed.exercise.name, f"step 2 of {ladder.steps}: {climbed.exercise.rungs[1].text}")
    assert load_chart([], FIRST, FIRST) is None


def test_the_calendar_names_stages_and_the_next_appointment_and_reaches_as_far_as_that() -> None:
    record = an_episode(week("done 2/1, no, paused"))
    months = calendar_of(record, [(record.episode_start, "Early Plan")], record.today + timedelta(days=40))
    days = [day for month in months for row in month.weeks for day in row if day]
    marked = {mark: day for day in days for mark in day.marks}
    assert marked["Early Plan began"].words.endswith("done, worst pain 2, Early Plan began")
    assert marked["appointment"].number == (record.today + timedelta(days=40)).day and marked["appointment"].status == ""
    assert [day.status for day in days if day.status] == ["done", "not_done", "paused"]
    assert len(months) in (2, 3) and all(len(row) == 7 for month in months for row in month.weeks)
