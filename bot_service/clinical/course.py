"""The rules about the course over weeks: D2 plateau, D6 stage overdue, D7 planned reviews, E4 restart after a gap."""

from __future__ import annotations

from datetime import date, timedelta
from statistics import median
from uuid import UUID

from bot_service.clinical.adherence import done_share
from bot_service.clinical.catalogue import Flag, Urgency, basis_of
from bot_service.clinical.flare import restart_state
from bot_service.clinical.in_words import long_day, percent, plural, short_day
from bot_service.clinical.record import LoadingDay, Record


def plateau_flag(record: Record) -> Flag | None:
    """D2: long enough in the stage and done as asked, yet the median pain is at or above the floor and has not fallen."""
    rule = record.rules.review.plateau
    in_stage = (record.today - record.stage_start).days
    share = done_share(record, rule.days)
    if in_stage < rule.days or share is None or 100 * share < rule.min_adherence_pct:
        return None
    now, before = _window(record, 0, rule.compare_days), _window(record, rule.compare_days, rule.compare_days)
    if min(len(now), len(before)) < rule.min_rated_days:
        return None
    latest, earlier = _median(now), _median(before)
    if latest < rule.floor or earlier - latest >= rule.min_points:
        return None
    return _flag(
        record,
        "D2",
        "routine",
        f"Median session pain {latest:g}/10 over the last {rule.compare_days} days, {earlier:g} in the {rule.compare_days} before, "
        f"with {percent(share)} % done over {rule.days} days.",
        tuple(day.day for day in (*before, *now)),
        record.stage_start + timedelta(days=in_stage - (in_stage - rule.days) % rule.compare_days),
        ("review.plateau.days", "review.plateau.min_points"),
        suggestion="Review the plan: exercise choice, load, or an assessment in person.",
        evidence=tuple(row for day in (*before, *now) for row in day.evidence),
    )


def overdue_flag(record: Record) -> Flag | None:
    """D6: the stage has reached the length at which somebody should look."""
    limit = record.prescription.overdue_days
    in_stage = (record.today - record.stage_start).days
    if in_stage < limit:
        return None
    due = record.stage_start + timedelta(days=limit)
    return _flag(
        record,
        "D6",
        "routine",
        f"{plural(in_stage // 7, 'week')} in {record.prescription.stage_title}, since {short_day(record.stage_start)}; "
        f"review was due {long_day(due)}.",
        (due,),
        due,
        (f"stages.{record.stage}.overdue_days",),
        suggestion="Look at what holds this stage up.",
    )


def planned_review_flag(record: Record) -> Flag | None:
    """D7: the planned review, and later the one beyond the usual course."""
    review = record.rules.review
    age = (record.today - record.episode_start).days
    if age < review.planned_review_days:
        return None
    late = age >= review.late_review_days
    due = record.episode_start + timedelta(days=review.late_review_days if late else review.planned_review_days)
    words = "beyond the usual 3-6 months" if late else "planned review"
    return _flag(
        record,
        "D7",
        "three_days" if late else "routine",
        f"{plural(age // 7, 'week')} since the start on {short_day(record.episode_start)}: {words}, due {long_day(due)}.",
        (due,),
        due,
        ("review.late_review_days" if late else "review.planned_review_days",),
        suggestion="VISA-H total, patient-specific activities and global change.",
    )


def restart_flag(record: Record) -> Flag | None:
    """E4: a gap in loading. Short, or during a pause, it is a line in the digest; long, the physio comes first."""
    restart = restart_state(record)
    if restart is None:
        return None
    rules = record.rules.deload
    days = rules.gap_days_physio_first if restart.physio_first else rules.gap_days_easier
    return _flag(
        record,
        "E4",
        "three_days" if restart.physio_first else "routine",
        restart.sentence,
        (restart.last_loaded,),
        restart.last_loaded + timedelta(days=days),
        ("deload.gap_days_physio_first" if restart.physio_first else "deload.gap_days_easier",),
        suggestion="E4: decide how to restart." if restart.physio_first else f"E4: restart at about {restart.volume_pct} % of the volume.",
        digest_only=not restart.physio_first or _on_hold(record),
        evidence=record.loading_days[-1].evidence,
    )


def _flag(
    record: Record,
    rule: str,
    urgency: Urgency,
    words: str,
    days: tuple[date, ...],
    occurred: date,
    keys: tuple[str, ...],
    *,
    suggestion: str,
    evidence: tuple[UUID, ...] = (),
    digest_only: bool = False,
) -> Flag:
    return Flag(
        rule=rule,
        urgency=urgency,
        sentence=words,
        evidence=tuple(dict.fromkeys(evidence)),
        days=days,
        occurred=occurred,
        basis=basis_of(record.rules, *keys),
        suggestion=suggestion,
        case=rule,
        digest_only=digest_only,
    )


def _window(record: Record, back: int, length: int) -> list[LoadingDay]:
    """The rated days of this stage in the `length` days that end `back` days before today."""
    last = record.today - timedelta(days=back)
    return [day for day in record.rated_days if 0 <= (last - day.day).days < length and day.day >= record.stage_start]


def _median(days: list[LoadingDay]) -> float:
    return median(day.pain for day in days if day.pain is not None)


def _on_hold(record: Record) -> bool:
    """Whether the latest scheduled day was held or paused: nobody expects a session now."""
    latest = max((day for day in record.asked if day <= record.today), default=None)
    return latest is not None and record.asked[latest] == frozenset({"paused"})
