"""A sentence for every listed red-flag phrase and the tier it raises, kept so that no phrase is lost unseen.

python -m tests.clinical.kept_red_flags     (writes tests/data/kept_red_flags.jsonl anew: read its diff before you keep it)
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from bot_service.clinical.red_flags import LANGUAGES, TIERS, find_red_flag
from tests.conversation.labelled import DATA

FILE = DATA / "kept_red_flags.jsonl"
_FOLDER = files("bot_service.clinical") / "red_flag_words"
_BESIDE_FIGURES = (
    ("My hip keeps popping out now when I walk", "URGENT"),
    ("it feels like the tendon is just popping out", "URGENT"),
    ("hamstring just popping out now when I bend, awful pain", "URGENT"),
    ("my hip is popping out to the side", "URGENT"),
    ("it was so popping out for no reason", "URGENT"),
    ("hip popping out later in the day", "URGENT"),
    ("my tendon is popping over the bone", "URGENT"),
)
"""English sentences of a symptom in words that also stand in an errand ("popping out to the shops"), and their tiers."""


def kept() -> list[dict[str, str]]:
    """Every kept row: the language, the text and the tier it raised when it was kept."""
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def sentences() -> Iterator[dict[str, str]]:
    """For every phrase the sentence of the most serious rule that it raises with a phrase of each other set, then those beside figures."""
    rules = _written("rules")["rules"]
    for code in LANGUAGES:
        sets = _written(code)["sets"]
        for name, phrases in sets.items():
            wanted = sorted((rule for rule in rules if name in rule["sets"]), key=lambda rule: TIERS.index(rule["tier"]))
            for phrase in phrases:
                raised = (_sentence(code, rule, name, phrase, sets) for rule in wanted if set(rule["sets"]) <= set(sets))
                row = next((row for row in raised if row is not None), None)
                if row is not None:
                    yield row
    yield from ({"lang": "en", "text": text, "tier": tier} for text, tier in _BESIDE_FIGURES)


def _sentence(code: str, rule: dict[str, Any], name: str, phrase: str, sets: dict[str, list[str]]) -> dict[str, str] | None:
    text = " ".join(phrase if each == name else sets[each][0] for each in rule["sets"]).replace("*", "")
    found = find_red_flag(text, code)
    return None if found is None or found.tier != rule["tier"] else {"lang": code, "text": text, "tier": found.tier}


def _written(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def main() -> None:
    """Keep every sentence anew."""
    FILE.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in sentences()), encoding="utf-8")


if __name__ == "__main__":
    main()
