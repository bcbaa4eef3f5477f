"""Deliberate mistakes in a plan file: each is found, under its key, with a sentence that a physiotherapist understands."""

from __future__ import annotations

import re
from functools import cache

import pytest

from plans.checks import PlanError, PlanErrors, examine
from tests.plans.slips import SLIPS, TEXT


@cache
def mistakes(text: str) -> list[PlanError]:
    try:
        examine(text, "plan.toml")
    except PlanErrors as raised:
        return raised.errors
    return []


@pytest.mark.parametrize("name", SLIPS)
def test_a_deliberate_mistake_is_found(name: str) -> None:
    slip = SLIPS[name]
    assert slip.old in TEXT
    found = mistakes(TEXT.replace(slip.old, slip.new, 1))
    assert [error for error in found if error.key == slip.key and slip.words in error.sentence], found


@pytest.mark.parametrize("name", SLIPS)
def test_what_is_said_of_a_mistake_is_a_sentence_without_words_of_the_trade(name: str) -> None:
    slip = SLIPS[name]
    for error in mistakes(TEXT.replace(slip.old, slip.new, 1)):
        assert error.file == "plan.toml"
        assert re.fullmatch(r"[A-Z].*[.?)]", error.sentence, re.DOTALL), error.sentence
        assert not re.search(r"Input should|pydantic|validat|\bdict\b|\btuple\b|\bNone\b|Literal|\bstr\b", error.sentence), error.sentence


def test_all_mistakes_of_a_file_come_at_once() -> None:
    names = [
        "a slot names an unknown exercise",
        "too many sets",
        "severe pain inside the amber band",
        "a number without a source",
        "a prompt in the quiet hours",
        "running with a single step",
        "an unknown placeholder",
        "a tip id twice",
    ]
    text = TEXT
    for name in names:
        text = text.replace(SLIPS[name].old, SLIPS[name].new, 1)
    found = mistakes(text)
    missed = [name for name in names if not any(error.key == SLIPS[name].key and SLIPS[name].words in error.sentence for error in found)]
    assert missed == []


def test_a_file_with_its_mistakes_corrected_has_none() -> None:
    assert mistakes(TEXT) == []


def test_no_mistake_is_said_twice() -> None:
    found = mistakes(TEXT.replace("sets = 5", 'sets = "5"').replace('"SEED"', '"SEEDS"').replace('title = "Early Plan"', 'title = ""'))
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "name", ["an unknown day", "a number instead of text", "one thing instead of a list", "a time that is none", "two prompts at one time"]
)
def test_one_mistake_is_not_reported_as_many(name: str) -> None:
    slip = SLIPS[name]
    keys = [error.key for error in mistakes(TEXT.replace(slip.old, slip.new, 1))]
    assert keys.count(slip.key) == 1
    assert len(keys) <= 2


def test_a_missing_table_is_not_followed_by_a_complaint_about_each_of_its_sources() -> None:
    start, end = TEXT.index("[rules.deload]"), TEXT.index("[rules.delivery]")
    assert [error.key for error in mistakes(TEXT[:start] + TEXT[end:])] == ["rules.deload"]


def test_an_empty_file_says_what_a_plan_needs() -> None:
    keys = {error.key for error in mistakes("")}
    assert {"id", "version", "title", "stages", "rules", "flare_plan", "references", "eligibility"} <= keys


def test_a_row_without_an_id_is_named_by_its_place() -> None:
    (missing,) = [error for error in mistakes(TEXT.replace('id = "cushion"\n', "")) if error.key.startswith("tips")]
    assert missing.key == "tips.#4.id"
    assert missing.sentence == "Tip #4 has no id. Add it."


def test_texts_of_earlier_versions_are_kept_under_the_version_and_the_names_they_have_in_the_file() -> None:
    assert mistakes(TEXT + '\n[earlier."0.1.0"]\nflare_plan = "Rest above {ceiling}."\n') == []
    for written, key in (
        ('[earlier."0.1.0"]\nflareplan = "Rest."', "earlier.0.1.0"),
        ('[earlier]\nflare_plan = "Rest."', "earlier.flare_plan"),
    ):
        (wrong,) = mistakes(f"{TEXT}\n{written}\n")
        assert wrong.key == key and "flare_plan" in wrong.sentence
    (unknown,) = mistakes(TEXT + '\n[earlier."0.1.0"]\nflare_plan = "Rest above {top}."\n')
    assert "{top}" in unknown.sentence or "{ceiling}" in unknown.sentence


def test_slots_on_the_same_days_may_share_them_when_nothing_asks_for_rest() -> None:
    assert not [error for error in mistakes(TEXT) if error.key.endswith("min_gap_h")]


@pytest.mark.parametrize(
    "garbage",
    ["[" * 3000, "a = " + "[" * 3000, "x = " + "9" * 5000, "\x00", "a = 1979-99-99", "= 1", "a = [1", "a = {b = 1", 'a = "\\q"', "a b = 1"],
)
def test_text_that_is_not_toml_is_one_mistake_with_its_line(garbage: str) -> None:
    (error,) = mistakes(garbage)
    assert error.key == "line 1"
    assert error.sentence.startswith("Line 1 cannot be read: ")


def test_a_gap_that_is_minutes_too_short_is_said_in_words_without_a_key() -> None:
    before, wednesday, after = TEXT.partition('days = ["wed"]')
    (short,) = mistakes(before + wednesday + after.replace('"17:30"', '"16:45"', 1))
    assert "leaves 47 hours and 15 minutes between" in short.sentence and "_" not in short.sentence.partition("asks for")[2]
