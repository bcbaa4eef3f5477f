"""One turn of the conversation, case by case: every question answered by every button and by words, the right day, the right question."""

from __future__ import annotations

from datetime import time, timedelta
from uuid import UUID

import pytest

from bot_service.conversation.situation import (
    Answered,
    Asked,
    ChangeTime,
    Close,
    CountAgain,
    ForPhysio,
    Keep,
    OptIn,
    OptOut,
    PauseUntil,
    RedFlagged,
    Resume,
    Seen,
    SetBaseline,
    Turn,
)
from bot_service.conversation.states import KINDS, SCORES
from bot_service.conversation.turn import ABOUT_SAFETY
from tests.builders import TODAY, an_episode, week
from tests.conversation.situations import YESTERDAY, a_record, asked, before_opt_in, found, kept, keys, opted_in, says, taps

SCORED = {"session": "pain_during", "session_pain": "pain_during", "pain_24h": "pain_24h", "baseline": "baseline"}
BUTTONS = [(kind.name, answer) for kind in KINDS.values() for row in kind.rows for answer in row]


@pytest.mark.parametrize(("kind", "answer"), BUTTONS)
def test_every_button_does_something_and_says_something(kind: str, answer: str) -> None:
    question = asked(kind)
    turn = taps(answer, question, before_opt_in(question) if kind == "consent" else opted_in(question, baseline_known=kind != "baseline"))
    assert turn.lines
    assert turn.effects or turn.ask is not None
    assert turn.read


@pytest.mark.parametrize(("kind", "entry"), SCORED.items())
@pytest.mark.parametrize("score", SCORES)
def test_a_score_is_recorded_the_same_from_a_button_and_from_words(kind: str, entry: str, score: str) -> None:
    question = asked(kind)
    now = opted_in(question, baseline_known=kind != "baseline")
    for turn in (taps(score, question, now), says(score, now), says(f"it's {score}", now), says(f"{score}/10", now)):
        assert kept(turn)[entry] == (question.day or TODAY, int(score))
        assert Close(question.id) in turn.effects
    assert kept(taps(score, question, now)) == kept(says(score, now))


def behind(kind: str) -> list[Asked]:
    """The questions that "which one is the number for" is about: it is over when one of them is."""
    return [asked("session"), asked("pain_24h")] if kind == "which" else []


@pytest.mark.parametrize(
    ("kind", "words", "answer"),
    [
        ("session", "Did some", "some"),
        ("session", "not today", "not_today"),
        ("session", "How to do them", "how"),
        ("session", "something's wrong", "wrong"),
        ("session", "Somethings wrong!", "wrong"),
        ("session_pain", "Something’s wrong", "wrong"),
        ("pain_24h", "something's wrong", "wrong"),
        ("safety", "none", "none"),
        ("safety", "None of these", "none"),
        ("safety", "no", "none"),
        ("safety", "One of these.", "one_of_these"),
        ("safety", "yes", "one_of_these"),
        ("new_or_worse", "Yes", "yes"),
        ("new_or_worse", "it's worse", "yes"),
        ("new_or_worse", "same as before", "no"),
        ("new_or_worse", "nope", "no"),
        ("seen", "yes", "yes"),
        ("seen", "I saw the GP", "yes"),
        ("seen", "not yet", "no"),
        ("reason", "forgot", "forgot"),
        ("reason", "Sorry I forgot", "forgot"),
        ("reason", "no time", "time"),
        ("reason", "too busy at work", "time"),
        ("reason", "not sure how", "unsure"),
        ("reason", "I was ill", "unwell"),
        ("reason", "Something else", "other"),
        ("reason", "it hurts too much", "pain"),
        ("pause_days", "3 days", "days_3"),
        ("pause_days", "a week", "days_7"),
        ("pause_days", "2 weeks please", "days_14"),
        ("pause_days", "3", "days_3"),
        ("confirm_pause", "ok", "yes"),
        ("confirm_pause", "yes please", "yes"),
        ("confirm_pause", "never mind", "no"),
        ("confirm_time", "sure", "yes"),
        ("confirm_time", "no", "no"),
        ("which", "today's session", "0"),
        ("which", "the first one", "0"),
        ("which", "now", "1"),
        ("which", "Now, a day after yesterday", "1"),
        ("consent", "I agree", "yes"),
        ("consent", "ok", "yes"),
        ("consent", "no thanks", "no"),
    ],
)
def test_words_do_what_the_button_does(kind: str, words: str, answer: str) -> None:
    question = asked(kind)
    now = before_opt_in(question) if kind == "consent" else opted_in(question, *behind(kind))
    typed, tapped = says(words, now), taps(answer, question, now)
    assert [type(effect) for effect in typed.effects] == [type(effect) for effect in tapped.effects]
    assert kept(typed) == kept(tapped)
    assert keys(typed) == keys(tapped)
    assert typed.ask == tapped.ask


