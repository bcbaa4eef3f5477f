"""What a mistake in a plan file is, and how a place in the file is named for a person who did not write the program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from typing import NamedTuple

_SINGULAR = {
    "stages": "stage",
    "slots": "slot",
    "exercises": "exercise",
    "rungs": "rung",
    "tips": "tip",
    "eligibility": "question",
}
# Tables that stand once in the file, under a heading of their own.
_HEADED = ("rules", "references", "return_to_run")


@dataclass(frozen=True)
class PlanError:
    """One mistake: the file, the dotted key in it (ids instead of positions) and a sentence that says what to do."""

    file: str
    key: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.sentence}"


class PlanErrors(Exception):
    """All the mistakes that were found, at once. `errors` is never empty."""

    def __init__(self, errors: list[PlanError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


class Finding(NamedTuple):
    """A mistake before it is known which file it is in."""

    key: str
    sentence: str


@dataclass(frozen=True)
class Spot:
    """A place in the raw file: what stands there, its dotted key, and its name in words.

    Reading a value of the wrong type gives nothing, never an error.
    """

    value: object
    key: str = ""
    words: str = ""

    def finding(self, problem: str, field: str = "") -> Finding:
        """A mistake here, or in `field` here; `problem` continues a sentence that begins with the name of this place."""
        sentence = f"{self.words or 'this plan'} {problem}"
        return Finding(_joined(self.key, field), sentence[0].upper() + sentence[1:])

    def child(self, name: str) -> Spot:
        """The value of a key of this table; its value is None when there is no such key."""
        value = self.value.get(name) if isinstance(self.value, dict) else None
        key = _joined(self.key, name)
        words = _joined(self.words, _SINGULAR.get(name, name.replace("_", " ")), ", ")
        return Spot(value, key, f"the [{key}] table" if key.partition(".")[0] in _HEADED else words)

    def item(self, index: int) -> Spot:
        """One entry of this list, named by its id or number, else by its position (#1 is the first)."""
        entries = self.value if isinstance(self.value, list) else []
        value = entries[index] if index < len(entries) else None
        name = _name_of(value) or f"#{index + 1}"
        return Spot(value, _joined(self.key, name), f"{self.words} {name}")

    def rows(self, name: str) -> list[Spot]:
        """The tables in the list under `name`."""
        listed = self.child(name)
        count = len(listed.value) if isinstance(listed.value, list) else 0
        return [row for row in map(listed.item, range(count)) if isinstance(row.value, dict)]

    def has(self, name: str) -> bool:
        """Whether the key is there at all."""
        return isinstance(self.value, dict) and name in self.value

    def number(self, name: str) -> int | None:
        """A whole number under `name`."""
        value = self.child(name).value
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def numbers(self, name: str) -> list[int]:
        """The whole numbers in the list under `name`."""
        value = self.child(name).value
        return [each for each in value if isinstance(each, int) and not isinstance(each, bool)] if isinstance(value, list) else []

    def text(self, name: str) -> str | None:
        """A text under `name`."""
        value = self.child(name).value
        return value if isinstance(value, str) else None

    def texts(self, name: str) -> list[str]:
        """The texts in the list under `name`."""
        value = self.child(name).value
        return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

    def yes(self, name: str, otherwise: bool = False) -> bool:
        """The true or false under `name`."""
        value = self.child(name).value
        return value if isinstance(value, bool) else otherwise

    def strings(self) -> Iterator[tuple[Spot, str, str]]:
        """Every text at or below this place: the table it is in, its field, and the text."""
        if isinstance(self.value, dict):
            for name, value in self.value.items():
                if isinstance(value, str):
                    yield self, name, value
                elif isinstance(value, list):
                    yield from ((self, name, each) for each in value if isinstance(each, str))
                    for row in self.rows(name):
                        yield from row.strings()
                else:
                    yield from self.child(name).strings()


def shown(value: object) -> str:
    """A value as it looks in the file, short enough for a sentence."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else f'"{value[:37]}..."'
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return value.isoformat() if isinstance(value, (date, time)) else f"{value:.12g}" if isinstance(value, float) else str(value)[:40]


def either(words: list[str]) -> str:
    """A choice in words: "mon", "mon or tue", "mon, tue or wed"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _name_of(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    name = value.get("id", value.get("number"))
    return str(name)[:60] if isinstance(name, (str, int)) and not isinstance(name, bool) and name != "" else None


def _joined(left: str, right: str, by: str = ".") -> str:
    return f"{left}{by}{right}" if left and right else left or right
