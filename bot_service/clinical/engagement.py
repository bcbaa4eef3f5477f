"""The rules about taking part: D3 not done in a row, D4 low adherence, D5 silence; all are reasons on one engagement case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from uuid import UUID

from bot_service.clinical.adherence import counted_days, done_share
from bot_service.clinical.catalogue import ENGAGEMENT, Flag, Urgency, basis_of
from bot_service.clinical.in_words import listed, long_day, percent, plural, short_day
from bot_service.clinical.record import Reason, Record

_REASON_WORDS: dict[Reason, str] = {
    "pain": "pain",
    "forgot": "forgot",
    "time": "no time",
    "unsure": "unsure how",
    "unwell": "unwell",
    "other": "another reason",
}


def silent_days(record: Record) -> int:
    """Days since the patient last wrote anything (since the episode began, if never), today included.

    Days on which a hold or a failure of ours kept the prompt back are left out, with the rest days that follow them.
    """
    last = record.last_reply or record.episode_start
    silent, ours = 0, False
    for back in range((record.today - last).days - 1, -1, -1):
        day = record.today - timedelta(days=back)
        asked = record.asked.get(day)
        if asked:
            ours = not asked & {"sent", "waiting"}
        silent += not ours
    return silent


def refusals_flag(record: Record) -> Flag | None:
    """D3: the last scheduled days in a row were all answered "no". Pain as the reason goes to the physio."""
    count = record.rules.review.missed_in_a_row
    days = _last_counted(record, count)
    if len(days) < count or any(record.status(day) != "not_done" for day in days):
        return None
    given = sorted((item for item in record.skip_reasons if item.day in days), key=lambda item: (item.day, item.reason, item.evidence))
    reasons = list(dict.fromkeys(item.reason for item in given))
    because = f"reason given: {listed(_REASON_WORDS[reason] for reason in reasons)}" if reasons else "no reason given yet"
    evidence = [*_session_rows(record, days), *(row for item in given for row in item.evidence)]
    return _engagement(
        record,
        "D3",
        "three_days" if "pain" in reasons else "routine",
        f"Answered not done on {count} scheduled days in a row ({listed(short_day(day) for day in days)}); {because}.",
        days,
        "review.missed_in_a_row",
        suggestion="Pain is the reason: talk about load before the next session." if "pain" in reasons else "Ask for one reason.",
        evidence=evidence,
        occurred=days[-1],
    )


def low_adherence_flag(record: Record) -> Flag | None:
    """D4: less than the set share done, once the episode is as old as the window and enough days were really asked."""
    review = record.rules.review
    began = record.episode_start
    age = (record.today - began).days
    if age < review.low_adherence_days:
        return None
    counted = counted_days(record, review.low_adherence_days)
    share = done_share(record, review.low_adherence_days)
    if share is None or 100 * share >= review.low_adherence_pct or len(counted) < review.low_adherence_min_scheduled:
        return None
    done = sum(record.status(day) == "done" for day in counted)
    return _engagement(
        record,
        "D4",
        "routine",
        f"{percent(share)} % done over {review.low_adherence_days} days: {done} of {len(counted)} scheduled days in full.",
        counted,
        "review.low_adherence_pct",
        suggestion="A shorter plan or another time of day may fit better.",
        evidence=_session_rows(record, counted),
        occurred=began + timedelta(days=age - age % review.low_adherence_days),
    )


def silence_flag(record: Record) -> Flag | None:
    """D5: no reply at all for the set number of days, of which at least one had a prompt that reached out."""
    review, silent = record.rules.review, silent_days(record)
    last = record.last_reply or record.episode_start
    unanswered = sorted(day for day, asked in record.asked.items() if last < day <= record.today and asked & {"sent", "waiting"})
    if silent < review.silent_days or not unanswered:
        return None
    lost = (record.today - last).days >= review.lost_contact_days
    since = f"No reply since {long_day(last)}" if record.last_reply else f"No reply since the start on {long_day(last)}"
    return _engagement(
        record,
        "D5",
        "three_days" if lost else "routine",
        f"{since}; {plural(len(unanswered), 'prompt day')} unanswered.",
        unanswered,
        "review.silent_days",
        suggestion="Call or write in person.",
        evidence=(),
        occurred=last + timedelta(days=review.lost_contact_days if lost else review.silent_days),
        since=last,
    )


def no_longer_so(record: Record) -> frozenset[str]:
    """Which of D3, D4 and D5 the record denies today; what it cannot tell, since nothing is asked any more, it does not deny."""
    review = record.rules.review
    share, last = done_share(record, review.low_adherence_days), record.last_reply
    denied = {
        "D3": refusals_flag(record) is None,
        "D4": share is not None and 100 * share >= review.low_adherence_pct,
        "D5": last is not None and (record.today - last).days < review.silent_days,
    }
    return frozenset(rule for rule, is_denied in denied.items() if is_denied)


def _engagement(
    record: Record,
    rule: str,
    urgency: Urgency,
    words: str,
    days: Iterable[date],
    key: str,
    *,
    suggestion: str,
    evidence: Iterable[UUID],
    occurred: date,
    since: date | None = None,
) -> Flag:
    return Flag(
        rule=rule,
        urgency=urgency,
        sentence=words,
        evidence=tuple(dict.fromkeys(evidence)),
        days=tuple(days),
        occurred=occurred,
        basis=basis_of(record.rules, key),
        suggestion=suggestion,
        case=ENGAGEMENT,
        since=since,
    )


def _last_counted(record: Record, count: int) -> tuple[date, ...]:
    """The last `count` scheduled days that count, oldest first."""
    days = sorted((day for day in record.asked if day <= record.today), reverse=True)
    found: list[date] = []
    for day in days:
        if record.counts(day):
            found.append(day)
        if len(found) == count:
            break
    return tuple(reversed(found))


def _session_rows(record: Record, days: Sequence[date]) -> list[UUID]:
    wanted = frozenset(days)
    sessions = [item for item in record.sessions if item.day in wanted and not item.optional]
    return [row for item in sorted(sessions, key=lambda item: (item.day, item.slot, item.evidence)) for row in item.evidence]
