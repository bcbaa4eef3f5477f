"""Outcome measures in chat: asked when due, riding on an answer, never over the cap or a hold, and kept where a physio's values are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from bot_service.actions import care_record, review
from bot_service.actions.deciding import Decision
from bot_service.actions.histories import load_record
from bot_service.actions.measures_asked import last_asked
from bot_service.errors import ChannelUnavailable
from bot_service.storage import audit, care_records
from bot_service.storage.care_records import Outcome
from bot_service.storage.outbox import CAPPED
from bot_service.storage.tables import outbox, outcomes
from tests.running_clinic import START, Person, RunningClinic

MORNING = timedelta(minutes=-110)
"""From the hour of enrolment to ten minutes past the prompt at eight."""
HARD = "What is hard for you now"
HOW_WELL = "How well can you do this now: "


async def days_on(person: Person, days: int) -> None:
    """To ten past eight of the `days`-th day of care."""
    await person.clinic.service.move_clock(START + timedelta(days=days) + MORNING)


async def on_day(clinic: RunningClinic, days: int = 2, **more: object) -> Person:
    person = clinic.in_care(**more)  # type: ignore[arg-type]  # fields of an enrolment
    await days_on(person, days)
    return person


def values(person: Person) -> list[Outcome]:
    with person.clinic.db.read() as tx:
        return care_records.list_outcomes(tx, person.episode())


def told(person: Person) -> list[tuple[str, int, date]]:
    return [(item.activity or item.measure, item.value, item.day) for item in values(person)]


def by(person: Person) -> Decision:
    return Decision(person.clinic.physio, person.episode().id, "seen")


def enter(person: Person, activity: str, value: int | None, day: date | None = None) -> None:
    care_record.record_outcome(person.clinic.db, by(person), "psfs", activity, value, day, person.clinic.clock.now())


def asks(person: Person) -> bool:
    return any(words in person.texts[-1] for words in (HARD, HOW_WELL, "compared with the day you began"))


async def test_activities_are_named_and_rated_in_chat_and_stand_where_a_physios_values_do(clinic: RunningClinic) -> None:
    jo = await on_day(clinic)
    await jo.say("3")
    assert jo.texts[-1].startswith("Recorded: 3 out of 10.") and HARD in jo.texts[-1]
    await jo.say("climb the stairs")
    assert HOW_WELL + "climb the stairs?" in jo.texts[-1]
    await jo.say("6/10")
    assert "Recorded, climb the stairs: 6 out of 10." in jo.texts[-1] and "Is there another thing" in jo.texts[-1]
    await jo.say("Sit through a film")
    await jo.tap("4")
    await jo.tap("That's all")
    assert jo.texts[-1].startswith("Thank you. We will ask how these go")
    day = jo.episode().start_date + timedelta(days=2)
    assert told(jo) == [("climb the stairs", 6, day), ("Sit through a film", 4, day)]
    assert {item.staff_id for item in values(jo)} == {None}
    with clinic.db.read() as tx:
        assert audit.was_recorded(tx, "patient", "outcome_told", jo.id, since=START)
        stored = [bytes(row.activity) for row in tx.all(outcomes.select())]
        kept = [str(row) for row in tx.all(select(outbox.c.content, outbox.c.buttons))]
    assert not any(b"stairs" in sealed for sealed in stored) and not any("stairs" in row for row in kept)
    await days_on(jo, 3)
    await jo.say("2")
    assert not asks(jo), "nothing more is due"


async def test_a_session_told_ahead_of_its_prompt_while_a_measure_is_asked_counts_for_today(clinic: RunningClinic) -> None:
    jo = await on_day(clinic)
    await jo.say("3")
    await clinic.service.move_clock(START + timedelta(days=3, hours=-3))
    await jo.say("did all my exercises, 4")
    assert jo.texts[-1].startswith("Recorded: 4 out of 10.") and jo.texts[-1].endswith("Or tap Not now.")
    with clinic.db.read() as tx:
        record = load_record(tx, jo.episode(), clinic.clock.now())
    assert [session.pain for session in record.sessions] == [3, 4] and record.sessions[-1].day == record.today
    await jo.say("climb the stairs")
    assert HOW_WELL + "climb the stairs?" in jo.texts[-1], "the question stayed open"


async def test_nothing_is_sent_of_its_own_accord_and_each_question_costs_one_answer(sqlite_clinic: RunningClinic) -> None:
    jo = await on_day(sqlite_clinic)
    before = len([row for row in jo.messages() if row.kind in CAPPED and row.sent_at])
    sent = len(jo.texts)
    for words in ("3", "kneel down", "5", "that's all"):
        await jo.say(words)
    assert len(jo.texts) == sent + 4, "one answer for each message of the patient's"
    assert len([row for row in jo.messages() if row.kind in CAPPED and row.sent_at]) == before


@pytest.mark.parametrize("days", [42, 84, 182])
async def test_what_is_known_is_asked_again_in_its_weeks_and_the_change_at_twelve_and_twenty_six(
    sqlite_clinic: RunningClinic, days: int
) -> None:
    jo = sqlite_clinic.in_care()
    enter(jo, "kneel", 3)
    sqlite_clinic.clock.move_to(START + timedelta(minutes=1))
    enter(jo, "drive", 4)
    sqlite_clinic.clock.move_to(START + timedelta(days=days - 1))
    await days_on(jo, days)
    await jo.say("2")
    assert "only every few weeks" in jo.texts[-1] and HOW_WELL + "kneel?" in jo.texts[-1]
    await jo.say("7")
    assert HOW_WELL + "drive?" in jo.texts[-1]
    await jo.say("eight")
    if days > 42:
        assert "compared with the day you began here?" in jo.texts[-1]
        await jo.say("a bit better")
        assert jo.texts[-1] == "Recorded: A little better."
    day = jo.episode().start_date + timedelta(days=days)
    assert {*told(jo)[2:]} == {("kneel", 7, day), ("drive", 8, day), *([("change", 1, day)] if days > 42 else [])}


async def test_what_a_physio_has_entered_for_the_week_is_not_asked(sqlite_clinic: RunningClinic) -> None:
    jo = await on_day(sqlite_clinic)
    enter(jo, "kneel", 3)
    await jo.say("3")
    assert not asks(jo)
    enter(jo, "drive", None)
    await jo.say("sorry, 4")
    assert HOW_WELL + "drive?" in jo.texts[-1], "an activity entered without a value is the patient's to rate"


async def test_nothing_is_asked_in_the_first_two_days_and_never_while_something_is_held(sqlite_clinic: RunningClinic) -> None:
    held, off = sqlite_clinic.in_care("Held"), sqlite_clinic.in_care("Off")
    early = await on_day(sqlite_clinic, 1)
    await early.say("3")
    assert not asks(early)
    await days_on(early, 2)
    await held.say("my calf is swollen and hot")
    await held.say("3")
    assert not asks(held)
    care_record.ask_in_chat(sqlite_clinic.db, by(off), False, sqlite_clinic.clock.now())
    await off.say("3")
    assert not asks(off)
    care_record.ask_in_chat(sqlite_clinic.db, by(off), True, sqlite_clinic.clock.now())
    await off.say("sorry, 4")
    assert asks(off)


async def test_a_pain_that_asks_for_more_first_asks_nothing_of_the_kind(sqlite_clinic: RunningClinic) -> None:
    jo = await on_day(sqlite_clinic)
    await jo.say("8")
    assert "Have you noticed any of these" in jo.texts[-1] and not asks(jo)


async def test_nothing_of_the_kind_takes_the_answer_to_a_question_about_safety(clinic: RunningClinic) -> None:
    jo = await on_day(clinic)
    await jo.say("9", tick=False)
    clinic.clock.freeze(clinic.clock.now() + timedelta(seconds=1))
    await jo.say("sorry, 4")  # both are read before anything is answered
    assert "Have you noticed any of these" in jo.texts[-2] and not asks(jo)
    await jo.say("none of those")
    assert jo.texts[-1] == "Good, thank you."
    await jo.say("sorry, 3")
    assert asks(jo), "then it comes"


async def test_one_that_waited_is_not_put_under_a_question_that_went_out_first(sqlite_clinic: RunningClinic) -> None:
    jo = await on_day(sqlite_clinic)
    sqlite_clinic.phones.fails = lambda outbound: ChannelUnavailable("down") if HARD in outbound.text else None
    await jo.say("3")
    await jo.say("sorry, 9")
    assert "Have you noticed any of these" in jo.texts[-1]
    sqlite_clinic.phones.fails = None
    await sqlite_clinic.service.move_clock(sqlite_clinic.clock.now() + timedelta(minutes=30))
    assert jo.texts[-1].startswith("Recorded: 3 out of 10.") and not asks(jo)


@pytest.mark.parametrize("put_off", ["Not now", None])
async def test_what_is_put_off_or_left_is_asked_once_more_a_week_later_and_never_again(
    sqlite_clinic: RunningClinic, put_off: str | None
) -> None:
    jo, asked = await on_day(sqlite_clinic), []
    for day in range(2, 24):
        await days_on(jo, day)
        await jo.say("2")
        if "Today's exercises" in jo.texts[-1] or "send your worst pain" in jo.texts[-1]:
            await jo.say("2")
        if asks(jo):
            asked.append(day)
            if put_off:
                await jo.tap(put_off)
                assert jo.texts[-1] == "That is fine. You can leave this question."
    assert len(asked) == 2 and asked[0] == 2 and 9 <= asked[1] <= 10


async def test_a_number_is_corrected_by_words_by_change_and_by_another_tap_for_the_day_it_was_asked(clinic: RunningClinic) -> None:
    jo = await on_day(clinic)
    enter(jo, "kneel", None)
    await jo.say("3")
    await jo.say("4")
    day = jo.episode().start_date + timedelta(days=2)
    await jo.say("sorry, 6")
    assert told(jo) == [("kneel", 6, day)]
    await jo.tap("Change")
    assert jo.texts[-1].startswith(HOW_WELL + "kneel?")
    await jo.say("7")
    assert told(jo) == [("kneel", 7, day)]
    await days_on(jo, 4)
    await jo.tap("9")
    assert told(jo) == [("kneel", 9, day)] or told(jo)[0][0] == "kneel"
    entries = [score for score in jo.clinic.messages(kind="reply") if "kneel" in str(score.content)]
    assert entries == [], "the name is nowhere in the clear"


async def test_late_taps_count_for_the_day_of_their_question_and_not_at_all_after_a_week(sqlite_clinic: RunningClinic) -> None:
    jo = await on_day(sqlite_clinic)
    enter(jo, "kneel", None)
    await jo.say("3")
    question = jo.received[-1]
    button = {cell.label: cell for row in question.outbound.rows for cell in row}
    day = jo.episode().start_date + timedelta(days=2)
    await days_on(jo, 4)
    await jo.say("", kind="tap", data=button["5"].data, reply_to=question.provider_id)
    assert told(jo) == [("kneel", 5, day)]
    await days_on(jo, 15)
    await jo.say("", kind="tap", data=button["9"].data, reply_to=question.provider_id)
    assert "an earlier time" in jo.texts[-1] and told(jo) == [("kneel", 5, day)]


async def test_words_after_the_next_message_of_ours_answer_that_one(sqlite_clinic: RunningClinic) -> None:
    jo = await on_day(sqlite_clinic)
    enter(jo, "kneel", None)
    await jo.say("3")
    assert asks(jo)
    await days_on(jo, 3)
    await jo.say("1")
    assert told(jo) == []


async def test_a_name_can_be_taken_back_and_given_anew(sqlite_clinic: RunningClinic) -> None:
    jo = await on_day(sqlite_clinic)
    for words in ("3", "knel"):
        await jo.say(words)
    await jo.tap("Change")
    for words in ("kneel", "5"):
        await jo.say(words)
    with sqlite_clinic.db.read() as tx:
        standing = [item.name for item in care_records.list_activities(tx, jo.episode(), "psfs") if item.stands]
    assert standing == ["kneel"] and [item.activity for item in values(jo)] == ["kneel"]


async def test_a_stopped_patient_is_asked_nothing_and_staff_see_what_was_asked(sqlite_clinic: RunningClinic) -> None:
    jo = await on_day(sqlite_clinic)
    await jo.say("3")
    with sqlite_clinic.db.read() as tx:
        question = last_asked(tx, jo.episode())
    assert question is not None and (question.kind, question.detail) == ("activity", {"week": 0})
    review.pause(sqlite_clinic.db, by(jo), None, sqlite_clinic.clock.now())
    await jo.say("sorry, 2")
    assert not asks(jo)
    assert sqlite_clinic.clock.now() > datetime(2026, 9, 23, tzinfo=UTC)
