"""Messages that reach us long after they were written count for the day, the question and the window of that time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot_service.actions import window
from bot_service.clock import MovableClock
from bot_service.storage import inbox, patients
from bot_service.storage.inbox import said_when
from tests.actions.told import DAY1, DAY2, current, everything, scores
from tests.running_clinic import Person, RunningClinic

TUESDAY, WEDNESDAY = date(2026, 9, 22), date(2026, 9, 23)
NOW = datetime(2026, 9, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def prompted(clinic: RunningClinic, **more: object) -> Person:
    person = await clinic.opted_in(**more)  # type: ignore[arg-type]  # fields of Enrolment
    await clinic.service.move_clock(DAY1)
    return person


def nothing_runs_until(clinic: RunningClinic, at: datetime) -> None:
    """The clock goes on while the service is down."""
    assert isinstance(clinic.clock, MovableClock)
    clinic.clock.freeze(at)


@pytest.mark.parametrize(
    ("provider", "taken"),
    [
        (None, None),
        (NOW, NOW),
        (NOW - 3 * HOUR, NOW - 3 * HOUR),
        (NOW - 26 * HOUR, NOW - 26 * HOUR),
        (NOW - 27 * HOUR, NOW - 26 * HOUR),
        (NOW + HOUR, NOW),
        (datetime(1970, 1, 1, tzinfo=UTC), NOW - 26 * HOUR),
        (datetime(2999, 1, 1, tzinfo=UTC), NOW),
    ],
)
def test_a_providers_time_is_believed_within_a_day_and_never_ahead_of_ours(provider: datetime | None, taken: datetime | None) -> None:
    assert said_when(provider, NOW) == taken


async def test_a_reply_written_before_midnight_and_handled_after_it_counts_for_the_day_it_was_written(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    written = datetime(2026, 9, 22, 22, 50, tzinfo=UTC)  # 23:50 in London
    nothing_runs_until(clinic, written + timedelta(minutes=20))
    await person.say("done, 4", at=written.isoformat())
    assert ("pain_during", TUESDAY, 4) in scores(person)
    did = next(entry for entry in current(person) if entry.kind == "session")
    assert (did.day, did.at, did.done_at) == (TUESDAY, written, written)
    (asked,) = person.messages(kind="check_in")
    assert asked.expires_at == written + 36 * HOUR, "the 24-hour question is timed from when it was done"
    assert person.episode().last_heard_at == written


async def test_a_reply_to_yesterdays_question_that_arrives_after_todays_prompt_is_still_yesterdays(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await clinic.service.move_clock(DAY2 + 2 * HOUR)  # Wednesday's prompt took the place of Tuesday's question
    await person.say("3", at=(DAY1 + 10 * HOUR).isoformat())
    assert ("pain_during", TUESDAY, 3) in scores(person) and not [row for row in scores(person) if row[1] == WEDNESDAY]
    await person.say("6")
    assert ("pain_during", WEDNESDAY, 6) in scores(person), "what is written now answers what is asked now"


@pytest.mark.parametrize("before", [0, 1, 45])
async def test_what_is_written_as_the_next_prompt_goes_out_answers_what_was_open_then(clinic: RunningClinic, before: int) -> None:
    person = await prompted(clinic)
    await clinic.service.move_clock(DAY2)
    await person.say("yes, 3", at=(DAY2 - timedelta(seconds=before)).isoformat())
    assert ("pain_during", TUESDAY, 3) in scores(person) and not [entry for entry in current(person) if entry.day == WEDNESDAY]
    await clinic.service.move_clock(DAY2 + HOUR)
    await person.say("6")
    assert ("pain_during", WEDNESDAY, 6) in scores(person)


async def test_a_question_that_has_lapsed_since_is_answered_by_what_was_written_before(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say("done, 3")
    await clinic.service.move_clock(DAY2)
    nothing_runs_until(clinic, DAY2 + 21 * HOUR)  # the 24-hour question stays open for twenty hours
    await person.say("2", at=(DAY2 + HOUR).isoformat())
    assert ("pain_24h", TUESDAY, 2) in scores(person)
    assert "Bridge hold" not in person.texts[-1], "the day whose exercises would follow is over"


async def test_a_clock_of_the_provider_that_is_ahead_moves_nothing(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say("4", at=(DAY1 + timedelta(days=400)).isoformat())
    assert {entry.at for entry in current(person) if entry.kind in ("session", "pain_during")} == {DAY1}
    assert person.episode().last_heard_at == DAY1


async def test_a_clock_of_the_provider_that_is_a_little_behind_loses_no_answer(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say("4", at=(DAY1 - timedelta(seconds=20)).isoformat())
    assert ("pain_during", TUESDAY, 4) in scores(person)


async def test_the_service_window_is_counted_from_when_the_patient_wrote(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    nothing_runs_until(clinic, DAY1 + 12 * HOUR)
    await person.say("4", at=(DAY1 + HOUR).isoformat())
    await person.say("thanks", at=DAY1.isoformat())
    with clinic.db.read() as tx:
        address = patients.find_active_address(tx, person.id)
    assert address is not None and address.last_inbound_at == DAY1 + HOUR, "what came late moves it neither on nor back"
    assert window.WINDOW < 24 * HOUR


async def test_an_edit_changes_the_value_and_leaves_the_session_where_it_was(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say("done, 4", message_id="m1")
    edited = DAY1 + 18 * HOUR
    nothing_runs_until(clinic, edited + HOUR)
    await person.say("done, 6", kind="edit", message_id="m1", at=edited.isoformat())
    assert ("pain_during", TUESDAY, 6) in scores(person)
    assert [(entry.day, entry.done_at) for entry in everything(person) if entry.kind == "session"] == [(TUESDAY, DAY1)]


async def test_the_messages_of_one_chat_are_handled_in_the_order_they_were_written(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    nothing_runs_until(clinic, DAY1 + 3 * HOUR)
    await person.say("sorry, 3", tick=False, at=(DAY1 + 2 * HOUR).isoformat())
    nothing_runs_until(clinic, DAY1 + 3 * HOUR + timedelta(seconds=1))
    await person.say("7", tick=False, at=(DAY1 + HOUR).isoformat())
    await clinic.service.tick()
    assert ("pain_during", TUESDAY, 3) in scores(person)
    with clinic.db.read() as tx:
        assert [said.text for said in inbox.list_of_patient(tx, person.id)][-2:] == ["7", "sorry, 3"]


async def test_several_messages_in_one_moment_are_answered_in_the_order_of_their_handling(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    said = ["done, 4", "sorry, 3", "sorry, 5", "sorry, 2", "sorry, 6", "sorry, 1"]
    for words in said:
        nothing_runs_until(clinic, clinic.clock.now() + timedelta(seconds=1))
        await person.say(words, tick=False)
    heard = len(person.received)
    await clinic.service.tick()
    assert [text[text.index("out of 10") - 2] for text in person.texts[heard:]] == [words[-1] for words in said]
