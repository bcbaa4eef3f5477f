"""Exercises that wait for the answer to the 24-hour question: shown at most once a day, never of another day, never counted if unseen."""

from __future__ import annotations

from datetime import date, time, timedelta

from bot_service.actions.histories import load_record
from bot_service.clinical.adherence import adherence, counted_days, reply_rate
from bot_service.web.strips import shown_status
from tests.actions.told import DAY1, DAY2, DAY3, DAY4, open_cases, scores
from tests.running_clinic import START, Person, RunningClinic
from tests.web.lives import live, look

TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 9, day) for day in (22, 23, 24))
LISTED = "1. "
"""How the list of exercises begins, on a line of its own."""


def lists(person: Person, day: date) -> int:
    """How many messages of a day showed exercises."""
    return sum(f"\n{LISTED}" in f"\n{each.outbound.text}" for each in person.received if each.at.date() == day)


async def asked_first(clinic: RunningClinic) -> Person:
    """Somebody who did Tuesday's session and is asked about it on Wednesday before the exercises."""
    jo = clinic.in_care()
    await clinic.service.move_clock(DAY1 + timedelta(minutes=5))
    await jo.say("done, 3")
    await clinic.service.move_clock(DAY2)
    assert "Today's exercises follow your answer." in jo.texts[-1] and not lists(jo, WEDNESDAY)
    return jo


async def test_the_exercises_follow_once_the_question_is_given_up_and_only_once(clinic: RunningClinic) -> None:
    jo = await asked_first(clinic)
    for words in ("banana", "the cat sat", "banana split"):
        assert not lists(jo, WEDNESDAY)
        await jo.say(words)
    assert "so your physio will read your words" in jo.texts[-1] and lists(jo, WEDNESDAY) == 1
    assert "X2" in {rule for case in open_cases(jo).values() for rule in case.reasons}
    await jo.tap("Show exercises")
    await clinic.service.move_clock(DAY2 + timedelta(hours=1))
    asked = next(each for each in jo.received if "Today's exercises follow your answer." in each.outbound.text)
    one = next(cell for row in asked.outbound.rows for cell in row if cell.label == "1")
    await jo.say("", kind="tap", data=one.data, reply_to=asked.provider_id)
    assert ("pain_24h", TUESDAY, 1) in scores(jo) and not jo.texts[-1].count(LISTED)


async def test_the_answer_shows_no_exercises_that_were_asked_for_before(clinic: RunningClinic) -> None:
    jo = await asked_first(clinic)
    await jo.tap("Show exercises")
    asked = next(each for each in jo.received if "Today's exercises follow your answer." in each.outbound.text)
    one = next(cell for row in asked.outbound.rows for cell in row if cell.label == "1")
    await jo.say("", kind="tap", data=one.data, reply_to=asked.provider_id)
    assert ("pain_24h", TUESDAY, 1) in scores(jo) and lists(jo, WEDNESDAY) == 1


async def test_an_answer_on_the_next_day_shows_nothing_and_the_prompt_of_that_day_shows_its_own_list(clinic: RunningClinic) -> None:
    jo = await asked_first(clinic)
    await clinic.service.move_clock(DAY3 - timedelta(hours=5))
    await jo.say("1")
    assert ("pain_24h_late", TUESDAY, 1) in scores(jo) and not lists(jo, THURSDAY)
    await clinic.service.move_clock(DAY3 + timedelta(hours=1))
    assert lists(jo, THURSDAY) == 1


async def test_a_day_whose_exercises_were_never_seen_is_not_counted_against_who_wrote_that_day(clinic: RunningClinic) -> None:
    wrote, silent, did = await _three(clinic)
    await clinic.service.move_clock(DAY4)
    status, counted, share = _of(wrote)
    assert (status, WEDNESDAY in counted) == ("not_sent", False) and share == 50, "Tuesday done, Thursday not"
    assert _of(silent)[0] == "no_reply" and WEDNESDAY in _of(silent)[1]
    assert _of(did)[0] == "done" and WEDNESDAY in _of(did)[1]


async def _three(clinic: RunningClinic) -> tuple[Person, Person, Person]:
    """Of three on Wednesday: one writes something else, one nothing, one does the exercises unseen."""
    people = (clinic.in_care(), clinic.in_care("Sol Reyes"), clinic.in_care("Di Marsh"))
    await clinic.service.move_clock(DAY1 + timedelta(minutes=5))
    for each in people:
        await each.say("done, 3")
    await clinic.service.move_clock(DAY2 + timedelta(hours=1))
    await people[0].say("the cat sat on the mat")
    await people[2].say("did all of todays exercises")
    return people


