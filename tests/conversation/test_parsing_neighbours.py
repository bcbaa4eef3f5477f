"""What stands beside a number decides whether it is a score: one row for each kind of neighbour, labelled by the policy."""

from __future__ import annotations

from datetime import time

import pytest

from bot_service.conversation.parsing import read


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("3/10 or 4/10 today", 4), ("4/10 - 5/10", 5), ("4 out of 10 / a bit stiff", 4), ("3/4 out of 10", 4), ("8-9/10", 9),
        ("3 to 4 and a half", 5), ("3-4½", 5), ("between 3 and 4", 4), ("between about 3 and 4", 4), ("3/5 sets, pain 4", 4),
        ("2/3 bridges, pain 4", 4), ("10-12 reps, pain 4", 4), ("3 to 12 reps, pain 4", 4), ("8-12 bridges, pain 3", 3),
        ("10-11 am, pain 3", 3), ("12-15 rep, pain 3", 3), ("3-4, 10 reps", 4), ("parking was €5, 3", 3), ("$5 band, 3", 3),
        ("£5 band, 4", 4), ("gym @ 5, 3", 3), ("20° outside, 3", 3), ("on a scale of 0-10 about 5", 5), ("on about a 5", 5),
        ("pain5", 5), ("pain=5", 5), ("pain:5", 5), ("~5", 5), ("5-", 5), ("nearly 5", 5), ("nearly 1", 1), ("had 8/10 pain", 8),
        ("did 8/10 pain", 8), ("squats 8/10 pain", 8), ("5 on stairs", 5), ("pain 5 at 7am", 5), ("bridges were 5", 5), ("today was 5", 5),
        ("and it was 5", 5), ("5 yesterday, no pain today", 0), ("not great then no pain", 0), ("not easy, no pain", 0),
        ("not easy but no pain", 0), ("no pain", 0), ("not easy and no pain", 0), ("5, compared to usual", 5),
        ("5/10 compared to usual", 5),
        ("5/10 compared to yesterday", 5), ("5/10 compared to before", 5), ("battery 20%, 3", 3), ("hurts 5, walked 3", 5),
        ("calf 6 hamstring 4", 4), ("hi one", 1), ("one thanks", 1), ("one ok", 1), ("nearly one", 1),
            ("one great", 1), ("one now", 1), ("film 9/10 pain", 9), ("3 after breakfast", 3), ("zorb, 5", 5), ("zorb but 5", 5),
            ("no wait 2", 2), ("6 no wait 4", 4), ("on a scale of 1-10, 4", 4), ("6 during, sorry 5 during", 5),
            ("6 during, no wait, 4", 4),
            ("6, no wait, 4 during", 4), ("3, hang on, 5", 5), ("maybe one", 1), ("~one", 1),
            ("8 great session but it hurts", 8), ("8 good session but severe ache", 8), ("8, good session but worse", 8),
            ("6. sorry, 5", 5),
            ("6 sorry about 5", 5), ("6 sorry 🙈 5", 5), ("no wait one", 1), ("pain one", 1),
            ("7/8 out of 10 sorry 5", 5), ("4/10 before 3/10 during", 3),
            ("3 sets, no pain", 0), ("bridge 2 weeks no pain", 0), ("zorb but no pain", 0), (", ".join(["pain 5"] * 8), 5),
    ],
)  # fmt: skip
def test_beside_these_words_and_signs_a_number_is_a_score(text: str, score: int) -> None:
    assert read(text, "session_pain").answer == score


