"""The tests of the reader and of the red-flag screen as single checks, one a row, for the mutation gate to run in one process."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from types import ModuleType
from typing import Any

from bot_service.conversation.language import SHIPPED
from bot_service.conversation.parsing import read
from tests.clinical import test_red_flags, test_words
from tests.conversation import test_languages, test_parsing, test_parsing_neighbours
from tests.conversation.kept_readings import kept, read_now
from tests.conversation.labelled import Row, rows

Check = Callable[[], None]


def checks() -> list[Check]:
    """Every labelled row, every kept row, then every case of the tests that need no fixture; each raises when it fails."""
    labelled = [partial(check_row, row) for name in ("replies.jsonl", "held_out_replies.jsonl") for row in rows(name)]
    cases = [
        case for module in (test_parsing, test_parsing_neighbours, test_red_flags, test_words, test_languages) for case in _cases(module)
    ]
    return [*labelled, *(partial(check_kept, row) for row in kept()), *cases]


def check_row(row: Row) -> None:
    """Raises AssertionError when a labelled reply is not read as its row says it is."""
    answer = read(row.text, row.question, row.language).answer
    assert answer == row.read or (answer == "ambiguous" and row.language not in SHIPPED), (row, answer)


def check_kept(row: dict[str, Any]) -> None:
    """Raises AssertionError when a kept row is not read, in any part, as it was when it was kept."""
    now = read_now(row)
    assert now == row["read"], (row, now)


def _cases(module: ModuleType) -> Iterator[Check]:
    for name, test in vars(module).items():
        if name.startswith("test_"):
            marks = [mark.args for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
            for chosen in product(*(_named(names, values) for names, values in marks)):
                arguments = {key: value for one in chosen for key, value in one.items()}
                if set(arguments) == set(inspect.signature(test).parameters):
                    yield partial(test, **arguments)


def _named(names: str | tuple[str, ...], values: Any) -> list[dict[str, Any]]:
    keys = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    return [dict(zip(keys, value if len(keys) > 1 else [value], strict=True)) for value in values]
