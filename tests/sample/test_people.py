"""Simulated patients react to words and buttons as people do, the same way whenever they are asked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_service.conversation.states import KINDS
from bot_service.sample import phrases
from bot_service.sample.archetypes import draw_persona
from bot_service.sample.body import Body
from bot_service.sample.person import Person, Seen
from bot_service.sample.personas import Habits, Moment, Pain, Persona, Remark
from bot_service.sample.understanding import ASKED_BY, english, what_is_asked

SCALE = tuple(str(score) for score in range(11))
MORNING = datetime(2026, 6, 1, 7, tzinfo=UTC)
PROMPT = "\n\n".join(english().texts[key] for key in ("prompt_intro", "when_done"))
EAGER = Habits(done=1.0, partly=0.0, answers=1.0, next_day=1.0, vague=0.0, slips=0.0, evening=0.0)


def _exercises(at: datetime = MORNING) -> Seen:
    return Seen(at, "m1", PROMPT, (*SCALE, "Did some", "Not today", "How to do them", "Something's wrong"))


def _said(key: str) -> str:
    """A sentence of the catalogue with something in every name's place."""
    return re.sub(r"\$\{\w+\}", "7 May", english().texts[key])


NOT_A_QUESTION = {"reason_forgot"}
"""Sentences with a question mark that want no answer."""
ASKS = {key: asked for asked, keys in ASKED_BY.items() for key in keys.split()}


def test_a_person_knows_every_question_of_the_catalogue() -> None:
    asking = {key for key, text in english().texts.items() if "?" in text} - NOT_A_QUESTION
    assert asking <= ASKS.keys(), "a new question: say in bot_service/sample/understanding.py what it asks"
    assert {f"again_{kind}" for kind in KINDS} & english().texts.keys() <= ASKS.keys()
    alike = {"change_session_pain": "exercises"}  # worded as the question about a session
    for key, asked in ASKS.items():
        assert what_is_asked(f"Thank you.\n\n{_said(key)}", ("Yes", "10")) == alike.get(key, asked), key


@pytest.mark.parametrize(("before", "asked"), [("nudge", "nudge"), ("which", "which"), ("confirm_not_done", "confirm")])
def test_a_question_is_known_by_its_key_however_it_is_worded(before: str, asked: str) -> None:
    with pytest.MonkeyPatch.context() as anew:
        anew.setitem(cast(dict[str, str], english().texts), before, "Quite other words about ${day}")
        assert what_is_asked("Quite other words about yesterday", SCALE) == asked
        assert what_is_asked("Other words about yesterday", SCALE) == "nothing"


def test_what_asks_nothing_is_not_answered() -> None:
    assert what_is_asked("Recorded: 3 out of 10.", ("Change",)) == "nothing"
    assert what_is_asked(PROMPT, ()) == "nothing", "shown on request, without buttons"
    assert what_is_asked(_said("ask_24h") + "\n\n" + _said("exercises_follow"), SCALE) == "next_day"
    assert what_is_asked(PROMPT, SCALE) == "exercises"


def test_the_same_person_does_the_same_with_the_same_message() -> None:
    persona = draw_persona(7, 3, date(2026, 6, 1), date(2026, 8, 1))
    first, second = (Person(persona, 7, date(2026, 6, 1)) for _ in range(2))
    assert first.react(_exercises()) == second.react(_exercises())
    assert Person(persona, 8, date(2026, 6, 1)).react(_exercises(MORNING + timedelta(days=40))) != first.react(
        _exercises(MORNING + timedelta(days=40))
    )


def test_a_person_answers_a_message_once() -> None:
    person = Person(Persona("Ann", habits=EAGER), 1, MORNING.date())
    assert len(person.react(_exercises())) == 1
    assert person.react(_exercises(MORNING + timedelta(hours=1))) == []


def test_a_slip_is_put_right_minutes_later() -> None:
    moments = {MORNING.date(): Moment(during=2, slip=7, fix="oops, 2")}
    wrong, right = Person(Persona("Ann", habits=EAGER, moments=moments), 1, MORNING.date()).react(_exercises())
    assert (wrong.words, right.words) == ("7", "oops, 2")
    assert timedelta(0) < right.at - wrong.at < timedelta(minutes=5)


