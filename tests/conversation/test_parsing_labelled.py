"""The gates: every labelled reply, ours and the held-out ones, is read as labelled or asked again."""

from __future__ import annotations

import pytest

from bot_service.conversation.parsing import read
from tests.conversation.labelled import Row, rows, shipped

LABELLED, HELD_OUT = rows("replies.jsonl"), rows("held_out_replies.jsonl")


def answer(row: Row) -> int | str:
    return read(row.text, row.question, row.language).answer


@pytest.mark.parametrize("file", [LABELLED, HELD_OUT], ids=["labelled", "held out"])
def test_no_wrong_number_is_ever_recorded(file: list[Row]) -> None:
    assert [(row, answer(row)) for row in file if isinstance(answer(row), int) and answer(row) != row.expect] == []


@pytest.mark.parametrize("file", [LABELLED, HELD_OUT], ids=["labelled", "held out"])
@pytest.mark.parametrize("word", ["red_flag", "stop"])
def test_no_red_flag_and_no_stop_is_missed_or_invented(file: list[Row], word: str) -> None:
    assert [(row, answer(row)) for row in file if (answer(row) == word) != (row.expect == word)] == []


def test_at_least_98_in_100_replies_in_shipped_languages_are_read_exactly_as_labelled() -> None:
    asked = shipped(LABELLED)
    different = [(row, answer(row)) for row in asked if answer(row) != row.expect]
    assert len(different) <= 0.02 * len(asked), different


def test_held_out_replies_are_read_as_labelled_but_for_those_that_say_what_we_ask_instead() -> None:
    assert [(row, answer(row)) for row in shipped(HELD_OUT) if answer(row) != row.read] == []
    assert [row for row in HELD_OUT if row.read != row.expect and isinstance(row.read, int)] == []


@pytest.mark.parametrize("file", [LABELLED, HELD_OUT], ids=["labelled", "held out"])
def test_other_languages_are_read_right_or_asked_again(file: list[Row]) -> None:
    others = [row for row in file if row not in shipped(file)]
    assert [(row, answer(row)) for row in others if answer(row) not in {row.expect, "ambiguous"}] == []
