"""Reading replies: numbers, sessions, and what is asked of the service."""

from __future__ import annotations

from datetime import date, time

import pytest

from bot_service.conversation.parsing import Question, Reading, read

TODAY = date(2026, 3, 10)


def said(text: str, question: Question = "session_pain", language: str = "en") -> int | str:
    return read(text, question, language, TODAY).answer


def reading(text: str, question: Question = "session_pain", language: str = "en") -> Reading:
    return read(text, question, language, TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "did 3 sets of 12 with 8kg at 7pm", "half", "a million", "ate", "for", "2/5", "07700 900123", "0161 496 0000", "12/05/2024",
        "5²", "²", "1_0", "⑤", "5abc", "L5", "7:30", "7.30", "£5", "5%", "3 sets", "5 reps", "20 mins", "day 5", "week 3", "set 2",
        "8kg", "at 7pm", "11", "-3", "1e1", "0x5", "5+", ">5", "less than 3", "at least 6", "5 or more", "twenty five", "five hundred",
        "5 million", "walked 5 miles", "my son is 5", "did 5", "took 2 paracetamol", "effort 8", "rpe 7", "5/10 effort",
        "England won 3-2", "half 7", "nearly zero", "3 4", "5️⃣6️⃣", "1️⃣0️⃣", "2,3.5", "3,5", "10/10 felt great",
        "anywhere from 1 to 8", "1-9", "bridges 3, squats 5", "the last one hurt", "pain 3 no wait 5 no 4", "not a 5",
        "between nothing and 1", "5 or less", "6, but that was yesterday",
        "5 but that was my dodgy back", "high five", "not even a 1",
    ],
)  # fmt: skip
def test_a_number_that_is_not_certainly_a_score_is_asked_again(text: str) -> None:
    assert said(text) == "ambiguous"
    assert reading(text).score is None


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("3 sets, pain 7", 7), ("4 then 6 on the last set", 6), ("not 7, 5", 5), ("3x10 done, pain 2", 2), ("4 sorry 6", 6), ("7→3", 7),
        ("3½", 4), ("4.1", 5), ("٧", 7), ("۵", 5), ("५", 5), ("５/１０", 5), ("5️⃣", 5), ("🔟", 10),
        ("on a scale of 0-10 I'd say 4", 4), ("left 2 right 5", 5), ("six or seven", 7), ("had to stop halfway, 6", 6),
        ("knee is an 8 but hamstring only 3", 3), ("pain 3 (was 5 last week)", 3), ("worse than yesterday, 5", 5), ("sevn", 7),
        ("3/10 or 4/10", 4), ("usually 2 but 5 today", 5), ("no pain until the last set then a 4", 4), ("very sore, 7", 7),
        ("4 - before 7", 4),
        ("too tired today, 4", 4), ("4 tonight", 4), ("2 resting, 5 walking", 5), ("ten out of ten, agony", 10), ("3 (yesterday 6)", 3),
    ],
)  # fmt: skip
def test_a_score_is_found_among_other_numbers(text: str, score: int) -> None:
    assert said(text) == score


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("was 8 yesterday, 3 now", 3), ("6 during, 3 after", "ambiguous"), ("6 last night", "ambiguous"), ("3 when I got up, 1 now", 3),
        ("was 6, now 3", "ambiguous"), ("6 then 3", "ambiguous"), ("worse than yesterday", "ambiguous"), ("3 after breakfast", 3),
        ("skipped it today, 4 this morning", 4),
    ],
)  # fmt: skip
def test_the_next_day_question_is_answered_by_what_holds_now(text: str, answer: int | str) -> None:
    assert said(text, "next_day_pain") == answer


def test_during_and_now_are_both_asked_only_when_now_is_not_worse() -> None:
    assert said("5 during, 2 now") == 5
    assert said("2 during, 6 now") == "ambiguous"


def test_every_labelled_value_is_kept_beside_the_worst() -> None:
    assert reading("6 during, 3 after").both == {"during": 6, "after": 3}


def test_having_had_to_stop_after_some_of_it_is_a_report_and_no_other_time() -> None:
    stopped = reading("had to stop after two sets, 4")
    assert (stopped.session, stopped.score, stopped.request) == ("partly", 4, None)
    assert reading("had to stop after 2").score is None
    assert reading("stop sending them after 9").request == "time"


def test_a_correction_is_marked_as_one() -> None:
    assert reading("sorry 5").correction and reading("*5").correction and reading("meant 6").correction
    assert (
        reading("5 i mean").correction
        and reading("that was wrong, it was 5").correction
        and reading("5, quise decir", language="es").correction
    )
    assert not reading("5 i mean when i sit").correction
    assert not reading("5").correction
    assert not reading("sorry I'm late, 5").correction


def test_number_words_count_in_the_patients_own_language_only() -> None:
    assert said("once", language="es") == "ambiguous"
    assert said("siete", language="en") == "ambiguous"
    assert said("nine", language="pl") == "ambiguous"
    assert said("seis", language="es") == 6
    assert said("seis", language="pt") == "ambiguous"


