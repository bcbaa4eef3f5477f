"""How far up each ladder somebody stands, what they lifted and ran, and what was prescribed, read once more from the bare documents."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from bot_service.storage import tables
from bot_service.storage.database import Tx

LIBRARY = Path(__file__).parents[1] / "plans" / "library" / "proximal_hamstring_tendinopathy.toml"
CHARTED = 84
"""Days that the chart of loads goes back."""
AMOUNTS = ("reps", "hold_s", "dist_m")


class Climb(NamedTuple):
    """A step of an exercise from a day on: the exercise's name, the number of the step, how many there are, and its words."""

    day: date
    name: str
    number: int
    of: int
    words: str


@cache
def plan_file() -> dict[str, Any]:
    """The plan as its file has it, for those who judge pages that show it."""
    return tomllib.loads(LIBRARY.read_text(encoding="utf-8"))


class Climbed:
    """Every document that was not undone, and every load and decision, by episode."""

    def __init__(self, tx: Tx) -> None:
        self.documents: dict[UUID, list[tuple[date, dict[str, Any]]]] = {}
        for row in tx.all(select(tables.prescriptions).order_by(tables.prescriptions.c.number)):
            if row.undone_at is None:
                self.documents.setdefault(row.episode_id, []).append((row.starts_on, row.document))
        rows = tx.all(select(tables.entries))
        replaced, self.named = {row.supersedes_id for row in rows}, dict[UUID, list[tuple[date, int, float]]]()
        for row in rows:
            if row.kind == "load" and row.confirmed and row.id not in replaced:
                self.named.setdefault(row.episode_id, []).append((row.day, row.slot, float(row.outcome.removesuffix(" kg"))))
        self.decided: dict[UUID, list[Any]] = {}
        for row in tx.all(select(tables.proposals)):
            self.decided.setdefault(row.episode_id, []).append(row)

    def climbs(self, key: UUID) -> list[tuple[str, Climb]]:
        """Every step with its exercise, in the order in which it was prescribed; whoever stays on a step has not taken it again."""
        found, stood = list[tuple[str, Climb]](), dict[str, str | None]()
        for day, document in self.documents[key]:
            for item in document["exercises"]:
                exercise, rung = item["exercise"], item["rung"]
                if rung and stood.get(exercise["id"]) != rung:
                    ladder = [each["id"] for each in exercise["rungs"]]
                    words = exercise["rungs"][ladder.index(rung)]["text"]
                    found.append((exercise["id"], Climb(day, exercise["name"], ladder.index(rung) + 1, len(ladder), words)))
                stood[exercise["id"]] = rung
        return found

    def standing(self, key: UUID) -> list[list[Climb]]:
        """The steps of each exercise that is on its ladder now, in the order of the prescription."""
        climbs = self.climbs(key)
        on_it = [item["exercise"]["id"] for item in self.documents[key][-1][1]["exercises"] if item["rung"]]
        return [[climb for name, climb in climbs if name == each] for each in on_it]

    def loads(self, key: UUID) -> list[tuple[date, float]]:
        """Day and kilos, the first one first."""
        return [(day, kilos) for day, _, kilos in sorted(self.named.get(key, []))]

    def running(self, key: UUID) -> str:
        """What the page says of running."""
        document = self.documents[key][-1][1]
        if not document["run_step"]:
            return "Closed. Nothing about running is sent."
        (first, last), at = document["run_steps_open"], document["run_step"]
        opened = f"step {first}" if first == last else f"steps {first} to {last}"
        return f"Open: {opened}. Now at step {at}: {plan_file()['return_to_run']['steps'][at - 1]}"

    def offers(self, key: UUID) -> int:
        return sum("offered" in row.detail for row in self.decided.get(key, ()))

    def decisions(self, key: UUID) -> int:
        """What clinicians decided; an undoing stands with what it undid."""
        return sum(row.decided_by is not None and row.status != "undid" for row in self.decided.get(key, ()))


def dose_of(item: dict[str, Any]) -> Counter[int]:
    """The numbers of an exercise's dose, whatever their order: sets, repetitions or seconds or metres, effort, rest, tempo."""
    dose = item["dose"]
    found = [dose["sets"], *(dose[name] for name in AMOUNTS if dose[name] is not None)]
    found += [dose[name] for name in ("effort_pct", "rest_s") if dose[name]]
    return Counter(found + [int(each) for each in re.findall(r"[1-9]\d*", f"{dose['tempo'] or ''} {dose['load'] or ''}")])


def long_day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def short_day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"
