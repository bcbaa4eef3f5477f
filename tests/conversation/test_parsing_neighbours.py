"""What stands beside a number decides whether it is a score: one row for each kind of neighbour, labelled by the policy."""

from __future__ import annotations

import pytest

from bot_service.conversation.parsing import read


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("3/10 or 4/10 today", 4), ("4/10 - 5/10", 5), ("4 out of 10 / a bit stiff", 4), ("3/4 out of 10", 4), ("8-9/10", 9),
        ("3 to 4 and a half", 5), ("3-4½", 5), ("between 3 and 4", 4), ("between about 3 and 4", 4), ("3/5 sets, pain 4", 4),
        ("2/3 bridges, pain 4", 4), ("10-12 reps, pain 4", 4), ("3 to 12 reps, pain 4", 4), ("8-12 bridges, pain 3", 3),
        ("10-11 am, pain 3", 3), ("12-15 rep, pain 3", 3), ("3-4, 10 reps", 4), ("parking was €5, 3", 3), ("$5 band, 3", 3),
        ("£5 band, 4", 4), ("gym @ 5, 3", 3), ("20° outside, 3", 3), ("on a scale of 0-10 about 5", 5), ("glumly about a 5", 5),
        ("pain5", 5), ("pain=5", 5), ("pain:5", 5), ("~5", 5), ("5-", 5), ("nearly 5", 5), ("nearly 1", 1), ("had 8/10 pain", 8),
        ("did 8/10 pain", 8), ("squats 8/10 pain", 8), ("5 on stairs", 5), ("pain 5 at 7am", 5), ("bridges were 5", 5), ("today was 5", 5),
        ("and it was 5", 5), ("5 yesterday, no pain today", 0), ("not great then no pain", 0), ("not easy, no pain", 0),
        ("not easy but no pain", 0), ("no pain", 0),
    ],
)  # fmt: skip
def test_beside_these_words_and_signs_a_number_is_a_score(text: str, score: int) -> None:
    assert read(text, "session_pain").answer == score


@pytest.mark.parametrize(
    "text",
    [
        "sevn, blah", "5 or 11", "9-11", "9-11/10", "10 or 11", "1/10 to 8/10", "3 x 5", "3 times 5", "3 x 10", "5 x a day", "1/2/3",
        "12/5/24", "4 out of 10/5", "2-3-4", "3-4-4", "3-4-5/10", "3/4 out of 10 sets", "3 to 4 and a half sets", "3-4/10 sets",
        "3-4 sets", "5-6 am", "3-4 bridges", "5/10 reps", "10 out of 10 sets", "2 out of 5", "1-10", "2-10", "3 and 4", "5five", "five5",
        "5/10²", "5/10_2", "_5/10", "²5/10", "/5/10", "5/", "/5", "_5", "²5", "<5", "<5/10", ">5/10", "€5", "$ 5", "@5", "5°", "5 °",
        "level 5", "5 set", "woke at 5", "5 bloody sets", "effort 5", "tired about 5", "5 tired", "5 of the squats", "more than a 3",
        "from 3", "nearly 0", "did 8/10", "squats 8/10", "did 8/10 on the bridges", "5 a bit worse", "5 mate worse", "5 mate better",
        "9 on that questionnaire", "between 5 something", "then 5 at 7am", "the 5", "did a 5", "walk was 5", "bus 5", "scored a 5 blah",
        "scale 5", "1.2.3, 5", "no pain mate until the end", "no pain pain until", "no pain knee", "no pain my calf", "no pain left",
        "no pain much", "no pain no gain", "almost no pain", "not no pain", "less than no pain",
    ],
)  # fmt: skip
def test_beside_these_words_and_signs_a_number_is_asked_again(text: str) -> None:
    reading = read(text, "session_pain")
    assert (reading.answer, reading.score) == ("ambiguous", None)


def test_a_bracket_ends_what_a_no_before_it_speaks_of() -> None:
    assert read("not today (no pain)", "session_pain").score == 0


def test_a_number_word_for_ten_may_have_a_slip_in_it() -> None:
    assert read("diex", "session_pain", "es").answer == 10
