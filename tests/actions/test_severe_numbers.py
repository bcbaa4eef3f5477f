"""A severe number is never left waiting: not for "which one is it for?", not behind a question of safety without an answer."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot_service.storage import patients
from tests.actions.told import DAY1, DAY2, DAY3, current, evidence, holds, open_cases, open_questions, scores
from tests.running_clinic import Person, RunningClinic

HOUR = timedelta(hours=1)
TUESDAY, WEDNESDAY = date(2026, 9, 22), date(2026, 9, 23)
SAFETY = "a pop or snap"


async def two_questions(clinic: RunningClinic) -> Person:
    """A patient who is asked about the day after yesterday's 2 and about today's session."""
    person = await clinic.opted_in()
    await clinic.service.move_clock(DAY1)
    await person.say("2")
    await clinic.service.move_clock(DAY2)
    await person.tap("Show exercises")
    assert {each.kind for each in open_questions(person)} == {"session", "pain_24h"}
    return person


@pytest.mark.parametrize("score", ["9", "5"])
async def test_a_number_that_any_question_would_ask_about_asks_about_safety_and_is_a_case_at_once(
    clinic: RunningClinic, score: str
) -> None:
    person = await two_questions(clinic)
    await person.say(score)
    assert person.texts[-1].startswith(f"You wrote {score}. One question comes first.") and SAFETY in person.texts[-1]
    assert person.received[-1].labels == ["None", "One of these"]
    case = open_cases(person)["X3"]
    assert case.urgency == "same_day" and case.words == f"A score of {score}/10, not yet known for which question"
    await person.tap("None")
    assert person.texts[-1] == f"Good, thank you.\n\nWhich one is the {score} for?" and open_questions(person)[0].kind == "which"
    await person.tap("Today's session")
    assert ("pain_during", WEDNESDAY, int(score)) in scores(person)
    assert SAFETY not in person.texts[-1], "it has its answer"
    await clinic.service.move_clock(DAY3)
    assert not any("still open" in text for text in person.texts) and "X4" not in open_cases(person)


async def test_a_number_that_asks_for_nothing_more_is_only_asked_about(sqlite_clinic: RunningClinic) -> None:
    person = await two_questions(sqlite_clinic)
    await person.say("4")
    assert person.texts[-1] == "Which one is the 4 for?" and open_cases(person) == {}


async def test_without_an_answer_it_is_asked_again_the_next_day_and_shown_with_its_number(sqlite_clinic: RunningClinic) -> None:
    person = await two_questions(sqlite_clinic)
    await person.say("9")
    await sqlite_clinic.service.move_clock(DAY3)
    assert person.texts[-1].startswith("One question from yesterday is still open.") and SAFETY in person.texts[-1]
    assert "No answer to the safety question after pain 9/10" in open_cases(person)["X4"].sentence
    await person.tap("None")
    assert "Which one" not in person.texts[-1] and "Bridge" in person.texts[-1], "that day is over; the physio has the number"


async def test_words_instead_of_a_choice_are_asked_about_again_and_then_for_the_physio(sqlite_clinic: RunningClinic) -> None:
    person = await two_questions(sqlite_clinic)
    await person.say("9")
    await person.tap("None")
    for _ in range(2):
        await person.say("hmm let me see")
        assert "Which one is the number for?" in person.texts[-1]
    await person.say("hmm let me see")
    assert open_cases(person)["X2"].words == "hmm let me see"


async def test_the_one_question_left_after_the_answer_is_named_with_the_number(sqlite_clinic: RunningClinic) -> None:
    person = await two_questions(sqlite_clinic)
    await person.say("9")
    await person.say("done, 3")
    await person.tap("None")
    assert "You also wrote 9." in person.texts[-1] and "a day after yesterday's session" in person.texts[-1]


async def test_one_of_these_is_the_red_flag_and_the_number_stays_with_the_physio(sqlite_clinic: RunningClinic) -> None:
    person = await two_questions(sqlite_clinic)
    await person.say("9")
    await person.tap("One of these")
    assert "call 111" in person.texts[-1] and {"D1", "X3"} <= set(open_cases(person))
    assert len(evidence(person, open_cases(person)["X3"])) == 1


async def hurt(clinic: RunningClinic, **more: object) -> Person:
    """A patient with a 9 on Tuesday and no answer about safety, on Wednesday after the message of the day."""
    person = await clinic.opted_in(**more)  # type: ignore[arg-type]  # fields of an enrolment
    await clinic.service.move_clock(DAY1)
    await person.say("9")
    await clinic.service.move_clock(DAY2 + 3 * HOUR)
    return person


async def test_the_24_hour_question_does_not_wait_for_the_answer_about_safety(clinic: RunningClinic) -> None:
    person = await hurt(clinic)
    assert SAFETY in person.texts[-1] and "Then send a number from 0 to 10" in person.texts[-1]
    assert person.received[-1].labels == ["None", "One of these"], "a tap is about safety alone"
    await person.say("7")
    assert ("pain_24h", TUESDAY, 7) in scores(person) and "B3" in open_cases(person)
    assert SAFETY in person.texts[-1] and "Bridge" not in person.texts[-1] and "X4" in open_cases(person)
    await person.say("none")
    assert "X4" not in open_cases(person)
    assert "Bridge" in person.texts[-1] and "a day later" not in person.texts[-1], "the number is there already"
    await clinic.service.move_clock(DAY3)
    assert len([each for each in scores(person) if each[0] == "pain_24h"]) == 1


async def test_none_may_be_said_of_either_and_is_asked_about(sqlite_clinic: RunningClinic) -> None:
    person = await hurt(sqlite_clinic)
    await person.say("none")
    assert SAFETY in person.texts[-1] and "24h" not in str(scores(person)) and "X4" in open_cases(person)
    await person.say("none")
    assert "X4" not in open_cases(person) and "a day later" in person.texts[-1]
    await person.say("none")
    assert ("pain_24h", TUESDAY, 0) in scores(person)


async def test_on_a_rest_day_it_comes_as_well_and_once(sqlite_clinic: RunningClinic) -> None:
    person = await hurt(sqlite_clinic, days=("tue", "thu"))
    assert "Then send a number" in person.texts[-1] and "exercises follow" not in person.texts[-1]
    await person.say("no")
    assert "a day later" in person.texts[-1]
    await person.say("1")
    assert ("pain_24h", TUESDAY, 1) in scores(person)
    await sqlite_clinic.service.move_clock(DAY3 - HOUR)
    assert len([each for each in person.messages() if each.kind in ("prompt", "check_in") and each.sent_at]) == 2


@pytest.mark.parametrize("hours", [23, 26])
async def test_a_number_before_the_days_message_is_heard_however_long_ago_the_9_was(sqlite_clinic: RunningClinic, hours: int) -> None:
    person = await sqlite_clinic.opted_in()
    await sqlite_clinic.service.move_clock(DAY1 - 3 * HOUR)
    await person.say("did today's already, 9")
    await sqlite_clinic.service.move_clock(DAY1 + (hours - 3) * HOUR)
    await person.say("7")
    assert ("pain_24h", TUESDAY, 7) in scores(person) and SAFETY in person.texts[-1]


@pytest.mark.parametrize("words", ["None of those", "nothing like that", "one of these"])
async def test_words_that_can_only_be_about_safety_answer_it_whatever_was_asked_since(sqlite_clinic: RunningClinic, words: str) -> None:
    person = await hurt(sqlite_clinic)
    await sqlite_clinic.service.move_clock(DAY3 + HOUR)
    assert "Your exercises for today are ready." in person.texts[-1] and "X4" in open_cases(person)
    await person.say(words)
    assert "X4" not in open_cases(person) and ("D1" in open_cases(person)) is (words == "one of these")
    assert not [each for each in current(person) if each.kind == "session" and each.day > TUESDAY]


async def test_a_bare_no_counts_for_the_exercises_and_safety_is_asked_about_once_more(sqlite_clinic: RunningClinic) -> None:
    person = await hurt(sqlite_clinic)
    await sqlite_clinic.service.move_clock(DAY3 + HOUR)
    await person.say("no")
    assert person.texts[-1].startswith("Recorded: not today.") and SAFETY in person.texts[-1] and "X4" in open_cases(person)
    await person.say("no")
    assert "X4" not in open_cases(person) and person.texts[-1] == "Good, thank you."


async def test_a_bare_no_to_a_question_about_pain_is_asked_about_as_one_about_safety(sqlite_clinic: RunningClinic) -> None:
    person = await hurt(sqlite_clinic)
    await person.say("done, 3")
    await sqlite_clinic.service.move_clock(DAY3 + HOUR)
    assert "One question about yesterday's session." in person.texts[-1]
    await person.say("no")
    assert SAFETY in person.texts[-1] and "X4" in open_cases(person)
    await person.say("no")
    assert "X4" not in open_cases(person) and "pain_24h" not in str(scores(person))
    await person.say("2")
    assert ("pain_24h", WEDNESDAY, 2) in scores(person)


async def test_words_that_may_mean_everything_are_a_case_the_same_day_with_a_number_to_call(clinic: RunningClinic) -> None:
    person = await clinic.opted_in()
    await clinic.service.move_clock(DAY1)
    await person.say("4. cant go on")
    case = open_cases(person)["X3"]
    assert case.urgency == "same_day" and case.words == "4. cant go on" and ("pain_during", TUESDAY, 4) in scores(person)
    assert person.texts[-1].startswith("Recorded: 4 out of 10.\n\nYour physio can read what you wrote.") and "116 123" in person.texts[-1]


async def test_a_severe_number_that_nothing_asks_for_puts_nothing_right_and_is_asked_about(sqlite_clinic: RunningClinic) -> None:
    person = await sqlite_clinic.opted_in()
    await sqlite_clinic.service.move_clock(DAY1)
    await person.say("done, 3")
    await person.say("9")
    assert "If you meant 9" in person.texts[-1] and SAFETY in person.texts[-1] and ("pain_during", TUESDAY, 3) in scores(person)
    assert open_cases(person)["X3"].words == "A score of 9/10 after 3/10 was recorded, not known for what"
    await person.say("none")
    assert person.texts[-1] == "Good, thank you."
    await person.say("5")
    assert len(evidence(person, open_cases(person)["X3"])) == 1, "only a severe one"


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "yes, 3"), ("en", "Yes. 3"), ("en", "yes 3/10"), ("en", "one of these, 3"), ("en", "3, yes. pain is 3"), ("es", "sí, 3"),
     ("pl", "tak 3"), ("ar", "نعم، ٣"), ("hi", "हाँ, 3"), ("hi", "haan 3")],
)  # fmt: skip
async def test_a_yes_beside_the_number_is_the_red_flag_and_no_session(sqlite_clinic: RunningClinic, language: str, words: str) -> None:
    person = await hurt(sqlite_clinic)
    as_written_in(person, language)
    await person.say(words)
    assert "D1" in open_cases(person) and holds(person) == ["red_flag"] and "X4" not in open_cases(person)
    (number,) = [each for each in current(person) if each.kind == "pain_24h"]
    assert (number.score, number.confirmed) == (3, False)
    assert not [each for each in current(person) if each.kind == "session" and each.day > TUESDAY]


@pytest.mark.parametrize(
    ("language", "words", "score"),
    [("en", "no, 3", 3), ("en", "No. 3", 3), ("en", "no 3", 3), ("en", "3 no", 3), ("en", "none 0", 0), ("en", "none, 3", 3),
     ("en", "No it's a 3", 3), ("en", "none of these. pain is three", 3), ("en", "no, 9", 9), ("es", "ninguno, 3", 3), ("es", "no 3", 3),
     ("pl", "nic z tego 3", 3), ("pl", "nie, 3", 3), ("ar", "لا، 3", 3), ("hi", "नहीं, 3", 3), ("hi", "कुछ नहीं 3", 3)],
)  # fmt: skip
async def test_a_no_beside_the_number_answers_both_questions(sqlite_clinic: RunningClinic, language: str, words: str, score: int) -> None:
    person = await hurt(sqlite_clinic)
    as_written_in(person, language)
    await person.say(words)
    assert ("pain_24h", TUESDAY, score) in scores(person) and not {"X4", "D1"} & set(open_cases(person))
    assert [each.outcome for each in current(person) if each.kind == "safety"] == ["none"]
    assert [each.kind for each in open_questions(person)] == ["session"], "the exercises follow"
    assert not [each for each in current(person) if each.kind == "session" and each.day > TUESDAY]


@pytest.mark.parametrize("words", ["ok, 3", "no but my leg feels odd, 3"])
async def test_words_that_are_not_surely_an_answer_about_safety_leave_it_open(sqlite_clinic: RunningClinic, words: str) -> None:
    person = await hurt(sqlite_clinic)
    await person.say(words)
    assert SAFETY in person.texts[-1] and "X4" in open_cases(person)
    assert not [each for each in current(person) if each.kind == "session" and each.day > TUESDAY]


def as_written_in(person: Person, language: str) -> None:
    """The patient goes on in that language."""
    with person.clinic.db.begin() as tx:
        patients.set_language(tx, person.id, language)


async def test_another_number_takes_the_place_of_the_first_and_none_answers_safety(sqlite_clinic: RunningClinic) -> None:
    person = await two_questions(sqlite_clinic)
    await person.say("9")
    await person.say("3")
    assert person.texts[-1].startswith("You wrote 3. One question comes first.") and SAFETY in person.texts[-1]
    assert open_questions(person)[0].kind == "safety"
    await person.say("none")
    assert person.texts[-1] == "Good, thank you.\n\nWhich one is the 3 for?"
    await person.tap("Today's session")
    assert ("pain_during", WEDNESDAY, 3) in scores(person) and 0 not in [score for _, _, score in scores(person)]


async def test_the_physio_reads_the_worst_of_two_numbers_while_safety_is_open(sqlite_clinic: RunningClinic) -> None:
    person = await two_questions(sqlite_clinic)
    await person.say("9")
    await person.say("3")
    await sqlite_clinic.service.move_clock(DAY3)
    assert "after pain 9/10, not known" in open_cases(person)["X4"].sentence


@pytest.mark.parametrize(
    "words",
    ["9, honestly everything is too much", "9, can't go on with this pain", "9 i can't take it any more", "9. I cant do this any more"],
)
@pytest.mark.parametrize("two", [True, False])
async def test_words_of_too_much_beside_a_9_leave_the_question_about_safety(sqlite_clinic: RunningClinic, words: str, two: bool) -> None:
    person = await two_questions(sqlite_clinic) if two else await sqlite_clinic.opted_in()
    if not two:
        await sqlite_clinic.service.move_clock(DAY1)
    await person.say(words)
    assert "116 123" in person.texts[-1] and SAFETY in person.texts[-1]
    case = open_cases(person)["X3"]
    assert case.urgency == "same_day" and case.words == words and "safety" in {each.kind for each in open_questions(person)}


async def test_the_physio_reads_the_9_that_asked_and_not_the_3_of_the_day_after(sqlite_clinic: RunningClinic) -> None:
    person = await hurt(sqlite_clinic)
    await person.say("3")
    await sqlite_clinic.service.move_clock(DAY3)
    case = open_cases(person)["X4"]
    assert "after pain 9/10" in case.sentence
    asked_by = {piece.entry_id for piece in evidence(person, case) if piece.entry_id}
    assert {each.score for each in current(person) if each.id in asked_by} == {9}


@pytest.mark.parametrize("words", ["9", "done, 8", "did the extra one this evening, 9"])
async def test_a_severe_number_after_not_today_is_asked_about_and_shown(sqlite_clinic: RunningClinic, words: str) -> None:
    person = await sqlite_clinic.opted_in()
    await sqlite_clinic.service.move_clock(DAY1)
    await person.say("not today")
    await sqlite_clinic.service.move_clock(DAY1 + 12 * HOUR)
    await person.say(words)
    assert SAFETY in person.texts[-1] and open_cases(person)["X3"].words == words and open_cases(person)["X3"].urgency == "same_day"
    await person.say("none")
    assert person.texts[-1] == "Good, thank you." and open_questions(person) == []
