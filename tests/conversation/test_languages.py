"""The language files: complete, without contradictions, and safe beside each other."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from bot_service.clinical.words import fold, tokens
from bot_service.conversation.items import one_slip
from bot_service.conversation.language import SHIPPED, language_for, load_language, stop_words
from bot_service.conversation.parsing import read

TAGS = set(load_language("en").patterns)


@pytest.mark.parametrize("code", SHIPPED)
def test_every_language_has_all_number_words_from_nought_to_ten(code: str) -> None:
    assert set(range(11)) <= set(load_language(code).numbers.values())


@pytest.mark.parametrize("code", SHIPPED)
def test_every_number_word_to_ten_is_read_as_itself(code: str) -> None:
    language = load_language(code)
    wrong = {word: read(word, "session_pain", code).answer for word, value in language.numbers.items() if value <= 10}
    assert wrong == {word: language.numbers[word] for word in wrong}


@pytest.mark.parametrize("code", SHIPPED)
def test_every_number_word_above_ten_is_asked_again(code: str) -> None:
    assert {read(word, "session_pain", code).answer for word, value in load_language(code).numbers.items() if value > 10} == {"ambiguous"}


@pytest.mark.parametrize("code", SHIPPED)
def test_every_language_has_the_patterns_that_english_has(code: str) -> None:
    assert TAGS - {"fortnight", "thing_to_do"} <= set(load_language(code).patterns)


@pytest.mark.parametrize("code", SHIPPED)
def test_no_number_word_of_the_language_is_a_stop(code: str) -> None:
    assert not stop_words(code) & set(load_language(code).numbers)


@pytest.mark.parametrize("code", [*SHIPPED, "fr", "zh"])
def test_every_word_listed_for_stop_stops(code: str) -> None:
    written = tomllib.loads(files("bot_service.conversation").joinpath("languages/stop_words.toml").read_text(encoding="utf-8"))
    own = [word for table in written.values() for word in table.get(code, ())]
    assert [word for word in own if read(word, "session_pain", code).answer != "stop"] == []


@pytest.mark.parametrize("code", SHIPPED)
def test_thanks_and_greetings_are_no_answer_in_every_language(code: str) -> None:
    written = tomllib.loads(files("bot_service.conversation").joinpath(f"languages/{code}.toml").read_text(encoding="utf-8"))
    polite = [*written["context"]["thanks"][:3], *written["context"]["greeting"][:3]]
    assert [word for word in polite if read(word, "session_pain", code).answer != "none"] == []


def test_a_language_that_is_not_shipped_reads_plain_digits_and_asks_about_the_rest() -> None:
    assert language_for("de") is None
    assert [read(text, "session_pain", "de").answer for text in ["7", "4/10", "٧", "3 Sätze", "drei", "keine Schmerzen"]] == [
        7,
        4,
        7,
        *["ambiguous"] * 3,
    ]


def test_a_thumb_beside_words_of_a_language_that_is_not_shipped_is_asked_again() -> None:
    assert [read(text, "did_you_exercise", "de").answer for text in ["👍", "leider nicht 👍"]] == ["yes", "ambiguous"]


def test_the_dual_of_arabic_means_two() -> None:
    assert [read(f"توقف مؤقت لمدة {words}", None, "ar").days for words in ("يومين", "أسبوعين", "يوم", "3 أيام")] == [2, 14, 1, 3]


def test_a_slip_is_one_letter_left_out_added_changed_or_swapped() -> None:
    assert [one_slip(typed, "seven") for typed in ["sevn", "sevven", "sevem", "sveen", "sevennn", "sevenss", "seeven", "sn"]] == [
        True, True, True, True, True, False, True, False,
    ]  # fmt: skip


def test_every_way_of_writing_a_word_folds_to_one() -> None:
    assert fold("Didn’t") == fold("didn't") == "didnt"
    assert fold("BÓLU") == fold("bolu") and fold("ألم") == fold("الم") and fold("पाँच") == fold("पांच")
    assert [token.text for token in tokens("pain-free 7→3 3x10 5️⃣6️⃣")] == ["pain", "free", "7", "→", "3", "3", "x", "10", "5", "6"]


WRITTEN = {
    "'": "", "’": "", "‘": "", "ʼ": "", "`": "", "´": "", "ʹ": "", "′": "", '"': " ", "“": " ", "”": " ", "„": " ", "«": " ", "»": " ",
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "⁄": "/", "∕": "/", "×": "x", "✕": "x", "÷": "/",
    "،": ",", "、": ",", "؛": ";", "؟": "?", "।": ".", "。": ".", "٫": ".", "٬": ",", "\n": " ; ", "\r": " ; ", "…": ".",
    "→": "→", "⇒": "→", "➡": "→", "⟶": "→", "➔": "→", "&": " and ", "🔟": " 10 ", "💯": " 100 ",
    "ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "ß": "ss", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe",
    "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "ـ": "", "ٱ": "ا", "ँ": "ं", "ء": "", "⃣": " ",
    "½": " ½ ", "¼": " ½ ", "¾": " ½ ", "⅓": " ½ ", "⅔": " ½ ", "≥": ">", "≤": "<", "～": "~", "〜": "~", "^": " ",
    "É": "e", "ź": "z", "أ": "ا", "\u200d": "", "\ufe0f": "", "\u00a0": " ", "\x00": " ", "²": "\ufffd", "⑤": "\ufffd", "٣": "3", "५": "5",
    "🙂": " 🙂 ", "한": "한", "각": "각", "힣": "힣", "5\ufe0f\u20e3": " 5 ", "5\u20e3": " 5 ", "-->": "→", "=>": "→",
    "a-b": "a b", "5-6": "5-6",
    "बी": "बी",
}  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN)
def test_a_sign_folds_to_one_spelling(written: str) -> None:
    assert fold(written) == WRITTEN[written]
