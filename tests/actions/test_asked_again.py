"""A safety question or a usual pain without an answer: asked once more the next day inside the cap, then shown to the physio."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.errors import ChannelUnavailable, MessageRejected
from tests.actions.told import DAY1, DAY2, DAY3, DAY4, DAY5, evidence, holds, open_cases, scores
from tests.running_clinic import Person, RunningClinic

HOUR = timedelta(hours=1)
TUESDAY = date(2026, 9, 22)
SAFETY = "a pop or snap"
CAPPED = ("prompt", "check_in", "nudge", "silence", "again")


async def hurt(clinic: RunningClinic, pain: str = "9", **more: object) -> Person:
    """A patient who answered the first session so that the safety question follows, and did not answer that."""
    person = await clinic.opted_in(**more)  # type: ignore[arg-type]  # fields of an enrolment
    await clinic.service.move_clock(DAY1)
    await person.say(f"done, {pain}")
    assert SAFETY in person.texts[-1]
    return person


def sent_on(person: Person, day: date) -> list[str]:
    """Kinds of what went out under the cap that day, in UTC, which is the same day in London."""
    return [each.kind for each in person.messages() if each.kind in CAPPED and each.sent_at is not None and each.sent_at.date() == day]


async def test_the_next_prompt_asks_it_first_then_the_day_after_then_shows_the_exercises(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    await clinic.service.move_clock(DAY2)
    assert person.texts[-1].startswith("One question from yesterday is still open.\n\nHave you noticed any of these: a pop or snap")
    assert "exercises follow your answer" in person.texts[-1] and "Bridge" not in person.texts[-1]
    assert person.received[-1].labels == ["None", "One of these"]
    await person.tap("None")
    assert "a day later" in person.texts[-1] and "Bridge" not in person.texts[-1]
    await person.say("2")
    assert "Bridge" in person.texts[-1] and ("pain_24h", TUESDAY, 2) in scores(person)
    await clinic.service.move_clock(DAY2 + 12 * HOUR)
    assert sent_on(person, DAY2.date()) == ["prompt"]


async def test_a_safety_answer_later_than_36_hours_brings_no_24_hour_question_any_more(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    await clinic.service.move_clock(DAY2 + 13 * HOUR)
    await person.tap("None")
    assert "a day later" not in person.texts[-1] and "Bridge" in person.texts[-1]


async def test_without_an_answer_the_physio_sees_it_from_the_next_morning_until_there_is_one(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    assert "X4" not in open_cases(person)
    await clinic.service.move_clock(DAY2 - HOUR)
    case = open_cases(person)["X4"]
    assert case.urgency == "same_day" and "No answer to the safety question after pain 9/10 (Tuesday 22 Sep)" in case.sentence
    assert [piece.rule for piece in evidence(person, case) if piece.entry_id] == ["X4"]
    await clinic.service.move_clock(DAY3)
    assert "X4" in open_cases(person), "asking again is no answer"
    await person.tap("None")
    assert "X4" not in open_cases(person)


async def test_it_is_asked_again_once_only(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    await clinic.service.move_clock(DAY4)
    assert sum(SAFETY in text for text in person.texts) == 2
    assert all(len(sent_on(person, day.date())) <= 1 for day in (DAY2, DAY3, DAY4))


async def test_what_the_physio_closed_is_not_opened_again(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    await clinic.service.move_clock(DAY2 + HOUR)
    case = open_cases(person)["X4"]
    review.close_case(clinic.db, Decision(clinic.physio, person.episode().id, "called, nothing found"), case.id, clinic.clock.now())
    await clinic.service.move_clock(DAY4)
    assert "X4" not in open_cases(person)


async def test_one_of_these_the_next_day_holds_the_exercises(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    await clinic.service.move_clock(DAY2)
    await person.tap("One of these")
    assert holds(person) == ["red_flag"] and "X4" not in open_cases(person)


async def test_the_plan_is_not_shown_past_the_open_question(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    await clinic.service.move_clock(DAY2)
    await person.say("plan")
    assert SAFETY in person.texts[-1] and "Bridge" not in person.texts[-1]
    await person.say("none")
    assert "a day later" in person.texts[-1] and "Today's exercises follow your answer." in person.texts[-1]


async def test_after_the_24_hour_question_it_comes_with_the_next_prompt(clinic: RunningClinic) -> None:
    person = await clinic.opted_in(stage="intermediate")  # Monday, Wednesday, Friday
    await clinic.service.move_clock(DAY2)
    await person.say("3")
    await clinic.service.move_clock(DAY3)
    await person.say("8")  # the day after; Friday's prompt is next
    assert SAFETY in person.texts[-1]
    await clinic.service.move_clock(DAY4)
    assert "One question from yesterday is still open." in person.texts[-1] and sent_on(person, DAY4.date()) == ["prompt"]


async def test_on_a_day_without_any_message_it_comes_by_itself(clinic: RunningClinic) -> None:
    person = await clinic.opted_in(stage="intermediate")
    await clinic.service.move_clock(DAY4)
    await person.say("3")
    await clinic.service.move_clock(DAY5)
    await person.say("8")  # on a Saturday, about Friday; the next prompt is Monday's
    await clinic.service.move_clock(DAY5 + timedelta(days=1))
    assert person.texts[-1].startswith("One question from yesterday is still open.") and sent_on(person, date(2026, 9, 27)) == ["again"]
    await person.tap("None")
    assert person.texts[-1] == "Good, thank you."


async def test_on_a_rest_day_the_24_hour_question_follows_it(clinic: RunningClinic) -> None:
    person = await clinic.opted_in(stage="intermediate")
    await clinic.service.move_clock(DAY2)
    await person.say("9")
    await clinic.service.move_clock(DAY3)
    assert SAFETY in person.texts[-1] and "exercises follow" not in person.texts[-1] and sent_on(person, DAY3.date()) == ["check_in"]
    await person.tap("None")
    assert "a day later" in person.texts[-1]
    await person.say("2")
    assert ("pain_24h", date(2026, 9, 23), 2) in scores(person) and "Bridge" not in person.texts[-1]


async def test_the_24_hour_question_is_not_lost_with_the_prompt_that_asked_for_safety_first(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    clinic.phones.fails = lambda outbound: MessageRejected("no") if "exercises follow" in outbound.text else None
    await clinic.service.move_clock(DAY2)
    clinic.phones.fails = None
    await clinic.service.move_clock(DAY2 + HOUR)
    assert SAFETY in person.texts[-1]
    await person.tap("None")
    assert "a day later" in person.texts[-1]


async def test_a_question_answered_before_its_message_is_tried_again_is_not_asked_by_it(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    clinic.phones.fails = lambda _outbound: ChannelUnavailable("down")
    await clinic.service.move_clock(DAY2)
    assert [each.status for each in person.messages(kind="prompt")] == ["sent", "due"]
    await person.tap("None")
    clinic.phones.fails = None
    await clinic.service.move_clock(DAY2 + HOUR)
    both = " ".join(person.texts[-2:])  # which of the two is tried again first is drawn
    assert not any("still open" in text for text in person.texts) and "a day later" in both and "Good, thank you." in both
    await person.say("2")
    assert "Bridge" in person.texts[-1] and ("pain_24h", TUESDAY, 2) in scores(person)
    await clinic.service.move_clock(DAY3)
    assert "X4" not in open_cases(person)


@pytest.mark.parametrize(("signed", "note"), [(True, "Today in the easier version, as agreed"), (False, "Take it easier today as well")])
async def test_after_too_much_pain_the_next_exercises_carry_what_was_agreed_or_advised(
    clinic: RunningClinic, signed: bool, note: str
) -> None:
    person = await clinic.opted_in(flare_plan_signed=signed)
    await clinic.service.move_clock(DAY1)
    await person.say("6")
    if SAFETY in person.texts[-1]:
        await person.tap("None")
    await clinic.service.move_clock(DAY2)
    await person.say("1")
    assert note in person.texts[-1] and "Bridge" in person.texts[-1] and "It has settled." in person.texts[-1]
    assert "until you have had 2 settled exercise days after yesterday's session. So far: 0." in person.texts[-1]
    await person.say("2")
    await clinic.service.move_clock(DAY3)
    await person.say("1")
    assert "after Tuesday's session. So far: 1." in person.texts[-1] and "not settled yet" not in person.texts[-1]
    await person.say("2")
    await clinic.service.move_clock(DAY4)
    await person.say("1")
    assert note not in person.texts[-1] and "Bridge" in person.texts[-1], "two settled days"


async def test_a_worse_day_after_gives_the_advice_once_with_the_exercises_it_is_for(clinic: RunningClinic) -> None:
    person = await clinic.opted_in(flare_plan_signed=False)
    await clinic.service.move_clock(DAY1)
    await person.say("3")
    await clinic.service.move_clock(DAY2)
    await person.say("5")
    assert "clearly above your usual level" in person.texts[-1] and "take it easier today" in person.texts[-1]
    assert "Next time use less" not in person.texts[-1]


async def agreed(clinic: RunningClinic) -> Person:
    """A patient who agreed and did not say how the usual pain is."""
    person = Person(clinic, clinic.enrol(), "sim:1")
    await person.say("hi", code=person.invitation.code)
    await person.tap("Yes")
    return person


async def test_the_usual_pain_is_asked_once_more_the_next_day_and_then_shown(clinic: RunningClinic) -> None:
    person = await agreed(clinic)
    await clinic.service.move_clock(DAY1 + HOUR)
    assert person.texts[-1].startswith("One question from yesterday is still open.") and "usual pain" in person.texts[-1]
    assert "X5" not in open_cases(person)
    await clinic.service.move_clock(DAY2)
    assert "has not said how the usual pain is" in open_cases(person)["X5"].sentence
    await clinic.service.move_clock(DAY2 + timedelta(days=12))
    assert sum("usual pain" in text for text in person.texts) == 2 and set(open_cases(person)) == {"X5"}
    await person.say("2")
    assert "X5" not in open_cases(person)
    assert person.episode().next_prompt_at is not None


async def test_a_usual_pain_told_in_time_is_not_asked_again(clinic: RunningClinic) -> None:
    person = await agreed(clinic)
    await person.say("3")
    await clinic.service.move_clock(DAY1 + HOUR)
    assert sum("usual pain" in text for text in person.texts) == 1 and open_cases(person) == {}
    assert [each.status for each in person.messages(kind="again")] == ["cancelled"]


async def test_something_is_wrong_without_words_is_a_case_an_hour_later_once_and_the_words_close_it(clinic: RunningClinic) -> None:
    person = await clinic.opted_in()
    await clinic.service.move_clock(DAY1)
    await person.tap("Something's wrong")
    await clinic.service.move_clock(DAY1 + timedelta(minutes=50))
    assert "X8" not in open_cases(person), "there is time to write it"
    await clinic.service.move_clock(DAY1 + timedelta(minutes=70))
    case = open_cases(person)["X8"]
    assert case.urgency == "same_day" and "wrote nothing" in case.sentence and case.due_at is not None
    await clinic.service.move_clock(DAY2)
    assert open_cases(person)["X8"].id == case.id, "one case, not one a day"
    now = clinic.clock.now()
    review.close_case(clinic.db, Decision(clinic.physio, person.episode().id, "rang her"), case.id, now)
    await clinic.service.move_clock(DAY3)
    assert "X8" not in open_cases(person), "once for each tap"
    await person.say("something's wrong")
    await clinic.service.move_clock(DAY3 + 2 * HOUR)
    assert "X8" in open_cases(person)
    await person.say("it catches when I sit down")
    assert "X8" not in open_cases(person) and open_cases(person)["X3"].words == "it catches when I sit down"


async def test_one_of_these_without_words_is_the_red_flag_alone(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    await person.tap("One of these")
    await clinic.service.move_clock(DAY1 + 3 * HOUR)
    assert {"D1"} <= set(open_cases(person)) and "X8" not in open_cases(person)


@pytest.mark.parametrize("burst", [False, True])
async def test_something_is_wrong_and_then_stop_is_a_case_at_once_and_nothing_more_is_sent(clinic: RunningClinic, burst: bool) -> None:
    person = await clinic.opted_in()
    await clinic.service.move_clock(DAY1)
    await person.tap("Something's wrong", tick=not burst)
    clinic.clock.freeze(clinic.clock.now() + timedelta(seconds=1))
    await person.say("stop")
    case = open_cases(person)["X8"]
    assert case.urgency == "same_day" and case.due_at is not None
    assert case.sentence.endswith("Please ask what it is. The patient has stopped all messages.")
    sent = len(person.texts)
    await clinic.service.move_clock(DAY3)
    assert len(person.texts) == sent and open_cases(person)["X8"].id == case.id
    await person.say("START")
    await clinic.service.move_clock(DAY4)
    assert "X8" in open_cases(person), "nobody has said what it was"


async def test_stop_instead_of_an_answer_about_safety_shows_it_at_once(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    await person.say("stop")
    assert "No answer to the safety question after pain 9/10 (Tuesday 22 Sep)" in open_cases(person)["X4"].sentence


@pytest.mark.parametrize("words", ["STOP, I can't feel my legs", "my calf is swollen and hot. stop"])
async def test_stop_with_words_that_say_what_is_wrong_is_the_red_flag_alone(clinic: RunningClinic, words: str) -> None:
    person = await clinic.opted_in()
    await clinic.service.move_clock(DAY1)
    await person.tap("Something's wrong")
    await person.say(words)
    assert "D1" in open_cases(person) and "X8" not in open_cases(person)
