"""What changes in the next prompts without a new decision: the signed flare plan, and how to restart after a gap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from operator import itemgetter
from typing import Literal
from uuid import UUID

from bot_service.clinical.in_words import long_day, plural, session_of
from bot_service.clinical.pain import over_ceiling, settled, settled_day, worse
from bot_service.clinical.record import LoadingDay, Record, Session
from plans.model import Prescription, Weekday
from plans.running import RUN_SLOT

WhyFlare = Literal["over_ceiling", "worse_24h", "gap", "severe"]

_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Flare:
    """The signed flare plan in force.

    `easier` are the exercises shown in their easier version until `settled_needed` settled loading days. The exercise that brought a
    severe score stays out until the physio has looked: `leave_out` holds it where the session had no other, so that it is surely known;
    else the patient, who alone knows which one it was, leaves out those of the sessions on the days `hurt_on`.
    """

    why: WhyFlare
    since: date
    settled_so_far: int
    settled_needed: int
    easier: tuple[str, ...]
    leave_out: tuple[str, ...]
    hurt_on: tuple[date, ...]
    sentence: str
    until: str
    evidence: tuple[UUID, ...]


@dataclass(frozen=True)
class Restart:
    """How to start again after a gap (E4): at a part of the volume, or only after the physio has looked."""

    gap_days: int
    last_loaded: date
    physio_first: bool
    volume_pct: int | None
    sentence: str


@dataclass(frozen=True)
class _Trigger:
    why: WhyFlare
    day: date
    settled: int
    words: str
    evidence: tuple[UUID, ...]


def flare_state(record: Record, looked_at: datetime | None = None) -> Flare | None:
    """The flare plan in force now, or None: not signed, or nothing calls for it.

    `looked_at` is when a clinician last acted on this patient's pain (closed the case, approved, held, stepped back, prescribed anew);
    severe sessions of which they could know by then no longer leave an exercise out.
    """
    if record.prescription.flare_plan is None:
        return None
    severe, not_looked = severe_since(record, looked_at), _severe_sessions(record, looked_at)
    trigger = _trigger(record) or _severe_trigger(severe, record)
    if trigger is None:
        return None
    needed = record.rules.deload.settled_days_to_return
    easing = trigger.why != "severe"
    suspects = {item: _exercises_of(item, record.prescription) for _, item in not_looked}
    return Flare(
        why=trigger.why,
        since=trigger.day,
        settled_so_far=trigger.settled,
        settled_needed=needed,
        easier=tuple(item.exercise.id for item in record.prescription.exercises if item.started) if easing else (),
        leave_out=tuple(sorted({found[0] for found in suspects.values() if len(found) == 1})),
        hurt_on=tuple(sorted({item.day for item, found in suspects.items() if len(found) > 1})),
        sentence=f"Signed flare plan in force: {trigger.words}.",
        until=_until(trigger, needed, severe is not None),
        evidence=tuple(dict.fromkeys((*trigger.evidence, *(severe.evidence if severe else ())))),
    )


def advice_since(record: Record) -> tuple[date, int] | None:
    """The day since which the advice after too much pain holds, with the settled days since, where no flare plan is signed
    (`clinical.md` 0.6); None when it does not.

    The dose stays as it is prescribed; the advice ends with as many settled loading days as a signed plan's easier versions would.
    """
    trigger = _trigger(record) if record.prescription.flare_plan is None else None
    return None if trigger is None or trigger.why == "gap" else (trigger.day, trigger.settled)


def has_just_settled(record: Record) -> bool:
    """Whether the pain after the latest loading day is back to usual: what is easier now is so because of an earlier day."""
    last = record.loading_days[-1] if record.loading_days else None
    return last is not None and settled(last.pain_24h, record.baseline, record.rules) is True


def restart_state(record: Record) -> Restart | None:
    """How to restart when the last loading day lies a gap back, or None. A pause is a gap too: the tendon was not loaded."""
    if not record.loading_days:
        return None
    rules, last = record.rules.deload, record.loading_days[-1].day
    gap = (record.today - last).days
    if gap < rules.gap_days_easier:
        return None
    first = gap >= rules.gap_days_physio_first
    how = "physio first, before loading restarts" if first else f"restart at about {rules.restart_volume_pct} % of the volume"
    return Restart(
        gap_days=gap,
        last_loaded=last,
        physio_first=first,
        volume_pct=None if first else rules.restart_volume_pct,
        sentence=f"No session since {long_day(last)} ({plural(gap, 'day')}): {how}.",
    )


def eased_on(record: Record, day: date) -> bool:
    """Whether a day's session began while something called for the easier version, the flare plan signed or not."""
    return _trigger(replace(record, today=day, sessions=tuple(item for item in record.sessions if item.day < day))) is not None