@pytest.mark.parametrize(
    ("words", "outcome", "score"),
    [("done", "done", None), ("done, 4", "done", 4), ("yes 2", "done", 2), ("did some", "partly", None), ("half of it, 6", "partly", 6)],
)
def test_one_reply_may_say_both_that_it_was_done_and_how_it_was(words: str, outcome: str, score: int | None) -> None:
    turn = says(words, opted_in(asked("session")))
    assert kept(turn)["session"] == (TODAY, outcome)
    assert kept(turn).get("pain_during", (TODAY, None)) == (TODAY, score)
    assert (turn.ask is not None and turn.ask.kind == "session_pain") is (score is None)


def test_none_alone_may_mean_no_pain_or_no_exercise_so_it_is_asked_again() -> None:
    turn = says("none", opted_in(asked("session")))
    assert not found(turn, Keep)
    assert turn.ask is not None and turn.ask.again == asked("session").id
    assert kept(says("none", opted_in(asked("session_pain")))) == {"pain_during": (TODAY, 0)}


@pytest.mark.parametrize("kind", ["session", "session_pain", "pain_24h"])
def test_a_late_tap_counts_for_the_day_it_was_asked_about(kind: str) -> None:
    long_ago = TODAY - timedelta(days=9)
    question = asked(kind, day=long_ago, is_open=False)
    turn = taps("4", question, opted_in(asked("session"), asked("pain_24h")))
    assert {day for day, _ in kept(turn).values()} == {long_ago}
    how = taps("how", asked("session", day=long_ago, is_open=False), opted_in(asked("session")))
    assert how.lines[0].values["day"] == long_ago.isoformat()


def test_a_late_tap_on_not_today_counts_for_its_day() -> None:
    long_ago = TODAY - timedelta(days=3)
    assert kept(taps("not_today", asked("session", day=long_ago, is_open=False), opted_in())) == {"session": (long_ago, "not_done")}


def test_a_reply_to_an_old_message_answers_that_message() -> None:
    old = asked("session", day=TODAY - timedelta(days=2), is_open=False)
    turn = says("5", opted_in(asked("pain_24h")), replied_to=old)
    assert kept(turn)["pain_during"] == (TODAY - timedelta(days=2), 5)


def test_two_open_questions_and_a_bare_number_ask_which() -> None:
    session, after = asked("session"), asked("pain_24h")
    now = opted_in(session, after)
    turn = says("4", now)
    assert not found(turn, Keep)
    assert turn.ask is not None and turn.ask.kind == "which"
    assert [choice["kind"] for choice in turn.ask.detail["choices"]] == ["session", "pain_24h"]
    which = asked("which", **turn.ask.detail)
    assert kept(taps("0", which, opted_in(which, session, after))) == {"session": (TODAY, "done"), "pain_during": (TODAY, 4)}
    picked = taps("1", which, opted_in(which, session, after))
    assert kept(picked) == {"pain_24h": (YESTERDAY, 4)}
    assert {effect.question_id for effect in found(picked, Close)} == {after.id, which.id}


def test_a_pick_that_was_made_is_not_made_again_for_the_other_question() -> None:
    which = asked("which", is_open=False)
    turn = taps("1", which, opted_in(asked("session")))
    assert not turn.effects and keys(turn) == ["which_done"]


@pytest.mark.parametrize("words", ["done, 4", "did some, 4"])
def test_a_number_with_a_word_about_the_session_needs_no_which(words: str) -> None:
    assert kept(says(words, opted_in(asked("pain_24h"), asked("session"))))["pain_during"] == (TODAY, 4)


