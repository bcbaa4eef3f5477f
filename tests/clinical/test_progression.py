"""C1 to C5: what a stage asks before the next step may be proposed, and what blocks it."""

from __future__ import annotations

from datetime import date

import pytest

from bot_service.clinical.progression import BLOCKERS, Standing, progression_flags, standing
from bot_service.clinical.record import Record
from plans.model import Prescription
from tests.builders import Day, a_plan, a_prescription, ago, an_episode, days_of, week


def stands(
    history: tuple[Day, ...], *, stage: str = "early", baseline: int | None = 2, open_rules: tuple[str, ...] = (), unlocked: bool = False
) -> Standing:
    prescription = a_prescription(stage, unlocked=unlocked)
    return standing(an_episode(history, stage=stage, baseline=baseline, prescription=prescription), a_plan(), open_rules)


def step(now: Standing) -> str | None:
    """The rule of the stage step proposed, rungs aside."""
    return now.proposal.rule if now.proposal and now.proposal.rule != "C0" else None


def unmet(now: Standing) -> dict[str, bool | None]:
    return {item.key: item.met for item in now.criteria if item.met is not True and not item.key.startswith("checklist")}


def early(last: str, *, days: int = 15) -> Standing:
    """A good Early history that ends with these days."""
    tail = week(last)
    return stands(days_of("done 2/1", days - len(tail)) + tail)


def test_c1_is_proposed_when_everything_is_met() -> None:
    now = early("done 3/2")
    assert unmet(now) == {}
    assert now.blockers == ()
    assert now.proposal
    assert (now.proposal.rule, now.proposal.from_stage, now.proposal.to_stage) == ("C1", "early", "intermediate")
    assert now.proposal.sentence == (
        "Early Plan: last 6 loading days at 3/10 or below and settled at 3 or below, 100 % done over 14 days; "
        "moving to Intermediate Plan can be considered, your decision."
    )
    assert now.proposal.evidence


@pytest.mark.parametrize(
    ("last", "key"),
    [
        ("done 4/1", "session_pain"),
        ("done 4/1" + ", done 2/1" * 5, "session_pain"),
        ("done 2/3", "next_day_pain"),
        ("done 2, done 2, done 2/1", "next_day_pain"),
        ("done 2/1, done /4, done 2/1", "next_day_pain"),
        ("done 6/1" + ", done 2/1" * 6, "quiet"),
        ("done 2/7" + ", done 2/1" * 6, "quiet"),
        ("no pain", "quiet"),
    ],
)
def test_c1_fails_on_one_criterion_alone(last: str, key: str) -> None:
    now = early(last)
    assert step(now) is None
    assert key in unmet(now)


@pytest.mark.parametrize(
    "last",
    [
        "done 3/2",
        "done 4/1" + ", done 2/1" * 6,
        "done 2",
        "done 2, done 2/1, done 2",
        "done 6/1" + ", done 2/1" * 7,
        "no, no",
        "done, done",
    ],
)
def test_c1_stands_at_the_edge_of_each_criterion(last: str) -> None:
    assert step(early(last)) == "C1"


@pytest.mark.parametrize(("days", "proposed"), [(14, None), (15, "C1")])
def test_c1_waits_for_fourteen_days_in_the_stage(days: int, proposed: str | None) -> None:
    assert step(early("done 1/1", days=days)) == proposed


@pytest.mark.parametrize(("missed", "proposed"), [(2, "C1"), (3, "C5"), (5, "C5"), (6, None)])
def test_adherence_decides_between_c1_c5_and_nothing(missed: int, proposed: str | None) -> None:
    """Of 14 days 12 done is 85 %, 11 is 78 %, 9 is 64 % and 8 is 57 %."""
    now = stands(week("done 2/1") + days_of("missed", missed) + days_of("done 2/1", 14 - missed))
    assert step(now) == proposed


