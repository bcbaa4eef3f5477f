"""The pain behind the answers: what one person would say about one day, as a pure function of who they are, the seed and the day."""

from __future__ import annotations

import math
from datetime import date, timedelta
from random import Random

from bot_service.sample.personas import Pain


def draws(seed: int, *about: object) -> Random:
    """A source of chance of its own for one decision, so that no decision shifts another's."""
    return Random("/".join(map(str, (seed, *about))))  # noqa: S311  (simulated patients, not secrets)


class Body:
    """One person's pain from the day they `began`."""

    def __init__(self, pain: Pain, seed: int, who: str, began: date) -> None:
        self._pain = pain
        self._seed = seed
        self._who = who
        self._began = began

    def during(self, day: date, eased: bool, moved_on: date | None) -> int:
        """The worst pain in a day's session. `eased` when the easier version was done; `moved_on` is when heavier exercises came."""
        rng = self._rng(day, "during")
        new = 1.2 * math.exp(-(day - moved_on).days / 6) if moved_on is not None and day >= moved_on else 0.0
        value = self._level(day) + self._pain.load + new + rng.gauss(0, self._pain.noise) - (1.0 if eased else 0.0)
        return _score(value + (self._pain.flare_size if self._flares(day) else 0.0))

    def after(self, day: date) -> int:
        """The pain on `day`, about a day after the session before it."""
        rng, before = self._rng(day, "after"), day - timedelta(days=1)
        value = self._level(day) + rng.gauss(0, self._pain.noise)
        if self._flares(before):
            value += self._pain.flare_size * 0.7
        elif rng.random() < self._pain.late:
            value += self._pain.late_size
        return _score(value)

    def usual(self) -> int:
        """The usual pain at the start."""
        return usual_pain(self._pain)

    def _level(self, day: date) -> float:
        weeks = (day - self._began).days / 7
        fallen = self._pain.floor + (self._pain.start - self._pain.floor) * math.exp(-weeks / self._pain.weeks)
        return fallen + self._pain.rise_per_week * weeks

    def _flares(self, day: date) -> bool:
        return self._rng(day, "flare").random() < self._pain.flare

    def _rng(self, day: date, what: str) -> Random:
        return draws(self._seed, self._who, day, what)


def usual_pain(pain: Pain) -> int:
    """What the person would call usual: people remember the worse days."""
    return _score(pain.start + 0.4)


def _score(value: float) -> int:
    return max(0, min(10, round(value)))
