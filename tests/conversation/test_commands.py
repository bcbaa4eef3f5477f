"""Commands are understood in every shipped language, whatever the patient's own is; numbers are not, and no word of their own changes."""

from __future__ import annotations

from datetime import time, timedelta
from itertools import permutations

import pytest

from bot_service.conversation.situation import ForPhysio, OptIn, OptOut, PauseUntil, Resume, Told
from bot_service.conversation.turn import take_turn
from bot_service.conversation.wording import SHIPPED, Voice, load_catalogue, render
from plans.loading import load_words
from plans.tongues import in_words
from tests.builders import TODAY, a_prescription
from tests.conversation.situations import asked, found, kept, keys, opted_in, says, taps

PAIRS = list(permutations(SHIPPED, 2))


@pytest.mark.parametrize(("own", "other"), PAIRS)
def test_a_command_of_another_language_does_what_the_own_one_does(own: str, other: str) -> None:
    words = load_catalogue(other).says
    for now in (opted_in(asked("session"), language=own), opted_in(language=own, held=frozenset({"pause"}))):
        assert found(says(words["stop"], now), OptOut), words["stop"]
        assert found(says(words["start"].upper(), now), Resume), words["start"]
        assert keys(says(words["pause"], now)) == ["pause_how_long"], words["pause"]
        assert "help" in keys(says(words["help"], now)), words["help"]
    assert found(says(words["start"], opted_in(language=own, status="opted_out")), OptIn), words["start"]


@pytest.mark.parametrize(("own", "other"), PAIRS)
def test_a_pause_of_some_days_keeps_its_number(own: str, other: str) -> None:
    turn = says(f"{load_catalogue(other).says['pause']} 5", opted_in(language=own))
    assert keys(turn)[0] in ("confirm_pause", "pause_how_long")


def test_numbers_stay_in_the_own_language() -> None:
    assert not kept(says("tres", opted_in(asked("session_pain"))))
    assert kept(says("tres", opted_in(asked("session_pain"), language="es")))


def test_what_somebody_tells_the_physio_is_kept_word_for_word() -> None:
    turn = says("ayuda", opted_in(asked("what_is_wrong")))
    assert found(turn, ForPhysio) == [ForPhysio("X3", "ayuda", tell_when_read=True, same_day=True)]


def test_a_pause_asked_for_in_another_language_is_confirmed_and_kept() -> None:
    turn = says("pausa", opted_in())
    assert turn.ask is not None
    assert found(taps("days_7", asked("pause_days"), opted_in()), PauseUntil) == [PauseUntil(TODAY + timedelta(days=7))]
    assert take_turn(Told(text="pausa"), opted_in(language="es")).ask == turn.ask


HOW_TO = [
    ("en", "how do I do the bridge?", "E1"), ("en", "How to do bridges again please", "E1"),
    ("en", "show me the single leg stand", "E4"), ("es", "¿cómo hago el puente?", "E1"),
    ("pl", "jak zrobić mostek?", "E1"), ("ar", "كيف أعمل تمرين الجسر؟", "E1"),
    ("hi", "ब्रिज कैसे करना है?", "E1"), ("hi", "bridge kaise karte hai", "E1"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "words", "exercise"), HOW_TO)
def test_how_to_do_an_exercise_of_today_is_told_of_that_one_in_the_patients_language(language: str, words: str, exercise: str) -> None:
    turn = says(words, opted_in(asked("session"), language=language))
    assert [(line.key, line.values.get("exercises")) for line in turn.lines] == [("how_to", [exercise])]
    assert turn.ask is not None and turn.ask.again == asked("session").id
    voice = Voice(language, TODAY, "", "", "", "", "", "", time(8), a_prescription())
    text, _ = render({"lines": [[line.key, dict(line.values)] for line in turn.lines]}, voice)
    name = in_words(a_prescription(), load_words(a_prescription().plan_id, language)).exercise(exercise).exercise.name
    assert name in text and text.count("\n\n") == 1  # what it is about, and that one exercise


@pytest.mark.parametrize("words", ["how do I do the bridge with my bad knee?", "how do I do the handstand?", "how do I do it?", "bridge 3"])
def test_a_question_that_is_more_than_how_to_is_answered_as_ever(words: str) -> None:
    assert "how_to" not in keys(says(words, opted_in(asked("session"))))


HOW_TO_STOP = [("en", "how do I stop these messages"), ("en", "how can i unsubscribe"), ("es", "¿Cómo dejo de recibir estos mensajes?")]


@pytest.mark.parametrize(
    ("language", "words"),
    [*HOW_TO_STOP, ("pl", "jak wyłączyć te wiadomości"), ("ar", "كيف أوقف هذه الرسائل"), ("hi", "ये मैसेज कैसे बंद करें")],
)
def test_who_asks_how_to_stop_is_told_and_not_stopped(language: str, words: str) -> None:
    turn = says(words, opted_in(asked("session"), language=language))
    assert keys(turn) == ["stop_how"] and not turn.effects


@pytest.mark.parametrize(
    "words",
    ["how do I stop this. STOP", "how do I stop these messages? please stop", "stop these messages"],
)
def test_who_asks_and_says_stop_is_stopped(words: str) -> None:
    assert found(says(words, opted_in(asked("session"))), OptOut)


@pytest.mark.parametrize("words", ["is it ok to run?", "is swimming ok?", "can I go for a run", "is it normal that my calf is sore?"])
@pytest.mark.parametrize("kind", [None, "session", "session_pain", "pain_24h", "baseline"])
def test_a_question_about_life_is_for_the_physio_and_the_open_question_stays(words: str, kind: str | None) -> None:
    turn = says(words, opted_in(*([asked(kind)] if kind else ())))
    assert keys(turn) == ["passed_on", *([f"again_{kind}"] if kind else [])] and [note.words for note in found(turn, ForPhysio)] == [words]
    assert (turn.ask.again if turn.ask else None) == (asked(kind).id if kind else None)


@pytest.mark.parametrize("words", ["is 4 a lot?", "what should I put?", "what can I write here?"])
def test_a_question_about_the_answer_itself_is_for_the_list_of_what_can_be_written(words: str) -> None:
    assert keys(says(words, opted_in(asked("session_pain")))) == ["help", "not_watched", "again_session_pain"]


NONE_OF_IT = [("en", "no none of that"), ("en", "none of it"), ("en", "nope none"), ("en", "no to all of them"), ("es", "nada de eso")]


@pytest.mark.parametrize(("language", "words"), [*NONE_OF_IT, ("pl", "nic z tego"), ("ar", "لا شيء من ذلك"), ("hi", "ऐसा कुछ नहीं")])
def test_none_of_it_answers_the_safety_question(language: str, words: str) -> None:
    assert keys(says(words, opted_in(asked("safety"), language=language))) == ["safety_none"]
