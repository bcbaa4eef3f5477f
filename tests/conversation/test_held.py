"""While a red flag holds the exercises, nothing in the chat speaks of doing them, and what is written is kept for the physio."""

from __future__ import annotations

import pytest

from bot_service.conversation.situation import Asked, ForPhysio, Keep, OptOut, Resume, Seen, Situation, Told
from bot_service.conversation.states import KINDS
from bot_service.conversation.turn import take_turn
from bot_service.conversation.wording import SHIPPED, Voice, render
from tests.builders import TODAY
from tests.conversation.situations import asked, found, kept, keys, opted_in, says, taps

HOLD = {
    "URGENT": ["held_urgent"],
    "EMERGENCY": ["held_emergency"],
    "suicide": ["held_suicide"],
    None: ["held_for_physio", "not_watched"],
}
ABOUT_EXERCISES = {
    "exercises", "how_to", "rest_day", "advice", "flare_plan", "flare_continues", "ask_session_pain", "again_session", "again_session_pain",
    "again_pain_24h", "first_prompt", "already_on", "baseline_thanks", "reason_time", "reason_unsure", "rung_taken", "ask_reason",
    "day_after_settled", "day_after_up", "day_after_worse", "day_after_worse_unsigned", "day_after_noted", "again_rung", "nothing_asked",
}  # fmt: skip
WORDS = [
    "what now?", "ok I will", "done", "done, 4", "4", "not today", "no time", "plan", "/plan", "progress", "/progress", "help", "start",
    "/start", "how to do them", "change", "sorry, 3", "pause 5 days", "send it at 7pm", "yes", "no", "none", "not yet", "thanks",
    "show exercises", "something's wrong", "I am waiting at the hospital desk", "forgot",
]  # fmt: skip


def held(*questions: Asked, tier: str | None = "URGENT", **more: object) -> Situation:
    """A patient whose exercises a red flag holds, with those questions still open."""
    return opted_in(*questions, held=frozenset({"red_flag"}), red_flag=tier, **more)  # type: ignore[arg-type]  # fields of a situation


@pytest.mark.parametrize("kind", [None, *(kind for kind in KINDS if kind != "consent")])
@pytest.mark.parametrize("words", WORDS)
def test_no_words_lead_to_exercises(kind: str | None, words: str) -> None:
    now = held(*([asked(kind)] if kind else []), baseline_known=kind != "baseline")
    turn = says(words, now)
    assert not ABOUT_EXERCISES & set(keys(turn))
    assert turn.ask is None or turn.ask.kind not in ("session", "pain_24h", "reason", "rung")


@pytest.mark.parametrize(("kind", "answer"), [(kind.name, answer) for kind in KINDS.values() for row in kind.rows for answer in row])
def test_no_button_leads_to_exercises(kind: str, answer: str) -> None:
    question = asked(kind, show=1) if kind in ("pain_24h", "safety") else asked(kind)
    turn = taps(answer, question, held(question, baseline_known=kind != "baseline"))
    assert turn.lines and not ABOUT_EXERCISES & set(keys(turn))
    assert turn.ask is None or turn.ask.kind not in ("session", "session_pain", "pain_24h", "reason", "rung")


@pytest.mark.parametrize(("tier", "lines"), HOLD.items())
@pytest.mark.parametrize("words", ["I am still waiting here", "hello?", "hello", "???", "😭", "ok what", "asdf"])
def test_whatever_cannot_be_read_gets_the_short_text_of_the_tier_and_is_kept(words: str, tier: str | None, lines: list[str]) -> None:
    for question in (asked("session"), asked("session_pain"), asked("pain_24h"), asked("session", asked_again=1), None):
        turn = says(words, held(*([question] if question else []), tier=tier))
        assert keys(turn) == lines and turn.ask is None
        assert found(turn, ForPhysio) == [ForPhysio("X3", words)]
    for kind in ("seen", "new_or_worse"):
        turn = says(words, held(asked(kind), tier=tier))
        assert (
            keys(turn) == [*lines, "again_talked" if (kind, tier) == ("seen", "suicide") else f"again_{kind}"]
            and turn.ask is not None
            and turn.ask.again == asked(kind).id
        )
        assert found(turn, ForPhysio) == [ForPhysio("X3", words)]


def test_thanks_are_no_message_for_the_physio() -> None:
    assert not found(says("thanks", held(asked("session"))), ForPhysio)
    assert says("thanks", held()).lines == ()


@pytest.mark.parametrize("words", ["plan", "start", "how to do them"])
def test_what_is_asked_of_the_plan_is_answered_with_the_hold(words: str) -> None:
    assert keys(says(words, held(asked("session")))) == ["held_urgent"]


def test_what_was_done_before_is_recorded_without_a_question() -> None:
    turn = says("done, 4", held(asked("session")))
    assert kept(turn)["pain_during"] == (TODAY, 4) and keys(turn) == ["recorded", "held_urgent"]
    assert keys(says("done", held(asked("session")))) == ["recorded_done", "held_urgent"]


def test_a_number_can_still_be_corrected_as_a_number_only() -> None:
    turn = taps("change", asked("session"), held(asked("session")))
    assert keys(turn) == ["held_urgent", "change_session"] and turn.ask is not None and turn.ask.kind == "session_pain"
    assert found(taps("3", asked("session_pain"), held(asked("session_pain"))), Keep)


def test_the_question_about_the_red_flag_itself_is_asked_and_answered_as_ever() -> None:
    assert keys(taps("no", asked("seen"), held(asked("seen")))) == ["seen_no"]
    assert keys(says("talk to my physio please", held(tier=None))) == ["passed_on"]