@pytest.mark.parametrize(
    "word", ["there", "these", "fine", "fever pitch", "light", "tree", "even", "none of them", "steven", "hour", "done", "too", "won"]
)
def test_a_real_word_is_never_a_misspelt_number(word: str) -> None:
    assert not isinstance(said(word), int)


def test_done_with_a_number_answers_whichever_question_was_asked() -> None:
    assert (reading("done, 4", "did_you_exercise").answer, reading("done, 4", "did_you_exercise").score) == ("yes", 4)
    assert (reading("done, 4").answer, reading("done, 4").session) == (4, "yes")


def test_a_refusal_for_pain_keeps_the_pain() -> None:
    refused = reading("no, too sore", "did_you_exercise")
    assert (refused.answer, refused.pain_mentioned) == ("no", True)
    assert not reading("no, at work", "did_you_exercise").pain_mentioned


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("did the first two only", "partly"), ("yes but not all of it", "partly"), ("2 out of 3 sets done", "partly"),
        ("80% of it", "partly"), ("3 out of 3 sets", "yes"), ("yes, forgot to tell you", "yes"),
        ("didn't do it yesterday but done today", "yes"), ("no pain today so yes", "yes"), ("will do them later", "no"),
        ("too sore to do it", "no"), ("yes and no", "ambiguous"), ("did 3 sets of 12 with 8kg at 7pm", "yes"), ("5", "ambiguous"),
        ("hmm", "ambiguous"), ("👍", "yes"), ("❌", "no"), ("👍👎", "ambiguous"), ("🙂", "ambiguous"), ("done 👎", "yes"),
    ],
)  # fmt: skip
def test_whether_they_exercised_is_read_from_many_words(text: str, answer: str) -> None:
    assert said(text, "did_you_exercise") == answer


@pytest.mark.parametrize(
    "text",
    [
        "stop", "STOP!!", "please stop messaging me", "stop. thank you", "unsubscribe", "no more messages",
        "I want to stop these messages please", "/stop", "stop stop stop", "hi, please stop", "take me off this list",
        "don't text me again", "Abmelden", "توقف", "停止", "стоп", "BAJA",
    ],
)  # fmt: skip
def test_stop_is_understood_in_natural_words(text: str) -> None:
    assert reading(text).stop and said(text) == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "had to stop halfway, 6", "should I stop the bridges?", "stop the bridges?", "stop the 7am ones",
        "can you stop asking at work time?", "don't stop messaging me", "can't stop laughing", "bus stop", "stopped after set 2",
        "stop for a week", "in the end it was 4", "cancel today", "the weekend", "made me stop, 8", "stop, 6",
    ],
)  # fmt: skip
def test_stop_is_never_invented(text: str) -> None:
    assert not reading(text).stop and said(text) != "stop"


def test_a_word_that_means_stop_elsewhere_keeps_its_meaning_at_home() -> None:
    assert said("seis", language="fi") == "stop"
    assert said("dur", language="fr") == "ambiguous"
    assert said("dur", language="tr") == "stop"


def test_stop_beside_a_red_flag_does_both() -> None:
    both = reading("STOP, I can't feel my legs")
    assert (both.answer, both.stop) == ("red_flag", True)
    assert both.red_flag is not None and both.red_flag.tier == "EMERGENCY"


def test_a_score_beside_a_red_flag_is_kept_apart_from_the_answer() -> None:
    flagged = reading("felt a pop, 8")
    assert (flagged.answer, flagged.score) == ("red_flag", 8)


@pytest.mark.parametrize(
    ("text", "until", "days"),
    [
        ("on holiday till the 14th", date(2026, 3, 14), None), ("away until 2 April", date(2026, 4, 2), None),
        ("pause until 2026-04-01", date(2026, 4, 1), None), ("going away until 14/3", date(2026, 3, 14), None),
        ("pause till 5 January", date(2027, 1, 5), None), ("pause 5 days", None, 5), ("pause for two weeks", None, 14),
        ("can we pause for a fortnight", None, 14), ("stop for a week", None, 7), ("pause", None, None),
        ("pause until 31 February", None, None), ("on holiday till the 9th", date(2026, 4, 9), None),
        ("pause until April 3rd", date(2026, 4, 3), None),
    ],
)  # fmt: skip
def test_a_pause_carries_its_end(text: str, until: date | None, days: int | None) -> None:
    paused = reading(text)
    assert (paused.answer, paused.request, paused.until, paused.days) == ("pause", "pause", until, days)


def test_without_the_patients_date_no_end_is_guessed() -> None:
    assert read("on holiday till the 14th", None, "en").until is None
    assert read("on holiday till the 14th", None, "en").answer == "pause"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("can you send it at 7pm", time(19)), ("message me at 18:30 please", time(18, 30)),
        ("could you text me at 7 in the evening", time(19)), ("change time to 8am", time(8)), ("remind me at 7", None),
        ("send it at 7 or 18:30 please", time(18, 30)),
        ("can you stop asking at work time?", None), ("send it at 12am", time(0)), ("send it at 12pm", time(12)),
        ("text me at 7pm or 8pm", None),
    ],
)  # fmt: skip
def test_a_change_of_time_is_help_with_the_time_when_it_is_clear(text: str, at: time | None) -> None:
    asked = reading(text)
    assert (asked.answer, asked.request, asked.time) == ("help", "time", at)


