"""Properties of a turn: any text in any situation gets a decision, and no score leaves 0-10."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from bot_service.clinical.red_flags import find_red_flag
from bot_service.conversation.situation import (
    Answered,
    Asked,
    ForPhysio,
    Keep,
    OptIn,
    OptOut,
    RedFlagged,
    SetBaseline,
    Situation,
    Told,
    Turn,
)
from bot_service.conversation.states import KINDS
from bot_service.conversation.turn import take_turn
from bot_service.conversation.wording import load_catalogue
from tests.builders import TODAY, a_prescription, an_episode
from tests.conversation.situations import a_record, asked, found, opted_in, says, taps

WORDS = [
    *"0 3 5 7 10 11 3.5 -2 half ten done no yes ok some not today sore pop numb stop start help pause time plan progress physio".split(),
    "sorry",
    "meant",
    *"I can't feel my legs , . ! ? / * 5 days at 7pm till 14 June thanks 🙂 ٣ 3️⃣ /stop /start abc".split(),
    *(label for label in load_catalogue("en").buttons.values() if "$" not in label),
]
texts = st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
answers = st.sampled_from(
    [*{answer for kind in KINDS.values() for row in kind.rows for answer in row}, "wrong", "change", "show", "how", "1"]
) | st.text(max_size=12)

RECORDS = [
    None,
    a_record(),
    a_record(baseline=None),
    a_record("no, no, waiting"),
    a_record("done 9/8, done 7/6, waiting", prescription=a_prescription("early", signed=True)),
    a_record("done 2/1, -", stage="intermediate"),
    an_episode(stage="advanced"),
]


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    kind = draw(st.sampled_from(list(KINDS)))
    detail = {"show": draw(st.integers(1, 3))} if draw(st.booleans()) and kind in ("pain_24h", "safety") else {}
    day = TODAY - timedelta(days=draw(st.integers(0, 40))) if asked(kind).day else None
    return asked(kind, day=day, asked_again=draw(st.integers(0, 3)), is_open=draw(st.booleans()), **detail)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    last = draw(
        st.none()
        | st.builds(
            Answered, st.sampled_from(["pain_during", "pain_24h", "baseline"]), st.just(TODAY), st.just(1), st.integers(0, 10), st.none()
        )
    )
    return Situation(
        today=TODAY,
        status=draw(st.sampled_from(["invited", "asked", "opted_in", "opted_in", "opted_in", "opted_out", "discharged"])),
        language=draw(st.sampled_from(["en", "en-GB", "es", "ar", "tlh", ""])),
        open=tuple(draw(st.lists(questions(), max_size=3))),
        last=last,
        record=draw(st.sampled_from(RECORDS)),
        baseline_known=draw(st.booleans()),
        safety_told=draw(st.frozensets(st.sampled_from(["EMERGENCY", "URGENT", "PROMPT", "suicide"]))),
        held=draw(st.frozensets(st.sampled_from(["pause", "clinic_pause", "red_flag", "physio_first", "lost_contact"]))),
    )


@st.composite
def things_told(draw: st.DrawFn) -> Told:
    if draw(st.booleans()):
        return Told(tapped=draw(questions()), answer=draw(answers))
    edited = tuple(
        draw(st.lists(st.builds(Answered, st.just("pain_during"), st.just(TODAY), st.just(1), st.integers(0, 10), st.none()), max_size=2))
    )
    media = draw(st.none() | st.just("photo"))
    return Told(
        text=draw(texts),
        replied_to=draw(st.none() | questions()),
        edited=edited,
        is_edit=draw(st.booleans()),
        media=media,
        started=draw(st.booleans()),
    )


@given(things_told(), situations())
@example(Told(text=""), opted_in(asked("which")))
@example(Told(text="/"), opted_in())
def test_anything_in_any_situation_gets_a_decision_and_no_score_leaves_the_scale(told: Told, now: Situation) -> None:
    turn = take_turn(told, now)
    for kept in found(turn, Keep):
        assert kept.score is None or 0 <= kept.score <= 10
    assert all(0 <= each.score <= 10 for each in found(turn, SetBaseline))
    assert sum(each.kind == "pain_during" for each in found(turn, Keep)) <= 1
    if now.status == "opted_in" and told.text.strip() and not turn.lines:
        assert turn.effects or _says_nothing(told)


@given(things_told(), situations())
def test_before_opting_in_and_after_stop_nothing_is_recorded_but_red_flags(told: Told, now: Situation) -> None:
    if now.status == "opted_in":
        return
    turn = take_turn(told, now)
    assert not [each for each in found(turn, Keep) if each.confirmed]
    assert not found(turn, ForPhysio) and not found(turn, SetBaseline)
    assert "exercises" not in [line.key for line in turn.lines]
    if now.status == "opted_out" and turn.lines:
        assert turn.safety or found(turn, OptIn)


@given(texts, situations())
def test_no_red_flag_is_ever_swallowed(text: str, now: Situation) -> None:
    flagged, flag = bool(found(says(text, now), RedFlagged)), find_red_flag(text, now.language)
    asked_for_one = bool(now.open) and now.open[0].kind == "safety"  # "y", in any script's way of writing it, is a yes to it
    assert flagged is bool(flag) or (asked_for_one and flagged)


@given(situations())
def test_only_start_or_consent_opts_in(now: Situation) -> None:
    for words in ("3", "hello", "plan", "no", "thanks", "pause 5 days", "stop"):
        assert not found(says(words, now), OptIn)


@given(questions(), situations())
def test_a_repeated_tap_decides_the_same_twice(question: Asked, now: Situation) -> None:
    for row in KINDS[question.kind].rows:
        for answer in row:
            assert taps(answer, question, now) == taps(answer, question, now)


def test_no_label_of_a_button_is_a_red_flag_or_a_stop() -> None:
    labels = [label for label in load_catalogue("en").buttons.values() if "$" not in label]
    for label in labels:
        turn = says(label, opted_in(asked("session")))
        assert not found(turn, RedFlagged) and not found(turn, OptOut), label


def _says_nothing(told: Told) -> bool:
    """Thanks and the like need no answer when nothing is asked."""
    turn: Turn = says(told.text, opted_in())
    return not turn.lines and not turn.effects
