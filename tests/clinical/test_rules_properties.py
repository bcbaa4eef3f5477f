"""What must hold of every history: pain only ever makes the rules more careful, and the order of the rows means nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import chain
from random import Random
from typing import TypeVar

from hypothesis import assume, event, given
from hypothesis import strategies as st

from bot_service.clinical.catalogue import RULES, URGENCIES
from bot_service.clinical.flags import PAIN_RULES, Flag, closes_itself, flags_for
from bot_service.clinical.flare import flare_state
from bot_service.clinical.pain import safety_question_due
from bot_service.clinical.progression import BLOCKERS, Proposal, progression_flags, standing
from bot_service.clinical.record import Record
from tests.builders import a_plan
from tests.strategies import records, scores

Row = TypeVar("Row")

BOLDNESS = {None: 0, "C0": 1, "C5": 2, "C1": 3, "C2": 3, "C3": 3, "C4": 3}


@st.composite
def more_pain(draw: st.DrawFn) -> tuple[Record, Record, bool]:
    """A record, the same with one known score raised, and whether that score lies within the last seven days."""
    record = draw(records())
    places = [(True, i) for i, item in enumerate(record.sessions) if item.pain is not None and item.pain < 10]
    places += [(False, i) for i, item in enumerate(record.next_days) if item.score < 10]
    assume(places)
    in_session, place = draw(st.sampled_from(places))
    if in_session:
        session = record.sessions[place]
        raised = replace(session, pain=draw(st.integers((session.pain or 0) + 1, 10)))
        sessions = (*record.sessions[:place], raised, *record.sessions[place + 1 :])
        return record, replace(record, sessions=sessions), session.day > record.today - timedelta(days=7)
    answer = record.next_days[place]
    worse = replace(answer, score=draw(st.integers(answer.score + 1, 10)))
    next_days = (*record.next_days[:place], worse, *record.next_days[place + 1 :])
    return record, replace(record, next_days=next_days), answer.day > record.today - timedelta(days=7)


def by_rule(record: Record) -> dict[str, Flag]:
    return {flag.rule: flag for flag in flags_for(record)}


def bold(proposal: Proposal | None) -> int:
    return BOLDNESS[proposal.rule if proposal else None]


@given(more_pain())
def test_more_pain_never_removes_a_pain_flag_nor_makes_it_less_urgent(histories: tuple[Record, Record, bool]) -> None:
    """B4 compares weeks, so more pain in an earlier week can undo a rise; in the latest week it cannot."""
    before, after, recent = histories
    had, has = by_rule(before), by_rule(after)
    kept = PAIN_RULES if recent else PAIN_RULES - {"B4"}
    assert had.keys() & kept <= has.keys()
    for rule in had.keys() & kept:
        assert URGENCIES.index(has[rule].urgency) <= URGENCIES.index(had[rule].urgency)
        assert had[rule].digest_only or not has[rule].digest_only or "A4" in has
    assert "B2" not in had or {"B2", "B3"} & has.keys()


@given(more_pain())
def test_more_pain_never_makes_a_proposal_bolder(histories: tuple[Record, Record, bool]) -> None:
    before, after, _ = histories
    was, now = standing(before, a_plan(), ()), standing(after, a_plan(), ())
    event(f"proposal {was.proposal.rule if was.proposal else None}")
    assert bold(now.proposal) <= bold(was.proposal)
    assert {(item.exercise, item.rung) for item in now.rungs} <= {(item.exercise, item.rung) for item in was.rungs}


@given(more_pain())
def test_more_pain_never_ends_a_flare_nor_closes_a_case(histories: tuple[Record, Record, bool]) -> None:
    before, after, _ = histories
    was, now = flare_state(before), flare_state(after)
    if was is not None:
        assert now is not None
        assert set(was.easier) <= set(now.easier)
        assert set(was.leave_out) <= set(now.leave_out) and set(was.hurt_on) <= set(now.hurt_on)
    for rule in ("A3", "A4", "B3"):
        assert closes_itself(rule, before) or not closes_itself(rule, after)


@given(records(), scores, scores)
def test_a_higher_score_never_makes_the_safety_question_less_due(record: Record, one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert safety_question_due(record, low) <= safety_question_due(record, high)


@given(records(), st.sets(st.sampled_from(sorted(RULES))))
def test_no_proposal_over_an_open_blocker(record: Record, open_rules: set[str]) -> None:
    now = standing(record, a_plan(), open_rules)
    assert len(now.blockers) == len(open_rules & BLOCKERS.keys())
    if now.blockers:
        assert now.proposal is None
        assert now.rungs == ()
        assert progression_flags(now, record) == ()


@given(records(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(record: Record, random: Random) -> None:
    def mixed(rows: tuple[Row, ...]) -> tuple[Row, ...]:
        return tuple(random.sample(rows, len(rows)))

    other = replace(
        record,
        scheduled=mixed(record.scheduled),
        sessions=mixed(record.sessions),
        next_days=mixed(record.next_days),
        replies=mixed(record.replies),
        skip_reasons=mixed(record.skip_reasons),
    )
    assert flags_for(other) == flags_for(record) == flags_for(record)
    assert standing(other, a_plan(), ()) == standing(record, a_plan(), ())
    assert flare_state(other) == flare_state(record)


@given(records())
def test_optional_slots_count_for_nothing(record: Record) -> None:
    without = replace(
        record,
        scheduled=tuple(item for item in record.scheduled if not item.optional),
        sessions=tuple(item for item in record.sessions if not item.optional),
    )
    assert flags_for(without) == flags_for(record)
    assert standing(without, a_plan(), ()) == standing(record, a_plan(), ())


@given(records())
def test_every_flag_can_be_checked_against_its_rows(record: Record) -> None:
    read = [*(item.evidence for item in record.sessions), *(item.evidence for item in record.next_days)]
    rows = set(chain.from_iterable([*read, *(item.evidence for item in record.skip_reasons)]))
    flags = flags_for(record)
    assert len({flag.rule for flag in flags}) == len(flags)
    for flag in (*flags, *progression_flags(standing(record, a_plan(), ()), record)):
        event(flag.rule)
        assert set(flag.evidence) <= rows
        assert flag.rule in RULES
        assert flag.occurred <= record.today
        assert all(record.episode_start <= day <= record.today for day in flag.days if flag.rule != "D6")
        assert 20 < len(flag.sentence) <= 600
        assert flag.sentence.endswith(".")


@given(records())
def test_without_a_usual_pain_no_b_rule_speaks_and_nothing_is_proposed(record: Record) -> None:
    unknown = replace(record, baseline=None)
    assert not {flag.rule for flag in flags_for(unknown)} & {"B2", "B3", "B4"}
    assert standing(unknown, a_plan(), ()).proposal is None


@given(records())
def test_a_stage_step_is_proposed_only_when_every_criterion_of_the_record_is_met(record: Record) -> None:
    proposal = standing(record, a_plan(), ()).proposal
    if proposal is None:
        return
    unmet = {item.key for item in proposal.criteria if item.met is not True and not item.key.startswith("checklist")}
    assert unmet == ({"adherence"} if proposal.rule == "C5" else set())