def _of(person: Person) -> tuple[str, tuple[date, ...], int | None]:
    with person.clinic.db.read() as tx:
        record = load_record(tx, person.episode(), person.clinic.clock.now())
    return record.status(WEDNESDAY), counted_days(record, 14), adherence(record, 14)


async def test_agreeing_to_the_messages_is_no_answer_to_that_days_exercises(clinic: RunningClinic) -> None:
    agreed = await clinic.opted_in(at=time(18))
    wrote = await clinic.opted_in("Sol Reyes", at=time(18))
    await clinic.service.move_clock(START + timedelta(hours=9))
    await wrote.say("hello there")
    await clinic.service.move_clock(DAY2)
    shown = []
    for each in (agreed, wrote):
        with clinic.db.read() as tx:
            record = load_record(tx, each.episode(), clinic.clock.now())
        shown.append((shown_status(START.date(), record.status(START.date()), record), reply_rate(record, 14)))
    assert shown == [("no_reply", 0), ("wrote", 50)]


async def test_another_usual_pain_later_takes_no_reply_away(clinic: RunningClinic) -> None:
    jo = await clinic.opted_in(at=time(8))
    usual = next(each for each in jo.received if "Change" in each.labels)
    change = next(cell for row in usual.outbound.rows for cell in row if cell.label == "Change")
    await clinic.service.move_clock(DAY1)
    await jo.say("done, 2")
    await clinic.service.move_clock(DAY2)
    await jo.say("", kind="tap", data=change.data, reply_to=usual.provider_id)
    await jo.tap("3")
    with clinic.db.read() as tx:
        record = load_record(tx, jo.episode(), clinic.clock.now())
    assert TUESDAY in record.wrote and START.date() not in record.wrote


def test_three_exercise_days_in_a_row_not_sent_by_us_are_a_case_until_exercises_go_out_again(clinic: RunningClinic) -> None:
    two, three, back = (clinic.in_care(name) for name in ("Jo Park", "Sol Reyes", "Di Marsh"))
    live(clinic, two, "unsent, missed, unsent, -, unsent")
    live(clinic, three, "done 2/1, unsent, unsent, -, unsent")
    live(clinic, back, "unsent, unsent, unsent, -, -")
    look(two, three, back)
    assert ("X9" in open_cases(two), "X9" in open_cases(three), "X9" in open_cases(back)) == (False, True, True)
    assert "were not sent by us, 3 exercise days in a row" in open_cases(three)["X9"].sentence


async def test_who_tells_of_the_session_before_its_message_gets_none_and_the_day_counts(clinic: RunningClinic) -> None:
    jo = clinic.in_care(at=time(18))
    await clinic.service.move_clock(START + timedelta(hours=9))
    await jo.say("not today")
    await clinic.service.move_clock(DAY1 + timedelta(hours=5))
    await jo.say("Did the lot at lunch. Pain 3-4. Is it normal that my calf is sore?")
    assert ("pain_during", TUESDAY, 4) in scores(jo) and "X3" in {rule for case in open_cases(jo).values() for rule in case.reasons}
    await clinic.service.move_clock(DAY2)
    assert not lists(jo, TUESDAY)
    with clinic.db.read() as tx:
        record = load_record(tx, jo.episode(), clinic.clock.now())
    assert record.status(TUESDAY) == "done" and TUESDAY in counted_days(record, 14)


async def test_a_number_of_the_next_morning_is_kept_and_the_24_hour_question_comes_in_its_time_all_the_same(
    clinic: RunningClinic,
) -> None:
    jo = clinic.in_care(at=time(18))
    await clinic.service.move_clock(DAY1 + timedelta(hours=11))
    await jo.say("9")
    await clinic.service.move_clock(DAY2)
    await jo.say("still 6")
    assert {("pain_during", TUESDAY, 9), ("pain_24h", TUESDAY, 6)} <= set(scores(jo)) and "pop or snap" in jo.texts[-1]
    await jo.tap("None")
    await clinic.service.move_clock(DAY2 + timedelta(hours=11))
    assert "a day later" in jo.texts[-1]
