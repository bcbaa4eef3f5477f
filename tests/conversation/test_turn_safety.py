"""Red-flag words and STOP: before anything else, in every state, and what else the same message says is not lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot_service.conversation.situation import ForPhysio, Keep, OptIn, OptOut, RedFlagged, Situation
from bot_service.conversation.states import KINDS
from tests.builders import an_episode
from tests.conversation.situations import asked, before_opt_in, found, keys, opted_in, says, taps

EMERGENCY, URGENT, PROMPT, SUICIDE = (
    "I can't feel my legs",
    "there was a loud pop and now bruising",
    "the pain wakes me every night",
    "I want to die",
)
STATES: dict[str, Situation] = {
    "invited": before_opt_in(status="invited"),
    "asked": before_opt_in(asked("consent")),
    "baseline": opted_in(asked("baseline"), baseline_known=False, record=an_episode(baseline=None)),
    "nothing open": opted_in(),
    **{kind: opted_in(asked(kind)) for kind in KINDS if kind not in ("consent", "baseline")},
    "two open": opted_in(asked("session"), asked("pain_24h")),
    "paused": opted_in(held=frozenset({"pause"})),
    "held": opted_in(held=frozenset({"red_flag"}), red_flag="URGENT"),
    "opted out": opted_in(status="opted_out"),
    "discharged": opted_in(status="discharged"),
}
LIVE = {name: now for name, now in STATES.items() if name not in ("opted out", "discharged")}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("words", "tier"), [(EMERGENCY, "EMERGENCY"), (URGENT, "URGENT"), (PROMPT, "PROMPT"), (SUICIDE, "EMERGENCY")])
def test_red_flag_words_come_before_anything_else_in_every_state(state: str, words: str, tier: str) -> None:
    turn = says(words, STATES[state])
    assert [flag.tier for flag in found(turn, RedFlagged)] == [tier]
    assert found(turn, RedFlagged)[0].words == words
    assert turn.safety and keys(turn)[0].startswith("safety_")
    assert not found(turn, OptIn) and not found(turn, OptOut) and not [each for each in found(turn, Keep) if each.confirmed]


@pytest.mark.parametrize("words", [EMERGENCY, URGENT, PROMPT, SUICIDE])
def test_words_under_a_picture_or_in_an_edit_are_looked_at_too(words: str) -> None:
    for more in ({"media": "photo"}, {"is_edit": True}, {"replied_to": asked("session")}, {"started": True}):
        assert found(says(words, opted_in(asked("session")), **more), RedFlagged), more


@pytest.mark.parametrize("state", LIVE)
@pytest.mark.parametrize("words", ["stop", "STOP", "Stop.", "/stop", "unsubscribe", "please stop messaging me"])
def test_stop_works_in_every_state(state: str, words: str) -> None:
    turn = says(words, LIVE[state])
    assert found(turn, OptOut) == [OptOut(declined=LIVE[state].status != "opted_in")]
    assert keys(turn) == ["goodbye"] and turn.ask is None and not found(turn, Keep)


@pytest.mark.parametrize(
    "words", ["hello", "3", "yes", "done, 4", "plan", "help", "stop", "I changed my mind", "I'm back", "pause 3 days", "", "Yes"]
)
def test_stop_sticks(words: str) -> None:
    turn = says(words, STATES["opted out"])
    assert not turn.effects and not turn.lines and turn.ask is None
    assert not taps("yes", asked("consent"), STATES["opted out"]).effects
    assert not taps("4", asked("session"), STATES["opted out"]).effects


def test_only_start_undoes_stop() -> None:
    for words in ("START", "start", "Start please", "/start", "start again", "resume"):
        turn = says(words, STATES["opted out"])
        assert found(turn, OptIn) and keys(turn)[0] == "welcome_back", words
    unknown = says("start", replace(STATES["opted out"], baseline_known=False))
    assert unknown.ask is not None and unknown.ask.kind == "baseline"


def test_who_never_agreed_is_asked_before_start_means_anything() -> None:
    declined = replace(STATES["opted out"], ever_agreed=False)
    turn = says("START", declined)
    assert not turn.effects and keys(turn) == ["consent", "not_watched", "consent_question"]
    assert turn.ask is not None and turn.ask.kind == "consent"
    assert says("hello", declined).lines == ()


@pytest.mark.parametrize("state", LIVE)
def test_stop_with_red_flag_words_does_both(state: str) -> None:
    turn = says("STOP, I can't feel my legs", LIVE[state])
    assert found(turn, RedFlagged)
    assert found(turn, OptOut)
    assert keys(turn)[0] == "safety_emergency"
    assert ("stopped_too" in keys(turn)) is (LIVE[state].status == "opted_in")


def test_after_stop_the_patients_own_red_flag_gets_the_safety_text_and_nothing_else() -> None:
    for words in (EMERGENCY, URGENT, PROMPT, f"STOP {EMERGENCY}"):
        turn = says(words, STATES["opted out"])
        assert len(turn.lines) == 1 and turn.ask is None
        assert not found(turn, OptOut) and not found(turn, OptIn)


def test_an_emergency_asks_nothing_and_prompt_asks_new_or_worse() -> None:
    assert says(EMERGENCY, opted_in()).ask is None
    assert says(URGENT, opted_in()).ask is None
    turn = says(PROMPT, opted_in())
    assert turn.ask is not None and turn.ask.kind == "new_or_worse"
    assert says(PROMPT, STATES["asked"]).ask is None
    for answer in ("yes", "no"):
        assert [note.rule for note in found(taps(answer, asked("new_or_worse"), opted_in()), ForPhysio)] == ["X3"]


def test_the_text_for_suicidal_words_speaks_of_nothing_else() -> None:
    for words in (SUICIDE, f"{SUICIDE}, 7", f"STOP, {SUICIDE}"):
        assert keys(says(words, opted_in(asked("session_pain")))) == ["safety_suicide"]


@pytest.mark.parametrize(
    ("told", "words", "key"),
    [
        ("EMERGENCY", EMERGENCY, "safety_repeat_short"),
        ("URGENT", URGENT, "safety_repeat_short"),
        ("PROMPT", PROMPT, "safety_repeat_prompt"),
        ("suicide", SUICIDE, "safety_repeat_suicide"),
    ],
)
def test_the_full_text_comes_once_a_day_then_a_short_repeat_and_every_hit_is_kept(told: str, words: str, key: str) -> None:
    turn = says(words, opted_in(safety_told=frozenset({told}), red_flag="URGENT"))
    assert keys(turn) == [key] and turn.ask is None
    assert found(turn, RedFlagged)


@pytest.mark.parametrize(
    ("told", "words", "key"),
    [
        ("URGENT", EMERGENCY, "safety_emergency"),
        ("PROMPT", URGENT, "safety_urgent"),
        ("EMERGENCY", SUICIDE, "safety_suicide"),
        ("suicide", EMERGENCY, "safety_emergency"),
    ],
)
def test_another_kind_of_trouble_gets_its_own_full_text(told: str, words: str, key: str) -> None:
    assert keys(says(words, opted_in(safety_told=frozenset({told})))) == [key]


@pytest.mark.parametrize("kind", ["session", "session_pain", "pain_24h", "baseline"])
def test_a_number_in_such_a_message_is_kept_unconfirmed(kind: str) -> None:
    turn = says("7 and I can't feel my legs", opted_in(asked(kind), baseline_known=kind != "baseline"))
    assert [(each.score, each.confirmed) for each in found(turn, Keep)] == [(7, False)]


def test_hospital_as_the_answer_to_were_you_seen_is_kept_and_not_sent_there_again() -> None:
    turn = says("yes I went to A&E", opted_in(asked("seen"), red_flag="URGENT"))
    assert found(turn, RedFlagged) and keys(turn) == ["seen_noted"]
    assert keys(says("yes I went to A&E", opted_in(asked("session"))))[0] == "safety_urgent"
    assert keys(says(EMERGENCY, opted_in(asked("seen")))) == ["safety_emergency"]


def test_after_discharge_every_other_message_is_answered_that_nobody_reads_it() -> None:
    for words in ("3", "hello", "start", "plan"):
        turn = says(words, STATES["discharged"])
        assert keys(turn) == ["discharged"] and not turn.effects


def test_stop_after_discharge_is_kept_and_ends_the_answers() -> None:
    turn = says("stop", STATES["discharged"])
    assert keys(turn) == ["goodbye"] and OptOut(declined=False) in turn.effects
