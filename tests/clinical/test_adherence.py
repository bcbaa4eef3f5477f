"""Adherence and reply rate: what counts, what is left out."""

from __future__ import annotations

import pytest

from bot_service.clinical.adherence import adherence, reply_rate
from bot_service.clinical.engagement import low_adherence_flag
from tests.builders import TODAY, a_prescription, ago, an_episode, days_of, week


@pytest.mark.parametrize(
    ("history", "done", "heard"),
    [
        ("done 1, done 1, done 1, done 1", 100, 100),
        ("done 1, missed", 50, 50),
        ("partly 1, no", 25, 100),
        ("done 1, done 1, missed", 67, 67),
        ("done 1, -, -, done 1", 100, 100),
        ("done 1, paused, unsent, waiting", 100, 100),
        ("missed, paused, unsent, waiting", 0, 0),
        ("done 1 + missed", 100, 100),
        ("no + partly 2", 50, 100),
        ("done 1, extra 1, extra 1", 100, 100),
        ("missed, extra 1", 0, 0),
        ("paused, unsent", None, None),
        ("-", None, None),
    ],
)
def test_done_counts_one_partly_a_half_and_only_days_really_asked_count(history: str, done: int | None, heard: int | None) -> None:
    record = an_episode(week(history))
    assert adherence(record, 14) == done
    assert reply_rate(record, 14) == heard


def test_a_day_on_which_the_patient_wrote_anything_was_answered() -> None:
    record = an_episode(week("missed, missed, done 1, missed"), replies=(ago(2), ago(3), ago(1)))
    assert reply_rate(record, 14) == 75


def test_the_window_is_so_many_days_with_today_in_it() -> None:
    record = an_episode(days_of("missed", 1) + days_of("done 1", 14))
    assert adherence(record, 14) == 100
    assert adherence(record, 15) == 93


def test_percent_is_shown_to_the_nearest_whole() -> None:
    record = an_episode(days_of("done 1", 15) + days_of("missed", 4), today=TODAY)
    assert (adherence(record, 28), reply_rate(record, 28)) == (79, 79)


def test_what_is_shown_as_50_but_is_less_counts_as_less() -> None:
    plan = a_prescription()
    review = plan.rules.review.model_copy(update={"low_adherence_days": 101})
    plan = plan.model_copy(update={"rules": plan.rules.model_copy(update={"review": review})})
    record = an_episode(days_of("done 1", 50) + days_of("missed", 51), prescription=plan, episode_start=ago(101))
    flag = low_adherence_flag(record)
    assert adherence(record, 101) == 50
    assert flag is not None and flag.sentence.startswith("50 % done over 101 days")


def test_days_before_the_episode_do_not_count() -> None:
    record = an_episode(week("missed, missed, done 1"), episode_start=TODAY)
    assert adherence(record, 14) == 100
