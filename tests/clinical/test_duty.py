"""Who is told, and when: cover, deputies and leads, counted in opening hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_service.clinical.duty import STEPS, Away, Colleague, Limits, acts_for, covered_by, may_acknowledge, told_at, whom_to_tell
from bot_service.clinical.working_hours import DEFAULT_HOURS, WEEKDAYS, after_working, next_opening

A, B, C, D, E = (UUID(int=number) for number in range(1, 6))
TODAY = date(2026, 9, 22)
LIMITS = Limits(60, 240, 1)


def team(**changes: Colleague) -> dict[UUID, Colleague]:
    """A to C treat, B is deputy, D leads as admin, E has left."""
    found = {
        A: Colleague(A, "physio", True, None),
        B: Colleague(B, "physio", True, "deputy"),
        C: Colleague(C, "physio", True, None),
        D: Colleague(D, "admin", True, "lead"),
        E: Colleague(E, "physio", False, None),
    }
    return found | {each.id: each for each in changes.values()}


def away(who: UUID, cover: UUID, first: date = TODAY, last: date = TODAY) -> Away:
    return Away(who, cover, first, last)


@pytest.mark.parametrize(
    ("aways", "acting"),
    [
        ([], A),
        ([away(A, B)], B),
        ([away(A, B), away(B, C)], C),
        ([away(A, B), away(B, A)], None),
        ([away(A, B, TODAY - timedelta(3), TODAY - timedelta(1))], A),
        ([away(A, B, TODAY + timedelta(1), TODAY + timedelta(3))], A),
        ([away(A, B, TODAY - timedelta(3), TODAY)], B),
    ],
    ids=["nobody away", "away", "cover away too", "in a circle", "was away", "will be away", "last day counts"],
)
def test_who_acts_for_a_colleague(aways: list[Away], acting: UUID | None) -> None:
    assert acts_for(A, aways, TODAY) == acting
    assert (A in covered_by(acting, [A, B, C], aways, TODAY)) if acting else True


@pytest.mark.parametrize(
    ("step", "physio", "aways", "told"),
    [
        ("tell", A, [], [A]),
        ("remind", A, [], [A]),
        ("deputy", A, [], [B]),
        ("lead", A, [], [D]),
        ("tell", A, [away(A, C)], [C]),
        ("tell", A, [away(A, C), away(C, A)], [B]),
        ("tell", E, [], [B]),
        ("deputy", B, [], [D]),
        ("deputy", A, [away(B, C)], [D]),
        ("lead", A, [away(D, A)], [D]),
    ],
    ids=["own", "again", "deputy", "lead", "cover", "circle", "left", "own deputy", "deputy away", "lead away"],
)
def test_whom_each_step_tells(step: str, physio: UUID, aways: list[Away], told: list[UUID]) -> None:
    if (step, aways) == ("lead", [away(D, A)]):
        told = [A, B, C]  # no admin is left but the lead who is away: everybody who treats
    assert whom_to_tell(step, physio, team(), aways, TODAY) == told  # type: ignore[arg-type]


def test_without_deputy_and_lead_the_admins_are_told_and_without_these_every_physio() -> None:
    plain = {key: Colleague(each.id, each.role, each.active, None) for key, each in team().items()}
    assert whom_to_tell("deputy", A, plain, [], TODAY) == whom_to_tell("lead", A, plain, [], TODAY) == [D]
    del plain[D]
    assert whom_to_tell("lead", A, plain, [], TODAY) == [A, B, C]
    alone = {A: plain[A]}
    assert whom_to_tell("lead", A, alone, [], TODAY) == [A]
    assert whom_to_tell("lead", A, {E: team()[E]}, [], TODAY) == []


PEOPLE = st.lists(st.sampled_from([A, B, C, D, E]), min_size=2, max_size=2, unique=True)


@given(st.lists(PEOPLE, max_size=5), st.sampled_from(STEPS), st.sampled_from([A, B, C, D, E]))
def test_nobody_who_is_away_or_gone_is_ever_told_and_nobody_twice(pairs: list[list[UUID]], step: str, physio: UUID) -> None:
    aways = [away(who, cover) for who, cover in pairs]
    told = whom_to_tell(step, physio, team(), aways, TODAY)  # type: ignore[arg-type]
    assert E not in told and len(set(told)) == len(told)
    assert not {each.staff_id for each in aways} & set(told)
    if not {A, B, C, D} <= {each.staff_id for each in aways}:
        assert told, "somebody is there, so somebody is told"


def test_whoever_is_told_may_acknowledge_and_a_viewer_is_never_told() -> None:
    people = team(viewer=Colleague(UUID(int=6), "viewer", True, "lead"))
    assert [each for each in people if may_acknowledge(each, people)] == [A, B, C, D, E]
    assert whom_to_tell("lead", A, people, [], TODAY) == [D]
    nobody_on_duty = team(b=Colleague(B, "physio", True, None), d=Colleague(D, "admin", True, None))
    assert may_acknowledge(D, nobody_on_duty) and whom_to_tell("lead", A, nobody_on_duty, [], TODAY) == [D]
    another_leads = team(d=Colleague(D, "admin", True, None))
    assert not may_acknowledge(D, another_leads)


INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC))


@given(INSTANTS, st.integers(0, 3000), st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata"]))
def test_working_time_is_what_a_clock_that_runs_only_while_the_clinic_is_open_shows(at: datetime, minutes: int, zone: str) -> None:
    end = after_working(at, timedelta(minutes=minutes), DEFAULT_HOURS, zone)
    assert end >= at
    days = (end - at).days + 2
    if minutes and days < 12:
        ticks = [at + timedelta(minutes=number) for number in range(int((end - at).total_seconds() // 60) + 1)]
        worked = sum(_open(each, zone) for each in ticks[:-1])
        assert abs(worked - minutes) <= 2, (at, end)
        assert _open(end - timedelta(seconds=1), zone)


def _open(at: datetime, zone: str) -> bool:
    local = at.astimezone(ZoneInfo(zone))
    return local.weekday() < 5 and 8 <= local.hour < 18


@given(INSTANTS)
def test_the_steps_come_in_their_order(at: datetime) -> None:
    due = [told_at(step, at, LIMITS, DEFAULT_HOURS, "Europe/London") for step in STEPS]
    assert due[0] == at and due[1] == at + timedelta(minutes=10)
    assert due[2] <= due[3] <= due[4]


def test_the_next_opening_is_a_later_one_and_a_clinic_that_never_opens_has_none() -> None:
    monday_eight = datetime(2026, 9, 21, 7, tzinfo=UTC)
    assert next_opening(monday_eight - timedelta(minutes=1), DEFAULT_HOURS, "Europe/London") == monday_eight
    assert next_opening(monday_eight, DEFAULT_HOURS, "Europe/London") == monday_eight + timedelta(days=1)
    assert next_opening(monday_eight, {}, "Europe/London") is None
    assert after_working(monday_eight, timedelta(hours=1), {}, "Europe/London") == monday_eight + timedelta(hours=1)
    assert set(DEFAULT_HOURS) == set(WEEKDAYS[:5])
