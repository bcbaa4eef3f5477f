"""Whether each criterion of a step is met, and what became of each day, judged once more from `clinical.md` and the bare rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from tests.counted_again import Life, as_percent

CEILING, LAST, ANSWERED, GAP, TARGET, REPLIES, BLOCK = 5, 6, 5, 7, 80, 70, 4


class Gate(NamedTuple):
    """What a step asks for (`clinical.md` 5.1): days in the stage, pain in the session and after it, and the two windows."""

    days: int
    session: int
    after: int
    adherence_days: int
    quiet_days: int


GATES = {"C1": Gate(14, 3, 3, 14, 7), "C2": Gate(28, 3, 2, 21, 14), "C3": Gate(14, 3, 2, 21, 14), "C4": Gate(28, 2, 2, 28, 14)}


class Judged(NamedTuple):
    """A criterion: met, unmet or unknown, the numbers in its words, and its figure."""

    state: str
    asks: list[int]
    figure: str


def became(life: Life, day: date) -> str:
    """What became of a day: what was done, else why nothing was."""
    asked = life.asked(day)
    if life.points(day):
        return "done" if life.points(day) == 2 else "partly"
    if "waiting" in asked:
        return "waiting"
    if "sent" in asked:
        return "not_done" if life.said(day) else "wrote" if life.day(day).heard else "no_reply"
    return "not_sent" if "lost" in asked else "paused" if "paused" in asked else "rest"


def step_of(life: Life) -> str:
    """Which step the stage leads to; the faster work is opened before the conversation about sport."""
    return {"early": "C1", "intermediate": "C2"}.get(life.stage) or ("C4" if life.is_unlocked else "C3")


def judge(life: Life) -> Iterator[Judged]:
    """The criteria of the present stage, in the order of the card, but for those that only a physio can test."""
    gate, days = GATES[step_of(life)], (life.today - life.stage_start).days
    yield _met(days >= gate.days, [gate.days], f"{_days(days)}, since {_on(life.stage_start)}")
    in_stage = [(day, worst, after) for day, worst, after in life.loading() if worst is not None and day >= life.stage_start]
    rated = [(day, worst) for day, worst, _ in in_stage[-LAST:]]
    above = [(day, worst) for day, worst in rated if worst > gate.session]
    if len(rated) < LAST:
        yield _met(False, [LAST, gate.session, 10], f"{len(rated)} of {LAST} rated so far")
    else:
        figure = f"above on {_listed(above)}" if above else f"worst {max(worst for _, worst in rated)}"
        yield _met(not above, [LAST, gate.session, 10], figure)
    while len(in_stage) > LAST and (in_stage[-1][0], in_stage[-1][2]) == (life.today, None):
        in_stage.pop()  # nobody could have said yet how today's session is a day later
    yield _after(life, gate, [day for day, _, _ in in_stage[-LAST:]])
    yield _quiet(life, gate)
    last = max((day for day, _, _ in life.loading()), default=None)
    figure = "none yet" if last is None else f"last on {last:%A} {_on(last)}"
    yield _met(last is not None and last > life.today - timedelta(days=GAP), [GAP], figure)
    for of, target in (("done", TARGET), ("replied", REPLIES)):
        share = life.share(of, gate.adherence_days)
        if share is None:
            yield Judged("unknown", [target, gate.adherence_days], "not assessable: nothing was scheduled")
        else:
            yield _met(100 * share[0] >= target * share[1], [target, gate.adherence_days], as_percent(share))
    if step_of(life) == "C4":
        fast = sum(_is_fast_and_settled(life, *each) for each in life.loading())
        yield _met(fast >= BLOCK, [BLOCK], f"{fast} so far")


def proposed(life: Life) -> list[int]:
    """The numbers in the sentence that suggests a step: the days judged, the two limits on pain, what was done, and over how long."""
    gate = GATES[step_of(life)]
    share = life.share("done", gate.adherence_days) or (0, 1)
    return [LAST, gate.session, 10, gate.after, (200 * share[0] + share[1]) // (2 * share[1]), gate.adherence_days]


def settles_at(usual: int) -> int:
    """The highest pain a day later that counts as settled: the usual one, at least 1, and never above 5."""
    return min(max(usual, 1), CEILING)


def _after(life: Life, gate: Gate, rated: list[date]) -> Judged:
    asks = [24, gate.after, 10, ANSWERED, LAST]
    if life.usual is None:
        return Judged("unknown", asks, "not assessable: usual pain not recorded")
    answers = {day: after for day, _, after in life.loading() if rated and day >= rated[0] and after is not None}
    high = [(day, after) for day, after in answers.items() if after > min(settles_at(life.usual), gate.after)]
    if high:
        return Judged("unmet", asks, f"not after {_listed(high)}")
    known = sum(day in answers for day in rated)
    return _met(len(rated) == LAST and known >= ANSWERED, asks, f"{known} of {len(rated)} answered, usual {life.usual}")


def _quiet(life: Life, gate: Gate) -> Judged:
    since = life.today - timedelta(days=gate.quiet_days - 1)
    loud = [day for day, *pains in life.loading() if day >= since and any(pain is not None and pain > CEILING for pain in pains)]
    left_out = [day for day in sorted(life.days) if day >= since and life.days[day].left_out]
    found = [f"above {CEILING} on {_on(day)}" for day in loud] + [f"left out for pain on {_on(day)}" for day in left_out]
    return _met(not found, [gate.quiet_days, CEILING, 10], _joined(found) if found else "none")


def _is_fast_and_settled(life: Life, day: date, worst: int | None, after: int | None) -> bool:
    is_fast = life.day(day).did.get(2, "not_done") != "not_done" and day >= life.stage_start
    known = worst is not None and after is not None and life.usual is not None
    return is_fast and known and worst <= CEILING and after <= settles_at(life.usual)  # type: ignore[operator,arg-type]  # all are known


def _met(met: bool, asks: list[int], figure: str) -> Judged:
    return Judged("met" if met else "unmet", asks, figure)


def _days(number: int) -> str:
    return f"{number} day{'s' * (number != 1)}"


def _on(day: date) -> str:
    return f"{day.day} {day:%b}"


def _listed(scores: Iterable[tuple[date, int]]) -> str:
    return _joined([f"{_on(day)} ({score})" for day, score in scores])


def _joined(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1])] * (len(parts) > 1) + parts[-1:])
