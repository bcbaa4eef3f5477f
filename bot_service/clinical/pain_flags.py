"""The rules about pain: A3 and A4 during sessions, B2 and B3 the day after, B4 over weeks, with the E suggestions that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import median
from uuid import UUID

from bot_service.clinical.catalogue import Flag, Urgency, basis_of
from bot_service.clinical.in_words import listed, ordinal, plural, session_of, short_day
from bot_service.clinical.pain import over_ceiling, settled, usual, worse
from bot_service.clinical.record import LoadingDay, Record


def over_ceiling_flag(record: Record, a4_fired: bool) -> Flag | None:
    """A3. A line in the digest when it happened once and settled, or when A4 already says more; a flag otherwise."""
    rules, days = record.rules, record.rules.session_pain.twice_days
    over = [day for day in record.rated_days if over_ceiling(day, rules)]
    if not over or not _recent(over[-1].day, record):
        return None
    last = over[-1]
    together = [day for day in over if (last.day - day.day).days < days]
    unsettled = [day for day in together if settled(day.pain_24h, record.baseline, rules) is False]
    above = f"above {rules.pain_ceiling}"
    times = f"{ordinal(len(together))} time {above} in {days} days" if len(together) > 1 else above
    low, high = rules.deload.volume_cut_pct
    fewest, most = rules.deload.sessions
    return Flag(
        rule="A3",
        urgency="three_days",
        sentence=f"Pain {last.pain}/10 during {session_of(last.day)}, {times}; {_next_day_words(last, record)}.",
        evidence=_evidence(together),
        days=tuple(day.day for day in together),
        occurred=last.day,
        basis=basis_of(rules, "pain_ceiling", "session_pain.twice_days"),
        suggestion=f"E1: {low}-{high} % fewer repetitions or less load, same exercises, for the next {fewest}-{most} sessions.",
        case="A3",
        digest_only=a4_fired or (len(together) < 2 and not unsettled),
    )


def severe_flag(record: Record) -> Flag | None:
    """A4: severe, so many in a row above the ceiling, or so many of the last few; E3 as the suggestion."""
    reasons = _severe_reasons(record)
    if not reasons:
        return None
    days = sorted({day.day: day for reason in reasons for day in reason.days}.values(), key=lambda day: day.day)
    return Flag(
        rule="A4",
        urgency="same_day",
        sentence=reasons[0].words,
        evidence=_evidence(days),
        days=tuple(day.day for day in days),
        occurred=max(reason.days[-1].day for reason in reasons),
        basis=basis_of(record.rules, *dict.fromkeys(reason.key for reason in reasons)),
        suggestion="E3: one rung or stage back; you decide.",
        case="A4",
    )


def slightly_up_flag(record: Record) -> Flag | None:
    """B2: the latest 24-hour answer one step above usual, once. Never a case: hold the load and ask again."""
    if record.baseline is None or not record.answered_days or not _recent(record.answered_days[-1].day, record):
        return None
    last, rules = record.answered_days[-1], record.rules
    if worse(last.pain_24h, record.baseline, rules) or not _raised(last, record) or _worse_run(len(record.answered_days) - 1, record):
        return None
    return Flag(
        rule="B2",
        urgency="routine",
        sentence=f"Pain {last.pain_24h}/10 the day after {session_of(last.day)}, a step above the usual {record.baseline}; load held.",
        evidence=last.evidence,
        days=(last.day,),
        occurred=last.day,
        basis=basis_of(rules, "after_24h.repeat_delta"),
        suggestion=None,
        case="B2",
        digest_only=True,
    )


def worse_next_day_flag(record: Record) -> Flag | None:
    """B3: clearly worse the day after, or slightly so several times running. None while the usual pain is unknown."""
    if record.baseline is None:
        return None
    rules, answered = record.rules, record.answered_days
    recent = _recent_ends(answered, record)
    clearly = [answered[index] for index in recent if worse(answered[index].pain_24h, record.baseline, rules)]
    running = [day for index in recent for day in _worse_run(index, record)]
    fired = {day.day: day for day in (*running, *clearly)}
    if not fired:
        return None
    days = [fired[day] for day in sorted(fired)]
    return Flag(
        rule="B3",
        urgency=_worse_urgency(days, record),
        sentence=_worse_words(days, clearly, record),
        evidence=_evidence(days),
        days=tuple(day.day for day in days),
        occurred=days[-1].day,
        basis=basis_of(rules, "after_24h.worse_delta" if clearly else "after_24h.repeat_delta", "after_24h.baseline_floor"),
        suggestion="E3: worse twice in a week; one rung or stage back, you decide."
        if len(clearly) > 1
        else "E2: one more rest day, or isometric holds instead of the next heavy day; then less volume (E1).",
        case="B3",
    )


def rising_weeks_flag(record: Record) -> Flag | None:
    """B4: the weekly median of session pain up by the set rise in each of so many weeks running, weeks ending today.

    None while the usual pain is unknown, like every B rule, or when a week has too few rated days to have a median worth the name.
    """
    rule = record.rules.review.week_on_week
    if record.baseline is None:
        return None
    weeks = _weeks(record, rule.weeks + 1)
    if any(len(week) < rule.min_rated_days for week in weeks):
        return None
    medians = [median(day.pain for day in week if day.pain is not None) for week in weeks]
    if any(later - earlier < rule.rise for earlier, later in pairwise(medians)):
        return None
    days = [day for week in weeks for day in week]
    climbed = listed(f"{value:g}" for value in medians)
    return Flag(
        rule="B4",
        urgency="three_days",
        sentence=f"Weekly median session pain has risen {plural(rule.weeks, 'week')} running: {climbed} out of 10.",
        evidence=_evidence(days),
        days=tuple(day.day for day in days),
        occurred=days[-1].day,
        basis=basis_of(record.rules, "review.week_on_week.rise", "review.week_on_week.weeks"),
        suggestion="Look at load and other activity before the next step.",
        case="B4",
    )


@dataclass(frozen=True)
class _Reason:
    key: str
    words: str
    days: Sequence[LoadingDay]


def _severe_reasons(record: Record) -> list[_Reason]:
    """Why A4 fires, the gravest and latest reason first."""
    rated = record.rated_days
    ends = [
        index for index in range(len(rated) - 1, -1, -1) if _recent(rated[index].day, record) and over_ceiling(rated[index], record.rules)
    ]
    looks = (_severe, _in_a_row, _so_many)
    return [reason for look in looks for index in ends if (reason := look(rated[: index + 1], record)) is not None]


def _severe(rated: Sequence[LoadingDay], record: Record) -> _Reason | None:
    last = rated[-1]
    if last.pain is None or last.pain < record.rules.session_pain.severe_min:
        return None
    return _Reason(
        "session_pain.severe_min", f"Pain {last.pain}/10 during {session_of(last.day)}; {_next_day_words(last, record)}.", (last,)
    )


def _in_a_row(rated: Sequence[LoadingDay], record: Record) -> _Reason | None:
    count, rules = record.rules.session_pain.in_a_row_over, record.rules
    row = rated[-count:]
    if len(row) < count or not all(over_ceiling(day, rules) for day in row):
        return None
    return _Reason("session_pain.in_a_row_over", f"Pain above {rules.pain_ceiling} on loading days in a row: {_each_day(row)}.", row)


def _so_many(rated: Sequence[LoadingDay], record: Record) -> _Reason | None:
    pain, rules = record.rules.session_pain, record.rules
    window = rated[-pain.repeat_window :]
    over = [day for day in window if over_ceiling(day, rules)]
    if len(over) < pain.repeat_over:
        return None
    words = f"Pain above {rules.pain_ceiling} on {len(over)} of the last {len(window)} loading days: {_each_day(over)}."
    return _Reason("session_pain.repeat_over", words, over)


def _worse_run(index: int, record: Record) -> Sequence[LoadingDay]:
    """The run of answered loading days, ending at `index`, that were all a step above usual; empty when it is too short."""
    count = record.rules.after_24h.repeat_count
    run = record.answered_days[max(0, index - count + 1) : index + 1]
    return run if len(run) == count and all(_raised(day, record) for day in run) else ()


def _raised(day: LoadingDay, record: Record) -> bool:
    if day.pain_24h is None or record.baseline is None:
        return False
    return day.pain_24h >= usual(record.baseline, record.rules) + record.rules.after_24h.repeat_delta


def _worse_urgency(days: Sequence[LoadingDay], record: Record) -> Urgency:
    severe = record.rules.session_pain.severe_min
    return "same_day" if any((day.pain_24h or 0) >= severe for day in days) else "three_days"


def _worse_words(days: Sequence[LoadingDay], clearly: Sequence[LoadingDay], record: Record) -> str:
    if clearly:
        last = clearly[-1]
        again = f", {ordinal(len(clearly))} time in {record.rules.session_pain.twice_days} days" if len(clearly) > 1 else ""
        return f"Pain {last.pain_24h}/10 the day after {session_of(last.day)}, usual {record.baseline}{again}."
    scores = listed(f"{day.pain_24h}/10 after {short_day(day.day)}" for day in days)
    return f"Next-day pain above usual ({record.baseline}) {plural(len(days), 'time')} running: {scores}."


def _next_day_words(day: LoadingDay, record: Record) -> str:
    match settled(day.pain_24h, record.baseline, record.rules):
        case True:
            return f"settled to {day.pain_24h} by the next day"
        case False:
            return f"{day.pain_24h} the next day, not settled"
        case _ if day.pain_24h is None:
            return "no answer for the next day yet"
        case _:
            return f"{day.pain_24h} the next day, usual pain not recorded"


def _each_day(days: Sequence[LoadingDay]) -> str:
    return listed(f"{short_day(day.day)} ({day.pain}/10)" for day in days)


def _recent(day: date, record: Record) -> bool:
    return (record.today - day).days < record.rules.session_pain.twice_days


def _recent_ends(days: Sequence[LoadingDay], record: Record) -> range:
    """The places of the recent days at the end of a history."""
    first = len(days)
    while first and _recent(days[first - 1].day, record):
        first -= 1
    return range(first, len(days))


def _weeks(record: Record, count: int) -> list[list[LoadingDay]]:
    """The rated days of the last `count` spans of seven days, the last of which ends today; oldest first."""
    weeks: list[list[LoadingDay]] = [[] for _ in range(count)]
    for day in reversed(record.rated_days):
        back = (record.today - day.day).days // 7
        if back >= count:
            break
        if back >= 0:
            weeks[-1 - back].insert(0, day)
    return weeks


def _evidence(days: Sequence[LoadingDay]) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(row for day in days for row in day.evidence))