def test_a_number_in_reply_to_one_of_two_needs_no_which() -> None:
    assert kept(says("4", opted_in(asked("session"), asked("pain_24h")), replied_to=asked("pain_24h"))) == {"pain_24h": (YESTERDAY, 4)}


TAKES_ANY_WORDS = ("reason", "what_is_wrong", "consent", "activity", "another")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in TAKES_ANY_WORDS])
def test_an_unreadable_answer_is_asked_again_twice_with_buttons_and_then_goes_to_the_physio(kind: str) -> None:
    for times in (0, 1):
        question = asked(kind, asked_again=times)
        turn = says("wobbly fish", opted_in(question, *behind(kind)))
        assert found(turn, CountAgain) == [CountAgain(question.id)]
        assert turn.ask is not None and turn.ask.again == question.id and turn.ask.kind == kind
        assert bool(found(turn, ForPhysio)) is (kind in ABOUT_SAFETY)
        assert not turn.read
    last = says("wobbly fish", opted_in(asked(kind, asked_again=2), *behind(kind)))
    assert found(last, ForPhysio) == [ForPhysio("X2", "wobbly fish")]
    assert last.ask is None and not found(last, Keep)


def test_thanks_is_no_answer_and_costs_no_try() -> None:
    turn = says("thank you", opted_in(asked("session", asked_again=2)))
    assert not turn.effects and turn.ask is not None
    assert says("thanks", opted_in()) == says("🙏", opted_in())
    assert not says("thanks", opted_in()).lines


def test_words_after_something_is_wrong_always_go_to_the_physio() -> None:
    for words in ("my leg feels odd", "it is a 7", "can you call me?", "no", "not sure how to say it", "sorry, 3"):
        turn = says(words, opted_in(asked("what_is_wrong"), asked("session")))
        assert found(turn, ForPhysio) == [ForPhysio("X3", words, tell_when_read=True, same_day=True)], words
        assert not found(turn, Keep)


def test_something_is_wrong_can_be_written_when_nothing_was_asked() -> None:
    turn = says("Something's wrong", opted_in())
    assert turn.ask is not None and turn.ask.kind == "what_is_wrong"


class TestCorrections:
    last = Answered("pain_during", YESTERDAY, 1, 8, UUID(int=77))

    @pytest.mark.parametrize("words", ["sorry, 3", "*3", "meant 3", "I meant 3", "correction: 3"])
    def test_a_correction_replaces_the_last_value(self, words: str) -> None:
        turn = says(words, opted_in(asked("session"), last=self.last))
        assert kept(turn) == {"pain_during": (YESTERDAY, 3)}
        assert keys(turn)[0] == "corrected"
        assert {effect.question_id for effect in found(turn, Close)} == {UUID(int=77)}

    def test_a_correction_never_closes_an_open_question_that_it_does_not_answer(self) -> None:
        turn = says("sorry, 3", opted_in(asked("session"), last=Answered("pain_during", YESTERDAY, 1, 8, None)))
        assert not found(turn, Close)

    def test_with_nothing_to_correct_it_answers_the_question(self) -> None:
        assert kept(says("sorry, 3", opted_in(asked("pain_24h")))) == {"pain_24h": (YESTERDAY, 3)}

    def test_an_edited_message_replaces_what_it_had_said(self) -> None:
        turn = says("5", opted_in(asked("session")), is_edit=True, edited=(self.last,))
        assert kept(turn) == {"pain_during": (YESTERDAY, 5)}
        assert keys(turn)[0] == "corrected"

    def test_a_correction_names_the_day_it_is_for(self) -> None:
        turn = says("sorry, 3", opted_in(last=self.last))
        assert dict(turn.lines[0].values) == {"score": 3, "day": YESTERDAY.isoformat()}
        next_day = says("sorry, 3", opted_in(last=Answered("pain_24h", YESTERDAY, 1, 8, None)))
        assert keys(next_day)[0] == "corrected_24h" and next_day.lines[0].values["day"] == YESTERDAY.isoformat()

    @pytest.mark.parametrize(("kind", "asks"), [("pain_during", "session_pain"), ("pain_24h", "pain_24h"), ("baseline", "baseline")])
    @pytest.mark.parametrize("words", ["change", "Change", "CHANGE.", "change please"])
    def test_change_typed_out_is_about_the_last_value(self, words: str, kind: str, asks: str) -> None:
        turn = says(words, opted_in(asked("session"), last=Answered(kind, YESTERDAY, 1, 8, None)))
        assert keys(turn) == [f"change_{asks}"] and not turn.effects
        assert turn.ask is not None and (turn.ask.kind, turn.ask.day, turn.ask.slot) == (asks, YESTERDAY, 1)

    def test_change_with_nothing_recorded_gets_a_kind_line(self) -> None:
        turn = says("change", opted_in())
        assert keys(turn) == ["nothing_to_change"] and not turn.effects

    def test_change_asks_the_same_question_again_and_the_new_value_counts_for_that_day(self) -> None:
        question = asked("session_pain", day=YESTERDAY, is_open=False)
        turn = taps("change", question, opted_in())
        assert turn.ask is not None and (turn.ask.kind, turn.ask.day) == ("session_pain", YESTERDAY)

    def test_another_tap_under_the_same_message_replaces_too(self) -> None:
        assert kept(taps("2", asked("pain_24h", is_open=False), opted_in())) == {"pain_24h": (YESTERDAY, 2)}


