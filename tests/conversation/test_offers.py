"""The offer of the next rung in the chat: taken or left by button and in words, and never taken by mistake."""

from __future__ import annotations

from uuid import UUID

import pytest

from bot_service.conversation.choices import offer_line
from bot_service.conversation.situation import AnswerOffer, Close, ForPhysio, Situation
from tests.builders import a_plan, a_prescription
from tests.conversation.situations import asked, found, kept, keys, opted_in, says, taps

OFFER = UUID(int=99)
QUESTION = asked("rung", offer=str(OFFER), exercise="Bridge", step="Two legs.")


def offered(*older: str, holds: bool = True) -> Situation:
    return opted_in(QUESTION, *(asked(kind) for kind in older), offers=frozenset({OFFER}) if holds else frozenset())


@pytest.mark.parametrize("words", ["yes", "Yes please", "yes, let's try it", "OK", "sure", "I'll try it"])
def test_plain_consent_takes_the_step(words: str) -> None:
    turn = says(words, offered())
    assert turn == taps("yes", QUESTION, offered())
    assert found(turn, AnswerOffer) == [AnswerOffer(OFFER, accepted=True)]
    assert keys(turn) == ["rung_taken"] and Close(QUESTION.id) in turn.effects


@pytest.mark.parametrize("words", ["no", "not yet", "Not now", "later", "no thanks", "I'd rather not"])
def test_anything_like_no_leaves_it(words: str) -> None:
    turn = says(words, offered())
    assert found(turn, AnswerOffer) == [AnswerOffer(OFFER, accepted=False)]
    assert keys(turn) == ["rung_not_yet"]


@pytest.mark.parametrize("words", ["done", "did them all", "done 3", "3", "what is that?", "👍", "all done, 2"])
def test_words_about_exercises_and_numbers_never_take_a_step(words: str) -> None:
    assert found(says(words, offered()), AnswerOffer) == []
    assert found(says(words, offered("session")), AnswerOffer) == []


def test_a_number_meant_for_an_older_question_is_recorded_there() -> None:
    assert kept(says("3", offered("session")))["pain_during"][1] == 3


def test_leaving_it_because_of_pain_is_read_by_the_physio() -> None:
    turn = says("no, it still hurts too much", offered())
    assert found(turn, AnswerOffer) == [AnswerOffer(OFFER, accepted=False)]
    assert [note.rule for note in found(turn, ForPhysio)] == ["X3"]


@pytest.mark.parametrize("answer", ["yes", "not_yet"])
def test_an_offer_that_no_longer_holds_changes_nothing_and_says_so(answer: str) -> None:
    turn = taps(answer, QUESTION, offered(holds=False))
    assert found(turn, AnswerOffer) == []
    assert keys(turn) == ["rung_gone"]


def test_the_offer_names_the_exercise_and_its_next_step_and_a_new_exercise_is_said_to_join() -> None:
    plan = a_prescription("intermediate")
    for exercise, key in (("I1", "rung_offer"), ("I4", "rung_offer_new")):
        item = plan.exercise(exercise)
        rung = item.exercise.rungs[1 if item.started else 0]
        line = offer_line(item, rung, a_plan().rules)
        assert (line.key, line.values) == (key, {"exercise": item.exercise.name, "step": rung.text, "days": 14})
