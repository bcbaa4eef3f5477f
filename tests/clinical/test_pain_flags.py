"""A3, A4, B2, B3 and B4: each fires exactly at its threshold."""

from __future__ import annotations

import pytest

from bot_service.clinical.flags import Flag, flags_for
from bot_service.clinical.record import Record
from tests.builders import ago, an_episode, days_of, row_id, week

SATURDAY = "Saturday's session (21 Nov)"
THREE_DAYS = "17 Nov (6/10), 19 Nov (7/10) and 22 Nov (6/10)"


def found(record: Record, rule: str) -> Flag | None:
    return next((flag for flag in flags_for(record) if flag.rule == rule), None)


@pytest.mark.parametrize(
    ("history", "kind"),
    [
        ("done 5/2", None),
        ("done 6/2", "line"),
        ("done 7", "line"),
        ("partly 6/2", "line"),
        ("done 6/3", "flag"),
        ("done 6/2, -, done 1/1, -, -, -, done 6/2", "flag"),
        ("done 6/2, done 1/1, -, -, -, -, -, done 6/2", "line"),
        ("done 6/2, -, -, -, -, -, -", "line"),
        ("done 6/2, -, -, -, -, -, -, -", None),
        ("extra 7/2", None),
        ("no, missed, paused", None),
        ("done 9/2", "line"),
    ],
)
def test_a3_is_a_line_once_and_a_flag_twice_in_a_week_or_when_it_does_not_settle(history: str, kind: str | None) -> None:
    flag = found(an_episode(week(history)), "A3")
    assert (None if flag is None else "line" if flag.digest_only else "flag") == kind


@pytest.mark.parametrize(
    ("history", "fires"),
    [
        ("done 7/2", False),
        ("done 8/2", True),
        ("done 10", True),
        ("extra 8", False),
        ("done 8, -, -, -, -, -, -", True),
        ("done 8, -, -, -, -, -, -, -", False),
        ("done 6, done 5, done 6", False),
        ("done 6, done 6", True),
        ("done 6, -, missed, paused, done 6", True),
        ("done 6, done, done 6", True),
        ("done 6 + done 7", False),
        ("done 6, done 1, done 6, done 1, done 6", True),
        ("done 6, done 1, done 6, done 1, done 1, done 6", False),
        ("done 6, done 1, done 6, done 1, done 5", False),
    ],
)
def test_a4_fires_at_eight_or_two_in_a_row_or_three_of_five(history: str, fires: bool) -> None:
    assert (found(an_episode(week(history)), "A4") is not None) is fires


@pytest.mark.parametrize(
    ("history", "baseline", "rule"),
    [
        ("done 2/2", 2, None),
        ("done 2/3", 2, "B2"),
        ("done 2/4", 2, "B3"),
        ("done 2/1", 0, None),
        ("done 2/2", 0, "B2"),
        ("done 2/3", 0, "B3"),
        ("done 2/6", 5, "B3"),
        ("done 2/5", 4, "B2"),
        ("done 2/3, done 2/3", 2, "B3"),
        ("done 2/3, done 2, done 2/3", 2, "B3"),
        ("done 2/3, done 2/2, done 2/3", 2, "B2"),
        ("done 2/3, done 2/2", 2, None),
        ("done 2/4, -, -, -, -, -, -", 2, "B3"),
        ("done 2/4, -, -, -, -, -, -, -", 2, None),
        ("extra 2/9", 2, None),
        ("done 2/9", None, None),
    ],
)
def test_the_next_day_is_a_line_one_above_usual_and_a_flag_two_above_or_twice_running(
    history: str, baseline: int | None, rule: str | None
) -> None:
    rules = [flag.rule for flag in flags_for(an_episode(week(history), baseline=baseline)) if flag.rule[0] == "B"]
    assert rules == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("medians", "fires"),
    [((1, 2, 3), True), ((0, 3, 5), True), ((1, 2, 2), False), ((2, 2, 3), False), ((1, 3, 2), False), ((3, 2, 1), False)],
)
def test_b4_fires_when_the_weekly_median_rises_two_weeks_running(medians: tuple[int, ...], fires: bool) -> None:
    history = tuple(day for pain in medians for day in week(f"done {pain}, -, done {pain}, -, missed, -, paused"))
    assert (found(an_episode(history), "B4") is not None) is fires
    assert found(an_episode(history, baseline=None), "B4") is None