class TestTheQuestionThatComesWithThePrompt:
    """The 24-hour question first; the exercises follow the answer."""

    question = asked("pain_24h", show=1)

    def test_the_exercises_follow_the_answer(self) -> None:
        turn = says("1", opted_in(self.question))
        assert "exercises" in keys(turn)
        assert turn.ask is not None and (turn.ask.kind, turn.ask.day) == ("session", TODAY)

    def test_they_can_be_had_without_answering(self) -> None:
        for turn in (taps("show", self.question, opted_in(self.question)), says("Show exercises", opted_in(self.question))):
            assert "exercises" in keys(turn) and not found(turn, Keep)

    def test_not_today_is_about_today_and_the_question_stays(self) -> None:
        turn = says("not today", opted_in(self.question))
        assert kept(turn) == {"session": (TODAY, "not_done")}
        assert not found(turn, Close)
        assert turn.ask is not None and turn.ask.again == self.question.id

    @pytest.mark.parametrize("hold", ["red_flag", "physio_first", "pause", "clinic_pause"])
    def test_no_exercises_follow_while_they_are_held(self, hold: str) -> None:
        turn = says("1", opted_in(self.question, held=frozenset({hold})))
        assert kept(turn) == {"pain_24h": (YESTERDAY, 1)}
        assert "exercises" not in keys(turn) and turn.ask is None

    def test_after_the_safety_question_they_still_follow(self) -> None:
        turn = says("9", opted_in(self.question))
        assert turn.ask is not None and turn.ask.kind == "safety" and "exercises" not in keys(turn)
        safety = asked("safety", **turn.ask.detail)
        assert "exercises" in keys(taps("none", safety, opted_in(safety)))
        assert "exercises" not in keys(taps("one_of_these", safety, opted_in(safety)))


class TestWhatAScoreMeans:
    @pytest.mark.parametrize("score", range(11))
    def test_a_session_score_gets_the_plans_own_advice(self, score: int) -> None:
        turn = says(str(score), opted_in(asked("session_pain")))
        assert [line.values for line in turn.lines if line.key == "advice"] == [{"score": score}]
        assert ("safety_question" in keys(turn)) is (score >= 6)  # a jump of 3 from the 3 of yesterday

    @pytest.mark.parametrize("kind", ["session_pain", "pain_24h"])
    def test_the_safety_question_stands_before_the_long_advice(self, kind: str) -> None:
        for score in ("8", "10"):
            turn = says(score, opted_in(asked(kind)))
            assert keys(turn)[:2] == ["recorded", "safety_question"] and len(keys(turn)) > 2

    def test_nobody_is_praised_in_the_message_that_asks_the_safety_question(self) -> None:
        still = opted_in(asked("pain_24h"), record=a_record("done 0/0, done 0", baseline=3))
        assert keys(says("3", still)) == ["recorded", "safety_question"]
        assert keys(says("2", still))[:2] == ["recorded", "day_after_settled"]

    def test_eight_or_more_asks_the_safety_question_whatever_came_before(self) -> None:
        record = a_record("done 7/1, waiting")
        assert "safety_question" not in keys(says("7", opted_in(asked("session_pain"), record=record)))
        assert "safety_question" in keys(says("8", opted_in(asked("session_pain"), record=record)))

    @pytest.mark.parametrize(("score", "key"), [(0, "settled"), (2, "settled"), (3, "up"), (4, "worse"), (5, "worse"), (10, "worse")])
    def test_a_day_later_it_says_whether_it_has_settled(self, score: int, key: str) -> None:
        assert f"day_after_{key}" in keys(says(str(score), opted_in(asked("pain_24h"))))

    def test_without_a_known_usual_pain_it_claims_nothing(self) -> None:
        assert keys(says("3", opted_in(asked("pain_24h"), record=a_record(baseline=None))))[1] == "day_after_noted"


