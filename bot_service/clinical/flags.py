"""All flags of one record in the order a physiotherapist should see them, and when a case may close or open again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot_service.clinical.catalogue import RULES, URGENCIES, Flag, RuleText, Urgency, rank
from bot_service.clinical.course import overdue_flag, planned_review_flag, plateau_flag, restart_flag
from bot_service.clinical.engagement import low_adherence_flag, refusals_flag, silence_flag
from bot_service.clinical.pain import settled_day
from bot_service.clinical.pain_flags import over_ceiling_flag, rising_weeks_flag, severe_flag, slightly_up_flag, worse_next_day_flag
from bot_service.clinical.record import Record
from plans.model import Rules

__all__ = ["PAIN_RULES", "RULES", "Closed", "Flag", "RuleText", "Urgency", "closes_itself", "flags_for", "may_open"]

PAIN_RULES = frozenset({"A3", "A4", "B3", "B4"})


@dataclass(frozen=True)
class Closed:
    """What has to be known of a closed case to decide whether its rule may open another: when, about which occurrence, how urgent."""

    at: datetime
    occurred: date
    urgency: Urgency


def flags_for(record: Record) -> tuple[Flag, ...]:
    """Every A, B, D and E4 flag that the record shows today, most pressing rule first. A1, A2 and B1 are feedback and raise none.

    The answer describes the record; whether it opens a case (one per `case`, and see `may_open`) is the caller's.
    """
    severe = severe_flag(record)
    found = (
        severe,
        worse_next_day_flag(record),
        over_ceiling_flag(record, a4_fired=severe is not None),
        rising_weeks_flag(record),
        slightly_up_flag(record),
        plateau_flag(record),
        refusals_flag(record),
        low_adherence_flag(record),
        silence_flag(record),
        overdue_flag(record),
        planned_review_flag(record),
        restart_flag(record),
    )
    return tuple(sorted((flag for flag in found if flag is not None), key=lambda flag: rank(flag.rule)))


def closes_itself(rule: str, record: Record, opened: date | None = None) -> bool:
    """Whether a pain case may close without a person: enough settled loading days in a row since the day it opened.

    A day whose next-day answer is missing neither counts nor breaks the row. No other case, red flags above all, closes itself.
    """
    if rule not in PAIN_RULES:
        return False
    if rule == "B4" and rising_weeks_flag(record) is not None:  # a slow rise can look settled day by day
        return False
    needed, row = record.rules.review.pain_case_closes_after_settled_days, 0
    for day in reversed(record.loading_days):
        after = settled_day(day, record.baseline, record.rules)
        if after is False or (opened is not None and day.day <= opened):
            return False
        row += after is True
        if row >= needed:
            return True
    return False


def may_open(flag: Flag, last: Closed | None, now: datetime, rules: Rules) -> bool:
    """Whether a flag may open a case after the last one of its rule was closed.

    Something new must have happened since what the closed case was about, and the quiet time after closing must be over; worsening,
    seen as a higher urgency, opens at once. The same occurrence never opens twice.
    """
    if flag.digest_only:
        return False
    if last is None:
        return True
    if URGENCIES.index(flag.urgency) < URGENCIES.index(last.urgency):
        return True
    return flag.occurred > last.occurred and now - last.at >= timedelta(hours=rules.review.reopen_after_h)
