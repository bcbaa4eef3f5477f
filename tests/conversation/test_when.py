"""Another time for the exercises: the question is held, a bare number is no score stolen and none given away, and it lapses."""

from __future__ import annotations

from datetime import time

import pytest

from bot_service.conversation.situation import Asked, ChangeTime, Close, Keep
from bot_service.conversation.times import may_be_time, times_meant
from bot_service.conversation.wording import load_catalogue
from tests.builders import TODAY
from tests.conversation.situations import YESTERDAY, asked, found, keys, opted_in, says, taps

HELD = asked("which_time", on=TODAY.isoformat())
HALF = asked("which_time", on=TODAY.isoformat(), hour="07:00")


def test_what_time_suits_you_is_held_open() -> None:
    turn = says("stop sending these at 9 its too early", opted_in(asked("session")))
    assert keys(turn) == ["time_which"] and turn.ask is not None and (turn.ask.kind, turn.ask.detail) == ("which_time", HELD.detail)


@pytest.mark.parametrize(
    ("language", "words", "at"),
    [
        ("en", "half past ten", "10:30"), ("en", "19", "19:00"), ("en", "at 7ish in the evening", "19:00"), ("en", "12", "12:00"),
        ("en", "about 8 in the morning", "08:00"), ("es", "a las siete y media de la tarde", "19:30"),
        ("pl", "o siódmej wieczorem", "19:00"),
        ("pl", "o 19", "19:00"), ("ar", "السابعة مساء", "19:00"), ("hi", "शाम 7 बजे", "19:00"), ("hi", "सुबह 8 बजे", "08:00"),
    ],
)  # fmt: skip
def test_a_time_is_the_answer_and_is_confirmed(language: str, words: str, at: str) -> None:
    for now in (opted_in(HELD, language=language), opted_in(asked("session"), HELD, language=language)):
        turn = says(words, now)
        assert keys(turn) == ["confirm_time"] and turn.ask is not None and turn.ask.detail == {"at": at}
        assert found(turn, Close) == [Close(HELD.id)] and not found(turn, ChangeTime)


@pytest.mark.parametrize(("language", "words"), [("en", "7"), ("es", "a las siete"), ("pl", "o siódmej"), ("ar", "٧"), ("hi", "saat baje")])
def test_a_bare_hour_is_asked_for_its_half_of_the_day(language: str, words: str) -> None:
    turn = says(words, opted_in(HELD, language=language))
    assert keys(turn) == ["time_half"] and turn.lines[0].values == {"first": "07:00", "second": "19:00"}
    assert turn.ask is not None and turn.ask.detail == HALF.detail and found(turn, Close) == [Close(HELD.id)]


@pytest.mark.parametrize(("words", "at"), [("evening", "19:00"), ("in the morning", "07:00"), ("19:00", "19:00"), ("7am", "07:00")])
def test_the_half_of_the_day_is_enough_then(words: str, at: str) -> None:
    turn = says(words, opted_in(HALF))
    assert keys(turn) == ["confirm_time"] and turn.lines[0].values == {"at": at}


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "never mind"), ("en", "no"), ("es", "olvídelo"), ("pl", "nieważne"), ("ar", "لا داعي"), ("hi", "रहने दें")],
)
def test_never_mind_ends_it(language: str, words: str) -> None:
    turn = says(words, opted_in(HELD, asked("session"), language=language))
    assert keys(turn) == ["left_as_is"] and found(turn, Close) == [Close(HELD.id)] and turn == taps("not_now", HELD, opted_in(HELD))


@pytest.mark.parametrize("first", ["which_time", "session"])
@pytest.mark.parametrize("words", ["7", "seven", "7 or 8"])
def test_a_number_that_may_be_a_score_or_a_time_is_asked_about(first: str, words: str) -> None:
    questions: list[Asked] = [HELD, asked("session")] if first == "which_time" else [asked("session"), HELD]
    turn = says(words, opted_in(*questions))
    assert keys(turn) == ["which"] and not turn.effects and turn.ask is not None
    assert {choice["kind"] for choice in turn.ask.detail["choices"]} == {"session", "which_time"}


@pytest.mark.parametrize(("words", "kind", "said"), [("the time", "which_time", "time_half"), ("today", "session", "recorded")])
def test_the_answer_says_what_the_number_was_for(words: str, kind: str, said: str) -> None:
    now = opted_in(HELD, asked("session"))
    ask = says("7", now).ask
    assert ask is not None
    which = asked("which", **ask.detail)
    turn = says(words, opted_in(which, HELD, asked("session")))
    assert keys(turn)[0] == said and Close(which.id) in turn.effects and bool(found(turn, Keep)) is (kind == "session")


@pytest.mark.parametrize("words", ["pain was 3", "3/10", "done 3"])
def test_what_is_plainly_pain_is_no_time(words: str) -> None:
    assert [keep.score for keep in found(says(words, opted_in(HELD, asked("session"))), Keep) if keep.kind == "pain_during"] == [3]
    assert keys(says(words, opted_in(HELD))) == ["not_understood", "again_which_time"]


def test_it_lapses_with_the_day() -> None:
    old = asked("which_time", on=YESTERDAY.isoformat())
    assert [keep.score for keep in found(says("7", opted_in(old, asked("session"))), Keep) if keep.kind == "pain_during"] == [7]
    assert keys(says("7", opted_in(old))) == ["nothing_asked"]


def test_a_late_tap_on_the_time_asks_anew_when_it_was_given_already() -> None:
    choices = [{"id": str(HELD.id), "kind": "which_time", "day": TODAY.isoformat(), "slot": None}, *asked("which").detail["choices"][:1]]
    which = asked("which", score=7, choices=choices, on=TODAY.isoformat())
    assert keys(taps("0", which, opted_in(which, asked("session")))) == ["measure_over"]


def test_no_number_of_hours_is_no_time() -> None:
    assert times_meant("24", "en") == times_meant("0", "en") == times_meant("7 or 8", "en") == times_meant("7", "xx") == ()
    assert times_meant("12:30", "en") == (time(12, 30),)


@pytest.mark.parametrize("language", ["en", "es", "pl", "ar", "hi"])
def test_the_choice_has_a_label(language: str) -> None:
    assert load_catalogue(language).buttons["choice_which_time"]


@pytest.mark.parametrize(("words", "may_be"), [("0", False), ("nought", False), ("25", False), ("7", True), ("0:30", True), ("12", True)])
def test_a_nought_is_no_time_of_day(words: str, may_be: bool) -> None:
    assert may_be_time(words, "en") is may_be
