"""A second number, an answer or a reason that comes late, an answer taken back: said back, never swallowed, never changed by one tap."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from uuid import UUID

import pytest

from bot_service.clinical.record import SkipReason
from bot_service.conversation.parsing import read
from bot_service.conversation.situation import (
    Answered,
    Ask,
    ChangeTime,
    Close,
    CountAgain,
    ForPhysio,
    Keep,
    PauseUntil,
    RedFlagged,
    Situation,
)
from bot_service.conversation.wording import SHIPPED, Voice, render
from tests.builders import TODAY, a_prescription
from tests.conversation.situations import YESTERDAY, a_record, asked, before_opt_in, found, kept, keys, opted_in, says, taps

QUESTION = UUID(int=7)
DURING = Answered("pain_during", TODAY, 1, 2, QUESTION)
LAST_WEEK = TODAY - timedelta(days=5)


@pytest.mark.parametrize("words", ["done, 4", "4", "it was a 4", "4/10"])
def test_another_number_is_answered_with_how_to_put_the_first_right(words: str) -> None:
    turn = says(words, opted_in(last=DURING))
    assert keys(turn) == ["meant_instead"] and not found(turn, Keep)
    assert turn.lines[0].values == {"score": 4, "recorded": 2, "day": TODAY.isoformat()}
    assert turn.change == QUESTION


def test_the_same_number_again_is_there_already() -> None:
    assert keys(says("done, 2", opted_in(last=DURING))) == ["which_done"]


def test_after_the_24_hour_question_it_says_which_number_it_is_about() -> None:
    assert keys(says("4", opted_in(last=replace(DURING, kind="pain_24h", day=YESTERDAY)))) == ["meant_instead_24h"]


@pytest.mark.parametrize("kind", ["safety", "rung"])
def test_under_the_question_that_followed_the_number_both_are_said(kind: str) -> None:
    turn = says("done, 4", opted_in(asked(kind), last=DURING))
    assert keys(turn) == ["meant_instead", f"again_{kind}"]
    assert turn.ask is not None and turn.ask.again == asked(kind).id and turn.change == QUESTION


NO_AND_2 = [("en", "no, 2"), ("en", "nope 2"), ("es", "no, un 2"), ("pl", "nie, 2"), ("ar", "لا، 2"), ("hi", "नहीं, 2")]


@pytest.mark.parametrize(("language", "words"), NO_AND_2)
def test_no_and_a_number_is_never_recorded_unasked(language: str, words: str) -> None:
    for kind in ("session", "session_pain", "pain_24h"):
        turn = says(words, opted_in(asked(kind), language=language))
        assert keys(turn) == ["not_understood", f"again_{kind}"] and not found(turn, Keep)
    after = says(words, opted_in(last=replace(DURING, score=4), language=language))
    assert keys(after) == ["meant_instead"] and after.lines[0].values["score"] == 2 and not found(after, Keep)
    assert keys(says("no, 2 days off", opted_in(last=DURING))) == ["nothing_asked"]


def test_without_a_number_before_it_is_as_ever() -> None:
    assert keys(says("4", opted_in())) == ["nothing_asked"]
    assert keys(says("sorry, 4", opted_in(last=DURING)))[0] == "corrected"


@pytest.mark.parametrize(("words", "recorded"), [("done, 4", "recorded"), ("not today", "not_today"), ("did some", "recorded_partly")])
def test_what_is_said_of_the_exercises_is_no_answer_to_the_safety_question(words: str, recorded: str) -> None:
    for question, expected in (
        (asked("safety", show=1), [recorded, "again_safety"]),
        (asked("safety"), ["not_understood", "again_safety"]),
    ):
        turn = says(words, opted_in(question))
        assert keys(turn) == expected and not found(turn, RedFlagged) and Close(question.id) not in turn.effects
        assert turn.ask is not None and turn.ask.again == question.id
        assert bool(found(turn, Keep)) is (expected[0] == recorded) and not [each for each in found(turn, Keep) if each.kind == "safety"]


@pytest.mark.parametrize(
    ("language", "words"), [("en", "not today"), ("es", "hoy no"), ("pl", "dziś nie"), ("ar", "ليس اليوم"), ("hi", "आज नहीं")]
)
def test_not_today_after_a_score_is_confirmed_first_whether_tapped_or_typed(language: str, words: str) -> None:
    now = opted_in(record=a_record("done 3/1, done 4"), last=replace(DURING, question_id=asked("session").id), language=language)
    assert says(words, now) == taps("not_today", asked("session", is_open=False), now)
    assert keys(says(words, now)) == ["confirm_not_done"]
    assert keys(says(words, replace(now, last=replace(DURING, day=YESTERDAY)))) == ["nothing_asked"]


def test_pain_named_right_after_not_today_is_the_reason_whether_it_was_asked_or_not() -> None:
    skipped = a_record("done 3/1, no")
    for questions in ((), (asked("reason"),)):
        turn = says("my back hurts", opted_in(*questions, record=skipped))
        assert keys(turn) == ["reason_pain"] and kept(turn) == {"reason": (TODAY, "pain")}
        assert [(each.rule, each.words) for each in found(turn, ForPhysio)] == [("X3", "my back hurts")]
    assert not found(says("my back hurts", opted_in()), Keep)
    given = replace(skipped, skip_reasons=(SkipReason(TODAY, "time"),))
    for words, record in (("my back hurts", given), ("my back isn't hurting", skipped), ("hurts less now, no agony", skipped)):
        turn = says(words, opted_in(record=record))
        assert not found(turn, Keep) and [each.words for each in found(turn, ForPhysio)] == [words]


@pytest.mark.parametrize("language", SHIPPED)
@pytest.mark.parametrize("key", ["meant_instead", "meant_instead_24h"])
def test_what_it_tells_the_patient_to_send_is_a_correction(language: str, key: str) -> None:
    voice = Voice(language, TODAY, "", "", "", "", "", "", time(8), a_prescription())
    text, _ = render({"lines": [[key, {"score": 4, "recorded": 2, "day": TODAY.isoformat()}]]}, voice)
    reading = read(text.rpartition(": ")[2], None, language)
    assert reading.correction and reading.score == 4


LATE = [
    ("session", "4", "recorded_for"),
    ("session", "some", "recorded_partly_for"),
    ("session", "not_today", "not_done_for"),
    ("session_pain", "4", "recorded_for"),
    ("pain_24h", "4", "recorded_24h_for"),
]


@pytest.mark.parametrize(("kind", "answer", "key"), LATE)
def test_a_late_answer_names_its_day(kind: str, answer: str, key: str) -> None:
    late = taps(answer, asked(kind, day=LAST_WEEK), opted_in())
    assert keys(late)[0] == key and late.lines[0].values["day"] == LAST_WEEK.isoformat()
    in_time = taps(answer, asked(kind), opted_in(asked(kind)))
    assert keys(in_time)[0] == key.removesuffix("_for").replace("recorded_24h", "recorded").replace("not_done", "not_today")


def test_words_that_come_late_name_their_day_too() -> None:
    late = opted_in(asked("session", day=YESTERDAY), record=a_record("-, waiting"))
    assert keys(says("done", late))[0] == "recorded_done_for"
    assert keys(says("no, too painful", late))[0] == "not_done_pain_for"


def test_tomorrow_is_not_spoken_of_when_it_is_today() -> None:
    voice = Voice("en", TODAY, "", "", "", "", "", "", time(8), a_prescription())
    for score, late, has in (("5", False, True), ("5", True, False)):
        turn = taps(score, asked("session", day=YESTERDAY if late else TODAY), opted_in(record=a_record("done 4/1, waiting")))
        text, _ = render({"lines": [[line.key, dict(line.values)] for line in turn.lines]}, voice)
        assert ("tomorrow" in text.lower()) is has and "allowed" in text


def two_a_day() -> Situation:
    """A patient with exercises at 08:00 and at 18:00."""
    record = a_record()
    slots = tuple(
        slot.model_copy(update={"prompted": True, "at": time(8 if slot.number == 1 else 18)}) for slot in record.prescription.slots
    )
    return opted_in(record=replace(record, prescription=record.prescription.model_copy(update={"slots": slots})))


def test_another_time_says_which_exercises_move_and_which_stay() -> None:
    now = two_a_day()
    turn = says("send it at 7am", now)
    about = {"at": "07:00", "first": "08:00", "other": "18:00"}
    assert keys(turn) == ["confirm_time_one"] and turn.ask == Ask("confirm_time", detail=about) and turn.lines[0].values == about
    done = taps("yes", replace(asked("confirm_time"), detail=about), now)
    assert keys(done) == ["time_changed_one"] and found(done, ChangeTime) == [ChangeTime(time(7), time(8))]
    assert keys(says("send it at 6pm", now)) == ["time_taken"]
    assert keys(says("send it at 7am", opted_in())) == ["confirm_time"]


def test_a_yes_to_another_time_counts_only_while_the_times_are_those_of_the_question() -> None:
    now, before = two_a_day(), {"at": "19:00", "first": "18:30", "other": "08:00"}
    again = taps("yes", replace(asked("confirm_time"), detail=before), now)
    assert again.ask is not None and again.ask.detail == before | {"first": "18:00"}
    taken = taps("yes", replace(asked("confirm_time"), detail=before | {"at": "18:00", "first": "08:00", "other": "18:30"}), now)
    assert keys(taken) == ["time_taken"]
    for turn in (again, taken):
        assert found(turn, ChangeTime) == [] and len(found(turn, Close)) == 1


@pytest.mark.parametrize(
    ("words", "moved"), [("6am", "08:00"), ("12:00", "08:00"), ("5:59pm", "08:00"), ("6:01pm", "18:00"), ("9pm", "18:00")]
)
def test_the_exercises_of_a_day_keep_their_order_at_another_time(words: str, moved: str) -> None:
    turn = says(f"send it at {words}", two_a_day())
    other = "18:00" if moved == "08:00" else "08:00"
    assert turn.ask is not None and (turn.ask.detail["first"], turn.ask.detail["other"]) == (moved, other)


@pytest.mark.parametrize(
    ("language", "both"), [("en", "08:00 and 18:00"), ("es", "08:00 y a las 18:00"), ("pl", "08:00 i 18:00"), ("ar", "08:00 و18:00")]
)
def test_the_welcome_names_every_time_of_day(language: str, both: str) -> None:
    record = two_a_day().record
    voice = Voice(language, TODAY, "", "", "", "", "", "", time(8), record.prescription if record else None)
    for key in ("first_prompt", "baseline_thanks"):
        assert both in render({"lines": [[key, {}]]}, voice)[0]
        assert " 08:00 " in render({"lines": [[key, {}]]}, replace(voice, prescription=None))[0]


def test_an_old_not_today_does_not_take_back_a_score() -> None:
    old, now = asked("session", day=YESTERDAY, is_open=False), opted_in(asked("session"), record=a_record("done 7, waiting"))
    turn = taps("not_today", old, now)
    assert keys(turn) == ["recorded_for"] and not found(turn, Keep) and turn.change == old.id
    assert turn.lines[0].values == {"score": 7, "day": YESTERDAY.isoformat()}
    anew = taps("change", old, now).ask
    assert anew is not None
    confirmed = taps("not_today", replace(old, detail=anew.detail), now)
    assert [each.outcome for each in found(confirmed, Keep)] == ["not_done"]


def test_after_the_safety_question_a_session_not_done_is_not_asked_about() -> None:
    then = {"day": YESTERDAY.isoformat(), "slot": 1}
    for history, asks in (("done 7, waiting", True), ("no, waiting", False)):
        turn = taps("none", asked("safety", then=then), opted_in(record=a_record(history)))
        assert ("ask_24h" in keys(turn)) is asks


def test_a_score_of_today_is_taken_back_only_once_that_is_confirmed() -> None:
    session = asked("session", is_open=False)
    now = opted_in(record=a_record("done 3/1, done 4"))
    turn = taps("not_today", session, now)
    assert keys(turn) == ["confirm_not_done"] and not found(turn, Keep)
    assert turn.lines[0].values == {"score": 4, "day": TODAY.isoformat()}
    assert turn.ask == Ask("confirm_not_done", TODAY, 1, {"about": str(session.id)})
    question = asked("confirm_not_done", **turn.ask.detail)
    twice = taps("not_today", session, opted_in(question, record=now.record))
    assert twice.ask is not None and twice.ask.again == question.id, "tapped once more it is the same question"
    for words in ("yes", "ok", "I didn't do them", "not done"):
        turn = says(words, opted_in(question, record=now.record))
        assert [(each.kind, each.outcome) for each in found(turn, Keep)] == [("session", "not_done")], words
        assert keys(turn) == ["not_today"] and turn.change == session.id and Close(question.id) in turn.effects
    for words in ("no", "never mind", "done"):
        turn = says(words, opted_in(question, record=now.record))
        assert not found(turn, Keep) and keys(turn) == ["recorded"] and turn.change == session.id, words
    assert keys(says("perhaps", opted_in(question, record=now.record))) == ["not_understood", "again_confirm_not_done"]


def test_the_buttons_of_a_confirmation_that_was_answered_only_say_what_stands() -> None:
    question = asked("confirm_not_done", is_open=False)
    for history, key in (("done 3/1, done 4", "recorded"), ("done 3/1, no", "not_today")):
        for answer in ("yes", "no"):
            turn = taps(answer, question, opted_in(record=a_record(history)))
            assert not found(turn, Keep) and keys(turn) == [key]


def test_not_today_because_of_pain_after_a_score_is_for_the_physio_whatever_is_confirmed() -> None:
    turn = says("no, too painful", opted_in(asked("session"), record=a_record("done 3/1, done 4")))
    assert keys(turn) == ["confirm_not_done"] and found(turn, ForPhysio) == [ForPhysio("X3", "no, too painful")]


def test_start_makes_the_buttons_of_an_earlier_pause_void() -> None:
    for kind, answer in (("confirm_pause", "yes"), ("pause_days", "days_7")):
        turn = taps(answer, replace(asked(kind, is_open=False), withdrawn=True), opted_in())
        assert keys(turn) == ["pause_withdrawn"] and turn.effects == ()
        assert found(taps(answer, asked(kind, is_open=False), opted_in()), PauseUntil)


@pytest.mark.parametrize(("words", "reason"), [("forgot", "forgot"), ("sorry, no time, work", "time"), ("too painful", "pain")])
def test_a_late_reason_belongs_to_the_day_that_it_is_the_answer_for(words: str, reason: str) -> None:
    why, session = asked("reason", day=YESTERDAY), asked("session")
    turn = says(words, opted_in(session, why, record=a_record("no, waiting")))
    assert kept(turn) == {"reason": (YESTERDAY, reason)} and Close(why.id) in turn.effects
    assert keys(turn) == [f"reason_{reason}", "again_session"] and turn.ask is not None and turn.ask.again == session.id


def test_what_speaks_of_today_is_no_late_reason() -> None:
    why, session = asked("reason", day=YESTERDAY), asked("session")
    for words in ("no time today", "done, 4", "not today"):
        turn = says(words, opted_in(session, why, record=a_record("no, waiting")))
        assert kept(turn)["session"][0] == TODAY, words


def test_words_that_are_no_answer_to_the_safety_question_are_kept_and_it_is_asked_again() -> None:
    for kind in ("safety", "new_or_worse", "seen"):
        turn = says("stairs are a struggle", opted_in(asked(kind)))
        assert found(turn, ForPhysio) == [ForPhysio("X3", "stairs are a struggle")]
        assert keys(turn) == ["words_kept", f"again_{kind}"] and turn.ask is not None and turn.ask.again == asked(kind).id
    assert found(says("worse than yesterday", opted_in(asked("safety"))), ForPhysio) == [ForPhysio("X3", "worse than yesterday")]


@pytest.mark.parametrize("words", ["what is this about?", "who is this?", "who are you", "Yes but what is it?"])
def test_who_asks_before_agreeing_is_told_who_writes_and_asked_again(words: str) -> None:
    turn = says(words, before_opt_in(asked("consent")))
    assert keys(turn) == ["who_writes", "not_watched", "consent_again"] and turn.effects == (CountAgain(asked("consent").id),)
    assert turn.ask is not None and turn.ask.again == asked("consent").id
    assert keys(says("hmm", before_opt_in(asked("consent")))) == ["consent_again"]


@pytest.mark.parametrize("words", ["8 was a typo, I meant 3", "the 8 was a mistake, I meant 3", "sorry, 3"])
@pytest.mark.parametrize("open_now", [True, False])
def test_a_number_named_only_to_take_it_back_is_a_correction_even_while_safety_is_asked(words: str, open_now: bool) -> None:
    turn = says(words, opted_in(*([asked("safety")] if open_now else []), last=replace(DURING, score=8)))
    assert keys(turn)[0] == "corrected" and kept(turn) == {"pain_during": (TODAY, 3)}
    assert keys(says("8 was a lot, my 3 kids were here", opted_in(asked("safety"), last=replace(DURING, score=8))))[0] != "corrected"


@pytest.mark.parametrize("words", ["no none of those", "No, none of these", "none of them", "no"])
def test_no_none_of_those_is_none(words: str) -> None:
    turn = says(words, opted_in(asked("safety")))
    assert keys(turn) == ["safety_none"] and [each.outcome for each in found(turn, Keep)] == ["none"]


def test_which_one_lapses_once_one_of_its_questions_is_answered_or_the_day_is_over() -> None:
    usual, session = asked("baseline"), asked("session")
    (asks,) = [turn.ask for turn in [says("4", opted_in(session, usual))] if turn.ask]
    which = asked("which", **asks.detail)
    assert keys(taps("0", which, opted_in(which, session, usual)))[0] == "recorded"
    tomorrow = replace(opted_in(which, session, usual), today=TODAY + timedelta(days=1))
    for later in (opted_in(which, session), tomorrow):
        turn = taps("1", which, later)
        assert keys(turn) == ["measure_over"] and turn.effects == (Close(which.id),), "nothing is overwritten by an old tap"
        assert "again_which" not in keys(says("blue horses", later))


def test_another_usual_pain_is_told_as_a_correction_with_the_old_one() -> None:
    quiet = a_record("-", baseline=0)
    assert quiet.baseline == 0 and not quiet.scheduled
    turn = taps("4", asked("baseline"), opted_in(asked("baseline"), record=quiet, baseline_known=True))
    assert keys(turn)[0] == "baseline_corrected" and turn.lines[0].values == {"score": 4, "before": 0}
    assert kept(turn) == {"baseline": (TODAY, 4)}, "a new entry beside the old one"
    assert keys(taps("0", asked("baseline"), opted_in(asked("baseline"), record=quiet, baseline_known=True)))[0] == "recorded"


@pytest.mark.parametrize("score", [8, 9])
def test_at_eight_or_more_there_is_one_instruction(score: int) -> None:
    signed = replace(a_record(), prescription=a_prescription(signed=True))
    assert keys(says(f"done, {score}", opted_in(asked("session"), record=signed))) == ["recorded", "safety_question", "severe_leave_out"]
    assert keys(says("done, 7", opted_in(asked("session"), record=signed)))[1:] == ["safety_question", "flare_plan"]
    assert keys(says(f"done, {score}", opted_in(asked("session"))))[-1] == "advice", "nobody has agreed to leave anything out"
