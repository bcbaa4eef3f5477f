"""Taking a patient from the team's queue: looking after what is open, or treating them from now on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from bot_service.actions.deciding import Decision, episode_of, note_decision
from bot_service.actions.review import acknowledge_in
from bot_service.errors import Conflict, NotPermitted
from bot_service.storage import cases, episodes, staff
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode


def take_on(db: Database, decision: Decision, now: datetime) -> None:
    """Look after everything about a patient that nobody does yet. Raises Conflict when there is nothing, NotFound, NotPermitted."""
    with db.begin() as tx:
        episode = episode_of(tx, decision, takes_on=True, sees_to=True)
        if not _look_after(tx, episode, decision, now):
            raise Conflict("somebody is looking after this patient already, or what is open needs a decision on their page")


def take_over(db: Database, decision: Decision, shown: UUID | None, now: datetime) -> None:
    """The same, and the patient is this physio's from now on. `shown` is the physio of whom the page said that the patient is theirs.

    Raises Conflict for one's own, one whom somebody else has taken since, or one whose care has ended, and as above.
    """
    with db.begin() as tx:
        episode = episode_of(tx, decision)
        member = decision.member
        if member.role != "physio":
            raise NotPermitted("only a physiotherapist can treat a patient")
        done = _look_after(tx, episode, decision, now)
        if episode.physio_id == member.id and not done:
            raise Conflict("this is your patient already")
        if episode.physio_id not in (member.id, shown):
            raise Conflict("somebody else treats this patient since you opened the list; look at it again")
        if episode.physio_id != member.id:
            episodes.change(tx, episode.id, physio_id=member.id)
            note_decision(tx, now, decision, episode, "patient_taken_over", {"from": staff.load(tx, episode.physio_id).email})


def _look_after(tx: Tx, episode: Episode, decision: Decision, now: datetime) -> bool:
    return sum(acknowledge_in(tx, episode, decision, case, now) for case in cases.list_open(tx, episode)) > 0
