"""The words of one language, read once from its data file: a language is data plus tests, not code."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from bot_service.clinical.words import PhraseBook, fold, languages_in, tokens

_FILES = files("bot_service.conversation") / "languages"
SHIPPED = languages_in(_FILES, "stop_words")
"""Languages whose answers are understood: a file is all that one needs."""
_NOTHING = re.compile(r"(?!)")


class Language(NamedTuple):
    """What the reader knows of a language: phrases by what they do beside a number, number words, and patterns of whole requests."""

    code: str
    book: PhraseBook[str]
    numbers: Mapping[str, int]
    misspelt: Mapping[str, int]
    known: frozenset[str]
    decimal_comma: bool
    patterns: Mapping[str, re.Pattern[str]]
    courtesies: re.Pattern[str]
    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    hours: Mapping[str, int]

    def pattern(self, name: str) -> re.Pattern[str]:
        """The compiled alternatives of that name; matches nothing when the language has none."""
        return self.patterns.get(name, _NOTHING)


def language_for(code: str) -> Language | None:
    """The shipped language of a code such as "en" or "en-GB", or None."""
    short = short_code(code)
    return load_language(short) if short in SHIPPED else None


@cache
def load_language(code: str) -> Language:
    """The language of a data file. Raises FileNotFoundError when there is none, ValueError when a phrase stands in two places."""
    written = _written(f"{code}.toml")
    entries = [(phrase, tag) for tag, phrases in written["context"].items() for phrase in phrases]
    _check_single(code, [phrase for phrase, _ in entries])
    numbers = {_plain(word): value for word, value in written["numbers"].items()}
    weekdays = written.get("weekdays", {})
    known = {word for phrase, _ in entries for word in _plain(phrase).split()} | {_plain(word) for word in written["not_typos"]}
    return Language(
        code=code,
        book=PhraseBook(entries, written.get("optional_prefixes", ())),
        numbers=numbers,
        misspelt={_plain(word): value for word, value in written.get("misspelt", {}).items()},
        known=frozenset(known),
        decimal_comma=written["decimal_comma"],
        patterns={name: whole_words(_with_weekdays(each, weekdays)) for name, each in written["patterns"].items()},
        courtesies=re.compile(rf"(?:(?<!\S)(?:{_alternatives(written['context']['thanks'])}))+$"),
        months={_plain(word): value for word, value in written.get("months", {}).items()},
        weekdays={_plain(word): value for word, value in weekdays.items()},
        hours={_plain(word): value for word, value in written.get("hours", {}).items()},
    )


@cache
def stop_words(code: str) -> frozenset[str]:
    """Whole messages that mean "stop", folded and joined by single spaces: the language's own, and every other language's but
    those that are a word of this one."""
    written = _written("stop_words.toml")
    short = short_code(code)
    own = {_plain(word) for table in written.values() for word in (*table.get(short, ()), *table.get("any", ()))}
    others = {_plain(word) for words in written["stop"].values() for word in words}
    known = language_for(code)
    return frozenset(own | {word for word in others if known is None or (word not in known.known and word not in known.numbers)})


def whole_words(alternatives: Iterable[str]) -> re.Pattern[str]:
    """One pattern for several, each beginning and ending at a space or an end, written in any spelling that folds alike."""
    return re.compile(r"(?<!\S)(?:" + "|".join(f"(?:{_fold_pattern(one)})" for one in alternatives) + r")(?!\S)")


def _with_weekdays(alternatives: Iterable[str], weekdays: Iterable[str]) -> list[str]:
    """Patterns with every name of a day of the week in the place of "{weekday}"."""
    names = "|".join(sorted(weekdays, key=len, reverse=True))
    return [each.replace("{weekday}", f"(?:{names})") for each in alternatives]


def _alternatives(phrases: Iterable[str]) -> str:
    return "|".join(re.escape(_plain(phrase)) for phrase in sorted(phrases, key=len, reverse=True))


def _fold_pattern(pattern: str) -> str:
    """Fold the letters of a pattern and leave its signs alone, so that data files may be written with accents and apostrophes."""
    return re.sub(r"[^\x00-\x7f]+|'", lambda match: "".join(fold(match.group()).split(" ")), pattern)


def short_code(code: str) -> str:
    """ "en" for "en-GB" and "EN_us"."""
    return code.lower().replace("_", "-").split("-")[0]


def _plain(phrase: str) -> str:
    return " ".join(token.text for token in tokens(phrase))


def _check_single(code: str, phrases: list[str]) -> None:
    plain = [_plain(phrase) for phrase in phrases]
    twice = sorted(phrase for phrase, times in Counter(plain).items() if times > 1)
    if twice:
        raise ValueError(f"languages/{code}.toml has these phrases twice: {', '.join(twice)}")


def _written(name: str) -> dict[str, Any]:
    return tomllib.loads((_FILES / name).read_text(encoding="utf-8"))
