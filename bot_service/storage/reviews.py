"""Proposals: the changes a clinician may approve, hold or refuse, and the rungs agreed beforehand that a patient was offered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select, update

from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.tables import proposals

OWN = "own"
"""In place of the rule: a clinician decided without a proposal."""
HELD_FOR = timedelta(days=7)
"""How long a hold lasts when the physio names no day (default)."""


@dataclass(frozen=True)
class Proposed:
    """A proposal, or what a clinician decided without one. `status`: pending, approved, held, released, stepped_back, rewritten or
    withdrawn; undone, or undid, which is somebody's undoing of another. One that was made to the patient: offered, accepted, declined or
    withdrawn.
    """

    id: UUID
    episode_id: UUID
    rule: str
    from_stage: str
    to_stage: str | None
    detail: Mapping[str, Any]
    evidence_version: int
    status: str
    created_at: datetime
    decided_at: datetime | None
    decided_by: UUID | None
    reason: str | None
    hold_until: date | None

    @property
    def until(self) -> date:
        """Of a hold, the first day on which it is over."""
        return self.hold_until or (self.decided_at or self.created_at).date() + HELD_FOR

    def holds(self, day: date) -> bool:
        """Whether this is a hold in force on a local day."""
        return self.status == "held" and day < self.until

    @property
    def offered(self) -> tuple[str, str] | None:
        """The exercise and the rung that the patient was offered; None for what is put to a clinician."""
        return (self.detail["offered"]["exercise"], self.detail["offered"]["rung"]) if "offered" in self.detail else None


def propose(
    tx: Tx, now: datetime, episode: Episode, rule: str, from_stage: str, to_stage: str | None, detail: Mapping[str, Any]
) -> UUID | None:
    """Store a proposal; None when one for this rule is pending already (its evidence is then brought up to date).

    One that was withdrawn at this very moment and comes again, as under a prescription that changed a little, has waited since before.
    """
    pending = find_pending(tx, episode, rule)
    if pending is not None:
        values = {"detail": dict(detail), "evidence_version": episode.evidence_version}
        tx.run(_REFRESH, {"proposal": pending.id, **values})
        return None
    same = (proposals.c.episode_id == episode.id, proposals.c.rule == rule, proposals.c.from_stage == from_stage)
    again = select(func.min(proposals.c.created_at)).where(*same, proposals.c.status == "withdrawn", proposals.c.decided_at == now)
    since = tx.scalar(again)
    return _add(tx, since or now, episode, rule, from_stage, to_stage, detail, "pending")


def offer(tx: Tx, now: datetime, episode: Episode, rule: str, rung: tuple[str, str], detail: Mapping[str, Any]) -> UUID:
    """Keep that the patient is offered the `rung` (exercise, rung); an older offer without an answer is withdrawn."""
    withdraw_offers(tx, now, episode)
    offered = {**detail, "offered": {"exercise": rung[0], "rung": rung[1]}}
    return _add(tx, now, episode, rule, episode.stage, None, offered, "offered")


def list_offered(tx: Tx, episode: Episode) -> list[Proposed]:
    """What the patient was offered and has not answered."""
    rows = tx.all(select(proposals).where(proposals.c.episode_id == episode.id, proposals.c.status == "offered"))
    return [_proposal(tx, episode.patient_id, row) for row in rows]


def withdraw_offers(tx: Tx, now: datetime, episode: Episode) -> None:
    """Withdraw what the patient has not answered."""
    for older in list_offered(tx, episode):
        end_offer(tx, now, older.id, "withdrawn")


def end_offer(tx: Tx, now: datetime, offer_id: UUID, status: str) -> bool:
    """Swap `offered` for accepted, declined or withdrawn; False when it is no longer open."""
    swap = update(proposals).where(proposals.c.id == offer_id, proposals.c.status == "offered")
    return tx.first(swap.values(status=status, decided_at=now).returning(proposals.c.id)) is not None


def withdraw_pending(tx: Tx, now: datetime, episode_id: UUID, keep: str | None = None) -> int:
    """Withdraw pending proposals, but for the rule to `keep`."""
    return len(tx.all(_WITHDRAW, {"of_episode": episode_id, "keep": keep or "", "status": "withdrawn", "decided_at": now}))


def decide(
    tx: Tx,
    now: datetime,
    episode: Episode,
    proposal_id: UUID,
    status: str,
    staff_id: UUID,
    evidence_version: int | None,
    *,
    reason: str,
    hold_until: date | None,
) -> bool:
    """Swap `pending` for a decision; False when it is no longer pending or its evidence is not what was shown."""
    where = [proposals.c.id == proposal_id, proposals.c.episode_id == episode.id, proposals.c.status == "pending"]
    if evidence_version is not None:
        where.append(proposals.c.evidence_version == evidence_version)
    sealed = tx.seal(episode.patient_id, f"proposals.reason:{proposal_id}", reason)
    values = {"status": status, "decided_at": now, "decided_by": staff_id, "reason": sealed, "hold_until": hold_until}
    return tx.first(update(proposals).where(*where).values(**values).returning(proposals.c.id)) is not None


def record_own(
    tx: Tx, now: datetime, episode: Episode, status: str, staff_id: UUID, *, to_stage: str | None, reason: str, hold_until: date | None
) -> UUID:
    """What a clinician decided although nothing was proposed, beside the decisions on proposals."""
    new_id = tx.new_id()
    values = {"id": new_id, "clinic_id": episode.clinic_id, "episode_id": episode.id, "rule": OWN, "from_stage": episode.stage}
    values |= {"to_stage": to_stage, "detail": {}, "evidence_version": episode.evidence_version, "status": status, "created_at": now}
    sealed = tx.seal(episode.patient_id, f"proposals.reason:{new_id}", reason)
    tx.run(proposals.insert().values(**values, decided_at=now, decided_by=staff_id, reason=sealed, hold_until=hold_until))
    return new_id


def keep_beside(tx: Tx, decided_id: UUID, more: Mapping[str, Any]) -> None:
    """Keep something with a decision, beside what it rests on."""
    detail = tx.scalar(select(proposals.c.detail).where(proposals.c.id == decided_id))
    tx.run(update(proposals).where(proposals.c.id == decided_id).values(detail={**detail, **more}))


def mark_undone(tx: Tx, now: datetime, episode: Episode, decided: Proposed, staff_id: UUID) -> bool:
    """Swap a decision for `undone`, with a row of its own for who did so and what it was; False when it holds no more."""
    where = (proposals.c.id == decided.id, proposals.c.status == decided.status)
    if tx.first(update(proposals).where(*where).values(status="undone").returning(proposals.c.id)) is None:
        return False
    own = record_own(tx, now, episode, "undid", staff_id, to_stage=decided.from_stage, reason="", hold_until=None)
    keep_beside(tx, own, {"undoes": str(decided.id), "was": decided.status})
    return True


def put_back(tx: Tx, ids: Sequence[UUID], old: str, new: str) -> None:
    """What a decision ended that is undone now: a hold that it `released`, an offer that it had `withdrawn`."""
    if ids:
        values = {"status": new, **({"decided_at": None} if new == "offered" else {})}
        tx.run(update(proposals).where(proposals.c.id.in_(ids), proposals.c.status == old).values(**values))


def list_held(tx: Tx, episode: Episode, day: date) -> list[Proposed]:
    """The holds on steps out of the present stage that are in force on a local day, the latest first."""
    return [item for item in list_proposals(tx, episode) if item.from_stage == episode.stage and item.holds(day)]


def release_held(tx: Tx, episode_id: UUID, rules: Sequence[str] = ()) -> int:
    """End the holds on steps, of those rules or of all; how many there were, those whose time was over included."""
    where = [proposals.c.episode_id == episode_id, proposals.c.status == "held", *([proposals.c.rule.in_(rules)] if rules else [])]
    return len(tx.all(update(proposals).where(*where).values(status="released").returning(proposals.c.id)))


def find_pending(tx: Tx, episode: Episode, rule: str | None = None) -> Proposed | None:
    """The pending proposal, of that rule or of any."""
    if rule is None:
        row = tx.first(_PENDING, {"of_episode": episode.id})
    else:
        row = tx.first(_PENDING_OF_RULE, {"of_episode": episode.id, "of_rule": rule})
    return None if row is None else _proposal(tx, episode.patient_id, row)


def list_proposals(tx: Tx, episode: Episode) -> list[Proposed]:
    """All proposals of an episode, the latest first."""
    rows = tx.all(_OF_EPISODE, {"of_episode": episode.id})
    return [_proposal(tx, episode.patient_id, row) for row in rows]


def list_pending_of_clinic(tx: Tx, clinic_id: UUID) -> dict[UUID, Proposed]:
    """Pending proposals of a clinic by episode, without reasons."""
    rows = tx.all(
        select(proposals).where(proposals.c.clinic_id == clinic_id, proposals.c.status == "pending").order_by(proposals.c.created_at)
    )
    return {row.episode_id: _proposal(tx, None, row) for row in rows}


def is_proposal(tx: Tx, proposal_id: UUID) -> bool:
    return tx.first(select(proposals.c.id).where(proposals.c.id == proposal_id)) is not None


def count_proposals(tx: Tx, clinic_id: UUID | None = None, since: datetime | None = None) -> dict[tuple[str, str], int]:
    """How many proposals to clinicians there ever were of each rule in each state; only those of one clinic, made since then, if named."""
    query = select(proposals.c.rule, proposals.c.status, func.count().label("number")).where(proposals.c.rule != OWN)
    query = query if clinic_id is None else query.where(proposals.c.clinic_id == clinic_id)
    query = query if since is None else query.where(proposals.c.created_at >= since)
    query = query.where(proposals.c.detail["offered"].as_string().is_(None)).group_by(proposals.c.rule, proposals.c.status)
    return {(row.rule, row.status): int(row.number) for row in tx.all(query)}


_OF_EPISODE = (
    select(proposals).where(proposals.c.episode_id == bindparam("of_episode")).order_by(proposals.c.created_at.desc(), proposals.c.id)
)
_PENDING = (
    select(proposals)
    .where(proposals.c.episode_id == bindparam("of_episode"), proposals.c.status == "pending")
    .order_by(proposals.c.created_at)
    .limit(1)
)
_PENDING_OF_RULE = _PENDING.where(proposals.c.rule == bindparam("of_rule"))
_REFRESH = update(proposals).where(proposals.c.id == bindparam("proposal"), proposals.c.status == "pending")
_WITHDRAW = (
    update(proposals)
    .where(proposals.c.episode_id == bindparam("of_episode"), proposals.c.status == "pending", proposals.c.rule != bindparam("keep"))
    .returning(proposals.c.id)
)


def _add(
    tx: Tx, now: datetime, episode: Episode, rule: str, from_stage: str, to_stage: str | None, detail: Mapping[str, Any], status: str
) -> UUID:
    new_id = tx.new_id()
    tx.run(
        proposals.insert().values(
            id=new_id,
            clinic_id=episode.clinic_id,
            episode_id=episode.id,
            rule=rule,
            from_stage=from_stage,
            to_stage=to_stage,
            detail=dict(detail),
            evidence_version=episode.evidence_version,
            status=status,
            created_at=now,
        )
    )
    return new_id


def _proposal(tx: Tx, patient_id: UUID | None, row: Row[Any]) -> Proposed:
    reason = tx.unseal(patient_id, f"proposals.reason:{row.id}", row.reason) if patient_id else None
    return Proposed(
        row.id,
        row.episode_id,
        row.rule,
        row.from_stage,
        row.to_stage,
        row.detail,
        row.evidence_version,
        row.status,
        row.created_at,
        row.decided_at,
        row.decided_by,
        reason,
        row.hold_until,
    )
