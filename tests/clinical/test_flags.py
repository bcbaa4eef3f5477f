"""All flags together: their order, the catalogue, and when a case closes itself or may open again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot_service.clinical.flags import RULES, Closed, closes_itself, flags_for, may_open
from bot_service.clinical.progression import standing
from tests.builders import a_plan, ago, an_episode, days_of, week
from tests.growth import TOO_STEEP, times_dearer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALL_RULES = "A1 A2 A3 A4 B1 B2 B3 B4 C0 C1 C2 C3 C4 C5 D1 D2 D3 D4 D5 D6 D7 E1 E2 E3 E4 X1 X2 X3 X4 X5 X6 X7 X8 X9"


def test_a_steady_improver_raises_nothing() -> None:
    assert flags_for(an_episode(days_of("done 2/1", 20))) == ()


def test_flags_come_with_the_most_pressing_rule_first() -> None:
    record = an_episode(days_of("done 1", 7) + days_of("done 2", 7) + week("done 3, missed, missed, missed, done 6, done 8/6, done 3/3"))
    record = replace(record, episode_start=ago(190), stage_start=ago(50))
    assert [flag.rule for flag in flags_for(record)] == ["A4", "B3", "A3", "B4", "D6", "D7"]


def test_every_rule_has_a_title_a_reason_and_a_source() -> None:
    assert sorted(RULES) == sorted(ALL_RULES.split())
    for text in RULES.values():
        assert text.title
        assert text.why.endswith(".")
        assert text.basis


def test_no_sentence_diagnoses_or_alarms() -> None:
    record = an_episode(days_of("done 4/2", 30) + week("done 9/9, done 7/5, no pain, no, no"), episode_start=ago(190), stage_start=ago(60))
    words = " ".join([*(flag.sentence for flag in flags_for(record)), *(f"{text.title} {text.why}" for text in RULES.values())])
    assert not re.search(r"alarm|detect|diagnos|injur|tear\b|rupture|AI\b", words, re.IGNORECASE)


def test_each_flag_says_where_its_number_comes_from() -> None:
    basis = {flag.rule: flag.basis for flag in flags_for(an_episode(week("done 6/2, done 1, done 8"), episode_start=ago(84)))}
    assert basis["A4"] == "default"
    assert basis["D7"] == a_plan().rules.sources["review.planned_review_days"]


@pytest.mark.parametrize(
    ("history", "closes"),
    [
        ("done 7/2" + ", done 2/2" * 5, False),
        ("done 7/2" + ", done 2/2" * 6, True),
        ("done 7/2" + ", done 5/2" * 6, True),
        ("done 7/2" + ", done 2/2" * 5 + ", done 2", False),
        ("done 7/2" + ", done 2/2" * 6 + ", done 2", True),
        ("done 7/2" + ", done 2/2" * 5 + ", done 2/3, done 2/2", False),
        ("done 7/2" + ", done 2/2" * 5 + ", extra 2/2, paused", False),
    ],
)
def test_a_pain_case_closes_itself_after_six_settled_loading_days(history: str, closes: bool) -> None:
    record = an_episode(week(history))
    assert closes_itself("A4", record) is closes
    assert not closes_itself("D1", record)
    assert not closes_itself("D3", record)


def test_only_settled_days_after_the_case_opened_close_it() -> None:
    record = an_episode(days_of("done 1/1", 20))
    assert closes_itself("B3", record, opened=ago(6))
    assert not closes_itself("B3", record, opened=ago(5))


def test_a_slow_rise_does_not_close_itself_while_it_lasts() -> None:
    rising = an_episode(days_of("done 1/1", 7) + days_of("done 2/1", 7) + days_of("done 3/1", 7))
    assert not closes_itself("B4", rising)
    assert closes_itself("A3", rising)


def test_without_a_known_usual_pain_nothing_settles_and_nothing_closes() -> None:
    assert not closes_itself("A3", an_episode(days_of("done 1/1", 20), baseline=None))


@pytest.mark.parametrize(
    ("closed_h_ago", "occurred", "urgency", "may"),
    [
        (72, 1, "three_days", True),
        (71, 1, "three_days", False),
        (72, 0, "three_days", False),
        (1, 0, "routine", True),
        (1, 1, "same_day", False),
    ],
)
def test_a_rule_opens_again_for_something_new_after_72_hours_or_when_it_got_worse(
    closed_h_ago: int, occurred: int, urgency: str, may: bool
) -> None:
    flag = next(flag for flag in flags_for(an_episode(week("done 6/4"))) if flag.rule == "A3")
    last = Closed(NOW - timedelta(hours=closed_h_ago), flag.occurred - timedelta(days=occurred), urgency)  # type: ignore[arg-type]
    assert may_open(flag, last, NOW, a_plan().rules) is may


def test_a_line_in_the_digest_never_opens_a_case() -> None:
    record = an_episode(week("done 6/2"))
    assert [may_open(flag, None, NOW, record.rules) for flag in flags_for(record)] == [False]
    worse = an_episode(week("done 6/4"))
    assert [may_open(flag, None, NOW, record.rules) for flag in flags_for(worse)] == [True, True]


def test_half_a_year_of_history_costs_no_more_for_each_day_than_three_weeks() -> None:
    """It runs on every reply: about 1 ms was measured."""
    days = "done 2/1 + done 3, partly 4/2, no, done 6/3, missed, done 2/2 + partly 3, paused"
    records = {number: an_episode(days_of(days, number)) for number in (180, 22)}

    def judge(number: int) -> None:
        for _ in range(10):
            fresh = replace(records[number])  # nothing that it has worked out before
            flags_for(fresh)
            standing(fresh, a_plan(), ())

    assert times_dearer(judge, 180) < TOO_STEEP
