"""What the rules read: one episode's history as plain values, and the loading day, the unit in which the rules count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Literal
from uuid import UUID

from plans.model import Prescription, Rules
from plans.running import RUN_SLOT

Outcome = Literal["done", "partly", "not_done"]
DayStatus = Literal["done", "partly", "not_done", "no_reply", "paused", "not_sent", "waiting", "rest"]
Asked = Literal["sent", "not_sent", "paused", "waiting"]
Exercises = Literal["with_it", "awaited", "followed"]
"""Whether a prompt showed its exercises, has another question answered first, or showed them after that."""
Reason = Literal["pain", "forgot", "time", "unsure", "unwell", "other"]

STRIP_DAYS = 28
"""How far back patients and clinicians are shown day by day (default); whoever is in care for less is shown all of it."""
_LOADED: AbstractSet[str] = frozenset({"done", "partly"})
_NOTHING: AbstractSet[str] = frozenset()


@dataclass(frozen=True)
class Session:
    """One session as it now stands, corrections applied. `pain` is the worst during or straight after, 0-10, None when not given.

    `told_at` is when that pain was told, which may be long after the session. Without `done_at`, `told_at` and `evidence` in a list of
    patients, whose figures need none of them.
    """

    day: date
    slot: int
    outcome: Outcome
    pain: int | None
    done_at: datetime | None
    stage: str
    prescription_id: UUID
    optional: bool = False
    evidence: tuple[UUID, ...] = ()
    told_at: datetime | None = None

    @property
    def loads(self) -> bool:
        """Whether its pain counts: optional slots count for nothing, but for runs, which load the tendon like any exercise."""
        return not self.optional or self.slot == RUN_SLOT


@dataclass(frozen=True)
class NextDay:
    """Pain about 24 hours after a session, 0-10. `day` is the local day of the session it is about, `at` when it was answered (UTC)."""

    day: date
    score: int
    at: datetime
    evidence: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Scheduled:
    """What the schedule asked of one day and slot. `not_sent` is our failure, `paused` a hold; neither counts against the patient."""

    day: date
    slot: int
    status: Asked
    stage: str
    optional: bool = False
    exercises: Exercises = "with_it"


@dataclass(frozen=True)
class SkipReason:
    """Why the patient did not do a day's session, when asked."""

    day: date
    reason: Reason
    evidence: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class LoadingDay:
    """A local day on which the tendon was loaded: its worst session pain and worst 24-hour pain, None where unknown."""

    day: date
    pain: int | None
    pain_24h: int | None
    stage: str
    slots: tuple[int, ...]
    evidence: tuple[UUID, ...]


