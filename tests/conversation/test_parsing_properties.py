"""What holds for every text: it has a reading, no score leaves 0-10, and what does not change the meaning does not change the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.understanding import times
from bot_service.conversation.parsing import Question, read
from tests.conversation.labelled import Row, rows, shipped
from tests.growth import TOO_STEEP, times_dearer, times_slower

ROWS = shipped(rows("replies.jsonl")) + shipped(rows("held_out_replies.jsonl"))
WORDS = sorted({word for row in ROWS for word in row.text.split()})
QUESTIONS: tuple[Question | None, ...] = ("did_you_exercise", "session_pain", "next_day_pain", None)
ANSWERS = {"none", "ambiguous", "skip", "yes", "partly", "no", "stop", "start", "pause", "help", "red_flag"}

texts = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=st.characters(codec=None, categories=["Nd", "No", "Nl", "Cs", "So", "Mn", "Zs"]), max_size=20),
    st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join),
)
languages = st.sampled_from(["en", "es", "pl", "ar", "hi", "fr", "zh", "", "xx-YY"])


@settings(max_examples=200, deadline=None)
@given(text=texts, question=st.sampled_from(QUESTIONS), language=languages)
def test_any_text_has_a_reading_and_no_score_leaves_the_scale(text: str, question: Question | None, language: str) -> None:
    said = read(text, question, language)
    assert said.score is None or 0 <= said.score <= 10
    assert said.answer in ANSWERS or said.answer == said.score


@pytest.mark.parametrize(
    "text", ["\ud800", "\x00", "5\x00", "²", "1_0", "٣٫٥", "½", "𝟝", "⅝", "9" * 5000, "(" * 5000, "1/" * 5000, "A&E", "'" * 3000, "١" * 400]
)
def test_strange_texts_have_a_reading(text: str) -> None:
    assert read(text, "session_pain", "en").answer in ANSWERS | {4, 5}


@pytest.mark.parametrize("piece", ["5 ", "no ", "a", "numb ", "can you ", "did not ", "stop ", "1/", "لا ", "send me at "])
def test_a_text_of_40_000_characters_costs_no_more_for_each_of_them_than_a_shorter_one(piece: str) -> None:
    assert times_dearer(lambda length: read((piece * length)[:length], "session_pain", "en"), 40_000) < TOO_STEEP


def test_2000_generated_texts_have_a_score_on_the_scale_and_take_less_than_a_millisecond_at_the_median() -> None:
    before = times_slower()
    taken_ms = times(2000)["median"]  # raises when a score leaves 0-10
    assert taken_ms < max(before, times_slower()), "as long as on a machine that is not slow or busy"


def test_a_red_flag_deep_inside_a_long_message_is_found() -> None:
    assert (
        read("so anyway I went on and on " * 400 + "and I can't pee since yesterday " + "and so on " * 400, "session_pain").answer
        == "red_flag"
    )


CHANGES: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "small letters": str.lower,
    "spaces": lambda text: f"  {text.replace(' ', '   ')}  ",
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "full stop": lambda text: f"{text}.",
    "exclamation": lambda text: f"{text}!",
    "line end": lambda text: f"{text}\n",
    "emoji": lambda text: f"{text} 🙂",
    "thumb": lambda text: f"{text} 👍",
    "hands": lambda text: f"{text}🙏",
    "typographic apostrophe": lambda text: text.replace("'", "’"),
    "quotation marks": lambda text: f"“{text}”",
}
THANKS = {"en": ["thanks", "thank you"], "es": ["gracias"], "pl": ["dziękuję"], "ar": ["شكرا"], "hi": ["धन्यवाद", "dhanyavad"]}
CLOSINGS = ("{} {}", "{}, {}", "{}. {}!")
WITH_WORDS = [row for row in ROWS if any(character.isalnum() for character in row.text)]
PAIRS = list(permutations(CHANGES, 2))


def meaning(text: str, row: Row) -> tuple[object, ...]:
    said = read(text, row.question, row.language)
    return said.answer, said.score, said.stop, said.session, said.red_flag and said.red_flag.tier


@cache
def unchanged(row: Row) -> tuple[object, ...]:
    return meaning(row.text, row)


def changed(some: Iterable[tuple[Row, str]]) -> list[tuple[str, object, object]]:
    """The texts that mean something else than their row."""
    return [(text, unchanged(row), meaning(text, row)) for row, text in some if meaning(text, row) != unchanged(row)]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_says_nothing_changes_no_meaning(name: str) -> None:
    assert changed((row, CHANGES[name](row.text)) for row in WITH_WORDS) == []


def test_two_such_changes_at_once_change_no_meaning() -> None:
    """Every pair of changes in turn, so that each is met by a dozen replies."""
    pairs = [(row, PAIRS[at % len(PAIRS)]) for at, row in enumerate(WITH_WORDS)]
    assert changed((row, CHANGES[second](CHANGES[first](row.text))) for row, (first, second) in pairs) == []


@pytest.mark.parametrize("closing", CLOSINGS)
def test_closing_thanks_change_no_meaning_but_that_of_ok(closing: str) -> None:
    """ "ok" alone is asked again, "ok thanks" is labelled as no answer: the one pair where thanks decide."""
    rows_and_words = [(row, word) for row in WITH_WORDS if row.text.lower() != "ok" for word in THANKS[row.language]]
    assert changed((row, closing.format(row.text, word)) for row, word in rows_and_words) == []
