"""The days of a pause: from a later day, until a day with its number, and never one that was only half understood."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bot_service.conversation.situation import Close, PauseUntil, Resume, Turn
from bot_service.conversation.wording import Voice, render
from tests.builders import TODAY
from tests.conversation.situations import asked, found, keys, opted_in, says, taps

VOICE = Voice("en", TODAY, "Riverside", "Anna", "999", "111", "Samaritans", "today")

HOW_LONG = asked("pause_days")
LATER: dict[str, Any] = {"from": "2026-11-28", "until": "2026-12-05"}

SPANS = [
    ("en", "2 weeks in Spain from Monday", "2026-11-23", "2026-12-07"),
    ("en", "10 days in Rome from the 28th", "2026-11-28", "2026-12-08"),
    ("en", "away from wednesday until friday", "2026-11-25", "2026-11-27"),
    ("en", "from wednesday until friday", "2026-11-25", "2026-11-27"),
    ("en", "im in spain from wed to fri", "2026-11-25", "2026-11-27"),
    ("en", "away from monday for a week", "2026-11-23", "2026-11-30"),
    ("en", "on holiday from the 28th to the 5th", "2026-11-28", "2026-12-05"),
    ("en", "away from 3 to 10 december", "2026-12-03", "2026-12-10"),
    ("en", "on holiday from tomorrow till the 5th", "2026-11-23", "2026-12-05"),
    ("en", "away from 24 until 27", "2026-11-24", "2026-11-27"),
    ("es", "de vacaciones del 28 al 5 de diciembre", "2026-11-28", "2026-12-05"),
    ("es", "fuera 2 semanas desde el lunes", "2026-11-23", "2026-12-07"),
    ("pl", "na urlopie od poniedziałku do piątku", "2026-11-23", "2026-11-27"),
    ("pl", "nie będzie mnie od środy przez tydzień", "2026-11-25", "2026-12-02"),
    ("ar", "مسافر من الاثنين الى الجمعة", "2026-11-23", "2026-11-27"),
    ("hi", "somvar se shukravar tak bahar hun", "2026-11-23", "2026-11-27"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "words", "first", "until"), SPANS)
def test_both_days_are_confirmed_as_first_words_and_as_the_answer(language: str, words: str, first: str, until: str) -> None:
    for questions in ((), (HOW_LONG,)):
        turn = says(words, opted_in(*questions, language=language))
        assert keys(turn) == ["confirm_pause_from"] and turn.lines[0].values == {"day": first, "until": until}
        assert turn.ask is not None and turn.ask.detail == {"from": first, "until": until} and not found(turn, PauseUntil)


@pytest.mark.parametrize(
    ("language", "words", "until"),
    [
        ("en", "away till sunday 6", "2026-12-06"),
        ("es", "fuera hasta el domingo 6", "2026-12-06"),
        ("pl", "na urlopie do niedzieli 6", "2026-12-06"),
        ("ar", "مسافر حتى الأحد 6", "2026-12-06"),
        ("hi", "mangalwar tak bahar", "2026-11-24"),
        ("hi", "somwar tak bahar hun", "2026-11-23"),
        ("hi", "इतवार तक बाहर हूँ", "2026-11-29"),
        ("en", "away till monday 7am", "2026-11-23"),
        ("en", "away until 8 January, 2028", "2028-01-08"),
        ("en", "away until 8/1/28", "2028-01-08"),
        ("es", "fuera hasta el 8 de enero de 2028", "2028-01-08"),
    ],
)  # fmt: skip
def test_a_day_of_the_week_with_its_number_is_that_day(language: str, words: str, until: str) -> None:
    turn = says(words, opted_in(language=language))
    assert keys(turn) == ["confirm_pause"] and turn.lines[0].values == {"until": until}


@pytest.mark.parametrize("words", ["until sunday 6", "14 june", "till monday"])
def test_a_day_that_answers_for_how_long_is_confirmed(words: str) -> None:
    turn = says(words, opted_in(HOW_LONG))
    assert keys(turn) == ["confirm_pause"] and found(turn, Close) == [Close(HOW_LONG.id)]


@pytest.mark.parametrize(
    "words",
    [
        "away till friday 7",
        "away from next monday for a week",
        "away from Friday until Monday or back on Tuesday",
        "away from 24 until friday 7",
    ],
)
def test_days_that_do_not_fit_are_asked(words: str) -> None:
    turn = says(words, opted_in())
    assert keys(turn)[0] in ("pause_how_long", "pause_how_long_from") and turn.ask is not None and turn.ask.kind == "pause_days"


def test_a_first_day_alone_is_kept_while_the_end_is_asked() -> None:
    turn = says("holiday from the 28th", opted_in())
    assert keys(turn) == ["pause_how_long_from"] and turn.ask is not None and turn.ask.detail == {"from": "2026-11-28"}
    question = asked("pause_days", **turn.ask.detail)
    for answered in (says("a week", opted_in(question)), says("until saturday 5", opted_in(question)), says("7", opted_in(question))):
        assert answered.ask is not None and answered.ask.detail == LATER
    paused = [PauseUntil(date(2026, 12, 5), date(2026, 11, 28))]
    assert found(taps("days_7", question, opted_in(question)), PauseUntil) == paused
    turn = taps("yes", asked("confirm_pause", **LATER), opted_in())
    assert found(turn, PauseUntil) == paused and keys(turn) == ["paused_from"]


def test_a_pause_whose_beginning_is_far_off_is_asked_about_with_its_year_whatever_was_said() -> None:
    """TODAY is 22 November: the 20th is either two days ago or next year's."""
    turn = says("pause from 20 november for 5 days", opted_in())
    assert keys(turn) == ["pause_far_off", "confirm_pause_from"] and not found(turn, PauseUntil) and "2027" in told(turn)
    turn = says("pause from 20 november", opted_in())
    assert keys(turn) == ["pause_far_off", "pause_how_long_from"] and turn.ask is not None and "20 November 2027" in told(turn)
    question = asked("pause_days", **turn.ask.detail)
    for answer in (taps("days_7", question, opted_in(question)), says("a week", opted_in(question))):
        assert keys(answer) == ["pause_far_off", "confirm_pause_from"] and not found(answer, PauseUntil)
        assert found(answer, Close) == [Close(question.id)] and "27 November 2027" in told(answer)
    assert "20 November 2027" in told(says("pause until 20 november", opted_in()))
    near = says("pause from 20 december for 5 days", opted_in())
    assert keys(near) == ["confirm_pause_from"] and "20 December and" in told(near)