@pytest.mark.parametrize("words", ["is anybody there?", "talk to my physio"])
@pytest.mark.parametrize("tier", ["URGENT", "EMERGENCY", "suicide"])
def test_nobody_in_need_of_help_today_is_sent_to_the_working_hours(tier: str, words: str) -> None:
    for questions in ((), (asked("session"),), (asked("seen"),), (asked("what_is_wrong"),)):
        turn = says(words, held(*questions, tier=tier))
        seen = ["again_talked" if tier == "suicide" else "again_seen"] if asked("seen") in questions else []
        wrong = asked("what_is_wrong") in questions
        assert keys(turn) == [*HOLD[tier], *seen]
        assert found(turn, ForPhysio) == [ForPhysio("X3", words, tell_when_read=True, same_day=wrong)]


def test_what_is_no_words_is_answered_with_the_hold_too() -> None:
    for kind in ("photo", "voice"):
        turn = take_turn(Told(media=kind), held(asked("seen")))
        assert keys(turn) == ["media_received", "held_urgent"] and found(turn, ForPhysio)


@pytest.mark.parametrize("language", SHIPPED)
def test_the_short_text_says_who_reads_it_and_what_to_do_in_an_emergency(language: str) -> None:
    voice = Voice(language, TODAY, "", "", "EMERGENCY-NO", "URGENT-NO", "CRISIS-NO", "")
    for lines in HOLD.values():
        text, _ = render({"lines": [[key, {}] for key in lines]}, voice)
        assert "EMERGENCY-NO" in text and len(text) < 400, text


def test_stop_and_start_still_work() -> None:
    assert found(says("stop", held()), OptOut) and keys(says("stop", held())) == ["goodbye"]
    assert found(says("start", held()), Resume)
    back = says("start", held(status="opted_out"))
    assert keys(back) == ["back_again", "held_urgent"]


@pytest.mark.parametrize(
    ("answer", "line"),
    [("yes", "talked_yes"), ("no", "talked_no"), ("yes i rang them thank you", "talked_yes"), ("I was seen", "talked_told")],
)
def test_who_wrote_of_suicide_is_asked_about_talking_to_somebody_and_of_nothing_else(answer: str, line: str) -> None:
    turn = says(answer, held(asked("session"), asked("seen"), tier="suicide"))
    assert keys(turn) == [line] and found(turn, Seen) == [Seen(yes=line != "talked_no", unasked=answer == "I was seen")]
    again = says("hm hard to say", held(asked("seen"), tier="suicide"))
    assert keys(again) == ["held_suicide", "again_talked"]
    assert keys(says("hm hard to say", held(asked("seen")))) == ["held_urgent", "again_seen"]


@pytest.mark.parametrize(
    ("language", "words"), [("en", "no"), ("en", "No."), ("en", "yes"), ("es", "no"), ("pl", "nie"), ("ar", "لا"), ("hi", "नहीं")]
)
@pytest.mark.parametrize("kind", ["session", "session_pain", "pain_24h", "reason", "rung"])
def test_a_bare_yes_or_no_after_the_crisis_text_is_nothing_about_exercises(language: str, words: str, kind: str) -> None:
    turn = says(words, held(asked(kind), tier="suicide", language=language))
    assert keys(turn) == ["held_suicide"] and turn.effects == (ForPhysio("X3", words),) and turn.ask is None


def test_a_button_of_the_exercises_still_answers_them_after_the_crisis_text() -> None:
    assert kept(taps("not_today", asked("session"), held(asked("session"), tier="suicide")))["session"] == (TODAY, "not_done")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "yes i rang them thank you. Can I carry on with my exercises?"), ("en", "I talked to my wife"),
        ("es", "sí, les llamé, gracias"), ("pl", "tak, zadzwoniłem, dziękuję"), ("ar", "نعم اتصلت بهم شكرا"), ("hi", "हाँ, मेरी बात हुई"),
    ],
)  # fmt: skip
def test_who_could_talk_to_somebody_is_thanked_and_what_else_they_wrote_is_shown(language: str, words: str) -> None:
    for questions in ((), (asked("session"),)):
        turn = says(words, held(*questions, tier="suicide", language=language))
        assert keys(turn) == ["talked_told"] and turn.ask is None, words
        assert turn.effects == (Seen(yes=True, unasked=True), ForPhysio("X3", words)), words


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "i rang them but nobody answered"), ("en", "i will call them"), ("en", "no i dont want to"), ("en", "i cant do it"),
        ("es", "llamé pero nadie contesta"), ("pl", "nie dzwoniłam"), ("ar", "اتصلت ولم يرد أحد"), ("hi", "किसी से बात नहीं हुई"),
    ],
)  # fmt: skip
def test_who_could_not_talk_to_anybody_hears_the_number_again_and_nothing_is_recorded_of_exercises(language: str, words: str) -> None:
    turn = says(words, held(asked("session"), tier="suicide", language=language))
    assert keys(turn) == ["held_suicide"] and [each.words for each in found(turn, ForPhysio)] == [words] and len(turn.effects) == 1


@pytest.mark.parametrize(("answer", "line"), [("no", "talked_no"), ("yes", "talked_yes"), ("hm hard to say", "again_talked")])
def test_the_question_about_talking_keeps_its_own_words_once_the_red_flag_is_cleared(answer: str, line: str) -> None:
    turn = says(answer, opted_in(asked("seen", of="suicide")))
    assert keys(turn)[-1] == line and not {"seen_yes", "seen_no", "again_seen"} & set(keys(turn))
    assert keys(says("no", opted_in(asked("seen")))) == ["seen_no"]
