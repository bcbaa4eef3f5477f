"""How well replies are understood, beside a reader that takes the first number, and how long one text takes.

python -m benchmarks.understanding [--texts N] [--json]
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any, NamedTuple, get_args

from bot_service.conversation.language import SHIPPED
from bot_service.conversation.parsing import Question, read

DATA = Path(__file__).parent.parent / "tests" / "data"
FILES = {"labelled": "replies.jsonl", "held out": "held_out_replies.jsonl"}
QUESTIONS: Sequence[Question] = get_args(Question)


class Counts(NamedTuple):
    """What a reader made of a set of replies."""

    exact: int
    wrong_numbers: int
    missed_red_flags: int
    missed_stops: int
    invented_stops: int
    rows: int


def main() -> None:
    """Print the table and the times."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--texts", type=int, default=100_000, help="generated texts to time")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    result = measure(chosen.texts)
    print(json.dumps(result, indent=2) if chosen.json else table(result))


def measure(texts: int = 100_000) -> dict[str, Any]:
    """The accuracy of both readers on every set of labelled replies, and the time one text takes in milliseconds."""
    accuracy = {}
    for name, file in FILES.items():
        rows = [json.loads(line) for line in (DATA / file).read_text(encoding="utf-8").splitlines()]
        shipped = [row for row in rows if row["lang"] in SHIPPED]
        others = [row for row in rows if row["lang"] not in SHIPPED]
        accuracy[name] = both_readers(shipped)
        accuracy[f"{name}, other languages"] = both_readers(others)
    return {"accuracy": accuracy, "milliseconds": times(texts)}


def both_readers(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """The counts of our reader and of the naive one on the same rows."""
    return {"ours": counts(rows, ours)._asdict(), "first number": counts(rows, first_number)._asdict()}


def ours(row: dict[str, Any]) -> int | str:
    """What Stepwise reads."""
    return read(row["text"], row["context"], row["lang"]).answer


def first_number(row: dict[str, Any]) -> int | str:
    """What a naive reader makes of it: "stop" anywhere, then the first number, then a yes or a no, else ask again."""
    text = row["text"].strip().lower()
    if not text:
        return "none"
    if text in {"stop", "unsubscribe", "end", "quit", "cancel", "stopall"}:
        return "stop"
    if text == "help":
        return "help"
    number = re.search(r"\d+", text)
    if number and row["context"] != "did_you_exercise":
        value = int(number.group())
        return value if value <= 10 else "ambiguous"
    if row["context"] == "did_you_exercise":
        return "yes" if re.match(r"(y|yes|done)\b", text) else "no" if re.match(r"(n|no)\b", text) else "ambiguous"
    return "ambiguous"


def counts(rows: Iterable[dict[str, Any]], reader: Any) -> Counts:
    """Compare a reader's answers with the labels."""
    pairs = [(reader(row), row["expect"]) for row in rows]
    return Counts(
        exact=sum(said == label for said, label in pairs),
        wrong_numbers=sum(isinstance(said, int) and said != label for said, label in pairs),
        missed_red_flags=sum(label == "red_flag" != said for said, label in pairs),
        missed_stops=sum(label == "stop" != said for said, label in pairs),
        invented_stops=sum(said == "stop" != label for said, label in pairs),
        rows=len(pairs),
    )


def times(texts: int) -> dict[str, float]:
    """Median, 99th percentile and mean over generated texts: words of real replies shuffled, and random characters."""
    lines = [line for file in FILES.values() for line in (DATA / file).read_text(encoding="utf-8").splitlines()]
    words = sorted({word for line in lines for word in json.loads(line)["text"].split()})
    dice = random.Random(20260101)
    for language in SHIPPED:
        read("warm up", "session_pain", language)
    taken = []
    for _ in range(texts):
        text = _generated(dice, words)
        question, language = dice.choice(QUESTIONS), dice.choice(SHIPPED)
        start = perf_counter()
        said = read(text, question, language)
        taken.append((perf_counter() - start) * 1000)
        if said.score is not None and not 0 <= said.score <= 10:
            raise AssertionError(f"A score outside the scale: {text!r} gave {said.score}.")
    return {
        "texts": texts,
        "median": round(median(taken), 3),
        "p99": round(quantiles(taken, n=100)[98], 3),
        "mean": round(sum(taken) / texts, 3),
    }


def table(result: dict[str, Any]) -> str:
    """The result as a Markdown table, as it stands in docs/understanding.md."""
    lines = [
        "| replies | reader | exactly as labelled | wrong numbers | missed red flags | STOP missed / invented |",
        "|---|---|---|---|---|---|",
    ]
    for name, readers in result["accuracy"].items():
        for reader, count in readers.items():
            share = f"{count['exact']} of {count['rows']} ({count['exact'] / count['rows']:.1%})"
            stops = f"{count['missed_stops']} / {count['invented_stops']}"
            lines.append(f"| {name} | {reader} | {share} | {count['wrong_numbers']} | {count['missed_red_flags']} | {stops} |")
    spent = result["milliseconds"]
    speed = f"median {spent['median']} ms, 99th percentile {spent['p99']} ms"
    lines += ["", f"{spent['texts']} generated texts: {speed}, no exception, no score outside 0-10."]
    return "\n".join(lines)


def _generated(dice: random.Random, words: Sequence[str]) -> str:
    if dice.random() < 0.2:
        return "".join(chr(dice.randrange(0x110000)) for _ in range(dice.randrange(40)))
    return " ".join(dice.choice(words) for _ in range(dice.randrange(1, 14)))


if __name__ == "__main__":
    main()
