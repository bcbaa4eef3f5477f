"""A crowd at one minute: as few minutes as it needs, the same patient always at the same one, never early and never too late."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.spreading import MINUTE, minutes_needed, time_later

HOUR = timedelta(hours=1)
people = st.uuids(version=4)


@pytest.mark.parametrize(("prompts", "per_s", "minutes"), [(0, 22.5, 1), (1350, 22.5, 1), (1351, 22.5, 2), (5000, 22.5, 4), (100, 0.5, 4)])
def test_it_takes_as_many_minutes_as_the_rate_needs(prompts: int, per_s: float, minutes: int) -> None:
    assert minutes_needed(prompts, per_s) == minutes


@given(people, st.integers(0, 1350), st.integers(0, 180))
def test_nobody_waits_when_all_leave_within_a_minute(person: UUID, prompts: int, room: int) -> None:
    assert time_later(person, prompts, 22.5, room * MINUTE) == timedelta(0)


@given(people, st.integers(0, 1_000_000), st.floats(0.1, 100), st.integers(1, 180))
def test_it_is_never_early_and_never_past_the_room_there_is(person: UUID, prompts: int, per_s: float, room: int) -> None:
    later = time_later(person, prompts, per_s, room * MINUTE)
    assert timedelta(0) <= later <= room * MINUTE
    assert later == time_later(person, prompts, per_s, room * MINUTE)


def test_a_crowd_is_spread_evenly() -> None:
    crowd = [UUID(int=number * 0x9E3779B97F4A7C15 % 2**128) for number in range(5000)]
    minutes = Counter(time_later(person, 5000, 22.5, HOUR) // MINUTE for person in crowd)
    assert set(minutes) == {0, 1, 2, 3}
    assert max(minutes.values()) < 1.05 * 1350, "hardly a minute gets more than leaves in it"
