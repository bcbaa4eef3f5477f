"""What was lifted and how far up each ladder the exercises stand: the loads patients named, and the steps prescribed, over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot_service.clinical.in_words import plural
from bot_service.storage.entries import Entry
from bot_service.storage.prescriptions import Prescribed
from bot_service.web.charts import LEFT, LONGEST, RIGHT, WIDTH, Mark
from bot_service.web.times import day_words, long_day

HEIGHT, TOP, BOTTOM = 180, 14, 30
MINI_WIDTH, MINI_HEIGHT = 160, 34


@dataclass(frozen=True)
class LoadPoint:
    """A load in place, and in words."""

    x: float
    y: float
    day: str
    words: str


@dataclass(frozen=True)
class LoadChart:
    """Everything that the drawing needs, in its own units; `rows` are its numbers, latest first."""

    points: tuple[LoadPoint, ...]
    line: str
    days: tuple[Mark, ...]
    scale: tuple[Mark, ...]
    summary: str
    rows: tuple[tuple[str, str], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Ladder:
    """One exercise that is prescribed now: its step (`number` of `steps`), since when, and its steps since care began as a line."""

    name: str
    number: int
    steps: int
    text: str
    since: str
    line: str
    words: str
    width: int = MINI_WIDTH
    height: int = MINI_HEIGHT

    @property
    def end(self) -> list[str]:
        """Where the line ends."""
        return self.line.rpartition(" ")[2].split(",")


def load_chart(current: Sequence[Entry], first: date, today: date) -> LoadChart | None:
    """The loads that patients named beside a session, in kilos; None when they named none."""
    start = max(first, today - timedelta(days=LONGEST - 1))
    named = sorted((entry.day, entry.slot or 0, _kilos(entry)) for entry in current if entry.kind == "load" and entry.confirmed)
    if not named:
        return None
    length, shown = max((today - start).days, 13), [(day, kilos) for day, _, kilos in named if day >= start]
    top = max((kilos for _, kilos in shown), default=0) * 1.15 or 1

    def x(day: date) -> float:
        return round(LEFT + 12 + (WIDTH - LEFT - RIGHT - 24) * (day - start).days / length, 1)

    def y(kilos: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - kilos / top), 1)

    points = tuple(LoadPoint(x(day), y(kilos), day_words(day), f"{kilos:g} kg") for day, kilos in shown)
    latest, heaviest = named[-1], max(kilos for _, _, kilos in named)
    step = 7 if length <= 70 else 14
    return LoadChart(
        points=points,
        line=" ".join(f"{point.x},{point.y}" for point in points),
        days=tuple(Mark(x(day), day_words(day)[4:]) for day in (start + timedelta(days=i) for i in range(0, length + 1, step))),
        scale=tuple(Mark(y(kilos), f"{kilos:g}") for kilos in sorted({0.0, round(top / 2.3, 1), round(top / 1.15, 1)})),
        summary=f"{plural(len(named), 'load')} named: first {named[0][2]:g} kg, latest {latest[2]:g} kg on {day_words(latest[0])}, "
        f"heaviest {heaviest:g} kg.",
        rows=tuple((long_day(day), f"{kilos:g} kg") for day, _, kilos in reversed(named)),
    )


def ladders(past: Sequence[Prescribed], today: date) -> list[Ladder]:
    """Each exercise of the prescription in force that has a ladder, with its steps since care began."""
    if not past:
        return []
    first, found = past[0].starts_on, []
    for item in past[-1].document.exercises:
        steps = [(start, step) for start, name, step, _ in _steps(past) if name == item.exercise.id]
        rungs = [rung.id for rung in item.exercise.rungs]
        if len(rungs) < 2 or not steps or item.rung not in rungs:
            continue
        number = rungs.index(item.rung) + 1
        text = item.exercise.rungs[number - 1].text
        words = "; ".join(f"step {step} from {day_words(start)}" for start, step in steps)
        line = _line(steps, len(rungs), first, today)
        found.append(Ladder(item.exercise.name, number, len(rungs), text, day_words(steps[-1][0]), line, words))
    return found


def steps_taken(past: Sequence[Prescribed]) -> list[tuple[str, str, str]]:
    """Every change of a step, the latest first: the day, the exercise, and the step in words; those of earlier stages too."""
    names = {item.exercise.id: item.exercise for each in past for item in each.document.exercises}
    return [
        (long_day(start), names[name].name, f"step {step} of {len(names[name].rungs)}: {text}")
        for start, name, step, text in reversed(_steps(past))
    ]


def _steps(past: Sequence[Prescribed]) -> list[tuple[date, str, int, str]]:
    """The first day of each step of each exercise: the day, the exercise's id, the number of the step, its words."""
    found, at = list[tuple[date, str, int, str]](), dict[str, str | None]()
    for each in past:
        for item in each.document.exercises:
            number = next((n for n, rung in enumerate(item.exercise.rungs, 1) if rung.id == item.rung), 0)
            if number and at.get(item.exercise.id) != item.rung:
                found.append((each.starts_on, item.exercise.id, number, item.exercise.rungs[number - 1].text))
            at[item.exercise.id] = item.rung
    return found


def _line(steps: Sequence[tuple[date, int]], most: int, first: date, today: date) -> str:
    length = max((today - first).days, 1)

    def x(day: date) -> float:
        return round(3 + (MINI_WIDTH - 6) * min(max((day - first).days, 0), length) / length, 1)

    def y(step: int) -> float:
        return round(4 + (MINI_HEIGHT - 8) * (1 - (step - 1) / (most - 1)), 1)

    ends = [*(start for start, _ in steps[1:]), today]
    return " ".join(f"{x(start)},{y(step)} {x(end)},{y(step)}" for (start, step), end in zip(steps, ends, strict=True))


def _kilos(entry: Entry) -> float:
    return float((entry.outcome or "0").partition(" ")[0])
