"""What patients say of a session in their own words: not yet, part of it, last night's, today's; kept as said or asked, never guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot_service.conversation.parsing import read
from bot_service.conversation.situation import Answered, Close, ForPhysio, Keep, PauseUntil
from tests.builders import TODAY
from tests.conversation.situations import YESTERDAY, a_record, asked, found, kept, keys, opted_in, says, taps

NOT_YET = [
    ("en", "haven't started yet, will do at 9"),
    ("en", "not started yet"),
    ("en", "not done them yet, 3 meetings first"),
    ("en", "will do them later"),
    ("en", "doing them after dinner"),
    ("en", "not yet"),
    ("en", "forgot, will do them tonight"),
    ("es", "todavía no los he hecho"),
    ("es", "no los he hecho aún"),
    ("es", "los haré más tarde"),
    ("pl", "jeszcze nie zrobiłam"),
    ("pl", "zrobię wieczorem"),
    ("ar", "لم أفعلها بعد"),
    ("ar", "سأفعلها لاحقا"),
    ("hi", "abhi tak nahi kiya"),
    ("hi", "अभी तक नहीं किया"),
    ("hi", "बाद में करूंगा"),
]


@pytest.mark.parametrize(("language", "words"), NOT_YET)
def test_an_intention_is_no_refusal_and_leaves_the_question_open(language: str, words: str) -> None:
    today = says(words, opted_in(asked("session"), language=language))
    assert keys(today) == ["no_hurry", "when_done"] and not found(today, Keep) and not found(today, Close)
    late = says(words, opted_in(asked("session", day=YESTERDAY), record=a_record("-, waiting"), language=language))
    assert keys(late) == ["no_hurry", "again_session"] and not found(late, Keep) and not found(late, Close)
    announced = says(words, opted_in(asked("pain_24h", show=1), language=language))
    assert keys(announced) == ["no_hurry", "again_pain_24h"] and not found(announced, Keep)
    assert not found(says(words, opted_in(asked("confirm_not_done"), language=language)), Keep)


REFUSED = ["not today, will do them tomorrow", "i havent done them and wont", "im not going to do them today", "tomorrow instead"]


@pytest.mark.parametrize("words", [*REFUSED, "mañana los hago", "dziś nie, zrobię jutro", "غدا", "aaj nahi, kal karunga"])
def test_another_day_is_not_today(words: str) -> None:
    language = {"m": "es", "d": "pl", "غ": "ar", "a": "hi"}.get(words[0], "en")
    assert kept(says(words, opted_in(asked("session"), language=language))) == {"session": (TODAY, "not_done")}


def test_pain_named_with_an_intention_is_for_the_physio() -> None:
    turn = says("too sore right now, will do them later", opted_in(asked("session")))
    assert keys(turn) == ["no_hurry", "words_kept"] and not found(turn, Keep)
    assert [each.rule for each in found(turn, ForPhysio)] == ["X3"]


def test_the_score_beside_an_intention_answers_the_24_hour_question() -> None:
    turn = says("2, not done todays yet", opted_in(asked("pain_24h"), asked("session")))
    assert kept(turn) == {"pain_24h": (YESTERDAY, 2)}


PARTLY = [
    ("en", "did 3 sets of the bridge then gave up, 2 kids screaming", None),
    ("en", "did 1 and 3 only - 1", None),
    ("en", "couldnt do no 2 bc my knee clicks, others fine 1/10", 1),
    ("en", "did all but the leg thing. 3 out of 10 pain", 3),
    ("en", "didnt have time for the band thing. did the rest, no pain", 0),
    ("es", "no pude hacer el 2, hice los demás, 1/10", 1),
    ("pl", "nie zrobiłam nr 2, zrobiłam resztę, 1/10", 1),
    ("ar", "لم أستطع التمرين الثاني، عملت الباقي، 1/10", 1),
    ("hi", "doosra nahi kiya, baaki sab kiya, 1/10", 1),
]


@pytest.mark.parametrize(("language", "words", "score"), PARTLY)
def test_a_part_of_the_session_is_neither_all_nor_nothing(language: str, words: str, score: int | None) -> None:
    turn = says(words, opted_in(asked("session"), language=language))
    assert kept(turn)["session"] == (TODAY, "partly")
    assert kept(turn).get("pain_during") == (None if score is None else (TODAY, score))
    assert (turn.ask is not None and turn.ask.kind == "session_pain") is (score is None)


def test_only_some_of_it_after_all_corrects_done() -> None:
    did = opted_in(record=a_record("done 3/1, done 2"))
    turn = says("no wait i only did some of it", did)
    assert keys(turn) == ["recorded_partly"] and kept(turn) == {"session": (TODAY, "partly")}
    assert not found(says("no wait i only did some of it", opted_in()), Keep)
    under = replace(did, open=(asked("pain_24h"),))
    assert kept(says("no wait i only did some of it", under)) == {"session": (TODAY, "partly")}


TODAYS = [("done, 3", "done", 3), ("did all but the leg thing. 3 out of 10 pain", "partly", 3), ("did all of them, 4", "done", 4)]


@pytest.mark.parametrize(("words", "outcome", "score"), TODAYS)
def test_a_report_of_todays_session_is_no_24_hour_score(words: str, outcome: str, score: int) -> None:
    for question in (asked("pain_24h"), asked("pain_24h", show=1)):
        turn = says(words, opted_in(question))
        assert kept(turn) == {"session": (TODAY, outcome), "pain_during": (TODAY, score)}
        assert keys(turn)[0] == "recorded_for" and keys(turn)[-1] == "again_pain_24h" and Close(question.id) not in turn.effects
    rest = says(words, opted_in(asked("pain_24h"), record=a_record("done 3, -")))
    assert keys(rest) == ["not_understood", "again_pain_24h"] and not found(rest, Keep)


def test_a_bare_yes_and_a_number_still_answer_the_24_hour_question() -> None:
    assert kept(says("yes, 2", opted_in(asked("pain_24h")))) == {"pain_24h": (YESTERDAY, 2)}


def test_the_reader_tells_an_intention_from_a_refusal() -> None:
    assert read("not yet", "did_you_exercise").later and not read("no", "did_you_exercise").later


LAST_NIGHT = [
    ("en", "did it last night, 2", "done", 2),
    ("en", "i did do them last night actually. 3", "done", 3),
    ("en", "did it last night, 2. bit sore today maybe a 3", "done", None),
    ("en", "did half of them yesterday, 4", "partly", 4),
    ("es", "los hice anoche, 2", "done", 2),
    ("pl", "zrobiłam wczoraj wieczorem, 2", "done", 2),
    ("ar", "عملتها أمس، 2", "done", 2),
    ("hi", "kal raat kar liya, 2", "done", 2),
]


@pytest.mark.parametrize(("language", "words", "outcome", "score"), LAST_NIGHT)
def test_a_later_truth_replaces_not_done_of_the_evening_before(language: str, words: str, outcome: str, score: int | None) -> None:
    missed = a_record("done 3, no, waiting")
    last = Answered("pain_24h", YESTERDAY, 1, 1, None)
    for questions in ((), (asked("session"),), (asked("pain_24h", day=TODAY - timedelta(days=2), show=1),)):
        turn = says(words, opted_in(*questions, record=missed, language=language, last=last))
        pain = {} if score is None else {"pain_during": (YESTERDAY, score)}
        assert kept(turn) == {"session": (YESTERDAY, outcome), **pain}
        assert keys(turn)[0] == (f"recorded_{outcome}_for" if score is None else "recorded_for")
        assert (turn.ask is not None and turn.ask.kind == "session_pain" and turn.ask.day == YESTERDAY) is (score is None)
        assert not found(turn, Close)


def test_what_fits_no_session_of_yesterday_is_for_the_physio() -> None:
    for record in (a_record("done 3, -, waiting"), a_record("no + no, waiting"), a_record("done 4, waiting")):
        turn = says("did it last night, 2", opted_in(asked("session"), record=record))
        assert not found(turn, Keep) and [each.rule for each in found(turn, ForPhysio)] == ["X3"]
    there = says("did it last night, 4", opted_in(asked("session"), record=a_record("done 4, waiting")))
    assert keys(there) == ["recorded_for"] and not there.effects


MISSED_LAST_NIGHT = [
    ("en", "i didnt do them last night sorry, fell asleep"),
    ("es", "no los hice anoche"),
    ("pl", "nie zrobiłam wczoraj"),
    ("ar", "لم أفعلها أمس"),
    ("hi", "kal raat nahi kiya"),
]


@pytest.mark.parametrize(("language", "words"), MISSED_LAST_NIGHT)
def test_last_night_is_not_today(language: str, words: str) -> None:
    turn = says(words, opted_in(asked("session"), record=a_record("done 3, missed, waiting"), language=language))
    assert kept(turn) == {"session": (YESTERDAY, "not_done")} and keys(turn) == ["not_done_for"] and not found(turn, Close)
    both = says("did them yesterday but not today", opted_in(asked("session"), record=a_record("done 3, missed, waiting")))
    assert kept(both) == {"session": (TODAY, "not_done")}


WAKING = [
    ("en", "0 when i woke up"),
    ("es", "0 al despertarme"),
    ("pl", "0 po przebudzeniu"),
    ("ar", "0 عند الاستيقاظ"),
    ("hi", "0 uthte hi"),
]


@pytest.mark.parametrize(("language", "words"), WAKING)
def test_pain_on_waking_is_no_pain_of_a_session(language: str, words: str) -> None:
    for kind in ("session", "session_pain"):
        turn = says(words, opted_in(asked(kind), language=language))
        assert keys(turn) == ["not_understood", f"again_{kind}"] and not found(turn, Keep)
    assert read(words, "next_day_pain", "en").answer == 0 if language == "en" else True


def test_a_request_beside_a_report_leaves_the_report() -> None:
    turn = says("did 1 and 3 only - 1. can u send it at 7 instead", opted_in(asked("session")))
    assert kept(turn)["session"] == (TODAY, "partly") and keys(turn) == ["recorded_partly", "ask_session_pain", "time_how"]
    assert turn.ask is not None and turn.ask.kind == "session_pain"  # one question at a time: a "7" is for this one


@pytest.mark.parametrize(("language", "words"), [("en", "half past ten"), ("en", "10.30 am"), ("es", "a las diez y media")])
def test_a_time_alone_is_the_time_that_was_asked_for(language: str, words: str) -> None:
    turn = says(words, opted_in(asked("session"), language=language))
    assert keys(turn) == ["confirm_time"] and turn.ask is not None and turn.ask.detail == {"at": "10:30"}


@pytest.mark.parametrize(
    ("language", "words"), [("en", "dont do it today or tomorrow got a funeral"), ("es", "no me escribas hoy ni mañana")]
)
def test_today_and_tomorrow_off_is_a_pause_of_two_days(language: str, words: str) -> None:
    turn = says(words, opted_in(asked("session"), language=language))
    assert keys(turn) == ["confirm_pause"] and turn.lines[0].values == {"until": (TODAY + timedelta(days=2)).isoformat()}


REMIND = [("en", "remind me in an hour"), ("es", "recuérdamelo en una hora"), ("pl", "przypomnij mi za godzinę"), ("ar", "ذكرني بعد ساعة")]


@pytest.mark.parametrize(("language", "words"), [*REMIND, ("hi", "ek ghante baad yaad dilana")])
def test_once_more_in_an_hour_is_no_other_time_of_day(language: str, words: str) -> None:
    assert keys(says(words, opted_in(asked("session"), language=language))) == ["no_second_reminder"]


def test_back_early_ends_the_pause_as_start_does() -> None:
    assert says("I'm back early, start again pls", opted_in(held=frozenset({"pause"}))) == says(
        "START", opted_in(held=frozenset({"pause"}))
    )


@pytest.mark.parametrize("words", ["no none of that", "none of those", "none of this"])
def test_none_of_that_answers_the_safety_question(words: str) -> None:
    assert kept(says(words, opted_in(asked("safety")))) == {"safety": (TODAY, "none")}


def test_two_numbers_of_which_neither_is_said_to_be_usual_are_asked_about() -> None:
    assert read("about a 4, worse in the mornings and 6 when i sit", "usual_pain").answer == "ambiguous"
    assert read("usually 4, 6 when i sit", "usual_pain").answer == 4


def test_yes_and_a_number_keeps_both() -> None:
    turn = says("yes. and it was a 2", opted_in(asked("confirm_pause"), asked("session")))
    assert kept(turn) == {"session": (TODAY, "done"), "pain_during": (TODAY, 2)} and found(turn, PauseUntil)
    assert not found(says("yes", opted_in(asked("confirm_pause"), asked("session"))), Keep)


ASKS = ["Did the lot at lunch. Pain 3-4. Is it normal that my calf is sore?", "did them all, 4. should my knee feel warm?"]


@pytest.mark.parametrize("words", ASKS)
def test_a_report_with_a_question_in_it_counts_and_is_shown_to_the_physio_asked_or_not(words: str) -> None:
    unasked = opted_in(record=a_record("done 3/1, -"))
    for now in (unasked, opted_in(asked("session")), opted_in(asked("pain_24h", show=1))):
        turn = says(words, now)
        assert kept(turn) == {"session": (TODAY, "done"), "pain_during": (TODAY, 4)} and keys(turn)[1] == "words_kept"
        assert [each.words for each in found(turn, ForPhysio)] == [words]
    scoreless = says("did them at lunch. is it normal that my calf is sore?", unasked)
    assert kept(scoreless) == {"session": (TODAY, "done")} and keys(scoreless) == ["recorded_done", "words_kept", "ask_session_pain"]


def test_a_report_before_the_days_message_counts_only_where_one_session_is_left() -> None:
    assert kept(says("done, 3", opted_in(record=a_record("done 3/1, -")))) == {"session": (TODAY, "done"), "pain_during": (TODAY, 3)}
    assert not kept(says("done, 3", opted_in(record=a_record("done 3/1, done 2"))))


NEXT_MORNING = ["still 6", "6, could hardly sleep", "6"]
NUMBER_OF_LAST_NIGHT = Answered("pain_during", YESTERDAY, 1, 9, None)


@pytest.mark.parametrize("words", NEXT_MORNING)
def test_a_number_on_the_next_morning_is_for_the_day_after_or_asked_about_and_yesterdays_stays(words: str) -> None:
    record = a_record("done 9, waiting")
    then = {"day": YESTERDAY.isoformat(), "slot": 1}
    for safety in (asked("safety", day=YESTERDAY), asked("safety", day=YESTERDAY, show=1, then=then)):
        turn = says(words, opted_in(safety, record=record, last=NUMBER_OF_LAST_NIGHT))
        assert kept(turn) == {"pain_24h": (YESTERDAY, 6)} and keys(turn)[-1] == "again_safety"
        assert turn.ask is not None and turn.ask.again is not None, "the safety question stays, with what follows it"
    turn = says(words, opted_in(record=record, last=NUMBER_OF_LAST_NIGHT))
    assert keys(turn)[-1] == "which" and not kept(turn) and turn.ask is not None
    assert bool(found(turn, ForPhysio)) == ("sleep" in words)
    chosen = {
        (choice["kind"], choice["day"]): kept(
            taps(str(index), asked("which", **turn.ask.detail), opted_in(record=record, last=NUMBER_OF_LAST_NIGHT))
        )
        for index, choice in enumerate(turn.ask.detail["choices"])
    }
    assert chosen["pain_24h", YESTERDAY.isoformat()] == {"pain_24h": (YESTERDAY, 6)}
    assert chosen["session_pain", YESTERDAY.isoformat()] == {"pain_during": (YESTERDAY, 6)}
    assert chosen["session", TODAY.isoformat()] == {"session": (TODAY, "done"), "pain_during": (TODAY, 6)}


def test_no_praise_beside_the_safety_question() -> None:
    record = a_record("done 9, waiting")
    for words in ("1", "0, slept well"):
        turn = says(words, opted_in(asked("safety", day=YESTERDAY), record=record, last=NUMBER_OF_LAST_NIGHT))
        assert kept(turn)["pain_24h"] == (YESTERDAY, int(words[0])) and "day_after_settled" not in keys(turn)
    late = says(
        "did it but forgot to tell you yesterday. 3",
        opted_in(asked("pain_24h"), asked("session"), record=a_record("done 0/0, missed, waiting")),
    )
    assert "safety_question" in keys(late) and "day_after_settled" not in keys(late)
