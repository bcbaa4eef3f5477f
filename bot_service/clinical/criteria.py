"""The criteria of a stage, one by one: met, not met or not assessable, each with the figures behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from uuid import UUID

from bot_service.clinical.adherence import done_share, reply_share
from bot_service.clinical.in_words import listed, long_day, percent, plural, short_day
from bot_service.clinical.pain import settled, settled_day
from bot_service.clinical.record import LoadingDay, Record
from plans.model import CarePlan, ProgressionRule


@dataclass(frozen=True)
class Criterion:
    """One line of the progression card. `met` None: for the physio to tick, or not assessable (the detail says which)."""

    key: str
    text: str
    met: bool | None
    detail: str
    evidence: tuple[UUID, ...] = ()


def stage_criteria(record: Record, rule: ProgressionRule) -> tuple[Criterion, ...]:
    """The criteria that the record can answer, all of which must be met before a stage is proposed as complete."""
    in_stage = tuple(day for day in record.rated_days if day.day >= record.stage_start)
    last = in_stage[-rule.last_n :]
    # Today's session is not asked about before tomorrow: it is no day without an answer, or a proposal would go each morning and come back.
    waits = len(in_stage) > rule.last_n and last[-1].day == record.today and last[-1].pain_24h is None
    asked = in_stage[:-1][-rule.last_n :] if waits else last
    return (
        _time_in_stage(record, rule),
        _session_pain(last, rule),
        _next_day_pain(asked, record, rule),
        _quiet(record, rule),
        _still_loading(record),
        _adherence(record, rule),
        _reply_rate(record, rule),
    )


def checklist(rule: ProgressionRule) -> tuple[Criterion, ...]:
    """What only the physio can test: shown with the rest, never met by the record."""
    return tuple(Criterion(f"checklist_{i}", text, None, "for the physio to test") for i, text in enumerate(rule.checklist, 1))


def plyometric_block(record: Record, plan: CarePlan) -> Criterion:
    """Whether the block that a clinician had to open has been done: enough settled loading days in its slots, in this stage."""
    locked = {slot.number for slot in plan.stage(record.stage).slots if slot.locked}
    needed = record.rules.plyometric_block_settled_days
    days = [
        day
        for day in record.loading_days
        if day.day >= record.stage_start and locked & set(day.slots) and settled_day(day, record.baseline, record.rules)
    ]
    return Criterion(
        "plyometric_block",
        f"The faster block done: {plural(needed, 'settled day')}",
        len(days) >= needed,
        f"{len(days)} so far",
        _rows(days),
    )


def _time_in_stage(record: Record, rule: ProgressionRule) -> Criterion:
    days = (record.today - record.stage_start).days
    detail = f"{plural(days, 'day')}, since {short_day(record.stage_start)}"
    return Criterion("min_days", f"At least {plural(rule.min_days, 'day')} in this stage", days >= rule.min_days, detail)


def _session_pain(last: Sequence[LoadingDay], rule: ProgressionRule) -> Criterion:
    text = f"Last {rule.last_n} loading days at {rule.session_max}/10 or below"
    if len(last) < rule.last_n:
        return Criterion("session_pain", text, False, f"{len(last)} of {rule.last_n} rated so far", _rows(last))
    above = [day for day in last if day.pain is not None and day.pain > rule.session_max]
    detail = (
        f"above on {listed(f'{short_day(day.day)} ({day.pain})' for day in above)}"
        if above
        else f"worst {max(day.pain or 0 for day in last)}"
    )
    return Criterion("session_pain", text, not above, detail, _rows(last))


def _next_day_pain(last: Sequence[LoadingDay], record: Record, rule: ProgressionRule) -> Criterion:
    """24-hour answers of the last rated days, and of unrated days between them: a missing score must not hide a bad next day."""
    text = f"24-hour pain settled and at {rule.next_max}/10 or below, answered after {rule.min_answered_24h} of the last {rule.last_n}"
    answered = [day for day in last if day.pain_24h is not None]
    span = [day for day in record.answered_days if last and day.day >= last[0].day]
    rows = _rows(span)
    if record.baseline is None:
        return Criterion("next_day_pain", text, None, "not assessable: usual pain not recorded", rows)
    high = [day for day in span if not settled(day.pain_24h, record.baseline, record.rules) or (day.pain_24h or 0) > rule.next_max]
    if high:
        return Criterion(
            "next_day_pain", text, False, f"not after {listed(f'{short_day(day.day)} ({day.pain_24h})' for day in high)}", rows
        )
    enough = len(last) >= rule.last_n and len(answered) >= rule.min_answered_24h
    return Criterion("next_day_pain", text, enough, f"{len(answered)} of {len(last)} answered, usual {record.baseline}", rows)


def _quiet(record: Record, rule: ProgressionRule) -> Criterion:
    """Lately no score above the ceiling, during a session or the day after, and no session left out because of pain."""
    first, ceiling = record.today - timedelta(days=rule.quiet_days - 1), record.rules.pain_ceiling
    loud = [day for day in record.loading_days if day.day >= first and max(day.pain or 0, day.pain_24h or 0) > ceiling]
    left_out = sorted({item.day for item in record.skip_reasons if item.reason == "pain" and item.day >= first})
    found = [f"above {ceiling} on {short_day(day.day)}" for day in loud] + [f"left out for pain on {short_day(day)}" for day in left_out]
    return Criterion(
        "quiet",
        f"In {plural(rule.quiet_days, 'day')} no score above {ceiling}/10 and no session left out for pain",
        not found,
        listed(found) if found else "none",
        _rows(loud),
    )


def _still_loading(record: Record) -> Criterion:
    """A good fortnight before a gap says nothing about today: no proposal while a restart after a gap is due."""
    gap = record.rules.deload.gap_days_easier
    last = record.loading_days[-1].day if record.loading_days else None
    met = last is not None and (record.today - last).days < gap
    return Criterion("loading", f"A session in the last {plural(gap, 'day')}", met, f"last on {long_day(last)}" if last else "none yet")


def _adherence(record: Record, rule: ProgressionRule) -> Criterion:
    target = record.rules.adherence_target_pct
    share = done_share(record, rule.adherence_days)
    text = f"Adherence {target} % or more over {plural(rule.adherence_days, 'day')}"
    return Criterion("adherence", text, None if share is None else 100 * share >= target, _percent(share))


def _reply_rate(record: Record, rule: ProgressionRule) -> Criterion:
    target = record.rules.min_reply_rate_pct
    share = reply_share(record, rule.adherence_days)
    text = f"Reply rate {target} % or more over {plural(rule.adherence_days, 'day')}"
    return Criterion("reply_rate", text, None if share is None else 100 * share >= target, _percent(share))


def _percent(share: Fraction | None) -> str:
    return "not assessable: nothing was scheduled" if share is None else f"{percent(share)} %"


def _rows(days: Sequence[LoadingDay]) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(row for day in days for row in day.evidence))
