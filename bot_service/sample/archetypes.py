"""The many patients of the big demo: each drawn by seed from a few kinds of people, none of them quite like another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from random import Random

from bot_service.sample import phrases
from bot_service.sample.body import draws, usual_pain
from bot_service.sample.personas import Habits, Pain, Persona, Remark

_FIRST = (
    "Ada Ben Carla Dev Ewa Finn Gita Hugo Iris Jonas Kemi Lena Milo Nadia Oscar Pilar Quinn Rosa Samir Tess Uma Viktor Wren Xavier Yuki Zoe"
).split()
_LAST = (
    "Abbott Brandt Castillo Dhillon Egan Farrow Greco Hale Ibsen Joshi Keane Lowe Mistry Nolan Osei Petrov Reyes Shaw Tran Weiss".split()
)
_ZONES = (
    "Europe/London", "Europe/London", "Europe/London", "Europe/London", "Europe/London", "Europe/Dublin", "Europe/Madrid",
    "America/New_York", "Asia/Kolkata", "Australia/Sydney",
)  # fmt: skip
_TIMES = (time(7), time(7, 30), time(8), time(8), time(8, 30), time(9), time(12, 30), time(17), time(18), time(19, 30))
_STAGES = ("early", "early", "early", "early", "intermediate", "intermediate", "advanced")


@dataclass(frozen=True)
class _Kind:
    """A kind of patient: how common, how the pain goes, how the chat is used."""

    weight: int
    pain: Callable[[Random], Pain]
    habits: Callable[[Random], Habits]


def _steady(rng: Random) -> Pain:
    return Pain(rng.uniform(2.4, 4), rng.uniform(0.2, 1.2), rng.uniform(1.6, 4), noise=0.4, flare=0.008, late=0.01)


def _slow(rng: Random) -> Pain:
    return Pain(rng.uniform(3.2, 4.4), rng.uniform(1.6, 2.6), rng.uniform(4, 8), late=0.03)


def _stuck(rng: Random) -> Pain:
    return Pain(rng.uniform(3.4, 4.2), rng.uniform(3, 3.6), 8, noise=0.4)


def _flaring(rng: Random) -> Pain:
    return Pain(rng.uniform(3, 4.5), rng.uniform(0.8, 1.8), rng.uniform(3, 5), flare=0.09, flare_size=rng.uniform(3, 5))


def _late(rng: Random) -> Pain:
    return Pain(rng.uniform(2.5, 4), rng.uniform(0.6, 1.4), rng.uniform(2.5, 4), late=0.16, late_size=rng.uniform(2, 3.5))


def _rising(rng: Random) -> Pain:
    return Pain(rng.uniform(1.5, 2.5), 1.5, 4, rise_per_week=rng.uniform(0.3, 0.6))


def _diligent(rng: Random) -> Habits:
    return Habits(done=rng.uniform(0.88, 0.98), answers=rng.uniform(0.93, 0.99), taps=rng.uniform(0.1, 0.95), minutes=rng.uniform(15, 90))


def _middling(rng: Random) -> Habits:
    return Habits(
        done=rng.uniform(0.7, 0.85), partly=0.12, answers=rng.uniform(0.75, 0.9), next_day=0.8, taps=rng.uniform(0.2, 0.8),
        minutes=rng.uniform(40, 240), evening=0.35, typos=0.08,
    )  # fmt: skip


def _busy(rng: Random) -> Habits:
    return Habits(done=rng.uniform(0.35, 0.55), partly=0.15, answers=rng.uniform(0.6, 0.85), next_day=0.6, minutes=180, evening=0.4)


def _wordy(rng: Random) -> Habits:
    return Habits(done=0.88, answers=0.94, taps=0.05, typos=0.16, vague=0.12, slips=0.04, minutes=rng.uniform(20, 90))


_KINDS = (
    _Kind(34, _steady, _diligent),
    _Kind(14, _steady, _middling),
    _Kind(10, _slow, _diligent),
    _Kind(8, _stuck, _middling),
    _Kind(9, _flaring, _diligent),
    _Kind(7, _late, _diligent),
    _Kind(4, _rising, _middling),
    _Kind(8, _steady, _busy),
    _Kind(6, _steady, _wordy),
)


def draw_persona(seed: int, number: int, first: date, last: date) -> Persona:
    """Patient `number` of the demo that runs from `first` to `last`."""
    rng = draws(seed, "patient", number)
    kind = rng.choices(_KINDS, [each.weight for each in _KINDS])[0]
    pain, stage = kind.pain(rng), rng.choice(_STAGES)
    baseline = usual_pain(pain) if rng.random() < 0.4 else None
    return Persona(
        name=f"{rng.choice(_FIRST)} {rng.choice(_LAST)} {number}",
        zone=rng.choice(_ZONES),
        at=rng.choice(_TIMES),
        stage=stage,
        baseline=baseline,
        usual=6 if baseline is None and rng.random() < 0.03 else None,
        flare_plan_signed=rng.random() < 0.7,
        pain=pain,
        habits=kind.habits(rng),
        remarks=_remarks(rng, first, last),
        silent=_silences(rng, first, last),
        agrees=rng.random() > 0.012,
        opens_after_min=None if rng.random() < 0.015 else round(rng.expovariate(1 / 240)),
        blocks_on=_some_day(rng, first, last) if rng.random() < 0.01 else None,
    )


def _silences(rng: Random, first: date, last: date) -> tuple[tuple[date, date], ...]:
    """Some lose interest for good, some for a while."""
    drawn, day = rng.random(), _some_day(rng, first + timedelta(days=10), last)
    if drawn < 0.05:
        return ((day, last + timedelta(days=400)),)
    return ((day, day + timedelta(days=rng.randint(4, 16))),) if drawn < 0.14 else ()


def _remarks(rng: Random, first: date, last: date) -> tuple[Remark, ...]:
    """What people say unasked over the weeks, each rarely."""
    said = []
    for chance, bank, values in (
        (0.10, phrases.PAUSES, {"d": rng.choice((5, 7, 10, 14))}),
        (0.08, phrases.TIMES, {"t": rng.choice(("7pm", "6.30pm", "7am", "19:00"))}),
        (0.03, phrases.STOPS, {}),
        (0.10, phrases.TO_PHYSIO, {}),
        (0.05, phrases.RED_FLAGS, {}),
        (0.35, phrases.CHAT, {}),
        (0.20, phrases.CHAT, {}),
    ):
        words, at = phrases.pick(rng, bank, **values), time(rng.randint(9, 20), rng.randint(0, 59))
        day = _some_day(rng, first + timedelta(days=8), last)
        if rng.random() < chance:
            said.append(Remark(day, at, words))
    return tuple(said)


def _some_day(rng: Random, first: date, last: date) -> date:
    return first + timedelta(days=rng.randint(0, max(0, (last - first).days - 1)))
