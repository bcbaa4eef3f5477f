"""The question about usual pain, when it is not plain what is usual: explained, and of two numbers none is taken unasked."""

from __future__ import annotations

import pytest

from bot_service.conversation.situation import CountAgain, ForPhysio, Keep, SetBaseline
from tests.builders import an_episode
from tests.conversation.situations import asked, before_opt_in, found, keys, opted_in, says

WHAT_IS_USUAL = {
    "en": ("sorry what do you mean by usual", "what is usual pain?", "dont know what usual means"),
    "es": ("¿qué es dolor habitual?", "¿qué quiere decir habitual?"),
    "pl": ("co to znaczy zwykle?", "jaki ból jest zwykły?"),
    "ar": ("ما معنى المعتاد؟",),
    "hi": ("आम दर्द क्या होता है?", "aam dard ka matlab kya hai"),
}
TWO_NUMBERS = {
    "en": ("about a 4, worse in the mornings and 6 when i sit", "4 sitting 6 walking 2 lying down", "usually 4, up to 7 sometimes"),
    "es": ("un 4, y un 6 cuando me siento",),
    "pl": ("4, a 6 jak siedzę",),
}


@pytest.mark.parametrize("language", WHAT_IS_USUAL)
def test_what_usual_means_is_said_and_asked_again(language: str) -> None:
    for text in WHAT_IS_USUAL[language]:
        turn = says(text, before_opt_in(asked("baseline"), status="opted_in", language=language))
        assert keys(turn) == ["usual_means", "again_baseline"] and turn.ask is not None and not turn.effects, text


@pytest.mark.parametrize("language", TWO_NUMBERS)
def test_of_two_numbers_none_is_taken_as_usual_unasked(language: str) -> None:
    for text in TWO_NUMBERS[language]:
        turn = says(text, before_opt_in(asked("baseline"), status="opted_in", language=language))
        assert keys(turn) == ["several_numbers", "again_baseline"] and turn.ask is not None and turn.ask.kind == "baseline", text
        assert found(turn, CountAgain) and not found(turn, SetBaseline) and not found(turn, Keep), text
    third = says("4 sitting 6 walking", before_opt_in(asked("baseline", asked_again=2), status="opted_in"))
    assert found(third, ForPhysio) and keys(third) == ["given_to_physio"], "after two tries a person reads it"


def test_the_physio_is_still_asked_for_while_the_usual_pain_is_open() -> None:
    turn = says("talk to my physio about what usual means", before_opt_in(asked("baseline"), status="opted_in"))
    assert keys(turn) == ["passed_on"] and found(turn, ForPhysio)


def test_help_says_the_open_question_again_above_its_buttons() -> None:
    assert keys(says("help", opted_in(asked("confirm_time")))) == ["help", "not_watched", "again_confirm_time"]
    assert keys(says("help", opted_in())) == ["help", "not_watched"]


def test_how_an_exercise_goes_is_told_before_the_first_day_and_on_days_without_it() -> None:
    newcomer = opted_in(asked("baseline"), record=an_episode(baseline=None), baseline_known=False)
    turn = says("how do I do the bridge?", newcomer)
    assert keys(turn) == ["how_to", "again_baseline"] and turn.lines[0].values["exercises"] == ["E1"]
    rest_day = opted_in(record=an_episode(stage="intermediate"))
    assert keys(says("how do I do the bridge?", rest_day)) == ["how_to"]
