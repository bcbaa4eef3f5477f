"""The record: loading days, what a day's status is, and the strip."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot_service.clinical.record import DayStatus, LoadingDay, NextDay, Scheduled
from tests.builders import TODAY, ago, an_episode, days_of, row_id, week


def test_a_loading_day_has_the_worst_of_its_sessions_and_the_worst_next_day() -> None:
    record = an_episode(week("done 2/1 + done 5/3"))
    assert record.loading_days == (
        LoadingDay(
            TODAY, 5, 3, "early", (1, 2), (row_id(TODAY), row_id(TODAY, 2), row_id(TODAY, after=True), row_id(TODAY, 2, after=True))
        ),
    )


@pytest.mark.parametrize(
    ("day", "pain"),
    [("done 4", 4), ("partly 6", 6), ("done", None), ("no", "none"), ("missed", "none"), ("extra 9", "none"), ("done 2 + extra 9", 2)],
)
def test_only_sessions_done_at_least_partly_and_not_optional_make_a_loading_day(day: str, pain: int | str | None) -> None:
    days = an_episode(week(day)).loading_days
    assert (days[0].pain if days else "none") == pain


def test_a_next_day_answer_without_a_loading_day_counts_for_nothing() -> None:
    record = an_episode(week("extra 2/9, no"))
    assert record.loading_days == ()
    assert record.answered_days == ()


@pytest.mark.parametrize(
    ("day", "status", "counts"),
    [
        ("done 2", "done", True),
        ("partly 2", "partly", True),
        ("no", "not_done", True),
        ("missed", "no_reply", True),
        ("paused", "paused", False),
        ("unsent", "not_sent", False),
        ("waiting", "waiting", False),
        ("-", "rest", False),
        ("extra 3", "rest", False),
        ("no + done 2", "done", True),
        ("missed + partly 1", "partly", True),
        ("no + waiting", "waiting", False),
        ("done 1 + waiting", "done", True),
        ("unsent + missed", "no_reply", True),
        ("unsent + paused", "not_sent", False),
    ],
)
def test_a_day_shows_its_best_session_else_why_there_was_none(day: str, status: DayStatus, counts: bool) -> None:
    record = an_episode(week(day))
    assert record.status(TODAY) == status
    assert record.counts(TODAY) is counts


def test_a_session_done_although_we_sent_nothing_shows_as_done_but_its_day_does_not_count() -> None:
    record = an_episode(week("done 2"))
    record = replace(record, scheduled=(Scheduled(TODAY, 1, "not_sent", "early"),))
    assert record.status(TODAY) == "done"
    assert not record.counts(TODAY)


def test_an_answered_prompt_is_not_waiting_even_if_it_is_still_open() -> None:
    record = an_episode(week("no"))
    record = replace(record, scheduled=(Scheduled(TODAY, 1, "waiting", "early"),))
    assert record.status(TODAY) == "not_done"
    assert record.counts(TODAY)


def test_the_strip_is_the_last_28_days_and_never_from_before_the_start() -> None:
    assert len(an_episode(days_of("done 1", 40)).strip()) == 28
    assert an_episode(week("done 1, -, missed")).strip() == ((ago(2), "done"), (ago(1), "rest"), (TODAY, "no_reply"))


def test_the_order_of_what_is_given_does_not_matter() -> None:
    record = an_episode(days_of("done 3/1 + done 4, no pain, missed, partly 6/7", 20))
    backwards = replace(
        record,
        scheduled=record.scheduled[::-1],
        sessions=record.sessions[::-1],
        next_days=record.next_days[::-1],
        replies=record.replies[::-1],
    )
    assert backwards.loading_days == record.loading_days
    assert backwards.strip() == record.strip()


def test_two_next_day_answers_about_one_day_count_as_the_worse() -> None:
    record = an_episode(week("done 2/4"))
    milder = NextDay(TODAY, 1, record.next_days[0].at.replace(hour=20))
    assert replace(record, next_days=(*record.next_days, milder)).loading_days[0].pain_24h == 4
