"""More than one number, or one beside something else: what is sure is taken, the rest is asked about once, and nothing is lost."""

from __future__ import annotations

import pytest

from bot_service.conversation.situation import Close, ForPhysio, Keep, PauseUntil
from tests.builders import TODAY
from tests.conversation.situations import YESTERDAY, a_record, asked, found, kept, keys, opted_in, says


@pytest.mark.parametrize("words", ["2 and the evening one 4", "3 then a 5 or was it 6"])
def test_several_numbers_are_asked_for_one(words: str) -> None:
    turn = says(words, opted_in(asked("session_pain")))
    assert keys(turn) == ["several_numbers", "again_session_pain"] and not found(turn, Keep)
    assert keys(says("quite sore", opted_in(asked("session_pain")))) == ["not_understood", "again_session_pain"]


def test_then_and_now_under_two_questions_is_asked_and_neither_number_is_lost() -> None:
    turn = says("was 3 and this morning its a 2", opted_in(asked("session"), asked("pain_24h")))
    assert keys(turn) == ["several_numbers", "again_session"] and not found(turn, Keep)
    assert keys(says("5 during, 3 after", opted_in(asked("session"), asked("pain_24h")))) == ["which"]


def test_a_number_whose_question_is_not_known_yet_is_named_beside_the_one_that_is_left() -> None:
    which, session, after = asked("which", score=2, on=TODAY.isoformat()), asked("session"), asked("pain_24h")
    turn = says("done. 3", opted_in(which, session, after))
    assert kept(turn) == {"session": (TODAY, "done"), "pain_during": (TODAY, 3)}
    assert keys(turn)[-2:] == ["also_wrote", "again_pain_24h"] and turn.lines[-2].values == {"score": 2}
    assert turn.ask is not None and turn.ask.again == after.id and Close(which.id) in turn.effects


def test_a_number_beside_a_yes_is_asked_about_where_two_questions_are_open() -> None:
    turn = says("yes. and it was a 2", opted_in(asked("confirm_pause"), asked("session"), asked("pain_24h")))
    assert found(turn, PauseUntil) and keys(turn) == ["paused", "which"] and turn.ask is not None and turn.ask.kind == "which"


@pytest.mark.parametrize(("words", "score"), [("idk maybe 2ish", 2), ("dunno 4", 4), ("0 when I sat down for breakfast", 0)])
def test_a_vague_number_and_one_at_breakfast_answer_the_day_after(words: str, score: int) -> None:
    assert kept(says(words, opted_in(asked("pain_24h"))))["pain_24h"] == (YESTERDAY, score)


@pytest.mark.parametrize("words", ["0 when I sat down for breakfast", "1 at breakfast"])
def test_a_number_at_breakfast_is_none_of_a_session(words: str) -> None:
    assert not found(says(words, opted_in(asked("session"))), Keep)


TOLD_LATE = [
    ("en", "did it but forgot to tell you yesterday. 3"), ("es", "los hice pero se me olvidó avisarte ayer. 3"),
    ("pl", "zrobiłem ale zapomniałem wczoraj napisać. 3"), ("ar", "سويتها بس نسيت أخبركم أمس. 3"),
    ("hi", "kar liya tha par kal batana bhool gaya. 3"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "words"), TOLD_LATE)
def test_what_was_not_told_yesterday_is_of_yesterday(language: str, words: str) -> None:
    now = opted_in(asked("session"), record=a_record("no reply, waiting"), language=language)
    assert kept(says(words, now)).get("pain_during") == (YESTERDAY, 3)
    told = says(words, opted_in(asked("session"), record=a_record("done 2/1, waiting"), language=language))
    assert not found(told, Keep) and found(told, ForPhysio)


def test_yes_and_the_hour_that_was_offered_is_no_score() -> None:
    assert not found(says("yes 7", opted_in(asked("confirm_time", at="19:00"), asked("session"))), Keep)
    assert kept(says("yes. and it was a 2", opted_in(asked("confirm_time", at="19:00"), asked("session"))))["pain_during"] == (TODAY, 2)