def test_when_not_understood_most_people_use_a_button_or_the_bare_number() -> None:
    person = Person(Persona("Ann", habits=EAGER), 1, MORNING.date())
    person.react(_exercises())
    text = "\n\n".join(map(_said, ("not_understood", "again_session")))
    again = person.react(Seen(MORNING + timedelta(hours=2), "m2", text, (*SCALE, "Did some", "Not today")))
    assert len(again) == 1
    assert again[0].words in SCALE


def test_somebody_who_answers_everything_does_not_leave_a_question_that_is_asked_again() -> None:
    text = "\n\n".join(map(_said, ("not_understood", "again_session")))

    def answers(habits: Habits, day: int) -> int:
        at = MORNING + timedelta(days=day)
        person = Person(Persona("Ann", habits=habits), 1, MORNING.date())
        person.react(_exercises(at))
        return len(person.react(Seen(at + timedelta(hours=2), "m2", text, (*SCALE, "Did some", "Not today"))))

    assert {answers(EAGER, day) for day in range(200)} == {1}
    assert {answers(replace(EAGER, answers=0.9), day) for day in range(200)} == {0, 1}


def test_somebody_silent_says_nothing_and_somebody_with_something_to_say_says_it() -> None:
    day = MORNING.date()
    persona = Persona("Ann", habits=EAGER, silent=((day, day),), remarks=(Remark(day, time(13), "hello"),))
    person = Person(persona, 1, day)
    assert person.react(_exercises()) == []
    assert [act.words for act in person.own_accord(MORNING - timedelta(days=1))] == ["hello"]


@given(number=st.integers(1, 5000), seed=st.integers(0, 50), hour=st.integers(0, 23), days=st.integers(0, 80))
def test_nobody_answers_at_night_and_everybody_after_the_message(number: int, seed: int, hour: int, days: int) -> None:
    persona = draw_persona(seed, number, date(2026, 6, 1), date(2026, 9, 1))
    arrived = datetime(2026, 6, 1, hour, tzinfo=UTC) + timedelta(days=days)
    for act in Person(persona, seed, date(2026, 6, 1)).react(_exercises(arrived)):
        assert act.at > arrived
        assert 6 <= act.at.astimezone(ZoneInfo(persona.zone)).hour <= 23


@given(seed=st.integers(0, 1000), days=st.integers(0, 200), start=st.floats(0, 10), flare=st.floats(0, 1))
def test_pain_stays_on_the_scale(seed: int, days: int, start: float, flare: float) -> None:
    body = Body(Pain(start=start, flare=flare, rise_per_week=0.5), seed, "Ann", date(2026, 6, 1))
    day = date(2026, 6, 1) + timedelta(days=days)
    assert 0 <= body.during(day, eased=False, moved_on=day) <= 10
    assert 0 <= body.after(day) <= 10


@given(seed=st.integers(0, 10_000), score=st.integers(0, 10))
def test_a_typo_never_changes_a_number(seed: int, score: int) -> None:
    rng = Random(seed)
    typed = phrases.as_typed(rng, phrases.pick(rng, tuple(words for words in phrases.SESSION_SCORE if "{n}" in words), score), 1.0)
    assert "".join(letter for letter in typed if letter.isdigit()).removesuffix("10" if "out of 10" in typed or "/10" in typed else "")
    assert str(score) in typed


def test_pain_falls_over_the_weeks_and_jumps_after_a_hard_session() -> None:
    steady = Body(Pain(4, 0.5, 2, noise=0.0, flare=0.0, late=0.0), 1, "Ann", date(2026, 6, 1))
    assert steady.during(date(2026, 6, 1), eased=False, moved_on=None) > steady.during(date(2026, 7, 20), eased=False, moved_on=None)
    hard = Body(Pain(2, 2, 2, noise=0.0, flare=1.0, late=0.0), 1, "Ann", date(2026, 6, 1))
    assert hard.during(date(2026, 6, 2), eased=False, moved_on=None) >= 6
    assert hard.after(date(2026, 6, 3)) >= 4
