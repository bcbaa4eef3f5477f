"""How often the flags of each rule changed care: cases from their events and the audit trail, suggested steps from what became of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from bot_service.storage.cases import SETTLED
from bot_service.storage.database import Tx
from bot_service.storage.reviews import count_proposals
from bot_service.storage.tables import audit, case_events, cases, episodes

DECISIONS = (
    "approved", "held", "stepped_back", "prescription_rewritten", "running_opened", "running_closed", "paused", "discharged",
    "wrote_to_patient",
)  # fmt: skip
"""What counts as a change of care: an entry of the audit trail about the patient while the flag was open, unless it was undone."""
UNDONE, TAKEN_BACK = "decision_undone", "message_taken_back"
"""Entries that take back the last one before them: the first says of which kind, the second is about a message."""


@dataclass
class RuleCount:
    """What became of one rule's flags. `decided`: something about the patient was decided while the flag was open.

    `noise`: a person closed it and nothing was decided meanwhile. A flag that several rules raised counts for each.
    """

    raised: int = 0
    acknowledged: int = 0
    decided: int = 0
    noise: int = 0
    settled: int = 0
    open: int = 0


@dataclass
class SuggestionCount:
    """What became of one rule's steps that were suggested to a clinician; the others add up to `shown`.

    `otherwise`: something else was decided. `withdrawn`: no longer due before anybody decided, or the decision was undone.
    """

    shown: int = 0
    approved: int = 0
    held: int = 0
    otherwise: int = 0
    withdrawn: int = 0
    waiting: int = 0


_BECAME = {
    "pending": "waiting", "approved": "approved", "held": "held", "released": "held", "stepped_back": "otherwise",
    "rewritten": "otherwise", "withdrawn": "withdrawn", "undone": "withdrawn",
}  # fmt: skip


def count_suggestions(tx: Tx, clinic_id: UUID, since: datetime) -> dict[str, SuggestionCount]:
    """By rule, the steps that were suggested to a clinic's physios since then; what patients were offered is not among them."""
    found: dict[str, SuggestionCount] = {}
    for (rule, status), number in count_proposals(tx, clinic_id, since).items():
        count, became = found.setdefault(rule, SuggestionCount()), _BECAME[status]
        count.shown += number
        setattr(count, became, getattr(count, became) + number)
    return found


def count_raised(tx: Tx, clinic_id: UUID, since: datetime) -> int:
    """How many cases of a clinic were opened since then, each once, whatever number of rules raised it."""
    return int(tx.scalar(select(func.count()).select_from(cases).where(cases.c.clinic_id == clinic_id, cases.c.opened_at >= since)) or 0)


def count_rules(tx: Tx, clinic_id: UUID, since: datetime, now: datetime) -> dict[str, RuleCount]:
    """By rule, the flags of a clinic that were opened since then."""
    decided, seen = _decisions(tx, clinic_id, since), _acknowledged(tx, clinic_id, since)
    columns = (cases.c.id, cases.c.reasons, cases.c.opened_at, cases.c.closed_at, cases.c.closed_by, episodes.c.patient_id)
    query = select(*columns).join(episodes, episodes.c.id == cases.c.episode_id)
    found: dict[str, RuleCount] = {}
    for row in tx.all(query.where(cases.c.clinic_id == clinic_id, cases.c.opened_at >= since)):
        changed = _any_between(decided.get(row.patient_id, ()), row.opened_at, row.closed_at or now)
        for rule in row.reasons:
            count = found.setdefault(rule, RuleCount())
            count.raised += 1
            count.acknowledged += row.id in seen
            count.decided += changed
            count.open += row.closed_at is None
            count.settled += row.closed_by == SETTLED
            count.noise += row.closed_at is not None and row.closed_by != SETTLED and not changed
    return found


def _decisions(tx: Tx, clinic_id: UUID, since: datetime) -> Mapping[UUID, Sequence[datetime]]:
    """By patient when something was decided that still stands, in order."""
    what = audit.c.what.in_((*DECISIONS, UNDONE, TAKEN_BACK))
    query = select(audit.c.subject_id, audit.c.at, audit.c.what, audit.c.detail).where(
        audit.c.clinic_id == clinic_id, audit.c.at >= since, what
    )
    found: dict[UUID, list[tuple[str, datetime]]] = {}
    for row in tx.all(query.order_by(audit.c.at, audit.c.seq)):
        decided = found.setdefault(row.subject_id, [])
        if row.what in DECISIONS:
            decided.append((row.what, row.at))
        else:
            _strike(decided, row.detail.get("was") if row.what == UNDONE else "wrote_to_patient")
    return {patient: [at for _, at in decided] for patient, decided in found.items()}


def _strike(decided: list[tuple[str, datetime]], what: str | None) -> None:
    last = next((item for item in reversed(decided) if item[0] == what), None)
    if last is not None:
        decided.remove(last)


def _acknowledged(tx: Tx, clinic_id: UUID, since: datetime) -> set[UUID]:
    query = select(case_events.c.case_id).join_from(case_events, cases, cases.c.id == case_events.c.case_id)
    rows = tx.all(query.where(cases.c.clinic_id == clinic_id, cases.c.opened_at >= since, case_events.c.what == "acknowledged"))
    return {row.case_id for row in rows}


def _any_between(times: Sequence[datetime], first: datetime, last: datetime) -> bool:
    at = bisect_left(times, first)
    return at < len(times) and times[at] <= last
