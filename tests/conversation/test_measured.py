"""Answers to the outcome measures: what counts as a number, a name or a change, and what belongs to another question."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot_service.clinical.outcome_measures import may_ask
from bot_service.conversation.situation import Close, CountAgain, Keep, Measured, Named, RedFlagged
from bot_service.conversation.states import CHANGES
from tests.builders import TODAY, ago
from tests.conversation.situations import asked, found, keys, opted_in, says, taps

FUNCTION = asked("function", day=TODAY, week=6)
ACTIVITY = asked("activity", day=TODAY, week=0)
CHANGE = asked("global_change", day=TODAY, week=12)


@pytest.mark.parametrize(
    ("words", "value"),
    [("6", 6), ("six", 6), ("6/10", 6), ("6 out of 10", 6), ("about a 6", 6), ("10", 10), ("10/10", 10), ("0", 0), ("not at all", 0),
     ("as before", 10)],
)  # fmt: skip
def test_one_number_is_a_rating(words: str, value: int) -> None:
    turn = says(words, opted_in(FUNCTION))
    assert found(turn, Measured) == [Measured("function", TODAY, 1, value)]
    assert found(turn, Keep) == [] and turn.change == FUNCTION.id


@pytest.mark.parametrize("words", ["no pain", "4-5", "4 or 6", "4.5", "fine", "11", "pain free"])
def test_a_number_of_pain_or_two_numbers_are_asked_again(words: str) -> None:
    turn = says(words, opted_in(FUNCTION))
    assert found(turn, Measured) == [] and found(turn, Keep) == []
    assert found(turn, CountAgain) and keys(turn) == ["not_understood", "again_function"]


def test_done_and_a_number_are_about_the_exercises_even_behind_a_measure() -> None:
    session = asked("session")
    turn = says("done, 4", opted_in(FUNCTION, session))
    assert [each.kind for each in found(turn, Keep)] == ["session", "pain_during"] and found(turn, Measured) == []


def test_a_bare_number_behind_a_younger_question_about_pain_is_pain() -> None:
    turn = says("4", opted_in(asked("pain_24h"), FUNCTION))
    assert found(turn, Measured) == [] and [each.kind for each in found(turn, Keep)] == ["pain_24h"]


@pytest.mark.parametrize("answer", CHANGES)
def test_each_button_of_the_change_counts_what_it_says(answer: str) -> None:
    assert found(taps(answer, CHANGE, opted_in(CHANGE)), Measured) == [Measured("global_change", TODAY, None, CHANGES[answer])]


@pytest.mark.parametrize(("words", "value"), [("much better", 3), ("the same", 0), ("a bit worse", -1), ("About the same", 0)])
def test_the_change_can_be_written(words: str, value: int) -> None:
    assert [each.value for each in found(says(words, opted_in(CHANGE)), Measured)] == [value]


@pytest.mark.parametrize("words", ["climb the stairs", "Walk 5 km", "knee bends with the dog on my arm"])
def test_a_few_words_name_an_activity(words: str) -> None:
    assert found(says(words, opted_in(ACTIVITY)), Named) == [Named(TODAY, 1, words)]


@pytest.mark.parametrize("words", ["4", "thanks", "what do you mean?", "x" * 81, "ok"])
def test_what_is_no_activity_is_not_kept_as_one(words: str) -> None:
    assert found(says(words, opted_in(ACTIVITY)), Named) == []


@pytest.mark.parametrize("words", ["help", "talk to my physio", "STOP", "pause 5 days", "Not now", "later"])
def test_requests_and_not_now_come_before_names(words: str) -> None:
    turn = says(words, opted_in(ACTIVITY))
    assert found(turn, Named) == [] and "not_understood" not in keys(turn)


def test_not_now_closes_the_question_without_an_answer() -> None:
    assert Close(FUNCTION.id, "not_now") in taps("not_now", FUNCTION, opted_in(FUNCTION)).effects


def test_red_flag_words_come_before_the_name_of_an_activity() -> None:
    turn = says("can't walk, my foot has gone numb and I can't feel my legs", opted_in(ACTIVITY))
    assert found(turn, RedFlagged) and found(turn, Named) == []


def test_an_answer_more_than_a_week_late_is_about_another_time() -> None:
    late = asked("function", day=TODAY - timedelta(days=8), is_open=False, week=0)
    turn = taps("5", late, opted_in())
    assert found(turn, Measured) == [] and keys(turn) == ["measure_over"]


def test_a_measure_is_asked_twice_at_most_and_not_twice_in_a_week() -> None:
    assert may_ask([], TODAY) and may_ask([ago(7)], TODAY)
    assert not may_ask([ago(6)], TODAY) and not may_ask([TODAY], TODAY) and not may_ask([ago(20), ago(9)], TODAY)
