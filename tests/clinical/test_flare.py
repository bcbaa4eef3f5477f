"""The signed flare plan and the restart after a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from bot_service.clinical.flare import Flare, flare_state, restart_state
from tests.builders import TODAY, a_prescription, ago, an_episode, days_of, week


def signed(history: str, *, baseline: int | None = 2, looked_at: datetime | None = None) -> Flare | None:
    record = an_episode(week(history), baseline=baseline, prescription=a_prescription("early", signed=True))
    return flare_state(record, looked_at)


@pytest.mark.parametrize(
    ("history", "why", "settled_so_far"),
    [
        ("done 5/2", None, 0),
        ("done 6/2", "over_ceiling", 0),
        ("done 3/3", None, 0),
        ("done 3/4", "worse_24h", 0),
        ("done 6/2, done 2/1", "over_ceiling", 1),
        ("done 6/2, done 2/1, done 2", "over_ceiling", 1),
        ("done 6/2, done 2/1, done 2/2", None, 0),
        ("done 6/2, done 2/1, done 2/3, done 2/2", None, 0),
        ("done 6/2, done 2/1, done 3/4", "worse_24h", 0),
        ("done 1/1, -, -, -, -, -, -", None, 0),
        ("done 1/1, -, -, -, -, -, -, -", "gap", 0),
        ("done 1/1, paused, paused, paused, paused, paused, paused, done 2/2", "gap", 1),
        ("done 1/1, -, -, -, -, -, -, done 2/2, done 1/1", None, 0),
        ("extra 9/9, done 1/1", None, 0),
        ("-", None, 0),
    ],
)
def test_easier_versions_apply_until_two_settled_loading_days(history: str, why: str | None, settled_so_far: int) -> None:
    flare = signed(history)
    assert (flare.why if flare else None) == why
    if flare:
        assert (flare.settled_so_far, flare.settled_needed) == (settled_so_far, 2)
        assert flare.easier == ("E1", "E2", "E3", "E4")
        assert flare.leave_out == ()


def test_nothing_changes_when_the_plan_is_not_signed() -> None:
    assert flare_state(an_episode(week("done 9/9"))) is None


def test_above_the_ceiling_the_next_day_counts_even_when_the_usual_pain_is_unknown() -> None:
    assert signed("done 2/5", baseline=None) is None
    flare = signed("done 2/6", baseline=None)
    assert flare
    assert flare.why == "worse_24h"


def test_at_eight_the_exercise_is_left_out_until_a_clinician_has_looked() -> None:
    history = "done 2/1, done 8/4" + ", done 2/1" * 4
    flare = signed(history)
    assert flare
    assert (flare.why, flare.easier, flare.since) == ("severe", (), ago(4))
    assert (flare.leave_out, flare.hurt_on) == ((), (ago(4),)), "nobody told us which one of the morning's it was"
    session_at = datetime.combine(ago(4), time(18), UTC)
    assert signed(history, looked_at=session_at - timedelta(minutes=1)) == flare
    assert signed(history, looked_at=session_at) is None


def test_seven_leaves_nothing_out() -> None:
    flare = signed("done 7/1")
    assert flare
    assert (flare.leave_out, flare.hurt_on) == ((), ())


def test_the_one_exercise_of_a_session_is_surely_the_one_that_hurt() -> None:
    early = a_prescription("early", signed=True)
    slots = (early.slots[0].model_copy(update={"exercises": ("E2",), "extra": None}), *early.slots[1:])
    record = an_episode(week("done 2/1, done 8/2, done 2/2"), prescription=early.model_copy(update={"slots": slots}))
    flare = flare_state(record)
    assert flare and (flare.leave_out, flare.hurt_on) == (("E2",), ())
    elsewhere = replace(record.sessions[0], slot=3, pain=9)  # a session that is prescribed no more
    flare = flare_state(replace(record, sessions=(elsewhere, *record.sessions[1:])))
    assert flare and (flare.leave_out, flare.hurt_on) == (("E2",), (ago(2),)), "what hurt before is not forgotten"


def test_a_new_stage_is_a_clinicians_answer_to_the_pain_before_it() -> None:
    prescription = a_prescription("intermediate", signed=True)
    record = an_episode(week("done 9/5, -"), stage="intermediate", prescription=prescription, episode_start=ago(1), stage_start=TODAY)
    assert flare_state(record) is None


def test_the_flare_says_why_and_until_what() -> None:
    flare = signed("done 8/2, done 2/2")
    assert flare
    assert flare.sentence == "Signed flare plan in force: pain 8/10 in Saturday's session (21 Nov), above 5."
    assert flare.until == "easier versions until 2 settled days (1 so far); the exercise that hurt is left out until the physio has looked"


@pytest.mark.parametrize(("gap", "volume", "physio_first"), [(6, None, None), (7, 60, False), (13, 60, False), (14, None, True)])
def test_a_week_without_loading_restarts_at_part_volume_and_two_weeks_with_the_physio(
    gap: int, volume: int | None, physio_first: bool | None
) -> None:
    restart = restart_state(an_episode(week("done 1") + days_of("paused", gap)))
    assert (restart.physio_first if restart else None) is physio_first
    if restart:
        assert (restart.gap_days, restart.volume_pct, restart.last_loaded) == (gap, volume, ago(gap))


def test_who_never_began_has_nothing_to_restart() -> None:
    assert restart_state(an_episode(days_of("missed", 20))) is None