def told(turn: Turn) -> str:
    return render({"lines": [[line.key, dict(line.values)] for line in turn.lines]}, VOICE)[0]


def test_start_tells_of_a_pause_that_is_still_to_come_and_cancels_it_only_after_a_yes() -> None:
    planned = (date(2026, 11, 28), date(2026, 12, 5))
    for now, first in (
        (opted_in(planned_pause=planned), "already_on"),
        (opted_in(planned_pause=planned, held=frozenset({"pause"})), "pause_over"),
    ):
        turn = says("start", now)
        assert keys(turn) == [first, "pause_planned", "ask_cancel_pause"] and found(turn, Resume) == [Resume()]
        assert "Saturday 28 November" in told(turn) and "Saturday 5 December" in told(turn)
    question = asked("cancel_pause")
    again = says("start", opted_in(question, planned_pause=planned))
    assert again.ask is not None and again.ask.again == question.id
    for words in ("yes", "cancel the pause"):
        assert found(says(words, opted_in(question)), Resume) == [Resume(planned=True)]
    assert keys(taps("no", question, opted_in(question))) == ["left_as_is"] and not found(taps("no", question, opted_in(question)), Resume)
    back = says("START", opted_in(status="opted_out", planned_pause=planned))
    assert keys(back) == ["welcome_back", "first_prompt", "pause_planned", "ask_cancel_pause"]
