"""Proposals: the changes a clinician may approve, hold or refuse, and the rungs agreed beforehand that a patient was offered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select, update

from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.tables import proposals


@dataclass(frozen=True)
class Proposed:
    """A proposal. `status`: pending, approved, held, stepped_back or withdrawn; one made to the patient: offered, accepted, declined."""

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
    def offered(self) -> tuple[str, str] | None:
        """The exercise and the rung that the patient was offered; None for what is put to a clinician."""
        return (self.detail["offered"]["exercise"], self.detail["offered"]["rung"]) if "offered" in self.detail else None


def propose(
    tx: Tx, now: datetime, episode: Episode, rule: str, from_stage: str, to_stage: str | None, detail: Mapping[str, Any]
) -> UUID | None:
    """Store a proposal; None when one for this rule is pending already (its evidence is then brought up to date)."""
    pending = find_pending(tx, episode, rule)
    if pending is not None:
        values = {"detail": dict(detail), "evidence_version": episode.evidence_version}
        tx.run(update(proposals).where(proposals.c.id == pending.id, proposals.c.status == "pending").values(**values))
        return None
    return _add(tx, now, episode, rule, from_stage, to_stage, detail, "pending")


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


def find_pending(tx: Tx, episode: Episode, rule: str | None = None) -> Proposed | None:
    """The pending proposal, of that rule or of any."""
    query = select(proposals).where(proposals.c.episode_id == episode.id, proposals.c.status == "pending")
    if rule is not None:
        query = query.where(proposals.c.rule == rule)
    row = tx.first(query.order_by(proposals.c.created_at).limit(1))
    return None if row is None else _proposal(tx, episode.patient_id, row)


def list_proposals(tx: Tx, episode: Episode) -> list[Proposed]:
    """All proposals of an episode, the latest first."""
    rows = tx.all(select(proposals).where(proposals.c.episode_id == episode.id).order_by(proposals.c.created_at.desc(), proposals.c.id))
    return [_proposal(tx, episode.patient_id, row) for row in rows]


def list_pending_of_clinic(tx: Tx, clinic_id: UUID) -> dict[UUID, Proposed]:
    """Pending proposals of a clinic by episode, without reasons."""
    rows = tx.all(
        select(proposals).where(proposals.c.clinic_id == clinic_id, proposals.c.status == "pending").order_by(proposals.c.created_at)
    )
    return {row.episode_id: _proposal(tx, None, row) for row in rows}


def count_proposals(tx: Tx) -> dict[str, int]:
    """How many proposals to clinicians there ever were in each state."""
    query = select(proposals.c.status, func.count().label("number")).group_by(proposals.c.status)
    query = query.where(proposals.c.detail["offered"].as_string().is_(None))
    return {row.status: int(row.number) for row in tx.all(query)}


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