def test_b4_needs_two_rated_days_in_each_week() -> None:
    thin = week("done 1, -, -, -, -, -, done, done 2, done 2, -, -, -, -, -, done 3, done 3, -, -, -, -, -")
    assert found(an_episode(thin), "B4") is None


def test_an_a3_that_a4_covers_is_only_a_line() -> None:
    flags = {flag.rule: flag.digest_only for flag in flags_for(an_episode(week("done 6/4, done 7/4")))}
    assert flags["A4"] is False
    assert flags["A3"] is True


def test_every_pain_flag_carries_the_rows_that_fired_it() -> None:
    record = an_episode(week("done 6/2, done 1/1, done 7/2, -"))
    flag = found(record, "A3")
    assert flag
    assert flag.evidence == (row_id(ago(3)), row_id(ago(3), after=True), row_id(ago(1)), row_id(ago(1), after=True))
    assert flag.days == (ago(3), ago(1))
    assert flag.occurred == ago(1)


@pytest.mark.parametrize(
    ("history", "rule", "words"),
    [
        (
            "done 6/2, done 1, done 7/2, -",
            "A3",
            f"Pain 7/10 during {SATURDAY}, second time above 5 in 7 days; settled to 2 by the next day.",
        ),
        ("done 6/4", "A3", "Pain 6/10 during Sunday's session (22 Nov), above 5; 4 the next day, not settled."),
        ("done 8, -", "A4", f"Pain 8/10 during {SATURDAY}; no answer for the next day yet."),
        ("done 6, done 7", "A4", "Pain above 5 on loading days in a row: 21 Nov (6/10) and 22 Nov (7/10)."),
        ("done 6, done 1, done 7, done 6", "A4", "Pain above 5 on loading days in a row: 21 Nov (7/10) and 22 Nov (6/10)."),
        ("done 6, done 1, done 7, done, done 1, done 6", "A4", f"Pain above 5 on 3 of the last 5 loading days: {THREE_DAYS}."),
        ("done 2/4, done 2/5, -", "B3", f"Pain 5/10 the day after {SATURDAY}, usual 2, second time in 7 days."),
        ("done 2/3, done 2/3", "B3", "Next-day pain above usual (2) 2 times running: 3/10 after 21 Nov and 3/10 after 22 Nov."),
        ("done 2/3", "B2", "Pain 3/10 the day after Sunday's session (22 Nov), a step above the usual 2; load held."),
    ],
)
def test_the_sentence_is_what_a_physio_would_write(history: str, rule: str, words: str) -> None:
    flag = found(an_episode(week(history)), rule)
    assert flag
    assert flag.sentence == words


def test_the_b4_sentence_names_the_medians() -> None:
    flag = found(an_episode(days_of("done 1", 7) + days_of("done 2", 7) + days_of("done 3", 7)), "B4")
    assert flag
    assert flag.sentence == "Weekly median session pain has risen 2 weeks running: 1, 2 and 3 out of 10."


@pytest.mark.parametrize(
    ("history", "rule", "urgency", "suggestion"),
    [
        ("done 6/4", "A3", "three_days", "E1"),
        ("done 8", "A4", "same_day", "E3"),
        ("done 2/4", "B3", "three_days", "E2"),
        ("done 2/8", "B3", "same_day", "E2"),
        ("done 2/4, done 2/4", "B3", "three_days", "E3"),
    ],
)
def test_urgency_and_the_suggestion_go_with_the_rule(history: str, rule: str, urgency: str, suggestion: str) -> None:
    flag = found(an_episode(week(history)), rule)
    assert flag
    assert flag.urgency == urgency
    assert flag.suggestion is not None
    assert flag.suggestion.startswith(suggestion)