def severe_since(record: Record, looked_at: datetime | None) -> Session | None:
    """The latest severe session of this stage that no clinician has looked at; a run is one too."""
    severe = [((item.day, at, item.slot, item.evidence), item) for at, item in _severe_sessions(record, looked_at)]
    return max(severe, key=itemgetter(0))[1] if severe else None


def _severe_sessions(record: Record, looked_at: datetime | None) -> list[tuple[datetime, Session]]:
    """When each was done, and the session."""
    return [
        (item.done_at, item)
        for item in record.sessions
        if item.pain is not None
        and item.done_at is not None
        and item.pain >= record.rules.session_pain.severe_min
        and item.loads
        and item.outcome != "not_done"
        and item.day >= record.stage_start
        and (looked_at is None or (item.told_at or item.done_at) > looked_at)
    ]


def _trigger(record: Record) -> _Trigger | None:
    """The latest reason for easier exercises that has not yet been followed by enough settled days."""
    gap_days, needed = record.rules.deload.gap_days_easier, record.rules.deload.settled_days_to_return
    following, settled_days = record.today, 0
    for day in reversed(record.loading_days):
        if (following - day.day).days >= gap_days:
            words = f"a gap of {plural((following - day.day).days, 'day')} since {long_day(day.day)}"
            return _Trigger("gap", day.day, settled_days, words, day.evidence)
        if day.day < record.stage_start:  # a new stage is a clinician's decision made since
            return None
        if found := _pain_trigger(day, record, settled_days):
            return found
        settled_days += settled_day(day, record.baseline, record.rules) is True
        if settled_days >= needed:
            return None
        following = day.day
    return None


def _pain_trigger(day: LoadingDay, record: Record, settled_days: int) -> _Trigger | None:
    if over_ceiling(day, record.rules):
        words = f"pain {day.pain}/10 in {session_of(day.day)}, above {record.rules.pain_ceiling}"
        return _Trigger("over_ceiling", day.day, settled_days, words, day.evidence)
    if worse(day.pain_24h, record.baseline, record.rules):
        words = f"pain {day.pain_24h}/10 the day after {session_of(day.day)}, clearly above usual"
        return _Trigger("worse_24h", day.day, settled_days, words, day.evidence)
    return None


def _severe_trigger(severe: Session | None, record: Record) -> _Trigger | None:
    """A severe session outlasts the settled days: its exercise stays out until somebody has looked."""
    if severe is None:
        return None
    words = f"pain {severe.pain}/10 in {session_of(severe.day)}"
    return _Trigger("severe", severe.day, record.rules.deload.settled_days_to_return, words, severe.evidence)


def _exercises_of(session: Session, prescription: Prescription) -> tuple[str, ...]:
    """The exercises of the severe session; all of them when its slot is no longer prescribed."""
    if session.slot == RUN_SLOT:  # the run itself is left out: no prompt for it goes out
        return ()
    if session.slot not in {slot.number for slot in prescription.slots}:
        return tuple(item.exercise.id for item in prescription.exercises)
    return tuple(item.exercise.id for item in prescription.for_day(session.slot, _WEEKDAYS[session.day.weekday()]))


def _until(trigger: _Trigger, needed: int, severe: bool) -> str:
    parts = []
    if trigger.why != "severe":
        parts.append(f"easier versions until {plural(needed, 'settled day')} ({trigger.settled} so far)")
    if severe:
        parts.append("the exercise that hurt is left out until the physio has looked")
    return "; ".join(parts)