@pytest.mark.parametrize(
    "text",
    [
        "7 during, no wait, 3 after", "hang on 2", "4 no wait", "scale 1 to 5 a 3", "scale 1 to 10 to 5", "one during it",
        "5 ⭐", "after 6 it hurts", "6 sorry today 5", "3 done of the exercises", "4/5 or 6/10", "4, wait, knee 6",
        "finished around 8",
        "sevn, blah", "5 or 11", "9-11", "9-11/10", "10 or 11", "1/10 to 8/10", "3 x 5", "3 times 5", "3 x 10", "5 x a day", "1/2/3",
        "12/5/24", "4 out of 10/5", "2-3-4", "3-4-4", "3-4-5/10", "3/4 out of 10 sets", "3 to 4 and a half sets", "3-4/10 sets",
        "3-4 sets", "5-6 am", "3-4 bridges", "5/10 reps", "10 out of 10 sets", "2 out of 5", "1-10", "2-10", "3 and 4", "5five", "five5",
        "5/10²", "5/10_2", "_5/10", "²5/10", "/5/10", "5/", "/5", "_5", "²5", "<5", "<5/10", ">5/10", "€5", "$ 5", "@5", "5°", "5 °",
        "level 5", "5 set", "woke at 5", "5 bloody sets", "effort 5", "tired about 5", "5 tired", "5 of the squats", "more than a 3",
        "from 3", "nearly 0", "did 8/10", "squats 8/10", "did 8/10 on the bridges", "5 a bit worse", "5 mate worse", "5 mate better",
        "9 on that questionnaire", "between 5 something", "then 5 at 7am", "the 5", "did a 5", "walk was 5", "bus 5", "scored a 5 blah",
        "scale 5", "1.2.3, 5", "no pain mate until the end", "no pain pain until", "no pain knee", "no pain my calf", "no pain left",
        "no pain much", "no pain no gain", "almost no pain", "not no pain", "less than no pain",
        "5/10+", "sorry 4 sorry 4", "6 but in zumba yesterday", "6 but was horribly bad yesterday", ", ".join(["pain 5"] * 9),
        "the single leg one", "one leg hurt", "pain one leg", "usually one", "two legs", "two knees", "one great leg", "lost one", "up 3",
        "dropped by 2", "5 up", "2/10 up on last time", "exercises 8/10", "8/10 exercises", "4 exercises", "my exercises, 10",
        "no pain again with squats", "no pain mate at first", "no pain before the first few", "pain free the last few", "5 foot 6",
        "6ish plus", "sore after 3", "hurts after 10", "agony after 4", "3 days pain free", "the film was 9/10", "film 9/10",
        "zorb, zorb 5",
        "zorb no pain", "no pain zorb", "no pain almost", "mostly no pain", "90% pain free", "3 zorb after",
    ],
)  # fmt: skip
def test_beside_these_words_and_signs_a_number_is_asked_again(text: str) -> None:
    reading = read(text, "session_pain")
    assert (reading.answer, reading.score) == ("ambiguous", None)


def test_a_bracket_ends_what_a_no_before_it_speaks_of() -> None:
    assert read("not today (no pain)", "session_pain").score == 0


def test_what_holds_now_answers_the_next_day_whatever_else_the_words_before_it_name() -> None:
    assert read("yesterday, 5 now", "next_day_pain").answer == 5


@pytest.mark.parametrize(
    ("text", "answer"),
    [("done, too tired now", "yes"), ("did them, didnt do them", "ambiguous"), ("👍.", "yes"), ("hmm 👍", "ambiguous")],
)
def test_a_reason_or_a_sign_beside_an_answer_changes_nothing_and_a_contradiction_is_asked_again(text: str, answer: str) -> None:
    assert read(text, "did_you_exercise").answer == answer


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("7pm", time(19)), ("7 oclock in the evening", time(19)), ("12:30 am", time(0, 30)), ("7:30 in the morning", time(7, 30)),
        ("19:30", time(19, 30)), ("7", None), ("7am not in the evening", time(7)), ("13 in the afternoon", time(13)), ("24:00", None),
        ("7pm or 8pm", None), ("8 before work", time(8)),
    ],
)  # fmt: skip
def test_a_time_of_day_is_taken_when_it_can_only_mean_one(text: str, asked: time | None) -> None:
    reading = read(f"can you send it at {text}", "session_pain")
    assert (reading.request, reading.time) == ("time", asked)


def test_a_number_word_for_ten_may_have_a_slip_in_it() -> None:
    assert read("diex", "session_pain", "es").answer == 10
