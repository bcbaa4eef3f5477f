"""Text made comparable: the same word however it is typed, its tokens, and the phrases found in them."""

from __future__ import annotations

import pytest

from bot_service.clinical.words import PhraseBook, fold, is_symbol, phrase_words, tokens


@pytest.mark.parametrize("sign", "'’‘ʼ`´ʹ′")
def test_an_apostrophe_of_any_kind_leaves_no_trace(sign: str) -> None:
    assert fold(f"can{sign}t") == "cant"


@pytest.mark.parametrize("sign", '"“”„«»^\n\r\t\u00a0\u2028\u2029\u3000\u0000')
def test_a_quotation_mark_a_line_end_or_a_space_of_any_kind_parts_words(sign: str) -> None:
    assert fold(f"pain{sign}five").replace(";", " ").split() == ["pain", "five"]


@pytest.mark.parametrize("sign", "‐‑‒–—―−-")
def test_a_dash_of_any_kind_stands_between_numbers_and_joins_words(sign: str) -> None:
    assert fold(f"3{sign}4") == "3-4"
    assert fold(f"x{sign}ray") == "x ray"


@pytest.mark.parametrize(
    ("written", "comparable"),
    [
        ("5⁄10", "5/10"), ("5∕10", "5/10"), ("5÷10", "5/10"), ("3×4", "3x4"), ("3✕4", "3x4"), ("5،6", "5,6"), ("5、6", "5,6"),
        ("5٬6", "5,6"),
        ("5؛6", "5;6"), ("5؟", "5?"), ("5।", "5."), ("5。", "5."), ("5٫5", "5.5"), ("5…", "5."), ("7⇒3", "7→3"), ("7➡3", "7→3"),
        ("7⟶3", "7→3"),
        ("7➔3", "7→3"), ("7→3", "7→3"), ("7->3", "7→3"), ("7=>3", "7→3"), ("7-->3", "7→3"), ("≥5", ">5"), ("≤5", "<5"), ("～5", "~5"),
        ("〜5", "~5"),
        ("łydka", "lydka"), ("Łydka", "lydka"), ("bløt", "blot"), ("BLØT", "blot"), ("straße", "strasse"), ("đau", "dau"),
        ("ağrısı", "agrisi"),
        ("æon", "aeon"), ("cœur", "coeur"), ("ركبة", "ركبه"), ("مستشفى", "مستشفي"), ("پایی", "پايي"), ("کمر", "كمر"), ("لـا", "لا"),
        ("ٱلم", "الم"),
        ("पाँच", "पांच"), ("سوء", "سو"), ("Ángel", "angel"), ("ÉCOUTE", "ecoute"), ("FIVE", "five"), ("ｆｉｖｅ", "five"), ("٧", "7"),
        ("५", "5"),
        ("５", "5"), ("²", "\ufffd"), ("⑤", "\ufffd"), ("five\u200b", "five"), ("👍\U0001f3fd", " 👍 "),
        ("❤\ufe0f", " ❤ "), ("한국", "한국"),
        ("five\u00ad", "five"), ("अच्छा", "अच्छा"), ("مُؤلِم", "مولم"),
    ],
)  # fmt: skip
def test_every_spelling_of_a_sign_or_letter_is_one(written: str, comparable: str) -> None:
    assert fold(written) == comparable


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("3½", ["3", "½"]), ("¼", ["½"]), ("¾", ["½"]), ("⅓", ["½"]), ("⅔", ["½"]), ("🔟", ["10"]), ("💯", ["100"]),
        ("5️⃣6️⃣", ["5", "6"]),
        ("5\u20e3", ["5"]), ("5️⃣", ["5"]), ("sore & tired", ["sore", "and", "tired"]), ("7:30", ["7:30"]), ("3.5", ["3.5"]),
        ("3,5", ["3,5"]), ("1.2.3", ["1.2.3"]),
        ("5.", ["5", "."]), ("8kg", ["8", "kg"]), ("L5", ["l", "5"]), ("a/b", ["a", "/", "b"]), ("5%", ["5", "%"]), ("+5", ["+", "5"]),
        ("*5", ["*", "5"]), ("=5", ["=", "5"]), ("<5>", ["<", "5", ">"]), ("~5", ["~", "5"]), ("a:b", ["a", ":", "b"]),
        ("a;b", ["a", ";", "b"]),
        ("a!?", ["a", "!", "?"]), ("(a)", ["(", "a", ")"]), ("[a]", ["[", "a", "]"]), ("{a}", ["{", "a", "}"]), ("#5", ["#", "5"]),
        ("a_b", ["a", "_", "b"]), ("a@b", ["a", "@", "b"]), ("£5", ["£", "5"]), ("$5", ["$", "5"]),
        ("€5", ["€", "5"]), ("¥5", ["¥", "5"]),
        ("5°", ["5", "°"]), ("a|b", ["a", "|", "b"]), ("a\\b", ["a", "\\", "b"]), ("5²", ["5", "\ufffd"]), ("", []), (" \n", [";"]),
    ],
)  # fmt: skip
def test_a_text_is_cut_into_words_numbers_and_signs(written: str, words: list[str]) -> None:
    assert [token.text for token in tokens(written)] == words


