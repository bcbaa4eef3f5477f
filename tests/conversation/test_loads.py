"""The load beside an answer: kept when it is plain, never a score, and never another day's weight."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_service.conversation.parsing import read
from bot_service.conversation.situation import Keep
from tests.conversation.situations import asked, found, kept, opted_in, says, taps


@pytest.mark.parametrize(
    ("text", "language", "load"),
    [
        ("done with 8 kg, 3", "en", "8 kg"),
        ("done (8kg), pain 3", "en", "8 kg"),
        ("now on 7.5 kilos. 2", "en", "7.5 kg"),
        ("pain 3 with 8 kg", "en", "8 kg"),
        ("done, 8kg each hand, 2", "en", "8 kg"),
        ("hecho con 8 kilos, 3", "es", "8 kg"),
        ("8,5 kg, 3", "es", "8.5 kg"),
        ("done, 3", "en", None),
        ("done with 8 kg then 10 kg, 3", "en", None),
        ("done with 8 kg, the last set with 10 kg, 3", "en", None),
        ("8 kg, done with 10 kg", "en", None),
        ("8 or 10 kg, done", "en", None),
        ("2x8kg done 4", "en", None),
        ("added 2kg, 3", "en", None),
        ("done, up by 2 kg, 3", "en", None),
        ("done, 2kg more than last time", "en", None),
        ("done. tomorrow with 10 kg", "en", None),
        ("8kg next time? done 3", "en", None),
        ("done without the 8kg", "en", None),
        ("couldn't do 8 kg", "en", None),
        ("900 kg done, 3", "en", None),
        ("0 kg done, 3", "en", None),
    ],
)
def test_only_a_plain_load_is_read(text: str, language: str, load: str | None) -> None:
    assert read(text, "did_you_exercise", language).load == load


@given(st.floats(0.5, 200).map(lambda kilos: round(kilos, 1)), st.sampled_from(["kg", "kilos", "kgs"]))
def test_a_load_alone_is_never_a_score(kilos: float, unit: str) -> None:
    for question in ("session_pain", "next_day_pain", "did_you_exercise"):
        assert read(f"done with {kilos:g} {unit}", question).score is None
        assert read(f"{kilos:g}{unit}", question).score is None


def test_the_load_is_kept_beside_the_session_and_its_score() -> None:
    turn = says("done with 8 kg, 3", opted_in(asked("session")))
    session = asked("session")
    assert kept(turn) == {"session": (session.day, "done"), "pain_during": (session.day, 3), "load": (session.day, "8 kg")}
    assert all(effect.question_id == session.id for effect in found(turn, Keep))


@pytest.mark.parametrize(("text", "kind"), [("did some with 8 kg", "session"), ("3 with 8 kg", "session_pain")])
def test_it_may_come_with_any_answer_about_the_session(text: str, kind: str) -> None:
    assert kept(says(text, opted_in(asked(kind))))["load"] == (asked(kind).day, "8 kg")


@pytest.mark.parametrize(("text", "kind"), [("skipped it today, 8 kg", "session"), ("no, 8 kg", "session"), ("1, with 8 kg", "pain_24h")])
def test_nothing_is_kept_for_a_session_not_done_or_for_the_day_after(text: str, kind: str) -> None:
    assert "load" not in kept(says(text, opted_in(asked(kind))))


def test_a_tap_has_no_load() -> None:
    assert "load" not in kept(taps("3", asked("session"), opted_in(asked("session"))))
