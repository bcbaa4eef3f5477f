"""Answers to the outcome measures: what counts as a number, a name or a change, and what belongs to another question."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from bot_service.clinical.outcome_measures import may_ask
from bot_service.conversation.situation import Answered, Close, CountAgain, ForPhysio, Keep, Measured, Named, RedFlagged
from bot_service.conversation.states import CHANGES
from tests.builders import TODAY, ago
from tests.conversation.situations import a_record, asked, found, keys, opted_in, says, taps

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


LAST = Answered("pain_during", TODAY, 1, 4, None)
PAIN = {
    "en": ("pain 7", "the pain is worse than yesterday", "my back hurts a lot more today", "it is worse"),
    "es": ("dolor 7", "el dolor es peor que ayer", "me ha dolido la espalda", "está peor"),
    "pl": ("ból 7", "ból jest gorszy niż wczoraj", "plecy bolą mnie dziś bardziej", "jest gorzej"),
    "hi": ("दर्द 7", "दर्द कल से ज्यादा है", "dard kal se zyada hai", "पहले से बदतर"),
    "ar": ("ألم 7", "الألم أسوأ من أمس", "ظهري يؤلمني أكثر اليوم", "صار أسوأ"),
}
DAY_AFTER = Answered("pain_24h", TODAY - timedelta(days=1), 1, 2, None)
ALL_DONE = {
    "en": ("did all my exercises, 3", "did the shopping, 3"),
    "es": ("hice todos los ejercicios, 3", "hice la compra, 3"),
    "pl": ("zrobiłam wszystkie ćwiczenia, 3", "zrobiłam zakupy, 3"),
    "hi": ("सारे व्यायाम कर लिए, 3", "खरीदारी कर ली, 3"),
    "ar": ("عملت كل التمارين, 3", "عملت التسوق, 3"),
}
NO_NAME = {
    "en": ("not today", "I don't know", "not sure", "yes", "seven", "about a seven", "seven or eight", "did them all", "done 9"),
    "es": ("hoy no", "no lo sé", "sí", "siete", "hecho 9"),
    "pl": ("dzisiaj nie", "nie wiem", "tak", "siedem", "zrobione 9"),
    "hi": ("आज नहीं", "पता नहीं", "हाँ", "सात", "pata nahi"),
    "ar": ("ليس اليوم", "لا أعرف", "نعم", "سبعة", "تم 9"),
}
NAMES = {
    "en": ("do the shopping", "do the stairs", "reach higher shelves", "stand for 10 minutes", "sitting"),
    "es": ("subir las escaleras", "hacer la compra", "caminar más de 1 km"),
    "pl": ("wchodzić po schodach", "siedzieć godzinę"),
    "hi": ("सीढ़ियाँ चढ़ना", "ek ghanta baithna"),
    "ar": ("صعود الدرج", "الجلوس أكثر من ساعة"),
}


def _each(table: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(language, words) for language, several in table.items() for words in several]


@pytest.mark.parametrize("words", ["did them again, it hurts, 8", "my pain was 3", "done 7"])
def test_a_number_of_pain_or_of_the_exercises_rates_no_activity(words: str) -> None:
    turn = says(words, opted_in(FUNCTION, last=LAST))
    assert found(turn, Measured) == [] and keys(turn) == ["meant_instead", "again_function"]
    assert turn.ask is not None and turn.ask.again == FUNCTION.id


@pytest.mark.parametrize("language", list(ALL_DONE))
def test_a_session_told_while_a_measure_is_asked_is_todays_or_for_the_physio_and_corrects_no_day_after(language: str) -> None:
    exercises, shopping = ALL_DONE[language]
    for words, history, recorded in (
        (exercises, "done 3/2, -", True),
        (exercises, "done 3/2, waiting", False),
        (shopping, "done 3/2, -", False),
    ):
        turn = says(words, opted_in(FUNCTION, last=DAY_AFTER, record=a_record(history), language=language))
        today = [("session", TODAY, None), ("pain_during", TODAY, 3)]
        assert [(each.kind, each.day, each.score) for each in found(turn, Keep)] == (today if recorded else [])
        assert keys(turn) == (["recorded", "advice", "again_function"] if recorded else ["words_kept", "again_function"])
        assert bool(found(turn, ForPhysio)) is not recorded and turn.ask is not None and turn.ask.again == FUNCTION.id


@pytest.mark.parametrize("kind", ["function", "activity"])
@pytest.mark.parametrize("language", list(PAIN))
def test_a_number_of_pain_is_told_from_a_measure_in_every_language(language: str, kind: str) -> None:
    question = asked(kind, day=TODAY, week=6)
    turn = says(PAIN[language][0], opted_in(question, last=LAST, language=language))
    assert found(turn, Measured) == [] and found(turn, Named) == [] and keys(turn) == ["meant_instead", f"again_{kind}"]
    older = says(PAIN[language][0], opted_in(question, asked("pain_24h"), language=language))
    assert [(each.kind, each.score) for each in found(older, Keep)] == [("pain_24h", 7)]


@pytest.mark.parametrize(("language", "words"), [each for each in _each(PAIN) if "7" not in each[1]])
def test_words_of_pain_are_for_the_physio_and_name_no_activity(language: str, words: str) -> None:
    turn = says(words, opted_in(ACTIVITY, language=language))
    assert found(turn, Named) == [] and found(turn, ForPhysio) == [ForPhysio("X3", words)]
    assert keys(turn) == ["words_kept", "again_activity"]


@pytest.mark.parametrize(("language", "words"), _each(NO_NAME))
def test_what_names_nothing_gets_the_question_once_more(language: str, words: str) -> None:
    turn = says(words, opted_in(ACTIVITY, language=language))
    assert found(turn, Named) == [] and keys(turn) == ["not_understood", "again_activity"]
    assert turn.ask is not None and turn.ask.kind == "activity"


@pytest.mark.parametrize(("language", "words"), _each(NAMES))
def test_activities_are_named_in_every_language(language: str, words: str) -> None:
    assert found(says(words, opted_in(ACTIVITY, language=language)), Named) == [Named(TODAY, 1, words)]
