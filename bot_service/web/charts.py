"""Where the parts of a chart go: pain over time and the small line of the caseload, as numbers that the templates draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot_service.clinical.in_words import plural
from bot_service.clinical.record import LoadingDay
from bot_service.web.times import day_words
from plans.model import Rules

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 30, 132, 26, 30
LONGEST = 84
"""Days drawn at most; older ones are in the table."""
SPARK_WIDTH, SPARK_HEIGHT, SPARK_DAYS = 90, 30, 12


@dataclass(frozen=True)
class Point:
    """A value in place."""

    x: float
    y: float
    day: date
    score: int


@dataclass(frozen=True)
class Band:
    """A range of scores: `kind` is its class, `label` what the plan makes of it."""

    kind: str
    label: str
    y: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Mark:
    """A line at a place on the time axis or the scale, with its words."""

    at: float
    text: str


@dataclass(frozen=True)
class PainChart:
    """Everything that the drawing needs, in its own units. `mark` is half the size of a mark, smaller when days stand close."""

    during: tuple[Point, ...]
    after: tuple[Point, ...]
    bands: tuple[Band, ...]
    stages: tuple[Mark, ...]
    days: tuple[Mark, ...]
    scores: tuple[Mark, ...]
    usual: Mark | None
    mark: float
    during_line: str
    after_line: str
    summary: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Sparkline:
    """The latest session pains as a line; `words` says the same."""

    line: str
    last_x: float
    last_y: float
    words: str
    ceiling_y: float
    last: int
    width: int = SPARK_WIDTH
    height: int = SPARK_HEIGHT


def pain_chart(
    days: Sequence[LoadingDay], stages: Sequence[tuple[date, str]], rules: Rules, baseline: int | None, first: date, today: date
) -> PainChart:
    """The chart of an episode from `first` to `today`, or its last weeks. `stages` are the days on which a stage began."""
    start = max(first, today - timedelta(days=LONGEST - 1))
    length = max((today - start).days, 13)
    shown = [day for day in days if start <= day.day <= today]

    def x(day: date) -> float:
        return round(LEFT + 12 + (WIDTH - LEFT - RIGHT - 24) * (day - start).days / length, 1)

    during = tuple(Point(x(day.day), _y(day.pain), day.day, day.pain) for day in shown if day.pain is not None)
    after = tuple(Point(x(day.day), _y(day.pain_24h), day.day, day.pain_24h) for day in shown if day.pain_24h is not None)
    step = 7 if length <= 70 else 14
    return PainChart(
        during=during,
        after=after,
        bands=_bands(rules),
        stages=tuple(Mark(x(day), title) for day, title in stages if start <= day <= today),
        days=tuple(Mark(x(day), day_words(day)[4:]) for day in (start + timedelta(days=i) for i in range(0, length + 1, step))),
        scores=tuple(Mark(_y(score), str(score)) for score in (0, 2, 4, 6, 8, 10)),
        usual=None if baseline is None else Mark(_y(baseline), str(baseline)),
        mark=4.0 if length <= 42 else 2.6,
        during_line=_line(during),
        after_line=_line(after),
        summary=_words(during, after, rules),
    )


def sparkline(pains: Sequence[int], ceiling: int) -> Sparkline | None:
    """The line of the last few values, a single one being its end, and the patient's `ceiling`; None when there are none."""
    last = pains[-SPARK_DAYS:]
    if not last:
        return None
    room = SPARK_HEIGHT - 6

    def y(score: float) -> float:
        return round(3 + room * (1 - score / 10), 1)

    step = (SPARK_WIDTH - 6) / max(len(last) - 1, 1)
    points = [(round(SPARK_WIDTH - 3 - step * (len(last) - 1 - i), 1), y(score)) for i, score in enumerate(last)]
    line = " ".join(f"{at_x},{at_y}" for at_x, at_y in points)
    words = f"Worst session pain, last {plural(len(last), 'exercise day')}: {', '.join(map(str, last))}"
    return Sparkline(line, *points[-1], words, y(ceiling + 0.5), last[-1])


def _y(score: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - score / 10), 1)


def _bands(rules: Rules) -> tuple[Band, ...]:
    """Edges lie halfway between scores, so that a mark never sits on one."""
    green, amber, severe = rules.session_pain.green_max, rules.session_pain.amber_max, rules.session_pain.severe_min
    edges = [
        ("green", f"0–{green} comfortable", 0.0, green + 0.5),
        ("amber", f"{_span(green + 1, amber)} allowed", green + 0.5, amber + 0.5),
        ("red", f"{_span(amber + 1, severe - 1)} above the ceiling", amber + 0.5, severe - 0.5),
        ("severe", f"{severe}–10 severe", severe - 0.5, 10.0),
    ]
    return tuple(Band(kind, label, _y(high), round(_y(low) - _y(high), 1)) for kind, label, low, high in edges if high > low)


def _span(low: int, high: int) -> str:
    return f"{low}–{high}" if high > low else str(low)


def _line(points: Sequence[Point]) -> str:
    return " ".join(f"{point.x},{point.y}" for point in points)


def _words(during: Sequence[Point], after: Sequence[Point], rules: Rules) -> str:
    if not during and not after:
        return "No pain scores yet."
    parts = []
    for name, points in (("During or straight after", during), ("24 hours later", after)):
        if points:
            parts.append(
                f"{name}: {len(points)} scores, first {points[0].score}, last {points[-1].score}, "
                f"highest {max(point.score for point in points)}."
            )
    over = sum(point.score > rules.pain_ceiling for point in during)
    parts.append(f"{over} of the session scores above the ceiling of {rules.pain_ceiling}." if over else "None above the ceiling.")
    return " ".join(parts)
