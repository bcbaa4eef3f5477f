"""What speaks against a step up at this moment: open blockers and recent pain above the plan's limits, with figures and days."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from bot_service.clinical.in_words import listed, sentence, short_day
from bot_service.clinical.pain import settled
from bot_service.clinical.progression import BLOCKERS
from bot_service.clinical.record import LoadingDay, Record
from plans.model import ProgressionRule

MOST_DAYS = 4
"""Days named in one sentence, the latest ones (default)."""


def concerns(record: Record, rule: ProgressionRule, open_rules: Collection[str]) -> tuple[str, ...]:
    """One sentence for each thing that speaks against it; empty when nothing does.

    Recent are the loading days on which the step is judged, and all within its quiet days.
    """
    recent = _recent(record, rule)
    ceiling, limit = record.rules.pain_ceiling, min(rule.session_max, record.rules.pain_ceiling)
    high = [(day.day, day.pain) for day in recent if day.pain is not None and day.pain > limit]
    later = [(day.day, day.pain_24h) for day in recent if day.pain_24h is not None and _high_after(day, record, rule)]
    first = record.today - timedelta(days=rule.quiet_days - 1)
    left_out = sorted({item.day for item in record.skip_reasons if item.reason == "pain" and item.day >= first})
    usual = "usual pain not known" if record.baseline is None else f"usual pain {record.baseline}"
    found = [words for rule_id, words in BLOCKERS.items() if rule_id in open_rules]
    found += [f"session pain above {limit}, this step's limit (the ceiling is {ceiling}): {_figures(high)}"] if high else []
    found += [f"pain 24 hours later above {rule.next_max}, or not settled ({usual}): {_figures(later)}"] if later else []
    found += [f"left out because of pain on {listed(short_day(day) for day in left_out)}"] if left_out else []
    return tuple(sentence(words) for words in found)


def _recent(record: Record, rule: ProgressionRule) -> list[LoadingDay]:
    """The last days that were rated, however long ago, and every loading day since the quiet days began."""
    first = record.today - timedelta(days=rule.quiet_days - 1)
    rated = record.rated_days[-rule.last_n :]
    since = min([first, *(day.day for day in rated)])
    return [day for day in record.loading_days if day.day >= since]


def _high_after(day: LoadingDay, record: Record, rule: ProgressionRule) -> bool:
    return (day.pain_24h or 0) > rule.next_max or settled(day.pain_24h, record.baseline, record.rules) is False


def _figures(days: Iterable[tuple[date, int | None]]) -> str:
    """5 on 17 Nov and 7 on 19 Nov; of many days the latest."""
    found = [f"{score} on {short_day(day)}" for day, score in days]
    more = f" and on {len(found) - MOST_DAYS} days before" if len(found) > MOST_DAYS else ""
    return f"{', '.join(found[-MOST_DAYS:])}{more}" if more else listed(found)
