"""D2, D6, D7 and E4: the course over weeks."""

from __future__ import annotations

import pytest

from bot_service.clinical.flags import Flag, flags_for
from bot_service.clinical.record import Record
from tests.builders import ago, an_episode, days_of, later, week


def found(record: Record, rule: str) -> Flag | None:
    return next((flag for flag in flags_for(record) if flag.rule == rule), None)


@pytest.mark.parametrize(
    ("before", "now", "fires"),
    [
        ("done 3", "done 3", True),
        ("done 2", "done 2", False),
        ("done 4", "done 3", False),
        ("done 3, done 4", "done 3", True),
        ("done 3", "done 4", True),
        ("done 5", "done 4", False),
        ("done 3", "done", False),
        ("done 3", "extra 3", False),
    ],
)
def test_d2_fires_when_the_median_is_three_or_more_and_has_not_fallen_by_one(before: str, now: str, fires: bool) -> None:
    record = an_episode(days_of(before, 15) + days_of(now, 14))
    assert (found(record, "D2") is not None) is fires


def test_d2_waits_for_28_days_in_the_stage() -> None:
    assert found(an_episode(days_of("done 3", 28)), "D2") is None
    assert found(an_episode(days_of("done 3", 29)), "D2")
    assert found(an_episode(days_of("done 3", 60), episode_start=ago(60), stage_start=ago(27)), "D2") is None


@pytest.mark.parametrize(("pattern", "fires"), [("done 4, done 4, missed", False), ("done 4, done 4, done 4, missed", True)])
def test_d2_needs_seventy_percent_adherence(pattern: str, fires: bool) -> None:
    assert (found(an_episode(days_of(pattern, 32)), "D2") is not None) is fires


@pytest.mark.parametrize(("stage", "limit"), [("early", 42), ("intermediate", 84), ("advanced", 112)])
def test_d6_fires_when_the_stage_reaches_its_limit(stage: str, limit: int) -> None:
    day_before = an_episode(week("done 1"), stage=stage, episode_start=ago(limit - 1))
    assert found(day_before, "D6") is None
    flag = found(later(day_before, 1), "D6")
    assert flag
    assert f"{limit // 7} weeks in" in flag.sentence


@pytest.mark.parametrize(("days", "urgency"), [(83, None), (84, "routine"), (182, "routine"), (183, "three_days")])
def test_d7_fires_at_twelve_and_twenty_six_weeks(days: int, urgency: str | None) -> None:
    flag = found(an_episode(week("done 1"), episode_start=ago(days), stage_start=ago(3)), "D7")
    assert (flag.urgency if flag else None) == urgency


def test_d7_says_what_is_due() -> None:
    flag = found(an_episode(week("done 1"), episode_start=ago(200), stage_start=ago(3)), "D7")
    assert flag
    assert flag.sentence == "28 weeks since the start on 6 May: beyond the usual 3-6 months, due Thursday 5 Nov."


@pytest.mark.parametrize(
    ("history", "kind"),
    [
        ("done 1" + ", missed" * 6, None),
        ("done 1" + ", missed" * 7, "line"),
        ("done 1" + ", missed" * 13, "line"),
        ("done 1" + ", missed" * 14, "flag"),
        ("done 1" + ", paused" * 14, "line"),
        ("done 1" + ", paused" * 14 + ", missed", "flag"),
        ("done 1" + ", missed" * 14 + ", partly 1", None),
        ("missed, " * 20 + "missed", None),
    ],
)
def test_e4_is_a_line_after_a_week_and_a_flag_after_two_unless_paused(history: str, kind: str | None) -> None:
    flag = found(an_episode(week(history)), "E4")
    assert (None if flag is None else "line" if flag.digest_only else "flag") == kind


def test_e4_says_how_to_restart() -> None:
    flag = found(an_episode(week("done 1" + ", missed" * 8)), "E4")
    assert flag
    assert flag.sentence == "No session since Saturday 14 Nov (8 days): restart at about 60 % of the volume."
    assert flag.suggestion == "E4: restart at about 60 % of the volume."
