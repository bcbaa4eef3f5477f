"""The simulated physiotherapist: looks at the caseload at noon on working days and decides through the same actions as a real one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.actions.histories import local_today
from bot_service.errors import Conflict
from bot_service.sample.body import draws
from bot_service.storage import cases, episodes, reviews
from bot_service.storage.cases import Case
from bot_service.storage.database import Database
from bot_service.storage.episodes import Episode
from bot_service.storage.reviews import Proposed
from bot_service.storage.staff import Member

_WORDS = {
    "approved": "Pain has settled and it is getting done; ready for the next step.",
    "held": "Would like one more steady week first.",
    "back": "Two sore sessions running; one step back until it settles.",
    "D1": "Rang the patient; checked and safe to go on.",
    "engagement": "Rang the patient and agreed how to go on.",
}
_LOOKED = "Looked at the answers; no change needed."


@dataclass(frozen=True)
class Ways:
    """Shares of proposals approved and held (the rest wait for another day), and of cases closed at each look."""

    approves: float = 0.8
    holds: float = 0.13
    closes: float = 0.6
    steps_back: float = 0.2


@dataclass
class Physio:
    """One clinician's simulated days. `leaves` names episodes that are left alone from a moment on, so that there is something to see."""

    db: Database
    member: Member
    zone: str
    seed: int
    ways: Ways = field(default_factory=Ways)
    leaves: dict[UUID, datetime] = field(default_factory=dict)

    def next_look(self, after: datetime) -> datetime:
        """The next noon of a working day."""
        zone = ZoneInfo(self.zone)
        day = after.astimezone(zone).date()
        while True:
            noon = datetime.combine(day, time(12), zone).astimezone(UTC)
            if noon > after and day.weekday() < 5:
                return noon
            day += timedelta(days=1)

    def look(self, now: datetime) -> datetime:
        """Go through what waits for a decision, then through the open cases; when the next look is."""
        with self.db.read() as tx:
            pending = reviews.list_pending_of_clinic(tx, self.member.clinic_id)
            open_cases = cases.list_open_of_clinic(tx, self.member.clinic_id)
            wanted = sorted({*pending, *open_cases})
            known = {each: episodes.load(tx, each) for each in wanted}
        for episode in sorted(known.values(), key=lambda each: each.ref):
            if now >= self.leaves.get(episode.id, now + timedelta(days=1)):
                continue
            if proposal := pending.get(episode.id):
                self._decide(proposal, episode, now)
            for case in open_cases.get(episode.id, ()):
                self._look_at(case, episode, now)
        return self.next_look(now)

    def _decide(self, proposal: Proposed, episode: Episode, now: datetime) -> None:
        drawn = draws(self.seed, "physio", episode.ref, proposal.rule, now.date()).random()
        with suppress(Conflict):  # decided or withdrawn meanwhile
            if drawn < self.ways.approves:
                decision = self._decision(episode, _WORDS["approved"], proposal.evidence_version)
                review.approve(self.db, decision, proposal.id, now)
            elif drawn < self.ways.approves + self.ways.holds:
                review.hold(self.db, self._decision(episode, _WORDS["held"], proposal.evidence_version), proposal.id, None, now)

    def _look_at(self, case: Case, episode: Episode, now: datetime) -> None:
        """Acknowledge on the first look, close on a later one; a message that was read is closed at once."""
        rng = draws(self.seed, "physio", episode.ref, case.rule, now.date())
        if case.status != "acknowledged":
            review.acknowledge_case(self.db, self._decision(episode, "seen"), case.id, now)
            if case.case_key not in ("X2", "X3", "X6"):
                return
        if rng.random() >= self.ways.closes:
            return
        if "A4" in case.reasons and rng.random() < self.ways.steps_back and episode.patient_status == "opted_in":
            with suppress(Conflict):  # the first stage at its first step: nothing to go back to
                review.step_back(self.db, self._decision(episode, _WORDS["back"]), now)
        with suppress(Conflict):  # closed itself meanwhile
            review.close_case(self.db, self._decision(episode, _WORDS.get(case.case_key, _LOOKED)), case.id, now)
        if case.case_key in ("engagement", "X6") and episode.patient_status == "opted_in":
            self._resume(episode, now)

    def _resume(self, episode: Episode, now: datetime) -> None:
        """After a call: exercises go on, unless the patient asked for the pause."""
        with self.db.read() as tx:
            held = {hold.kind for hold in episodes.list_holds_in_force(tx, episode.id, local_today(now, episode.zone))}
        if held & {"lost_contact", "physio_first"} and "pause" not in held:
            review.resume(self.db, self._decision(episode, _WORDS["engagement"]), now)

    def _decision(self, episode: Episode, reason: str, shown: int | None = None) -> Decision:
        return Decision(self.member, episode.id, reason, shown)