class TestMissing:
    def test_three_no_in_a_row_ask_for_one_reason_once(self) -> None:
        for history, asks in (
            ("no, waiting", False),
            ("no, no, waiting", True),
            ("no, no, no, waiting", False),
            ("no, done 2, waiting", False),
        ):
            turn = says("no", opted_in(asked("session"), record=an_episode(week(history))))
            assert (turn.ask is not None and turn.ask.kind == "reason") is asks, history

    def test_pain_as_the_reason_goes_to_the_physio_in_the_patients_words(self) -> None:
        turn = says("no, too sore", opted_in(asked("session")))
        assert found(turn, ForPhysio) == [ForPhysio("X3", "no, too sore")]
        assert kept(turn)["reason"] == (TODAY, "pain")
        assert [each.note for each in found(says("my knee is bad so I forgot", opted_in(asked("reason"))), Keep)] == [
            "my knee is bad so I forgot"
        ]

    def test_a_day_not_done_asks_for_nothing_more(self) -> None:
        turn = taps("not_today", asked("session"), opted_in(asked("session")))
        assert turn.ask is None and kept(turn) == {"session": (TODAY, "not_done")}


class TestOptIn:
    def test_nothing_clinical_is_said_before_the_patient_agrees(self) -> None:
        for status in ("invited", "asked"):
            for words in ("hi", "3", "plan", "done", "help", "what is this"):
                turn = says(words, before_opt_in(status=status))
                assert not turn.effects, words
                assert set(keys(turn)) <= {"consent", "not_watched", "consent_question", "consent_again"}

    def test_yes_opts_in_and_asks_the_usual_pain_unless_the_physio_gave_it(self) -> None:
        turn = says("yes", before_opt_in(asked("consent")))
        assert found(turn, OptIn) and turn.ask is not None and turn.ask.kind == "baseline"
        known = taps("yes", asked("consent"), before_opt_in(asked("consent"), baseline_known=True))
        assert found(known, OptIn) and known.ask is None

    @pytest.mark.parametrize(
        "words",
        [
            "not sure, done 6", "done 6", "done", "4", "👍", "yes but let me think about it", "yes 6", "I did them", "yes if it's free",
            "yeah right", "yes I suppose", "I think so", "fine whatever",
        ],
    )  # fmt: skip
    def test_what_is_no_clear_yes_asks_again(self, words: str) -> None:
        turn = says(words, before_opt_in(asked("consent")))
        assert turn.effects == (CountAgain(asked("consent").id),) and keys(turn) == ["consent_again"]
        assert turn.ask is not None and turn.ask.again == asked("consent").id

    @pytest.mark.parametrize(
        ("language", "words"),
        [
            *(("en", words) for words in ("Yes", "yes please", "Yeah", "ok", "I agree", "Sure", "of course", "yes that's fine")),
            *(("en", words) for words in ("yes, go ahead", "ok go on then", "yeah why not", "fine by me", "happy to")),
            ("es", "sí, por supuesto"), ("pl", "tak, chętnie"), ("ar", "نعم موافق"), ("hi", "हाँ मंज़ूर है"),
            ("en", "I consent"), ("en", "yes, I accept 👍"), ("es", "consiento"), ("pl", "tak, akceptuję"), ("ar", "نعم أقبل"),
            ("hi", "मुझे स्वीकार है"), ("es", "claro que sí"),
        ],
    )  # fmt: skip
    def test_a_clear_yes_in_words_agrees_and_asked_as_a_question_it_does_not(self, language: str, words: str) -> None:
        assert found(says(words, before_opt_in(asked("consent"), language=language)), OptIn)
        assert not found(says(f"{words}?", before_opt_in(asked("consent"), language=language)), OptIn)

    @pytest.mark.parametrize(
        ("language", "words"),
        [("hi", "ha ha"), ("hi", "हा हा"), ("ar", "إيه"), ("es", "claro que"), ("en", "yes 👎"), ("en", "ok 🙄"), ("en", "I accept 🙃")],
    )
    def test_a_laugh_a_doubtful_sign_or_half_a_yes_agrees_to_nothing(self, language: str, words: str) -> None:
        assert not found(says(words, before_opt_in(asked("consent"), language=language)), OptIn)

    def test_no_is_respected(self) -> None:
        assert found(says("no", before_opt_in(asked("consent"))), OptOut) == [OptOut(declined=True)]

    def test_no_on_the_first_message_later_is_a_way_to_stop(self) -> None:
        turn = taps("no", asked("consent", is_open=False), opted_in())
        assert found(turn, OptOut) and keys(turn) == ["goodbye"]

    @pytest.mark.parametrize("score", range(11))
    def test_usual_pain_above_five_means_the_physio_first(self, score: int) -> None:
        turn = says(str(score), opted_in(asked("baseline"), baseline_known=False, record=an_episode(baseline=None)))
        assert found(turn, SetBaseline) == [SetBaseline(score)]
        assert ("baseline_high" in keys(turn)) is (score > 5)

    def test_once_exercises_were_planned_only_a_clinician_changes_the_usual_pain(self) -> None:
        turn = taps("5", asked("baseline", is_open=False), opted_in())
        assert not found(turn, SetBaseline) and not found(turn, Keep)
        assert found(turn, ForPhysio)


