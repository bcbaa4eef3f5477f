"""No excuse, denial or figure of speech hides a red flag that it does not speak of."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from bot_service.clinical.red_flags import LANGUAGES, TIERS, find_red_flag
from tests.conversation.labelled import DATA

_FOLDER = files("bot_service.clinical") / "red_flag_words"
_EXCUSES_TRIED = 8
_BUT = {"en": "but", "es": "pero", "pl": "ale", "ar": "لكن", "hi": "लेकिन"}
_HARMLESS = {
    "en": "the weather was nice",
    "es": "hizo buen tiempo",
    "pl": "pogoda była ładna",
    "ar": "كان الجو جميلا",
    "hi": "मौसम अच्छा था",
}


def _written(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


RULES: list[dict[str, Any]] = _written("rules")["rules"]
WORDS = {code: _written(code) for code in LANGUAGES}


def _flags(code: str, *, excused: bool) -> Iterator[tuple[dict[str, Any], str]]:
    """A sentence that raises each rule of a language, with its rule; only those rules that words may excuse when `excused`."""
    sets = WORDS[code]["sets"]
    for rule in RULES:
        if rule.get("alone", 0) > 1:
            continue  # a message that is these words and nothing else: "can't go on"
        if set(rule["sets"]) <= set(sets) and (not excused or rule.get("unless") or rule.get("unless_of")):
            sentence = " ".join(sets[name][0] for name in rule["sets"]).replace("*", "")
            if _tier(sentence, code) <= TIERS.index(rule["tier"]):
                yield rule, sentence


def _tier(text: str, code: str) -> int:
    found = find_red_flag(text, code)
    return len(TIERS) if found is None else TIERS.index(found.tier)


@pytest.mark.parametrize("code", LANGUAGES)
def test_an_excuse_in_another_clause_or_before_a_but_hides_no_flag(code: str) -> None:
    sets, turn = WORDS[code]["sets"], _BUT[code]
    hidden = []
    for rule, sentence in _flags(code, excused=True):
        for name in (*rule.get("unless", ()), *rule.get("unless_of", ())):
            for excuse in sets.get(name, ())[:_EXCUSES_TRIED]:
                said = excuse.replace("*", "")
                texts = (f"{said}. {sentence}", f"{sentence}. {said}", f"{said}, {sentence}", f"{said} {turn} {sentence}")
                hidden += [text for text in texts if _tier(text, code) > TIERS.index(rule["tier"])]
    assert hidden == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_denial_of_something_else_hides_no_flag(code: str) -> None:
    sets, turn = WORDS[code]["sets"], _BUT[code]
    denied = {"en": "no fever", "es": "sin fiebre", "pl": "bez gorączki", "ar": "بدون حمى", "hi": "बुखार नहीं"}[code]
    hidden = []
    for rule, sentence in _flags(code, excused=False):
        if rule["sets"] != ["fever"] and "fever" in sets:
            texts = (f"{denied}. {sentence}", f"{sentence}. {denied}", f"{denied} {turn} {sentence}", f"{denied}; {sentence}")
            hidden += [text for text in texts if _tier(text, code) > TIERS.index(rule["tier"])]
    assert hidden == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_figure_of_speech_beside_a_flag_hides_it_no_more_than_talk_of_the_weather(code: str) -> None:
    turn = _BUT[code]
    hidden = []
    sentences = [sentence for _, sentence in _flags(code, excused=False)]
    for at, figure in enumerate(WORDS[code].get("figures_of_speech", ())):
        sentence = sentences[at % len(sentences)]
        said = figure.replace("*", "")
        pairs = (
            (f"{said}. {sentence}", f"{_HARMLESS[code]}. {sentence}"),
            (f"{sentence} {turn} {said}", f"{sentence} {turn} {_HARMLESS[code]}"),
        )
        hidden += [text for text, plain in pairs if _tier(text, code) > _tier(plain, code)]
    assert hidden == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_everyday_replies_that_look_like_flags_are_none(code: str) -> None:
    rows = [json.loads(line) for line in (DATA / "look_alikes.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = [row["text"] for row in rows if row["lang"] == code]
    assert texts
    assert [text for text in texts if find_red_flag(text, code) is not None] == []
