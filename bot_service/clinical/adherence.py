"""How much of what was asked was done, and how often the patient answered: two numbers, never mixed."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from bot_service.clinical.in_words import percent
from bot_service.clinical.record import Record

_HALVES = {"done": 2, "partly": 1}


def adherence(record: Record, days: int) -> int | None:
    """`done_share` as a whole percentage, to be shown."""
    share = done_share(record, days)
    return None if share is None else percent(share)


def reply_rate(record: Record, days: int) -> int | None:
    """`reply_share` as a whole percentage, to be shown."""
    share = reply_share(record, days)
    return None if share is None else percent(share)


def done_share(record: Record, days: int) -> Fraction | None:
    """Share of the scheduled days in the last `days` days that were done, partly done counting half; what the rules compare.

    A day with several slots counts once, by its best session. Days paused, not sent by us or still waiting for an answer are left
    out, and so are days on which only an optional slot was due. None when no day counts.
    """
    counted = counted_days(record, days)
    if not counted:
        return None
    return Fraction(sum(_HALVES.get(record.status(day), 0) for day in counted), 2 * len(counted))


def reply_share(record: Record, days: int) -> Fraction | None:
    """Share of the same days on which the patient answered the prompt, or wrote anything at all. None as above."""
    counted = counted_days(record, days)
    if not counted:
        return None
    return Fraction(sum(record.status(day) != "no_reply" or day in record.wrote for day in counted), len(counted))


def counted_days(record: Record, days: int) -> tuple[date, ...]:
    """The scheduled days that adherence counts, oldest first."""
    return tuple(day for day in record.days_back(days) if record.counts(day))


def unsent_days(record: Record, count: int) -> tuple[date, ...]:
    """The last `count` days on which exercises were due, when none of them was sent through our own fault; else none."""
    due = sorted(day for day, asked in record.asked.items() if day <= record.today and asked != {"paused"})
    last = tuple(day for day in due if record.status(day) != "waiting")[-count:]
    return last if len(last) == count and all(record.status(day) == "not_sent" for day in last) else ()