class TestRequests:
    def test_a_pause_is_confirmed_first(self) -> None:
        turn = says("pause 5 days", opted_in(asked("session")))
        assert not turn.effects and turn.ask is not None and turn.ask.kind == "confirm_pause"
        question = asked("confirm_pause", **turn.ask.detail)
        assert found(says("yes", opted_in(question)), PauseUntil) == [PauseUntil(TODAY + timedelta(days=5))]
        assert not found(says("no", opted_in(question)), PauseUntil)

    def test_a_pause_without_an_end_asks_how_long(self) -> None:
        assert (ask := says("pause", opted_in()).ask) is not None and ask.kind == "pause_days"
        turn = says("till 14 June", opted_in(asked("pause_days")))
        assert not found(turn, PauseUntil) and turn.ask is not None and turn.ask.detail == {"until": "2027-06-14"}

    def test_a_confirmation_tapped_after_its_day_has_gone_by_asks_anew(self) -> None:
        stale = asked("confirm_pause", is_open=False, until=YESTERDAY.isoformat())
        turn = taps("yes", stale, opted_in())
        assert not found(turn, PauseUntil) and turn.ask is not None and turn.ask.kind == "pause_days"

    def test_another_time_is_confirmed_first(self) -> None:
        turn = says("send it at 7pm", opted_in())
        assert not turn.effects and turn.ask is not None and turn.ask.detail == {"at": "19:00"}
        assert found(taps("yes", asked("confirm_time"), opted_in()), ChangeTime) == [ChangeTime(time(19))]
        assert keys(says("can you change the time", opted_in())) == ["time_which"]

    def test_start_ends_the_patients_own_pause_and_no_other_hold(self) -> None:
        assert found(says("start", opted_in(held=frozenset({"pause"}))), Resume)
        assert keys(says("start", opted_in(held=frozenset({"pause"})))) == ["pause_over"] and keys(says("start", opted_in())) == [
            "already_on"
        ]
        assert not found(says("start", opted_in(held=frozenset({"clinic_pause"}))), Resume)
        for hold in ("red_flag", "physio_first"):
            assert keys(says("start", opted_in(held=frozenset({hold}))))[0] == "held_for_physio"
        assert not says("pause 3 days", opted_in(held=frozenset({"clinic_pause"}))).ask

    def test_the_plan_is_shown_on_its_days_and_a_rest_day_says_when_the_next_is(self) -> None:
        assert keys(says("plan", opted_in())) == ["exercises"]
        resting = opted_in(record=a_record("done 2/1, -", stage="intermediate"))  # a Sunday; Monday, Wednesday, Friday
        turn = says("plan", resting)
        assert keys(turn) == ["rest_day"] and turn.lines[0].values["day"] == (TODAY + timedelta(days=1)).isoformat()
        assert turn.ask is None

    def test_the_plan_that_waits_for_an_answer_keeps_its_question(self) -> None:
        turn = says("plan", opted_in(asked("session", day=YESTERDAY)))
        assert turn.ask is not None and turn.ask.again == asked("session").id
        assert turn.lines[0].values["day"] == YESTERDAY.isoformat()

    @pytest.mark.parametrize("hold", ["red_flag", "physio_first"])
    def test_no_exercises_are_shown_that_a_clinician_must_clear_first(self, hold: str) -> None:
        assert keys(says("plan", opted_in(held=frozenset({hold}))))[0] == "held_for_physio"

    def test_a_paused_patient_is_told_of_no_day_before_the_pause_is_over(self) -> None:
        until = TODAY + timedelta(days=9)  # a Tuesday; Monday, Wednesday, Friday
        paused = opted_in(held=frozenset({"pause"}), paused_until=until, record=a_record("done 2/1, -", stage="intermediate"))
        (line,) = says("plan", paused).lines
        assert (line.key, line.values) == ("plan_paused", {"day": (until + timedelta(days=1)).isoformat()})
        on_the_day = opted_in(held=frozenset({"pause"}), paused_until=until - timedelta(days=1), record=paused.record)
        assert says("plan", on_the_day).lines[0].values == {"day": (until - timedelta(days=1)).isoformat()}
        assert keys(says("plan", opted_in(held=frozenset({"pause"})))) == ["plan_paused_open"]
        assert keys(says("plan", opted_in(asked("session"), held=frozenset({"clinic_pause"})))) == ["paused_by_team"]
        back = says("start", opted_in(status="opted_out", held=frozenset({"clinic_pause"})))
        assert keys(back) == ["back_again", "paused_by_team"]

    def test_the_plan_waits_for_the_safety_question(self) -> None:
        turn = says("plan", opted_in(asked("safety")))
        assert keys(turn) == ["again_safety"] and turn.ask is not None and turn.ask.detail == {"show": 1}
        resting = opted_in(asked("safety"), record=a_record("done 2/1, -", stage="intermediate"))
        assert keys(says("plan", resting)) == ["rest_day"]

    def test_a_message_to_the_physio_is_passed_on(self) -> None:
        turn = says("please talk to my physio about my knee", opted_in(asked("session")))
        assert [note.rule for note in found(turn, ForPhysio)] == ["X3"]

    @pytest.mark.parametrize(
        ("words", "language"),
        [
            ("Is it normal that my calf is sore?", "en"), ("is it ok to go for a run", "en"), ("is swimming ok?", "en"),
            ("can you tell me what to do if it hurts", "en"), ("help my leg hurts", "en"), ("my calf is sore", "en"),
            ("can i ask about my knee", "en"), ("¿puedo nadar?", "es"), ("czy mogę biegać?", "pl"), ("هل يمكنني السباحة؟", "ar"),
            ("kya main daud sakta hun?", "hi"),
        ],
    )  # fmt: skip
    def test_a_question_or_a_symptom_that_answers_nothing_is_for_the_physio_who_will_read_it(self, words: str, language: str) -> None:
        turn = says(words, opted_in(language=language))
        assert keys(turn) == ["passed_on"] and len(turn.effects) == 1
        assert [(note.rule, note.words, note.tell_when_read) for note in found(turn, ForPhysio)] == [("X3", words, True)]

    def test_a_question_for_the_physio_leaves_the_open_choice_with_its_buttons(self) -> None:
        choice = asked("confirm_time", at="19:00")
        turn = says("is swimming ok?", opted_in(choice))
        assert keys(turn) == ["passed_on", "again_confirm_time"] and turn.ask is not None and turn.ask.again == choice.id

    @pytest.mark.parametrize(
        ("words", "language"),
        [
            ("help", "en"), ("what can I write here?", "en"), ("how does this work", "en"), ("is this a bot?", "en"), ("?", "en"),
            ("i have a question", "en"), ("what does this mean", "en"), ("¿qué puedo escribir?", "es"), ("co mogę napisać?", "pl"),
            ("ماذا يمكنني أن أكتب؟", "ar"), ("kya likhun?", "hi"),
        ],
    )  # fmt: skip
    def test_who_asks_about_the_chat_hears_what_can_be_written(self, words: str, language: str) -> None:
        turn = says(words, opted_in(language=language))
        assert keys(turn) == ["help", "not_watched"] and not turn.effects

    def test_help_leaves_the_question_open_with_its_buttons(self) -> None:
        turn = says("help", opted_in(asked("session")))
        assert keys(turn)[0] == "help" and turn.ask is not None and turn.ask.again == asked("session").id

    @pytest.mark.parametrize(
        ("command", "words"),
        [("/stop", "stop"), ("/help", "help"), ("/plan@stepwise_bot", "plan"), ("/pause", "pause"), ("/progress", "progress")],
    )
    def test_a_command_of_the_menu_means_its_word(self, command: str, words: str) -> None:
        assert says(command, opted_in(asked("session"))) == says(words, opted_in(asked("session")))

    def test_words_after_a_command_are_not_lost(self) -> None:
        assert says("/pause 5 days", opted_in()) == says("pause 5 days", opted_in())
        assert says("/time 7pm", opted_in()).ask == says("change the time to 7pm", opted_in()).ask
        assert found(says("/stop I can't feel my legs", opted_in()), RedFlagged)

    def test_media_gets_one_kind_answer_and_the_question_stays(self) -> None:
        turn = says("", opted_in(asked("session")), media="photo")
        assert keys(turn) == ["media_received"] and turn.effects == (ForPhysio("X3", "", media="photo"),)
        assert turn.ask is not None and turn.ask.again == asked("session").id
        assert kept(says("done, 3", opted_in(asked("session")), media="photo"))["pain_during"] == (TODAY, 3)


