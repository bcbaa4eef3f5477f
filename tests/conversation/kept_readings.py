"""Sentences put together from the word lists and how each is read, kept so that a change of any reading is seen and judged.

python -m tests.conversation.kept_readings     (writes tests/data/kept_readings.jsonl anew: read its diff before you keep it)
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from typing import Any

from bot_service.conversation.parsing import Reading, read
from tests.conversation.labelled import DATA

FILE = DATA / "kept_readings.jsonl"
TODAY = date(2026, 3, 10)


def kept() -> list[dict[str, Any]]:
    """Every kept row: text, question, language and what was read."""
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def read_now(row: dict[str, Any]) -> dict[str, Any]:
    """What the reader makes of a row: the answer and everything else that is not at its default."""
    return as_written(read(row["text"], row["context"], row["lang"], TODAY))


def as_written(reading: Reading) -> dict[str, Any]:
    """A reading as it stands in the file, without what is at its default."""
    told = {field.name: getattr(reading, field.name) for field in fields(reading)}
    if reading.red_flag is not None:
        told["red_flag"] = [reading.red_flag.tier, reading.red_flag.family, reading.red_flag.words]
    shown = {name: str(value) if name in {"time", "since", "until"} and value else value for name, value in told.items()}
    return {name: value for name, value in shown.items() if name == "answer" or value or (value == 0 and value is not False)}


def main() -> None:
    """Read every row again."""
    lines = [json.dumps({**row, "read": read_now(row)}, ensure_ascii=False) for row in kept()]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
