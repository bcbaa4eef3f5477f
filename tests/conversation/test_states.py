"""The questions as data: complete, answerable by button, and open long enough to be answered late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot_service.conversation.states import CHANGE, KINDS, SCORES, WRONG, Kind

OWN_WORDS_ONLY = {"what_is_wrong"}


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_question_has_buttons_but_the_one_that_asks_for_words(kind: Kind) -> None:
    assert bool(kind.rows) is (kind.name not in OWN_WORDS_ONLY | {"which"})  # the buttons of `which` are its choices
    assert len({answer for row in kind.rows for answer in row}) == sum(len(row) for row in kind.rows)


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.scored], ids=lambda kind: kind.name)
def test_a_scored_question_offers_the_whole_scale(kind: Kind) -> None:
    assert [answer for row in kind.rows for answer in row if answer in SCORES] == list(SCORES)
    assert kind.read_as is not None


def test_every_question_about_a_session_offers_something_is_wrong() -> None:
    for name in ("session", "session_pain", "pain_24h"):
        assert any(WRONG in row for row in KINDS[name].rows), name


def test_rows_are_short_enough_for_a_phone_and_change_is_no_answer() -> None:
    for kind in KINDS.values():
        assert all(len(row) <= 6 for row in kind.rows)
        assert not any(CHANGE in row for row in kind.rows)


def test_a_question_stays_open_at_least_until_the_evening_and_ends_one_day() -> None:
    for kind in KINDS.values():
        assert timedelta(hours=12) <= kind.open_for <= timedelta(days=60)