def test_words_for_the_physio_and_for_the_plan_are_told_apart() -> None:
    assert reading("can I talk to my physio").request == "physio"
    assert reading("show me my exercises").request == "plan"
    assert reading("what counts as pain?").request == "help"
    assert {said("can I talk to my physio"), said("show me my exercises"), said("what counts as pain?")} == {"help"}


def test_start_is_heard() -> None:
    assert said("START") == said("resume") == said("start again please") == "start"


@pytest.mark.parametrize("text", ["", "   ", "thanks", "ok thanks", "hello", "😂", "...", "\u200b"])
def test_a_message_with_nothing_in_it_is_none(text: str) -> None:
    assert said(text) == "none"
    assert said(text, "did_you_exercise") == "none"


def test_with_no_question_open_a_number_is_still_read() -> None:
    assert read("4", None).score == 4


def test_a_regional_code_means_its_language() -> None:
    assert said("siete", language="es-MX") == said("siete", language="ES_mx") == 7


@pytest.mark.parametrize(
    ("emoji", "answer"), [*((tap, "yes") for tap in "👍✅✔☑💪👌🏋"), *((tap, "no") for tap in "👎❌✖🚫"), ("🙂", "ambiguous")]
)
def test_an_emoji_alone_answers_whether_they_exercised(emoji: str, answer: str) -> None:
    assert said(emoji, "did_you_exercise") == answer


@pytest.mark.parametrize("emoji", "😂🤣🙏👋")
def test_a_laugh_or_a_wave_is_no_answer(emoji: str) -> None:
    assert said(emoji) == said(emoji, "did_you_exercise") == "none"


@pytest.mark.parametrize(
    ("language", "words", "until"),
    [
        ("en", "on holiday till Saturday", "2026-11-28"), ("en", "away until Saturday week", "2026-12-05"),
        ("en", "I'll be back Thursday", "2026-11-26"), ("en", "we're in Spain till the 30th", "2026-11-30"),
        ("en", "away from Tuesday until Sunday", "2026-11-29"), ("en", "away from Friday until Monday or back on Tuesday", None),
        ("en", "on holiday until next Friday", None), ("es", "estoy de vacaciones hasta el sábado", "2026-11-28"),
        ("es", "vuelvo el 14", "2026-12-14"), ("pl", "na urlopie do soboty", "2026-11-28"), ("pl", "wracam w środę", "2026-11-25"),
        ("ar", "مسافر حتى يوم السبت", "2026-11-28"), ("ar", "راجع يوم الاثنين", "2026-11-23"),
        ("hi", "शनिवार तक छुट्टी पर", "2026-11-28"), ("hi", "main sunday tak bahar hoon", "2026-11-29"),
    ],
)  # fmt: skip
def test_a_pause_ends_on_the_day_that_is_named_after_until(language: str, words: str, until: str | None) -> None:
    reading = read(words, "did_you_exercise", language, date(2026, 11, 22))  # a Sunday
    assert (reading.answer, str(reading.until or "") or None) == ("pause", until)


def test_a_day_that_is_no_end_is_none() -> None:
    assert read("away from Friday", None, "en", date(2026, 11, 22)).until is None
    assert read("my bum is sore till Friday", "session_pain", "en", date(2026, 11, 22)).answer == "ambiguous"
    for state in ("severe pain", "terrible pain", "tears", "a cast", "discomfort"):
        assert read(f"im in {state} until friday", None, "en", date(2026, 11, 22)).request is None, state


@pytest.mark.parametrize(
    ("language", "words", "usual"),
    [
        ("en", "usually around a 4", 4), ("en", "5 to 6 normally", 6), ("en", "usually 4, 6 today", 4), ("en", "4", 4),
        ("en", "usually no pain", 0), ("en", "it varies 2 to 8", "ambiguous"), ("es", "normalmente un 4", 4), ("pl", "zwykle 3", 3),
        ("ar", "عادة ٤", 4), ("hi", "aam taur par 5", 5),
    ],
)  # fmt: skip
def test_asked_for_the_usual_pain_what_is_said_to_be_usual_is_the_answer(language: str, words: str, usual: int | str) -> None:
    assert read(words, "usual_pain", language).answer == usual
    assert words[-1] in "4y" or read(words, "session_pain", language).answer == "ambiguous"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "is 5 too much?"), ("es", "¿5 es mucho?"), ("pl", "czy 5 to za dużo?"), ("ar", "5 كثير؟"), ("hi", "5 bahut hai?"),
        ("es", "¿un 5 es demasiado?"), ("pl", "czy ból 5 jest w porządku?"),
    ],
)  # fmt: skip
def test_who_asks_what_a_number_means_has_not_given_one(language: str, words: str) -> None:
    found = read(words, "session_pain", language)
    assert (found.answer, found.score) == ("help", None)
    assert read("4?", "session_pain", language).answer == 4
