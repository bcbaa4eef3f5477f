"""Who the simulated patients are: frozen values that say how somebody's pain goes, how they answer, and what happens to them when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import Literal

Outcome = Literal["done", "partly", "no", "pain"]


@dataclass(frozen=True)
class Pain:
    """Pain as it is, of which answers tell rounded values: it falls from `start` to `floor` with `weeks` as its time constant.

    A session adds `load`; with the chance `flare` a day's session was too hard: `flare_size` more, and worse the day after too. With
    the chance `late` it only shows the day after.
    """

    start: float = 4.0
    floor: float = 0.8
    weeks: float = 3.0
    load: float = 0.5
    noise: float = 0.5
    flare: float = 0.02
    flare_size: float = 3.5
    late: float = 0.03
    late_size: float = 2.5
    rise_per_week: float = 0.0


@dataclass(frozen=True)
class Habits:
    """How somebody uses the chat. Shares from 0 to 1: of sessions `done` and `partly` done (the rest are refused), of messages
    `answers` answered at all, `next_day` of 24-hour questions, `taps` rather than types, with `typos`, `vague` words and `slips`
    (a wrong number, put right at once), `nudged` who act on a nudge, and `evening` who wait for the evening.

    `minutes` is the median time to an answer after a message with exercises in it.
    """

    done: float = 0.9
    partly: float = 0.06
    answers: float = 0.95
    next_day: float = 0.93
    taps: float = 0.5
    typos: float = 0.05
    vague: float = 0.02
    slips: float = 0.008
    nudged: float = 0.4
    evening: float = 0.15
    minutes: float = 45.0


@dataclass(frozen=True)
class Moment:
    """What is different on one local day: pain `during` that day's session and `after` (asked that day about the session before).

    `slip` is the wrong number typed first, `fix` the words that put it right; `promptly` leaves no room for a long delay.
    """

    during: int | None = None
    after: int | None = None
    outcome: Outcome | None = None
    slip: int | None = None
    fix: str | None = None
    reason: str | None = None
    promptly: bool = True


@dataclass(frozen=True)
class Remark:
    """Something said without being asked, on a local day at a local time."""

    day: date
    at: time
    words: str


@dataclass(frozen=True)
class Persona:
    """One simulated patient. `silent` are spans of local days (first, last) without a word; `opens_after_min` None: the link stays shut."""

    name: str
    zone: str = "Europe/London"
    at: time = time(8)
    stage: str = "early"
    baseline: int | None = None
    usual: int | None = None
    flare_plan_signed: bool = True
    rungs_preauthorised: bool = False
    takes_steps: bool = True
    pain: Pain = field(default_factory=Pain)
    habits: Habits = field(default_factory=Habits)
    moments: Mapping[date, Moment] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    silent: tuple[tuple[date, date], ...] = ()
    agrees: bool = True
    opens_after_min: int | None = 20
    blocks_on: date | None = None

    def is_silent(self, day: date) -> bool:
        """Whether nothing is heard from them on a local day."""
        return any(first <= day <= last for first, last in self.silent)
