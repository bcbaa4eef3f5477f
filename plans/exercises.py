"""An exercise as data: its dose, its ladder of rungs, and the slot of the week in which it is done."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import Field

from plans.thresholds import Key, Part, Percent, Text, Weekday

SLOW_LOWERING = "slow lowering"
"""The one tempo in words that messages and pages know how to say."""


class Dose(Part):
    """How much: sets, then exactly one of repetitions, hold (seconds) or distance (metres); rest in seconds.

    `tempo` is the seconds up, held and down, such as `3-0-3`, or SLOW_LOWERING.
    """

    sets: Annotated[int, Field(ge=1, le=10)]
    reps: Annotated[int, Field(ge=1, le=60)] | None = None
    hold_s: Annotated[int, Field(ge=1, le=300)] | None = None
    dist_m: Annotated[int, Field(ge=1, le=2000)] | None = None
    rest_s: Annotated[int, Field(ge=0, le=600)]
    tempo: str | None = None
    effort_pct: Percent | None = None
    load: str | None = None


def amounts(dose: Dose) -> tuple[int | None, ...]:
    """How much in numbers: what a text about the dose may speak of."""
    return dose.sets, dose.reps, dose.hold_s, dose.dist_m, dose.effort_pct


def seconds_of(tempo: str) -> tuple[int, int, int] | None:
    """The seconds up, held and down of a tempo such as `3-0-3`; None for anything else."""
    parts = tempo.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    up, hold, down = map(int, parts)
    return up, hold, down


class Rung(Part):
    """One step of an exercise's ladder (`build`): words the patient reads, and the dose that goes with them."""

    id: Key
    text: Text
    dose: Dose


class Exercise(Part):
    """One exercise with everything a patient needs to do it and a clinician needs to check it.

    `rungs` is the whole ladder: the first rung is the start and has the exercise's own dose. `start_after` says in words what comes
    first when the exercise is not part of the stage from its first day.
    """

    id: Key
    name: Text
    type: Literal["isometric", "isotonic", "balance", "plyometric"]
    dose: Dose
    side: Literal["both_together", "each", "each_when_single", "treated"] = "both_together"
    how: Text
    easier: Text
    easier_dose: Dose
    harder: Text
    rungs: tuple[Rung, ...] = ()
    start_after: Text | None = None
    max_per_week: Annotated[int, Field(ge=1, le=7)] | None = None
    source: tuple[str, ...] = Field(min_length=1)


class Extra(Part):
    """Exercises that join a slot on some of its days only."""

    days: tuple[Weekday, ...] = Field(min_length=1)
    exercises: tuple[Key, ...] = Field(min_length=1)


class Slot(Part):
    """A numbered place in the day. Only `prompted` slots get a message of their own by default; the others are named in it."""

    number: Annotated[int, Field(ge=1, le=9)]
    label: Text
    days: tuple[Weekday, ...] = Field(min_length=1)
    exercises: tuple[Key, ...] = Field(min_length=1, max_length=6)
    extra: Extra | None = None
    suggested_time: time
    min_gap_h: Annotated[int, Field(ge=0, le=168)] = 0
    optional: bool = False
    prompted: bool = True
    locked: bool = False
