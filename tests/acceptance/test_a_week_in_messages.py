"""What a week costs in messages when everything is answered with a number (`clinical.md` 0.12), counted on a phone."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from bot_service.actions import review
from bot_service.sample.personas import Habits, Pain, Persona
from tests.acceptance.playground import Playground

ANSWERS_ALL = Habits(done=1.0, partly=0.0, answers=1.0, next_day=1.0, taps=1.0, typos=0.0, vague=0.0, slips=0.0, minutes=20, evening=0.0)
LOW = Pain(1.0, 0.5, 3, load=0.3, noise=0.2, flare=0.0, late=0.0)


def _messages_in_week(playground: Playground, name: str, week: int) -> int:
    """Messages on the phone in the `week`-th seven local days, the first being week 0."""
    got = playground.got(name)
    first = got[0].day + timedelta(days=7 * week)
    return sum(first <= message.day < first + timedelta(days=7) for message in got)


def _settled_in(playground: Playground, stage: str) -> str:
    playground.join(Persona(name=f"Steady in {stage}", at=time(8), stage=stage, baseline=2, pain=LOW, habits=ANSWERS_ALL))
    return f"Steady in {stage}"


@pytest.mark.parametrize(("stage", "most"), [("early", 21), ("intermediate", 12), ("advanced", 8)])
def test_a_week_in_which_everything_is_answered_stays_under_the_cap(playground: Playground, stage: str, most: int) -> None:
    name = _settled_in(playground, stage)
    playground.play(days=22)
    weeks = [_messages_in_week(playground, name, week) for week in (1, 2)]
    assert max(weeks) <= most, weeks
    assert min(weeks) >= most - 3, "nearly all of it is needed: the sessions, the questions a day later, and what answers them"


def test_with_the_faster_block_opened_a_week_takes_at_most_twelve(playground: Playground) -> None:
    name = _settled_in(playground, "advanced")
    playground.play(days=22)
    proposal = playground.pending(name)
    assert proposal is not None
    assert proposal.rule == "C3"
    review.approve(playground.db, playground.decision(name), proposal.id, playground.player.clock.now())
    playground.play(days=14)
    assert 8 < _messages_in_week(playground, name, 4) <= 12


def test_no_day_brings_more_than_one_message_unasked(playground: Playground) -> None:
    name = _settled_in(playground, "early")
    playground.play(days=10)
    unasked = [message.day for message in playground.got(name) if message.text.startswith(("Your exercises", "One question", "How is"))]
    assert len(unasked) >= 9
    assert len(unasked) == len(set(unasked))
