"""Text made comparable: one spelling for every way of typing a word, tokens, and a book of phrases to look for in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources.abc import Traversable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
BREAKS = frozenset(",.;!?")
_UNREADABLE = "\ufffd"
_REMEMBERED, _LONGEST_REMEMBERED = 20_000, 40
_AS_WRITTEN = {
    "'": "", "’": "", "‘": "", "ʼ": "", "ʹ": "", "′": "", '"': " ", "“": " ", "”": " ", "„": " ", "«": " ", "»": " ",
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "⁄": "/", "∕": "/", "×": "x", "✕": "x", "÷": "/",
    "،": ",", "、": ",", "؛": ";", "؟": "?", "।": ".", "。": ".", "٫": ".", "٬": ",", "\n": " ; ", "\r": " ; ", "…": ".",
    "⇒": "→", "➡": "→", "⟶": "→", "➔": "→", "&": " and ", "🔟": " 10 ", "💯": " 100 ",
    "ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "ß": "ss", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe",
    "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "ـ": "", "ٱ": "ا", "ँ": "ं", "ء": "", "⃣": " ",
    "½": " ½ ", "¼": " ½ ", "¾": " ½ ", "⅓": " ½ ", "⅔": " ½ ", "≥": ">", "≤": "<", "〜": "~", "^": " ", "¿": " ", "¡": " ",
}  # fmt: skip
_KEYCAP = re.compile("(\\d)\ufe0f?\u20e3")
_ARROW = re.compile(r"[-=]+>")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")
_SYMBOLS = re.escape("/-%+*=<>~:,.;!?()[]{}#→_@£$€¥°|\\" + _UNREADABLE)
_TOKEN = re.compile(rf"\d+(?:[.,:]\d+)*|[^\s\d{_SYMBOLS}]+|[{_SYMBOLS}]")
_CLASSLESS = frozenset({"Cc", "Cs", "Cn", "Co", "Zs", "Zl", "Zp"})
# Combining classes 0 and 9 carry the vowels and the virama of Indic scripts; the others are accents and short vowels.
_KEPT_MARKS = frozenset({0, 9})


class Token(NamedTuple):
    """One word, number or symbol. `glued` says that no space stood before it."""

    text: str
    glued: bool


class _Folding(dict[int, str]):
    """A table for `str.translate` that works out each character once."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = folded
        return folded


def fold(text: str) -> str:
    """Lower case, no accents, ASCII digits for the decimal digits of every script, plain dashes; total for any string."""
    return _HYPHEN.sub(" ", _ARROW.sub("→", _KEYCAP.sub(r" \1 ", text).translate(_FOLDING)))


def tokens(text: str) -> list[Token]:
    """The words, numbers and symbols of a text, folded, in order."""
    found: list[Token] = []
    end = -1
    for match in _TOKEN.finditer(fold(text)):
        found.append(Token(match.group(), match.start() == end))
        end = match.end()
    return found


def is_symbol(text: str) -> bool:
    """Whether a token is a mark, a sign or an emoji rather than a word or a number."""
    return len(text) == 1 and not text.isalnum() and unicodedata.category(text)[0] not in "LM"


class _Beginnings(Generic[T]):
    """The phrases that begin with one word, by their second word."""

    def __init__(self) -> None:
        self.alone: list[T] = []
        self.second: dict[str, list[tuple[tuple[str, ...], T]]] = {}
        self.open_second: list[tuple[tuple[str, ...], T]] = []

    def add(self, words: tuple[str, ...], value: T) -> None:
        """File one phrase."""
        if len(words) == 1:
            self.alone.append(value)
        elif words[1].endswith("*"):
            self.open_second.append((words, value))
        else:
            self.second.setdefault(words[1], []).append((words, value))