def test_exactly_eighty_percent_done_and_exactly_seventy_percent_answered_are_enough() -> None:
    eight_of_ten = week("done 2/1") + days_of("missed", 2) + days_of("paused", 4) + days_of("done 2/1", 8)
    assert step(standing(an_episode(eight_of_ten), a_plan(), ())) == "C1"
    seven_of_ten = week("done 2/1") + days_of("missed", 3) + days_of("paused", 4) + days_of("done 2/1", 7)
    assert step(standing(an_episode(seven_of_ten, replies=()), a_plan(), ())) == "C5"


def test_a_reply_rate_below_seventy_percent_stops_the_proposal() -> None:
    history = week("done 2/1") + days_of("missed", 5) + days_of("done 2/1", 9)
    answered = standing(an_episode(history), a_plan(), ())
    silent = standing(an_episode(history, replies=()), a_plan(), ())
    assert step(answered) == "C5"
    assert step(silent) is None
    assert unmet(silent).keys() == {"adherence", "reply_rate"}


@pytest.mark.parametrize(("refused", "proposed"), [(5, "C5"), (6, None)])
def test_c5_needs_sixty_percent(refused: int, proposed: str | None) -> None:
    now = stands(week("done 2/1") + days_of("no", refused) + days_of("done 2/1", 14 - refused))
    assert step(now) == proposed


def test_c5_is_a_reason_on_the_engagement_case_and_keeps_the_step_it_is_about() -> None:
    record = an_episode(week("done 2/1") + days_of("no", 4) + days_of("done 2/1", 10))
    now = standing(record, a_plan(), ())
    flag = progression_flags(now, record)[0]
    assert (flag.rule, flag.case, flag.urgency, flag.digest_only) == ("C5", "engagement", "routine", False)
    assert now.proposal
    assert now.proposal.to_stage == "intermediate"
    assert "adherence is low" in flag.sentence


@pytest.mark.parametrize(("next_days", "proposed"), [(0, None), (4, None), (5, "C1"), (6, "C1")])
def test_at_least_five_of_the_last_six_need_a_next_day_answer(next_days: int, proposed: str | None) -> None:
    assert step(stands(days_of("done 2", 20 - next_days) + days_of("done 2/1", next_days))) == proposed


def test_paused_unsent_and_optional_days_hold_nothing_against_the_patient() -> None:
    assert step(early("done 2/1, paused, unsent, extra 9/9, done 2/1, waiting", days=20)) == "C1"


def test_an_unknown_usual_pain_is_said_and_never_assumed() -> None:
    now = stands(days_of("done 1/1", 20), baseline=None)
    criterion = next(item for item in now.criteria if item.key == "next_day_pain")
    assert now.proposal is None
    assert criterion.met is None
    assert criterion.detail == "not assessable: usual pain not recorded"


def test_with_nothing_scheduled_adherence_is_not_assessable() -> None:
    now = stands(days_of("done 1/1", 20) + days_of("paused", 28))
    assert now.proposal is None
    assert {"adherence": None, "loading": False}.items() <= unmet(now).items()


@pytest.mark.parametrize(("gap", "proposed"), [(6, "C1"), (7, None)])
def test_nothing_is_proposed_while_a_restart_after_a_gap_is_due(gap: int, proposed: str | None) -> None:
    assert step(stands(days_of("done 1/1", 20) + days_of("paused", gap))) == proposed


@pytest.mark.parametrize("rule", sorted(BLOCKERS))
def test_no_step_and_no_rung_over_an_open_blocker(rule: str) -> None:
    now = stands(days_of("done 2/1", 20), open_rules=("D6", rule))
    assert now.proposal is None
    assert now.rungs == ()
    assert now.blockers == (BLOCKERS[rule],)


def test_other_open_cases_block_nothing() -> None:
    assert step(stands(days_of("done 2/1", 20), open_rules=("D2", "D4", "D6", "D7", "E4", "X3"))) == "C1"


def test_days_of_an_earlier_stage_earn_nothing() -> None:
    record = an_episode(days_of("done 1/1", 40), stage="intermediate", episode_start=ago(39), stage_start=ago(3))
    now = standing(record, a_plan(), ())
    assert {"min_days": False, "session_pain": False}.items() <= unmet(now).items()


