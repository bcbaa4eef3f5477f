"""Mistakes in the numbers: thresholds that contradict one another, times in the quiet hours, and more messages than allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import time

from plans.exercise_checks import DAYS
from plans.mistakes import Finding, Spot, shown

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
# (smaller, larger, strictly, why): dotted keys under [rules].
_ORDERED = (
    ("session_pain.green_max", "session_pain.amber_max", True, "the green band ends below the amber band"),
    ("session_pain.amber_max", "session_pain.severe_min", True, "severe pain begins above the amber band"),
    ("session_pain.repeat_over", "session_pain.repeat_window", False, "it counts sessions inside that window"),
    ("after_24h.settled_max", "pain_ceiling", False, "pain above the ceiling is never settled"),
    ("baseline_physio_first_above", "pain_ceiling", False, "nobody starts with usual pain above the ceiling"),
    (
        "after_24h.repeat_delta",
        "after_24h.worse_delta",
        False,
        "the small rise that counts when repeated is at most the one that counts at once",
    ),
    ("adherence_soft_pct", "adherence_target_pct", True, "the soft limit lies below the target"),
    ("review.low_adherence_pct", "adherence_soft_pct", False, "low adherence lies below the soft limit"),
    ("review.no_nudge_after_silent_days", "review.silent_days", False, "nudges end before silence is reported"),
    ("review.silent_days", "review.lost_contact_days", False, "silence is reported before contact counts as lost"),
    ("review.stop_prompts_days", "review.lost_contact_days", False, "prompts stop before contact counts as lost"),
    ("review.planned_review_days", "review.late_review_days", True, "the planned review comes before the late one"),
    ("deload.gap_days_easier", "deload.gap_days_physio_first", True, "a short gap only makes the restart easier"),
)
HIGHEST_CEILING = 5
"""Pain out of 10 that no plan may allow to be exceeded: the seed page, for all its plans."""
_HIP_DEG = (10, 120)
"""The least and the greatest limit of hip flexion, degrees: from just off straight to a deep squat (default)."""
_RUNNING_STEPS = 10
"""The least number of steps back to running: from a brisk walk to sprinting with the physio, one change at a time (`clinical.md` 3)."""
_RANGES = ("after_24h.window_h", "deload.volume_cut_pct", "deload.sessions")


def rule_findings(plan: Spot) -> Iterator[Finding]:
    """Everything about thresholds and times."""
    rules = plan.child("rules")
    yield from _order(rules)
    yield from _ceiling(plan, rules)
    yield from _hip_limits(plan)
    yield from _running(plan.child("return_to_run"))
    yield from _times(plan, rules)
    yield from _messages(plan, rules)


def _order(rules: Spot) -> Iterator[Finding]:
    for small, large, strictly, why in _ORDERED:
        (table, field), (other, other_field) = _find(rules, small), _find(rules, large)
        low, high = table.number(field), other.number(other_field)
        if low is not None and high is not None and (low > high or (strictly and low == high)):
            yield table.finding(f"has {field} {low}, but {large} is {high}: {why}. Change one of them.", field)
    for dotted in _RANGES:
        table, field = _find(rules, dotted)
        ends = table.numbers(field)
        if len(ends) == 2 and not 1 <= ends[0] <= ends[1]:
            yield table.finding(f"has {ends[0]} to {ends[1]} for {field}. Write at least 1, the smaller number first.", field)


def _find(table: Spot, dotted: str) -> tuple[Spot, str]:
    *path, field = dotted.split(".")
    for step in path:
        table = table.child(step)
    return table, field


def _ceiling(plan: Spot, rules: Spot) -> Iterator[Finding]:
    ceiling, bands = rules.number("pain_ceiling"), rules.child("session_pain")
    amber = bands.number("amber_max")
    if ceiling is None:
        return
    if ceiling > HIGHEST_CEILING:
        yield rules.finding(
            f"has pain_ceiling {ceiling}. No plan lets pain go above {HIGHEST_CEILING} out of 10: write at most {HIGHEST_CEILING}.",
            "pain_ceiling",
        )
    if amber is not None and amber != ceiling:
        yield bands.finding(
            f"has amber_max {amber}, but the ceiling is {ceiling}. Pain above the ceiling is red, so they must be the same.", "amber_max"
        )
    for stage in plan.rows("stages"):
        for name in ("progression", "plyometric_unlock"):
            yield from _progression(stage, stage.child(name), ceiling)


def _hip_limits(plan: Spot) -> Iterator[Finding]:
    """Compression of the tendon grows with the bend of the hip, so a later stage never allows less of it than the one before."""
    before: int | None = None
    least, most = _HIP_DEG
    for stage in plan.rows("stages"):
        limit = stage.number("hip_flexion_limit_deg")
        if limit is None:
            continue
        if not least <= limit <= most:
            yield stage.finding(
                f"has hip_flexion_limit_deg {limit}. The hip can be asked to bend by {least} to {most} degrees.", "hip_flexion_limit_deg"
            )
        elif before is not None and limit < before:
            yield stage.finding(
                f"has hip_flexion_limit_deg {limit}, less than the {before} of the stage before. A later stage allows as much or more.",
                "hip_flexion_limit_deg",
            )
        before = limit


def _running(course: Spot) -> Iterator[Finding]:
    steps = course.texts("steps")
    if 0 < len(steps) < _RUNNING_STEPS:
        yield course.finding(
            f"has {len(steps)} steps. From walking to sprinting it takes at least {_RUNNING_STEPS}, one change at a time.", "steps"
        )


def _progression(stage: Spot, rule: Spot, ceiling: int) -> Iterator[Finding]:
    for field in ("session_max", "next_max"):
        value = rule.number(field)
        if value is not None and value > ceiling:
            yield rule.finding(
                f"has {field} {value}, above the ceiling of {ceiling}. Nobody moves on with that much pain: lower it.", field
            )
    answered, last = rule.number("min_answered_24h"), rule.number("last_n")
    if answered is not None and last is not None and answered > last:
        yield rule.finding(f"wants {answered} answers from the last {last} loading days. It can be {last} at most.", "min_answered_24h")
    least, overdue = rule.number("min_days"), stage.number("overdue_days")
    if least is not None and overdue is not None and least >= overdue:
        yield rule.finding(f"wants at least {least} days, but the stage is overdue after {overdue}. Change one of them.", "min_days")


def _times(plan: Spot, rules: Spot) -> Iterator[Finding]:
    delivery = rules.child("delivery")
    for field in ("quiet_from", "quiet_until"):
        yield from _unreadable(delivery, field)
    for stage in plan.rows("stages"):
        earlier: list[Spot] = []
        for slot in stage.rows("slots"):
            yield from _unreadable(slot, "suggested_time")
            yield from _quiet(slot, delivery)
            if slot.yes("prompted", otherwise=True):
                yield from _same_time(slot, earlier)
                earlier.append(slot)


def _quiet(slot: Spot, delivery: Spot) -> Iterator[Finding]:
    at, start, end = _clock(slot, "suggested_time"), _clock(delivery, "quiet_from"), _clock(delivery, "quiet_until")
    if at is not None and start is not None and end is not None and _inside(at, start, end):
        hours = f"{start // 60:02}:{start % 60:02} to {end // 60:02}:{end % 60:02}"
        yield slot.finding(f"suggests a time inside the quiet hours ({hours}). Choose another time.", "suggested_time")


def _same_time(slot: Spot, earlier: list[Spot]) -> Iterator[Finding]:
    at, days = _clock(slot, "suggested_time"), slot.texts("days")
    for other in earlier:
        shared = [day for day in days if day in other.texts("days")]
        if shared and at is not None and at == _clock(other, "suggested_time"):
            problem = f"falls on {shared[0]} at the same time as another slot with its own message. Choose another time."
            yield slot.finding(problem, "suggested_time")


def _clock(table: Spot, field: str) -> int | None:
    value = table.child(field).value
    if isinstance(value, time):
        return value.hour * 60 + value.minute if value.second == value.microsecond == 0 else None
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) * 60 + int(found[2]) if found else None


def _unreadable(table: Spot, field: str) -> Iterator[Finding]:
    if table.has(field) and _clock(table, field) is None:
        yield table.finding(f'has {shown(table.child(field).value)} for {field}, which must be a time of day such as "08:30".', field)


def _inside(at: int, start: int, end: int) -> bool:
    return start <= at < end if start <= end else at >= start or at < end


def _messages(plan: Spot, rules: Spot) -> Iterator[Finding]:
    most = rules.child("delivery").number("messages_a_day")
    if most is None:
        return
    for stage in plan.rows("stages"):
        prompted = [slot for slot in stage.rows("slots") if slot.yes("prompted", otherwise=True)]
        full = [day for day in DAYS if sum(day in slot.texts("days") for slot in prompted) > most]
        if full:
            yield stage.finding(
                f"has more prompted slots on {full[0]} than messages_a_day ({most}) allows. Set prompted = false on one.",
                "slots",
            )
