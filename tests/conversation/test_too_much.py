"""Words that may mean the exercises or everything: never guessed, read by a person the same day, answered with who can help."""

from __future__ import annotations

import pytest

from bot_service.conversation.situation import CountAgain, ForPhysio, Keep, OptOut
from bot_service.conversation.too_much import may_be_too_much
from tests.conversation.situations import asked, before_opt_in, found, kept, keys, opted_in, says

TOO_MUCH = [
    ("en", "4. cant go on"), ("en", "honestly can't go on"), ("en", "I can't carry on"), ("en", "5, cant keep going like this"),
    ("en", "I can't take this any more"), ("en", "I can't go on with this pain"), ("es", "4. no puedo más"), ("es", "ya no aguanto más"),
    ("es", "sinceramente no puedo seguir"), ("pl", "4. nie dam rady dalej"), ("pl", "nie mam już siły"), ("pl", "nie wytrzymuję już"),
    ("ar", "4. لا أستطيع الاستمرار"), ("ar", "ما عاد أقدر أكمل"), ("ar", "تعبت من كل شي"), ("hi", "4. ab aur nahi hota"),
    ("hi", "अब बर्दाश्त नहीं होता"), ("hi", "thak gaya hu sab se"),
]  # fmt: skip
ABOUT_THE_EXERCISES = [
    ("en", "can't go on with this exercise"), ("en", "can't go on holiday"), ("en", "did 3 sets. couldn't go on"),
    ("en", "can't do it today"),
    ("es", "no puedo seguir con este ejercicio"), ("es", "no puedo hoy"), ("pl", "dziś nie dam rady"), ("pl", "nie dam rady dalej ćwiczyć"),
    ("ar", "لا أستطيع الاستمرار في هذا التمرين"), ("ar", "لا أستطيع اليوم"), ("hi", "aaj nahi kar sakta"), ("hi", "अब दर्द नहीं है"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "words"), TOO_MUCH)
def test_a_person_reads_it_the_same_day_and_the_answer_speaks_of_nothing_else(language: str, words: str) -> None:
    turn = says(words, opted_in(asked("session"), language=language))
    (note,) = found(turn, ForPhysio)
    assert note.same_day and note.words == words
    assert [key for key in keys(turn) if key not in ("recorded", "not_today")] == ["too_much"] and not found(turn, CountAgain)


@pytest.mark.parametrize(("language", "words"), ABOUT_THE_EXERCISES)
def test_what_is_said_of_an_exercise_or_a_day_is_no_such_thing(language: str, words: str) -> None:
    assert not may_be_too_much(words, language)


def test_the_number_counts_and_no_exercises_follow_it() -> None:
    turn = says("4. cant go on", opted_in(asked("pain_24h", show=1)))
    assert kept(turn)["pain_24h"][1] == 4 and turn.ask is None
    severe = says("9. cant go on", opted_in(asked("session")))
    assert keys(severe) == ["recorded", "too_much", "safety_question"] and severe.ask is not None


def test_with_a_stop_both_are_heard_and_after_one_nothing_is_sent() -> None:
    turn = says("stop, i honestly cant go on", opted_in(asked("session")))
    assert any(isinstance(each, OptOut) for each in turn.effects) and keys(turn) == ["goodbye", "too_much"] and found(turn, ForPhysio)
    silent = says("honestly cant go on", opted_in(status="opted_out"))
    assert keys(silent) == [] and [note.same_day for note in found(silent, ForPhysio)] == [True]


def test_it_is_heard_before_anybody_has_agreed_and_while_a_red_flag_holds() -> None:
    assert keys(says("honestly cant go on", before_opt_in(asked("consent")))) == ["too_much"]
    held = says("honestly cant go on", opted_in(asked("session"), held=frozenset({"red_flag"}), red_flag="EMERGENCY"))
    assert keys(held) == ["too_much"] and not found(held, Keep)


def test_words_that_are_certain_have_their_own_text() -> None:
    assert keys(says("I can't go on like this", opted_in(asked("session")))) == ["safety_suicide"]