class PhraseBook(Generic[T]):
    """Phrases of one or more words, each with a value; a word written `numb*` stands for every word that begins so."""

    def __init__(self, entries: Iterable[tuple[str, T]], optional_prefixes: Sequence[str] = ()) -> None:
        self._exact: dict[str, _Beginnings[T]] = {}
        self._stems: dict[str, _Beginnings[T]] = {}
        self._prefixes = tuple(fold(prefix) for prefix in optional_prefixes)
        for phrase, value in entries:
            words = phrase_words(phrase)
            if not words:
                raise ValueError(f"The phrase {phrase!r} has no word in it.")
            book = self._stems if words[0].endswith("*") else self._exact
            book.setdefault(words[0].rstrip("*"), _Beginnings()).add(words, value)
        self._lengths = sorted({len(stem) for stem in self._stems})
        self._remembered: dict[str, tuple[_Beginnings[T], ...]] = {}

    def matches(self, words: Sequence[str], at: int) -> Iterator[tuple[int, T]]:
        """Every phrase that begins at word `at`, as (number of words, value), in no particular order."""
        for beginnings in self._beginning_with(words[at]):
            for value in beginnings.alone:
                yield 1, value
            if at + 1 < len(words):
                for phrase, value in self._continuing(beginnings, words[at + 1]):
                    if len(phrase) == 2 or self._rest_matches(phrase, words, at):
                        yield len(phrase), value

    def longest(self, words: Sequence[str], at: int) -> tuple[int, T] | None:
        """The phrase with the most words that begins at word `at`."""
        return max(self.matches(words, at), key=lambda match: match[0], default=None)

    def _beginning_with(self, word: str) -> tuple[_Beginnings[T], ...]:
        """The phrases whose first word this may be; remembered, because people use few words."""
        known = self._remembered.get(word)
        if known is None:
            known = tuple(found for spelling in self._spellings(word) for found in self._spelt(spelling))
            if len(self._remembered) < _REMEMBERED and len(word) <= _LONGEST_REMEMBERED:
                self._remembered[word] = known
        return known

    def _spelt(self, word: str) -> Iterator[_Beginnings[T]]:
        if word in self._exact:
            yield self._exact[word]
        for length in self._lengths:
            if length <= len(word) and word[:length] in self._stems:
                yield self._stems[word[:length]]

    def _continuing(self, beginnings: _Beginnings[T], second: str) -> Iterator[tuple[tuple[str, ...], T]]:
        if beginnings.second:
            for spelling in self._spellings(second):
                yield from beginnings.second.get(spelling, ())
        for phrase, value in beginnings.open_second:
            if self._same(phrase[1], second):
                yield phrase, value

    def _spellings(self, word: str) -> list[str]:
        if not self._prefixes:
            return [word]
        return [word, *(word[len(prefix) :] for prefix in self._prefixes if word.startswith(prefix) and len(word) > len(prefix) + 1)]

    def _rest_matches(self, phrase: tuple[str, ...], words: Sequence[str], at: int) -> bool:
        if at + len(phrase) > len(words):
            return False
        return all(self._same(phrase[offset], words[at + offset]) for offset in range(2, len(phrase)))

    def _same(self, expected: str, word: str) -> bool:
        if expected.endswith("*"):
            return any(spelling.startswith(expected[:-1]) for spelling in self._spellings(word))
        return word == expected or (bool(self._prefixes) and expected in self._spellings(word))


def languages_in(folder: Traversable, *others: str) -> tuple[str, ...]:
    """The codes of the languages that have a file in a folder, English first; `others` are files of another kind."""
    codes = {each.name.removesuffix(".toml") for each in folder.iterdir() if each.name.endswith(".toml")}
    return ("en", *sorted(codes - {"en", *others}))


def phrase_words(phrase: str) -> tuple[str, ...]:
    """The folded words of a phrase in a data file; a trailing `*` stays on its word."""
    return tuple(
        word + "*" * part.endswith("*")
        for part in phrase.split()
        for word in [" ".join(token.text for token in tokens(part.rstrip("*")))]
        if word
    )


def _fold_character(character: str) -> str:
    if character in _AS_WRITTEN:
        return _AS_WRITTEN[character]
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category in _CLASSLESS:
        return " "
    if category in {"Cf", "Sk"} or "\ufe00" <= character <= "\ufe0f":
        return ""
    if category == "No":
        return _UNREADABLE
    if category == "So":
        return f" {character} "
    if "\uac00" <= character <= "\ud7a3":
        return character
    return _without_accents(character)


def _without_accents(character: str) -> str:
    parts = unicodedata.normalize("NFKD", character.lower())
    return "".join(part for part in parts if unicodedata.combining(part) in _KEPT_MARKS)


_FOLDING = _Folding()
