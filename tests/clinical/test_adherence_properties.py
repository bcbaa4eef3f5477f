"""Adherence and reply rate over every history: within bounds, and never lowered by what we or a pause kept back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import get_args

from hypothesis import assume, given
from hypothesis import strategies as st

from bot_service.clinical.adherence import adherence, reply_rate
from bot_service.clinical.record import Asked, DayStatus, Record, Scheduled
from tests.strategies import records

windows = st.integers(1, 60)
ours: st.SearchStrategy[Asked] = st.sampled_from(("not_sent", "paused"))


@given(records(), windows)
def test_both_numbers_lie_within_0_and_100_and_are_known_together(record: Record, days: int) -> None:
    done, heard = adherence(record, days), reply_rate(record, days)
    assert (done is None) == (heard is None)
    assert done is None or 0 <= done <= 100
    assert heard is None or 0 <= heard <= 100
    assert done is None or heard is None or done <= heard


@given(records(), windows, ours)
def test_days_that_were_not_sent_or_paused_change_nothing(record: Record, days: int, status: Asked) -> None:
    resting = [day for day in record.days_back(60) if record.status(day) == "rest"]
    assume(resting)
    kept_back = replace(record, scheduled=(*record.scheduled, *(Scheduled(day, 1, status, record.stage) for day in resting)))
    assert adherence(kept_back, days) == adherence(record, days)
    assert reply_rate(kept_back, days) == reply_rate(record, days)


@given(records(), windows, ours, st.data())
def test_an_unanswered_day_that_turns_out_not_sent_never_lowers_adherence(
    record: Record, days: int, status: Asked, data: st.DataObject
) -> None:
    unanswered = [day for day in record.days_back(days) if record.status(day) == "no_reply"]
    assume(unanswered)
    day = data.draw(st.sampled_from(unanswered))
    found = replace(record, scheduled=tuple(replace(item, status=status) if item.day == day else item for item in record.scheduled))
    before, after = adherence(record, days), adherence(found, days)
    assert after is None or (before is not None and after >= before)


@given(records(), st.integers(1, 60))
def test_the_strip_has_one_known_status_for_each_day_up_to_today(record: Record, last: int) -> None:
    strip = record.strip(last)
    assert 1 <= len(strip) <= last
    assert strip[-1][0] == record.today
    assert all(later[0] - earlier[0] == timedelta(days=1) for earlier, later in pairwise(strip))
    assert {status for _, status in strip} <= set(get_args(DayStatus))
