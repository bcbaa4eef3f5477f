"""The labelled replies of tests/data, and how a row is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from bot_service.conversation.language import SHIPPED
from bot_service.conversation.parsing import Question

DATA = Path(__file__).parent.parent / "data"


class Row(NamedTuple):
    """One reply: the question that was open, the patient's language and the answer it should be read as.

    `read` is the answer we give: another than `expect` only in the few rows that say so, where we ask once more than we should.
    """

    text: str
    question: Question
    expect: int | str
    language: str
    read: int | str


def rows(name: str) -> list[Row]:
    """Every row of a file in tests/data."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [Row(row["text"], row["context"], row["expect"], row["lang"], row.get("read", row["expect"])) for row in map(json.loads, lines)]


def shipped(all_rows: list[Row]) -> list[Row]:
    """The rows in languages that have a data file."""
    return [row for row in all_rows if row.language in SHIPPED]