def strength(stage: str, pattern: str, days: int, *, stage_start: date | None = None, unlocked: bool = False) -> Record:
    prescription: Prescription = a_prescription(stage, unlocked=unlocked)
    return an_episode(days_of(pattern, days), stage=stage, prescription=prescription, stage_start=stage_start, baseline=1)


@pytest.mark.parametrize(
    ("pattern", "days", "proposed"),
    [
        ("done 3/1, -", 29, "C2"),
        ("done 3/1, -", 28, None),
        ("done 3/2, -", 29, None),
        ("done 4/1, -", 29, None),
        ("done 2/1, extra 9, done 2/1, -, done 2/1, -, extra 7", 35, "C2"),
        ("done 2/1, -, done 2/1, -, no, -, done 2/1, -", 32, "C5"),
    ],
)
def test_c2_is_proposed_after_28_good_days(pattern: str, days: int, proposed: str | None) -> None:
    assert step(standing(strength("intermediate", pattern, days), a_plan(), ())) == proposed


def test_the_physios_own_tests_are_on_the_card_and_never_met_by_the_record() -> None:
    now = standing(strength("intermediate", "done 2/1, -", 35), a_plan(), ())
    own = [item for item in now.criteria if item.key.startswith("checklist")]
    assert own
    assert all(item.met is None for item in own)
    assert now.proposal
    assert set(own) <= set(now.proposal.criteria)


@pytest.mark.parametrize(
    ("pattern", "days", "proposed"),
    [("done 3/1, -, -", 22, "C3"), ("done 3/1, -, -", 14, None), ("done 4/1, -, -", 22, None), ("done 3/3, -, -", 22, None)],
)
def test_c3_suggests_the_locked_block_when_the_pattern_has_held(pattern: str, days: int, proposed: str | None) -> None:
    now = standing(strength("advanced", pattern, days), a_plan(), ())
    assert step(now) == proposed
    if now.proposal and proposed:
        assert now.proposal.to_stage is None


UNLOCKED_WEEK = "done 2/1, -, - + done 2/1, -, done 1/1, -, -"


@pytest.mark.parametrize(
    ("pattern", "days", "proposed"),
    [
        (UNLOCKED_WEEK, 35, "C4"),
        (UNLOCKED_WEEK, 28, None),
        (UNLOCKED_WEEK.replace("done 1/1", "done 3/1"), 35, None),
        (UNLOCKED_WEEK.replace("- + done 2/1", "done 2/1"), 35, None),
    ],
)
def test_c4_asks_for_the_return_to_sport_conversation_after_the_plyometric_block(pattern: str, days: int, proposed: str | None) -> None:
    now = standing(strength("advanced", pattern, days, unlocked=True), a_plan(), ())
    assert step(now) == proposed
    if now.proposal and proposed:
        assert now.proposal.to_stage is None
        assert "return-to-sport conversation can be considered" in now.proposal.sentence


@pytest.mark.parametrize(("sessions", "met"), [(3, False), (4, True)])
def test_the_plyometric_block_is_done_after_four_settled_days_of_it(sessions: int, met: bool) -> None:
    history = days_of(UNLOCKED_WEEK, 7 * sessions) + days_of("done 2/1, -", 28)
    record = an_episode(history, stage="advanced", baseline=1, prescription=a_prescription("advanced", unlocked=True))
    block = next(item for item in standing(record, a_plan(), ()).criteria if item.key == "plyometric_block")
    assert block.met is met
    assert block.detail == f"{sessions} so far"


def test_the_proposal_becomes_a_routine_flag_with_its_source() -> None:
    record = an_episode(days_of("done 2/1", 20))
    flags = progression_flags(standing(record, a_plan(), ()), record)
    assert (flags[0].rule, flags[0].urgency, flags[0].digest_only) == ("C1", "routine", False)
    assert all(flag.rule == "C0" and flag.digest_only for flag in flags[1:])
