"""The days of a pause: from a later day, until a day with its number, and never one that was only half understood."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bot_service.conversation.situation import Close, PauseUntil
from tests.conversation.situations import asked, found, keys, opted_in, says, taps

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
