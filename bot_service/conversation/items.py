"""A message as a row of items: each word or phrase with what it does beside a number, each number with its value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bot_service.clinical.words import BREAKS, Token, is_symbol, tokens
from bot_service.conversation.language import Language, language_for

BIG = 9999.0
UNKNOWN = "?"
_MARKS = frozenset("{}:=#|")
_STARS = frozenset("⭐🌟★")


class Item(NamedTuple):
    """`tag` is what the phrase does (see the language files), "num" for a number, a sign itself for a sign, "?" when unknown."""

    tag: str
    text: str
    glued: bool = False
    value: float = 0.0
    typo: bool = False


def items_of(words: Sequence[Token], language: Language | None) -> list[Item]:
    """The items of a message. Without a language only digits, signs and breaks are known."""
    texts = [word.text for word in words]
    found: list[Item] = []
    at = 0
    while at < len(words):
        length, item = _item(words, texts, at, language)
        found.append(item)
        at += length
    return found


def denies(text: str, language: str) -> bool:
    """Whether any word or phrase of it is a no."""
    return any(item.tag in ("no", "not", "no_pain") for item in items_of(tokens(text), language_for(language)))


def _item(words: Sequence[Token], texts: Sequence[str], at: int, language: Language | None) -> tuple[int, Item]:
    text, glued = words[at]
    if text[0].isdigit() and text[0].isascii():
        return 1, _number(text, glued, language)
    if text in BREAKS:
        return 1, Item("break", text, glued)
    if is_symbol(text):
        return 1, Item(_sign(text), text, glued)
    if language is None:
        return 1, Item(UNKNOWN, text, glued)
    longest = language.book.longest(texts, at)
    value = language.numbers.get(text)
    if value is not None and (longest is None or longest[0] == 1):
        return 1, Item("num", text, glued, float(value))
    if longest is not None:
        return longest[0], Item(longest[1], " ".join(texts[at : at + longest[0]]), glued)
    guess = _misspelt_number(text, language)
    if guess is not None:
        return 1, Item("num", text, glued, float(guess), typo=True)
    return 1, Item(UNKNOWN, text, glued)


def _sign(text: str) -> str:
    if text in "()[]":
        return "paren"
    if text in _MARKS:
        return "mark"
    if text in _STARS:
        return "unit"
    return text if text.isascii() or text in "→\ufffd£€¥°" else "emoji"


def _number(text: str, glued: bool, language: Language | None) -> Item:
    """A run of digits: an integer, a decimal with one digit after the point, or something else that is no score ("7:30", "1.2.3")."""
    if text.isdigit():
        return Item("num", text, glued, float(text) if len(text) <= 3 else BIG)
    commas = language is None or language.decimal_comma
    whole, point, rest = text.partition("." if "." in text else "," if "," in text and commas else ":")
    if point in {".", ","} and whole.isdigit() and len(rest) == 1 and len(whole) <= 3:
        return Item("num", text, glued, float(int(whole) + (rest != "0")))
    return Item("clock" if ":" in text else "odd", text, glued, BIG)


def _misspelt_number(text: str, language: Language) -> int | None:
    """A number word typed with one slip (a letter missing, doubled, changed or swapped); never a real word of the language."""
    if text in language.misspelt:
        return language.misspelt[text]
    if len(text) < 3 or len(text) > 12 or text in language.known:
        return None
    # One slip leaves the first letter or the last as it was.
    near = ((word, value) for word, value in language.numbers.items() if word[0] == text[0] or word[-1] == text[-1])
    values = {value for word, value in near if value <= 10 and len(word) >= 4 and one_slip(text, word)}
    return values.pop() if len(values) == 1 else None


def one_slip(typed: str, meant: str) -> bool:
    """Whether two words differ by one letter added, left out, changed, swapped with its neighbour, or held down too long."""
    if abs(len(typed) - len(meant)) > 1:
        return _held_down(typed, meant)
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    left, right = typed[start:], meant[start:]
    return left[1:] == right or left == right[1:] or left[1:] == right[1:] or (left[:2] == right[1::-1] and left[2:] == right[2:])


def _held_down(typed: str, meant: str) -> bool:
    last = meant[-1]
    return typed.startswith(meant) and set(typed[len(meant) :]) == {last}
