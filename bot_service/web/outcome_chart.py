"""Where the parts of an outcome measure's drawing go: its scale, its days, its values, and from where on a change is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot_service.clinical.outcome_measures import Measure, Value
from bot_service.web.charts import Mark
from bot_service.web.times import day_words, long_day

WIDTH, HEIGHT = 340, 170
LEFT, RIGHT, TOP, BOTTOM = 34, 84, 20, 28
TIGHT = 8
"""More values than this are drawn without their numbers, but the first and the last (default)."""
ROOM = 10
"""How far the scale of a count goes past its highest mark at least (default)."""


@dataclass(frozen=True)
class Dot:
    """A value in place; `text` is the value where there is room for it."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class OutcomeChart:
    """Everything that the drawing needs, in its own units. `lines` are published marks, `band` is top and height of chance."""

    dots: tuple[Dot, ...]
    line: str
    scores: tuple[Mark, ...]
    days: tuple[Mark, ...]
    lines: tuple[Mark, ...]
    band: tuple[float, float] | None
    words: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def outcome_chart(measure: Measure, values: Sequence[Value], beside: Sequence[Value] = ()) -> OutcomeChart | None:
    """The drawing of two values or more, the oldest first; None of fewer. `beside` are those of the other side: both have the same axes."""
    if len(values) < 2:
        return None
    days, top = [item.day for item in (*values, *beside)], _top(measure, [*values, *beside])
    first, last = min(days), max(days)

    def x(day: date) -> float:
        return round(LEFT + 8 + (WIDTH - LEFT - RIGHT - 16) * (day - first).days / max((last - first).days, 1), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - measure.low) / (top - measure.low), 1)

    ends = (0, len(values) - 1)
    dots = tuple(
        Dot(x(item.day), y(item.value), _signed(item.value) if len(values) <= TIGHT or number in ends else "")
        for number, item in enumerate(values)
    )
    band, lines = _marks(measure, values[0].value)
    return OutcomeChart(
        dots=dots,
        line=" ".join(f"{dot.x},{dot.y}" for dot in dots),
        scores=tuple(Mark(y(score), _signed(score)) for score in (measure.low, (measure.low + top) // 2, top)),
        days=tuple(Mark(x(day), day_words(day)[4:]) for day in sorted({first, last})),
        lines=tuple(Mark(y(at), text) for at, text in lines),
        band=(y(band[1]), round(y(band[0]) - y(band[1]), 1)) if band else None,
        words=f"{len(values)} values, from {_signed(values[0].value)} on {long_day(values[0].day)} to {_signed(values[-1].value)} on "
        f"{long_day(values[-1].day)}, on a scale of {_signed(measure.low)} to {_signed(measure.high)}. "
        + " ".join(f"{text[:1].upper()}{text[1:]}." for _, text in lines),
    )


def _top(measure: Measure, values: Sequence[Value]) -> int:
    """The scale's end; of a count that has marks, a little past them and past all that was counted."""
    if not measure.marks:
        return measure.high
    return max(measure.marks[0][0] + ROOM, *(-(-item.value // ROOM) * ROOM for item in values))


def _marks(measure: Measure, first: int) -> tuple[tuple[int, int] | None, Sequence[tuple[int, str]]]:
    """What chance explains around the first value, and the marks that a source names; no more than its scale holds."""
    if measure.important is None:
        return None, measure.marks
    worse, better = first - measure.important, first + measure.important
    ends = ((better, f"better from {better}"), (worse, f"worse from {worse}"))
    lines = [(at, words) for at, words in ends if measure.low <= at <= measure.high]
    return (max(worse, measure.low), min(better, measure.high)), lines


def _signed(value: int) -> str:
    return str(value).replace("-", "−")
