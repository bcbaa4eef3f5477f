"""D3, D4 and D5: taking part. All are reasons on one case."""

from __future__ import annotations

import pytest

from bot_service.clinical.engagement import no_longer_so, silent_days
from bot_service.clinical.flags import Flag, flags_for
from bot_service.clinical.record import Record
from tests.builders import TODAY, ago, an_episode, days_of, row_id, week


def found(record: Record, rule: str) -> Flag | None:
    return next((flag for flag in flags_for(record) if flag.rule == rule), None)


@pytest.mark.parametrize(
    ("history", "fires"),
    [
        ("done 1, no, no", False),
        ("no, no, no", True),
        ("no, -, no, -, no", True),
        ("no, paused, no, unsent, no, waiting", True),
        ("no, missed, no, no", False),
        ("no, no, partly 1", False),
        ("no, no, no, missed", False),
        ("no, no, no + done 1", False),
        ("no, no, extra 1, no", True),
        ("no, no", False),
    ],
)
def test_d3_fires_when_three_scheduled_days_running_were_answered_no(history: str, fires: bool) -> None:
    assert (found(an_episode(week(history)), "D3") is not None) is fires


@pytest.mark.parametrize(
    ("history", "urgency", "words"),
    [
        ("no, no, no", "routine", "no reason given yet"),
        ("no, no forgot, no", "routine", "reason given: forgot"),
        ("no time, no, no pain", "three_days", "reason given: no time and pain"),
    ],
)
def test_d3_with_pain_as_the_reason_goes_to_the_physio(history: str, urgency: str, words: str) -> None:
    flag = found(an_episode(week(history)), "D3")
    assert flag
    assert (flag.urgency, flag.case) == (urgency, "engagement")
    assert flag.sentence == f"Answered not done on 3 scheduled days in a row (20 Nov, 21 Nov and 22 Nov); {words}."
    assert flag.evidence == (row_id(ago(2)), row_id(ago(1)), row_id(TODAY))


@pytest.mark.parametrize(
    ("pattern", "days", "fires"),
    [
        ("done 1, missed", 15, False),
        ("done 1, missed, missed", 15, True),
        ("missed", 14, False),
        ("partly 1", 15, False),
        ("paused, unsent", 15, False),
        ("-, -, -, -, -, missed", 15, False),
        ("-, -, -, missed", 16, True),
        ("extra 1", 15, False),
    ],
)
def test_d4_fires_below_half_over_fourteen_days_once_enough_was_asked(pattern: str, days: int, fires: bool) -> None:
    assert (found(an_episode(days_of(pattern, days)), "D4") is not None) is fires


def test_d4_says_how_much_was_done() -> None:
    flag = found(an_episode(days_of("missed, done 1, missed", 15)), "D4")
    assert flag
    assert flag.sentence == "36 % done over 14 days: 5 of 14 scheduled days in full."
    assert len(flag.days) == 14
    assert len(flag.evidence) == 5


@pytest.mark.parametrize(
    ("history", "silent"),
    [
        ("done 1", 0),
        ("done 1, missed, missed", 2),
        ("done 1, -, missed, -", 3),
        ("done 1, missed, paused, -, missed", 2),
        ("done 1, unsent, missed", 1),
        ("no, missed", 1),
        ("missed, missed", 1),
        ("done 1/2, missed, missed", 1),
    ],
)
def test_silence_counts_the_days_since_the_last_word_but_not_those_we_kept_silent(history: str, silent: int) -> None:
    assert silent_days(an_episode(week(history))) == silent


@pytest.mark.parametrize(
    ("history", "urgency"),
    [
        ("done 1" + ", missed" * 6, None),
        ("done 1" + ", missed" * 7, "routine"),
        ("done 1" + ", missed" * 13, "routine"),
        ("done 1" + ", missed" * 14, "three_days"),
        ("done 1" + ", missed" * 7 + ", paused" * 6, "routine"),
        ("done 1" + ", missed" * 7 + ", paused" * 7, "three_days"),
        ("done 1" + ", -" * 7, None),
        ("done 1" + ", paused" * 20, None),
        ("done 1" + ", unsent" * 20, None),
        ("done 1" + ", missed" * 6 + ", no", None),
    ],
)
def test_d5_fires_after_seven_silent_days_and_presses_after_fourteen(history: str, urgency: str | None) -> None:
    flag = found(an_episode(week(history)), "D5")
    assert (flag.urgency if flag else None) == urgency


def test_any_word_from_the_patient_ends_the_silence() -> None:
    history = week("done 1" + ", missed" * 9)
    assert found(an_episode(history), "D5")
    assert found(an_episode(history, replies=(ago(9), ago(1))), "D5") is None


def test_d5_says_since_when() -> None:
    flag = found(an_episode(week("done 1" + ", missed" * 7)), "D5")
    assert flag
    assert flag.sentence == "No reply since Sunday 15 Nov; 7 prompt days unanswered."
    never = found(an_episode(days_of("missed", 8)), "D5")
    assert never
    assert never.sentence == "No reply since the start on Sunday 15 Nov; 7 prompt days unanswered."


@pytest.mark.parametrize(
    ("history", "denied"),
    [
        ("no, " * 14 + "no", {"D5"}),
        ("no, " * 14 + "done 1", {"D3", "D5"}),
        ("done 1, " * 14 + "missed", {"D3", "D4", "D5"}),
        ("done 1, no, no, no, " + "missed, " * 10 + "missed", {"D3"}),
        ("no, no, no, " + "missed, " * 8 + "paused, " * 20 + "paused", {"D3"}),
        ("no, no, no, " + "missed, " * 6 + "paused, " * 2 + "paused", {"D3"}),
    ],
    ids=["refuses", "did it today", "does it", "silent", "silent and held since", "held before the week was over"],
)
def test_what_the_record_cannot_tell_it_does_not_deny(history: str, denied: set[str]) -> None:
    assert no_longer_so(an_episode(week(history))) == denied