def test_a_token_says_whether_it_touches_the_one_before_it() -> None:
    assert [token.glued for token in tokens("5abc 6 /7")] == [False, True, False, False, True]
    assert [token.glued for token in tokens(" 5")] == [False]


@pytest.mark.parametrize(
    ("text", "symbol"), [("!", True), ("👍", True), ("a", False), ("5", False), ("!!", False), ("ि", False), ("→", True)]
)
def test_a_sign_is_told_from_a_letter_a_digit_and_a_vowel_mark(text: str, symbol: bool) -> None:
    assert is_symbol(text) is symbol


BOOK = PhraseBook(
    [
        ("numb", 1), ("numb*", 2), ("tingl* toe", 3), ("cold sweat*", 4), ("can't feel it", 5), ("no feel* at all", 6), ("cold", 7),
        ("nu*", 8),
        ("can't feel much", 9),
    ],
)  # fmt: skip
PREFIXED = PhraseBook([("pain", 1), ("pain leg", 2), ("no pain leg*", 3), ("no pain foot", 4), ("big toe*", 5)], ["al"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("numb", [1, 2, 8]), ("numbness", [2, 8]), ("nu", [8]), ("n", []), ("tingling toe", [3]), ("tingling toes", []), ("tingling", []),
        ("cold sweats", [4, 7]), ("cold sweat", [4, 7]), ("cold", [7]), ("cold hands", [7]), ("cant feel it", [5]), ("cant feel", []),
        ("cant feel much", [9]), ("cant feel it much", [5]), ("no feeling at all", [6]), ("no feeling at", []),
        ("no feeling at it", []), ("no feeling of all", []),
    ],
)  # fmt: skip
def test_a_phrase_is_found_by_all_of_its_words_and_a_star_by_their_beginnings(text: str, found: list[int]) -> None:
    assert sorted(value for _, value in BOOK.matches(text.split(), 0)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pain", [1]), ("alpain", [1]), ("pain alleg", [1, 2]), ("alpain alleg", [1, 2]), ("alno pain legs", [3]),
        ("no alpain allegs", [3]), ("no pain alfoot", [4]),
        ("alalpain", []), ("al", []), ("big altoes", [5]), ("big alto", []), ("no pain alfeet", []),
    ],
)  # fmt: skip
def test_a_prefix_such_as_the_arabic_article_may_stand_before_any_word_of_a_phrase(text: str, found: list[int]) -> None:
    assert sorted(value for _, value in PREFIXED.matches(text.split(), 0)) == found


def test_a_prefix_is_not_taken_from_a_word_of_which_one_letter_would_be_left() -> None:
    book = PhraseBook([("s", 1), ("so", 2)], ["al"])
    assert [book.longest([word], 0) for word in ("als", "also")] == [None, (1, 2)]


def test_the_longest_phrase_wins() -> None:
    assert BOOK.longest(["cold", "sweats"], 0) == (2, 4)
    assert BOOK.longest(["so", "cold"], 1) == (1, 7)
    assert BOOK.longest(["warm"], 0) is None


def test_a_phrase_without_a_word_is_refused() -> None:
    with pytest.raises(ValueError, match="no word in it"):
        PhraseBook([("  ", 1)])


def test_a_phrase_of_a_file_is_folded_and_keeps_its_star() -> None:
    assert phrase_words("Can't  feel* ^ numb*") == ("cant", "feel*", "numb*")