@pytest.mark.parametrize(("media", "told"), [("photo", 1), ("voice", 1), ("document", 1), ("other", 1), ("sticker", 0), ("animation", 0)])
def test_the_second_photo_of_an_album_is_not_thanked_for_again_but_the_physio_sees_it(media: str, told: int) -> None:
    first, second = (says("", opted_in(media_just_came=again), media=media) for again in (False, True))
    assert keys(first) == ["media_received"] and keys(second) == []
    assert len(found(first, ForPhysio)) == len(found(second, ForPhysio)) == told


def test_whether_the_patient_was_seen_is_kept() -> None:
    assert found(taps("yes", asked("seen"), opted_in()), Seen) == [Seen(yes=True)]
    assert found(says("no", opted_in(asked("seen"))), Seen) == [Seen(yes=False)]


def test_one_of_these_raises_an_urgent_red_flag() -> None:
    turn = taps("one_of_these", asked("safety"), opted_in())
    assert [(flag.tier, flag.family) for flag in found(turn, RedFlagged)] == [("URGENT", "safety_question")]
    assert turn.safety and turn.ask is not None and turn.ask.kind == "what_is_wrong"


@pytest.mark.parametrize("answer", ["", "11", "-1", "3.5", "none", "yes", "show", "change", "days_99999999", "٣", "9" * 30, "🙂"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_button_that_we_never_made_does_no_harm(kind: str, answer: str) -> None:
    turn = taps(answer, asked(kind), opted_in(asked(kind)))
    assert all(0 <= (each.score or 0) <= 10 for each in found(turn, Keep))
    assert not any(len(each.outcome or "") > 20 for each in found(turn, Keep))


def test_a_live_location_that_moves_says_nothing_again() -> None:
    assert says("", opted_in(), media="location").lines != ()
    assert says("", opted_in(), media="location", is_edit=True) == Turn()


@pytest.mark.parametrize("held", [frozenset(), frozenset({"clinic_pause"}), frozenset({"physio_first"}), frozenset({"red_flag"})])
@pytest.mark.parametrize("kind", ["confirm_pause", "pause_days"])
def test_start_takes_back_the_question_about_a_pause(kind: str, held: frozenset[str]) -> None:
    turn = says("start", opted_in(asked(kind), asked("session"), held=held))
    assert found(turn, Close) == [Close(asked(kind).id, "withdrawn")]