@dataclass(frozen=True)
class Record:
    """Everything the rules may know about one episode up to `today` (the patient's local date).

    The order of the tuples does not matter. `replies` are the local days on which the patient wrote anything at all, `opting_in` those
    on which that was only to agree to the messages; `baseline` is the usual pain before loading, None until known; `rung_since` says
    since when an exercise has been at its present rung.
    """

    today: date
    zone: str
    episode_start: date
    stage: str
    stage_start: date
    baseline: int | None
    scheduled: tuple[Scheduled, ...]
    sessions: tuple[Session, ...]
    next_days: tuple[NextDay, ...]
    prescription: Prescription
    replies: tuple[date, ...] = ()
    opting_in: frozenset[date] = frozenset()
    skip_reasons: tuple[SkipReason, ...] = ()
    rung_since: Mapping[str, date] = field(default_factory=dict)

    @property
    def rules(self) -> Rules:
        """The thresholds of the active prescription."""
        return self.prescription.rules

    @cached_property
    def loading_days(self) -> tuple[LoadingDay, ...]:
        """Days with at least one session done or partly done, oldest first; runs count, other optional slots do not."""
        by_day: dict[date, list[Session]] = {}
        loaded = [session for session in self.sessions if session.outcome in _LOADED and session.loads]
        for session in sorted(loaded, key=lambda item: (item.day, item.slot, item.evidence)):
            by_day.setdefault(session.day, []).append(session)
        answers: dict[date, list[NextDay]] = {}
        for answer in sorted(self.next_days, key=lambda item: (item.at, item.score, item.evidence)):
            answers.setdefault(answer.day, []).append(answer)
        return tuple(_loading_day(day, sessions, answers.get(day, ())) for day, sessions in by_day.items())

    @cached_property
    def rated_days(self) -> tuple[LoadingDay, ...]:
        """The loading days whose session pain is known, oldest first."""
        return tuple(day for day in self.loading_days if day.pain is not None)

    @cached_property
    def answered_days(self) -> tuple[LoadingDay, ...]:
        """The loading days whose 24-hour pain is known, oldest first."""
        return tuple(day for day in self.loading_days if day.pain_24h is not None)

    @cached_property
    def wrote(self) -> AbstractSet[date]:
        """The days on which the patient wrote something since they had agreed and said how the usual pain is."""
        return frozenset(self.replies) - self.opting_in

    @cached_property
    def last_reply(self) -> date | None:
        """The last local day on which the patient wrote anything, or None."""
        return max(self.replies, default=None)

    @cached_property
    def asked(self) -> Mapping[date, AbstractSet[Asked]]:
        """What became of each scheduled day's prompts, optional slots aside."""
        seen: dict[date, set[Asked]] = {}
        for item in self.scheduled:
            if not item.optional:
                seen.setdefault(item.day, set()).add(self._became(item))
        return seen

    @cached_property
    def outcomes(self) -> Mapping[date, AbstractSet[Outcome]]:
        """The answers to "did you do it" of each day, optional slots aside."""
        seen: dict[date, set[Outcome]] = {}
        for session in self.sessions:
            if not session.optional:
                seen.setdefault(session.day, set()).add(session.outcome)
        return seen

    def counts(self, day: date) -> bool:
        """Whether a day stands in the denominator: it was asked, and it is not still waiting for its first answer."""
        asked = self.asked.get(day, _NOTHING)
        if "waiting" in asked:
            return self.status(day) != "waiting"
        return "sent" in asked

    def status(self, day: date) -> DayStatus:
        """What to show for a day: what was done, else why nothing was."""
        outcomes, asked = self.outcomes.get(day, _NOTHING), self.asked.get(day, _NOTHING)
        if "done" in outcomes:
            return "done"
        if "partly" in outcomes:
            return "partly"
        if "waiting" in asked:
            return "waiting"
        if "sent" in asked:
            return "not_done" if outcomes else "no_reply"
        if asked:
            return "not_sent" if "not_sent" in asked else "paused"
        return "rest"

    def days_back(self, days: int) -> tuple[date, ...]:
        """The last `days` local days up to and including today, oldest first, none before the episode began."""
        first = max(self.episode_start, self.today - timedelta(days=days - 1))
        return tuple(first + timedelta(days=i) for i in range((self.today - first).days + 1))

    def strip(self, last: int = STRIP_DAYS) -> tuple[tuple[date, DayStatus], ...]:
        """The day-by-day strip: the last `last` days, oldest first."""
        return tuple((day, self.status(day)) for day in self.days_back(last))

    def _became(self, item: Scheduled) -> Asked:
        """Who wrote that day and never saw the exercises, which awaited another answer, was not sent them."""
        if item.status == "waiting" and self._answered(item):
            return "sent"
        unseen = item.status == "sent" and item.exercises == "awaited" and item.day in self.wrote
        return "not_sent" if unseen and not self._answered(item) else item.status

    def _answered(self, item: Scheduled) -> bool:
        return any(session.day == item.day and session.slot == item.slot for session in self.sessions)


def _loading_day(day: date, sessions: list[Session], answers: Sequence[NextDay]) -> LoadingDay:
    """One day from its sessions and the answers about it, both in a fixed order."""
    pains = [item.pain for item in sessions if item.pain is not None]
    rows = [row for item in sessions for row in item.evidence] + [row for item in answers for row in item.evidence]
    return LoadingDay(
        day=day,
        pain=max(pains) if pains else None,
        pain_24h=max([item.score for item in answers]) if answers else None,
        stage=sessions[-1].stage,
        slots=tuple([item.slot for item in sessions]),
        evidence=tuple(rows),
    )
