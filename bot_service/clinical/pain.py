"""What one pain score means against the prescription's thresholds: its band, settled or worse by the next day, a question due."""

from __future__ import annotations

from datetime import date
from typing import Literal

from bot_service.clinical.record import LoadingDay, Record
from plans.model import Prescription, Rules

Band = Literal["green", "amber", "red", "severe"]
AdviceKey = Literal["advice_green", "advice_amber", "advice_red"]


def band(score: int, rules: Rules) -> Band:
    """The band of a session score: green, amber (allowed, if it settles), red (above the ceiling), severe."""
    if score <= rules.session_pain.green_max:
        return "green"
    if score <= rules.session_pain.amber_max:
        return "amber"
    return "severe" if score >= rules.session_pain.severe_min else "red"


def in_band_advice_key(score: int, rules: Rules) -> AdviceKey:
    """Which of the prescription's advice texts answers this score (A1, A2, A3)."""
    match band(score, rules):
        case "green":
            return "advice_green"
        case "amber":
            return "advice_amber"
        case _:
            return "advice_red"


def settled(pain_24h: int | None, baseline: int | None, rules: Rules) -> bool | None:
    """Whether the 24-hour pain is back to usual (B1): at most max(baseline, floor) and at most the cap. None when that is unknown."""
    if pain_24h is None:
        return None
    if pain_24h > rules.after_24h.settled_max:
        return False
    return None if baseline is None else pain_24h <= usual(baseline, rules)


def worse(pain_24h: int | None, baseline: int | None, rules: Rules) -> bool | None:
    """Whether the 24-hour pain is clearly above usual, or above the ceiling whatever the usual is. None when that is unknown."""
    if pain_24h is None:
        return None
    if pain_24h > rules.pain_ceiling:
        return True
    return None if baseline is None else pain_24h >= min(10, usual(baseline, rules) + rules.after_24h.worse_delta)


def usual(baseline: int, rules: Rules) -> int:
    """The usual pain the 24-hour rules compare with; a floor keeps a single 1 from blocking a patient whose usual pain is 0."""
    return max(baseline, rules.after_24h.baseline_floor)


def over_ceiling(day: LoadingDay, rules: Rules) -> bool:
    """Whether a loading day's worst session was above the ceiling; the ceiling itself is allowed."""
    return day.pain is not None and day.pain > rules.pain_ceiling


def settled_day(day: LoadingDay, baseline: int | None, rules: Rules) -> bool | None:
    """Whether a loading day counts as settled: session at or below the ceiling, 24-hour pain settled. None when either is unknown."""
    after = settled(day.pain_24h, baseline, rules)
    if over_ceiling(day, rules) or after is False:
        return False
    return None if day.pain is None else after


def safety_question_due(record: Record, new_score: int, on: date | None = None) -> bool:
    """Whether a new score, of a session or of 24 hours, calls for the safety question: severe, or a jump.

    The jump is measured from the last rated loading day before `on`, the local day of the answer (today when not given), so it does
    not matter whether the record already holds the new score.
    """
    if new_score >= record.rules.session_pain.severe_min:
        return True
    before = on or record.today
    last = next((day for day in reversed(record.rated_days) if day.day < before), None)
    return last is not None and last.pain is not None and new_score - last.pain >= record.rules.session_pain.jump_asks_safety


def is_read_by_no_rule(plan: Prescription, slot: int | None, score: int) -> bool:
    """Whether it is pain above the ceiling in an optional slot, which no rule reads (`clinical.md` 0.1), so a person does."""
    return score > plan.rules.pain_ceiling and any(item.number == slot and item.optional for item in plan.slots)
