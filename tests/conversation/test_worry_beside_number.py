"""A number with words around it that may worry: the number counts, the words reach the physio, and nothing is praised."""

from __future__ import annotations

import pytest

from bot_service.conversation.situation import Answered, ForPhysio
from bot_service.sample import phrases
from tests.builders import TODAY
from tests.conversation.labelled import rows, shipped
from tests.conversation.situations import YESTERDAY, asked, found, kept, keys, opted_in, says

WORRYING = {
    "en": (
        "1 but my knee clicks", "2, I feel so low", "2 and worried about it all", "3, fed up with this",
        "0 but could hardly sleep", "2 but there is pain in my lower back",
    ),
    "es": ("1 pero me duele la rodilla", "2, estoy muy triste", "2 pero no pude dormir"),
    "pl": ("1 ale boli mnie kolano", "2, jestem przygnębiona", "2, nie mogłem spać"),
    "ar": ("1 لكن ركبتي تؤلمني", "2، أنا حزين"),
    "hi": ("1 lekin ghutne mein dard hai", "2, bahut udaas hoon", "2 लेकिन नींद नहीं आई"),
}  # fmt: skip
EVERYDAY = {
    "en": (
        "2 thanks", "about a 2 today", "2?", "1, no knee pain", "2 out of 10 in the hamstring", "a bit stiff, 2", "I think it was a 2",
        "2, no worries", "back to a 2", "2 and the weather was nice", "2, knee no pain", "0, slept well", "2 in the sit bone",
    ),
    "es": ("2 gracias", "como un 2 hoy", "¿2?", "2, sin dolor de rodilla", "un 2, dormí bien"),
    "pl": ("2 dzięki", "jakieś 2 dzisiaj", "2?", "2, kolano dobrze"),
    "ar": ("2 شكرا", "حوالي 2 اليوم", "2؟"),
    "hi": ("2 dhanyavaad", "aaj lagbhag 2", "2?"),
}  # fmt: skip


@pytest.mark.parametrize("language", WORRYING)
def test_words_that_may_worry_beside_a_number_reach_the_physio_and_are_not_praised(language: str) -> None:
    for text in WORRYING[language]:
        turn = says(text, opted_in(asked("pain_24h"), language=language))
        assert kept(turn)["pain_24h"][0] == YESTERDAY and found(turn, ForPhysio) == [ForPhysio("X3", text)], text
        assert keys(turn)[:2] == ["recorded", "words_kept"] and "day_after_settled" not in keys(turn), text


@pytest.mark.parametrize("language", EVERYDAY)
def test_a_number_in_everyday_words_is_no_message_to_the_physio(language: str) -> None:
    for text in EVERYDAY[language]:
        turn = says(text, opted_in(asked("pain_24h"), language=language))
        assert keys(turn) == ["recorded", "day_after_settled"] and not found(turn, ForPhysio), text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "1 but my calf is really sore"), ("en", "1. is it normal that my knee clicks?"), ("en", "1, should I see somebody?"),
        ("es", "1. ¿es normal?"), ("pl", "1. czy to normalne?"), ("ar", "1. هل هذا طبيعي؟"),
        ("ar", "2 ما قدرت أنام"), ("hi", "1. kya ye normal hai?"),
    ],
)  # fmt: skip
def test_words_that_may_worry_in_what_cannot_be_read_reach_the_physio_and_the_question_stays(language: str, text: str) -> None:
    turn = says(text, opted_in(asked("pain_24h"), language=language))
    assert keys(turn) == ["words_kept", "again_pain_24h"] and found(turn, ForPhysio) == [ForPhysio("X3", text)]
    assert not kept(turn) and turn.ask is not None and turn.ask.again == asked("pain_24h").id


@pytest.mark.parametrize("text", ["what can I write?", "help", "how does this work?"])
def test_who_asks_how_this_works_still_gets_the_list_of_what_can_be_written(text: str) -> None:
    turn = says(text, opted_in(asked("pain_24h")))
    assert keys(turn)[0] == "help" and not found(turn, ForPhysio)


def test_the_advice_about_a_session_stays_beside_the_words() -> None:
    turn = says("done, 2. my calf is sore though", opted_in(asked("session")))
    assert kept(turn)["pain_during"] == (TODAY, 2) and keys(turn) == ["recorded", "words_kept", "advice"]
    held = says("done, 2. my calf is sore though", opted_in(asked("session"), held=frozenset({"red_flag"}), red_flag="URGENT"))
    assert keys(held) == ["recorded", "held_urgent"] and found(held, ForPhysio)


def test_few_labelled_numbers_and_none_of_the_sample_patients_are_messages_to_the_physio() -> None:
    numbers = [row for row in shipped(rows("replies.jsonl")) if isinstance(row.expect, int)]
    told = [row.text for row in numbers if found(says(row.text, opted_in(asked("pain_24h"), language=row.language)), ForPhysio)]
    assert len(told) <= 0.05 * len(numbers), told
    banks = (phrases.SESSION_SCORE, phrases.NEXT_DAY_SCORE, phrases.QUICK_SCORE, phrases.USUAL_SCORE)
    said = [text.replace("{score}", "2").replace("{n}", "2") for bank in banks for text in bank]
    assert [text for text in said if found(says(text, opted_in(asked("pain_24h"))), ForPhysio)] == []


LEFT_OVER = {
    "en": ("sorry 3, and the calf thing is still there", "i meant 3, knee no better", "sorry 3 and my lower leg feels odd"),
    "es": ("perdón, 3, y la rodilla igual", "perdón 3, y me duele la rodilla"),
    "pl": ("przepraszam, 3, a kolano tak samo",),
    "ar": ("عفوا، 3، وركبتي تؤلمني",),
    "hi": ("sorry, 3, aur ghutna waisa hi hai",),
}


@pytest.mark.parametrize("language", LEFT_OVER)
def test_what_a_correction_says_of_the_body_besides_reaches_the_physio(language: str) -> None:
    last = Answered("pain_during", TODAY, 1, 5, None)
    for text in LEFT_OVER[language]:
        turn = says(text, opted_in(last=last, language=language))
        assert kept(turn)["pain_during"] == (TODAY, 3) and keys(turn)[:2] == ["corrected", "words_kept"], text
        assert found(turn, ForPhysio) == [ForPhysio("X3", text)], text
        nothing_to_correct = says(text, opted_in(language=language))
        assert found(nothing_to_correct, ForPhysio) and keys(nothing_to_correct) == ["passed_on"], text


def test_a_correction_that_says_no_more_than_its_number_is_no_message() -> None:
    for text in ("sorry, 3", "sorry 3 in the hamstring", "i meant 3, no knee pain", "oops, 3 out of 10 in my leg"):
        assert not found(says(text, opted_in(last=Answered("pain_during", TODAY, 1, 5, None))), ForPhysio), text
