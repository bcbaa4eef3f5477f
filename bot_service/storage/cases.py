"""Cases: what a clinician should look at, with the evidence, one open at a time for each patient and case key."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, bindparam, exists, func, select, update

from bot_service.clinical.catalogue import MESSAGE, RED_FLAG, URGENCIES
from bot_service.storage import alerts
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.tables import case_events, case_evidence, cases

SETTLED = "settled by itself"
FOR_THE_LEAD = "Nobody has taken this on within the clinic's limit: the lead should look."
_HITS = ("raised", "hit_again")


@dataclass(frozen=True)
class Case:
    """One open or closed case. `reasons` maps each rule that spoke to its sentence; `words` are the patient's own."""

    id: UUID
    clinic_id: UUID
    episode_id: UUID
    case_key: str
    rule: str
    urgency: str
    status: str
    sentence: str
    reasons: Mapping[str, Any]
    words: str | None
    opened_at: datetime
    due_at: datetime | None
    acknowledged_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    close_reason: str | None
    escalated_at: datetime | None = None


class Piece(NamedTuple):
    """A piece of evidence: the rule that it speaks for, and the one row that it is.

    An entry, a message of the patient's (`inbox_id`) or of ours (`outbox_id`), or the prescription from which time is counted.
    """

    rule: str
    entry_id: UUID | None = None
    inbox_id: UUID | None = None
    outbox_id: UUID | None = None
    prescription_id: UUID | None = None


@dataclass(frozen=True)
class Raised:
    """What a rule has to say, ready to be stored, with the rows that made it speak."""

    case_key: str
    rule: str
    urgency: str
    sentence: str
    detail: Mapping[str, Any]
    entries: Sequence[UUID] = ()
    inbox_id: UUID | None = None
    words: str | None = None
    messages: Sequence[UUID] = ()
    prescription_id: UUID | None = None


def raise_case(tx: Tx, now: datetime, episode: Episode, raised: Raised, due_at: datetime | None) -> tuple[UUID, bool]:
    """Open a case, or add to the one that is open: never two for a patient and rule. Returns it, and whether anything is new."""
    of_key = {"of_episode": episode.id, "case_key": raised.case_key}
    row = tx.first(_OPEN_OF_KEY, of_key)
    if row is None and (opened := _open(tx, now, episode, raised, due_at)) is not None:
        case_id, new = opened, True
    else:
        row = row or tx.one(_OPEN_OF_KEY, of_key)  # another replica opened it in this very moment
        words = tx.seal(episode.patient_id, f"cases.words:{row.id}", raised.words)
        case_id, new = row.id, _merge(tx, row, raised, due_at, words)
        if new:
            alerts.note(tx, now, case_id, "more_urgent")
        if raised.rule == RED_FLAG and raised.words is not None:
            record_event(tx, now, case_id, "hit_again", f"rule {raised.rule}")
    return case_id, _add_evidence(tx, now, case_id, raised) or new


def restate(tx: Tx, old_entry: UUID, new_entry: UUID, words: str) -> None:
    """Let open cases that an entry raised lead with `words` about what replaced it, unless that is evidence itself."""
    newer = case_evidence.alias("newer")
    query = select(cases.c.id, cases.c.rule, cases.c.reasons, case_evidence.c.rule.label("spoke"))
    query = query.join_from(cases, case_evidence, case_evidence.c.case_id == cases.c.id).where(
        case_evidence.c.entry_id == old_entry,
        cases.c.closed_at.is_(None),
        ~exists().where(newer.c.case_id == cases.c.id, newer.c.entry_id == new_entry),
    )
    for row in tx.all(query):
        reasons = {**row.reasons, row.spoke: {**row.reasons.get(row.spoke, {}), "corrected": words}}
        values: dict[str, Any] = {"reasons": reasons, **({"sentence": words} if row.spoke == row.rule else {})}
        tx.run(update(cases).where(cases.c.id == row.id).values(**values))


def note_over(tx: Tx, case: Case, rules: Collection[str], today: date) -> Case:
    """Let an open case remember since which day these of its rules no longer hold; one that speaks again forgets it."""
    fresh = {rule for rule in rules if rule in case.reasons and "over" not in case.reasons[rule]}
    if not fresh:
        return case
    reasons = {rule: {**detail, "over": today.isoformat()} if rule in fresh else detail for rule, detail in case.reasons.items()}
    tx.run(update(cases).where(cases.c.id == case.id).values(reasons=reasons))
    return replace(case, reasons=reasons)


def note_told(tx: Tx, case: Case, what: str, today: date) -> None:
    """Let an open red flag remember what was said in full on that day."""
    detail = case.reasons.get(RED_FLAG, {})
    reasons = {**case.reasons, RED_FLAG: {**detail, "told": {**detail.get("told", {}), what: today.isoformat()}}}
    tx.run(update(cases).where(cases.c.id == case.id).values(reasons=reasons))


def close_case(tx: Tx, now: datetime, episode: Episode, case_id: UUID, by: str, reason: str) -> bool:
    """Close an open case; False when it was closed already."""
    sealed = tx.seal(episode.patient_id, f"cases.close_reason:{case_id}", reason)
    statement = update(cases).where(cases.c.id == case_id, cases.c.episode_id == episode.id, cases.c.closed_at.is_(None))
    closed = {"status": "closed", "closed_at": now, "closed_by": by, "close_reason": sealed}
    row = tx.first(statement.values(**closed).returning(cases.c.id))
    if row is not None:
        record_event(tx, now, case_id, "closed", by)
    return row is not None


def acknowledge_case(tx: Tx, now: datetime, case_id: UUID, by: str, owner_id: UUID) -> bool:
    """Somebody has seen it; False when somebody had before, or it is closed."""
    statement = update(cases).where(cases.c.id == case_id, cases.c.status == "open")
    seen = {"status": "acknowledged", "acknowledged_at": now, "owner_id": owner_id, "escalated_at": None}
    row = tx.first(statement.values(**seen).returning(cases.c.id))
    if row is not None:
        record_event(tx, now, case_id, "acknowledged", by)
    return row is not None


def waiting(due_at: datetime | None) -> dict[str, Any]:
    """A case that waits, due at that moment: who acknowledged it has not seen what is new."""
    return {"status": "open", "acknowledged_at": None, "due_at": due_at}


def last_hit_at(tx: Tx, case_id: UUID) -> datetime | None:
    """When the patient's words last met the case's rule."""
    return tx.scalar(select(func.max(case_events.c.at)).where(case_events.c.case_id == case_id, case_events.c.what.in_(_HITS)))  # type: ignore[no-any-return]  # the column type


def record_event(tx: Tx, now: datetime, case_id: UUID, what: str, who: str) -> None:
    tx.run(_INSERT_EVENT, {"id": tx.new_id(), "case_id": case_id, "what": what, "who": who, "at": now})
    alerts.note(tx, now, case_id, what)


def list_open(tx: Tx, episode: Episode) -> list[Case]:
    """Open cases of an episode, the oldest first."""
    return [_case(tx, episode.patient_id, row) for row in tx.all(_OPEN, {"of_episode": episode.id})]


def find_open(tx: Tx, episode: Episode, case_key: str) -> Case | None:
    """The open case of that key: there is one at most."""
    row = tx.first(_OPEN_OF_KEY, {"of_episode": episode.id, "case_key": case_key})
    return None if row is None else _case(tx, episode.patient_id, row)


def list_closed(tx: Tx, episode: Episode) -> list[Case]:
    """Closed cases of an episode, the latest first."""
    rows = tx.all(select(cases).where(cases.c.episode_id == episode.id, cases.c.closed_at.is_not(None)).order_by(cases.c.closed_at.desc()))
    return [_case(tx, episode.patient_id, row) for row in rows]


def load_case(tx: Tx, episode: Episode, case_id: UUID) -> Case | None:
    row = tx.first(select(cases).where(cases.c.id == case_id, cases.c.episode_id == episode.id))
    return None if row is None else _case(tx, episode.patient_id, row)


def find_case_episode(tx: Tx, case_id: UUID) -> UUID | None:
    return tx.scalar(select(cases.c.episode_id).where(cases.c.id == case_id))  # type: ignore[no-any-return]  # the column type


def list_open_of_clinic(tx: Tx, clinic_id: UUID) -> dict[UUID, list[Case]]:
    """Open cases of a clinic by episode, without the patients' words."""
    found: dict[UUID, list[Case]] = {}
    for row in tx.all(select(cases).where(cases.c.clinic_id == clinic_id, cases.c.closed_at.is_(None)).order_by(cases.c.opened_at)):
        found.setdefault(row.episode_id, []).append(_case(tx, None, row))
    return found


def list_evidence(tx: Tx, case_id: UUID) -> list[Piece]:
    """The evidence of a case, in the order it came."""
    found = tx.all(_EVIDENCE, {"of_case": case_id})
    return [Piece(row.rule, row.entry_id, row.inbox_id, row.outbox_id, row.prescription_id) for row in found]


def list_last_closed(tx: Tx, episode_id: UUID) -> dict[str, tuple[datetime, Mapping[str, Any], str]]:
    """For each rule the last case that closed: when, the rule's own detail, and how urgent the case was."""
    rows = tx.all(_CLOSED, {"of_episode": episode_id})
    return {rule: (row.closed_at, detail, row.urgency) for row in rows for rule, detail in row.reasons.items()}


def count_raised(tx: Tx) -> dict[str, int]:
    """How many times each rule opened or joined a case."""
    counts: dict[str, int] = {}
    for row in tx.all(select(cases.c.reasons)):
        for rule in row.reasons:
            counts[rule] = counts.get(rule, 0) + 1
    return dict(sorted(counts.items()))


# Built once: putting a statement together costs several times what running it does.
_OPEN = (
    select(cases).where(cases.c.episode_id == bindparam("of_episode"), cases.c.closed_at.is_(None)).order_by(cases.c.opened_at, cases.c.id)
)
_OPEN_OF_KEY = select(cases).where(
    cases.c.episode_id == bindparam("of_episode"), cases.c.case_key == bindparam("case_key"), cases.c.closed_at.is_(None)
)
_EVIDENCE = select(case_evidence).where(case_evidence.c.case_id == bindparam("of_case")).order_by(case_evidence.c.at, case_evidence.c.id)
_INSERT_EVIDENCE = case_evidence.insert()
_INSERT_EVENT = case_events.insert()
_CLOSED = (
    select(cases.c.closed_at, cases.c.reasons, cases.c.urgency)
    .where(cases.c.episode_id == bindparam("of_episode"), cases.c.closed_at.is_not(None))
    .order_by(cases.c.closed_at)
)


def _open(tx: Tx, now: datetime, episode: Episode, raised: Raised, due_at: datetime | None) -> UUID | None:
    """The new case; None when there is an open one after all."""
    new_id = tx.new_id()
    values = {"id": new_id, "clinic_id": episode.clinic_id, "episode_id": episode.id, "case_key": raised.case_key, "rule": raised.rule}
    sealed = tx.seal(episode.patient_id, f"cases.words:{new_id}", raised.words)
    reasons = {raised.rule: dict(raised.detail) | {"sentence": raised.sentence}}
    opened = tx.attempt(
        cases.insert().values(
            **values,
            urgency=raised.urgency,
            status="open",
            sentence=raised.sentence,
            reasons=reasons,
            words=sealed,
            opened_at=now,
            due_at=due_at,
        )
    )
    if not opened:
        return None
    record_event(tx, now, new_id, "raised", f"rule {raised.rule}")
    return new_id


def _merge(tx: Tx, row: Row[Any], raised: Raised, due_at: datetime | None, words: bytes | None) -> bool:
    reasons = dict(row.reasons)
    more_urgent = URGENCIES.index(raised.urgency) < URGENCIES.index(row.urgency)
    milder = URGENCIES.index(raised.urgency) > URGENCIES.index(row.urgency)
    before = reasons.get(raised.rule)
    # A red flag of a milder tier must not hide the one that is open; what was told today is remembered all the same.
    kept = before if raised.rule == RED_FLAG and milder and before else None
    reasons[raised.rule] = {**kept, "told": raised.detail.get("told", {})} if kept else dict(raised.detail) | {"sentence": raised.sentence}
    if before and "unread" in before:
        reasons[raised.rule] = {"unread": before["unread"], **reasons[raised.rule]}  # it was promised to be read, whatever else came
    values: dict[str, Any] = {"reasons": reasons}
    # What nobody had seen before either keeps its earlier time.
    anew = waiting(row.due_at if row.acknowledged_at is None else due_at)
    if not kept and (more_urgent or raised.rule == row.rule):
        values |= {"rule": raised.rule, "sentence": raised.sentence}
    if raised.rule == RED_FLAG and raised.words is not None:
        values |= anew  # every hit notifies again (clinical.md 0.10)
    if row.rule == raised.rule == MESSAGE and raised.words is not None:
        values |= {"words": words}
    if raised.detail.get("unread") not in (None, (before or {}).get("unread")):
        values |= anew  # a message that nobody has read yet
    if more_urgent:
        values |= waiting(_earlier(row, due_at)) | {"urgency": raised.urgency}
    tx.run(update(cases).where(cases.c.id == row.id).values(**values))
    return more_urgent


def _earlier(row: Row[Any], due_at: datetime | None) -> datetime | None:
    """What nobody has seen yet and is overdue stays so, whatever more urgent joins it."""
    return min(row.due_at, due_at) if row.acknowledged_at is None and row.due_at and due_at else due_at


def _add_evidence(tx: Tx, now: datetime, case_id: UUID, raised: Raised) -> bool:
    known, begun = {piece[1:] for piece in list_evidence(tx, case_id)}, raised.prescription_id
    rows = {"entry_id": raised.entries, "inbox_id": (raised.inbox_id,), "outbox_id": raised.messages, "prescription_id": (begun,)}
    wanted = [Piece(raised.rule, **{name: each}) for name, found in rows.items() for each in found if each]
    fresh = [piece for piece in wanted if piece[1:] not in known]
    for piece in fresh:
        tx.run(_INSERT_EVIDENCE, {"id": tx.new_id(), "case_id": case_id, "at": now, **piece._asdict()})
    return bool(fresh)


def _case(tx: Tx, patient_id: UUID | None, row: Row[Any]) -> Case:
    words = tx.unseal(patient_id, f"cases.words:{row.id}", row.words) if patient_id else None
    close_reason = tx.unseal(patient_id, f"cases.close_reason:{row.id}", row.close_reason) if patient_id else None
    return Case(
        row.id,
        row.clinic_id,
        row.episode_id,
        row.case_key,
        row.rule,
        row.urgency,
        row.status,
        row.sentence,
        row.reasons,
        words,
        row.opened_at,
        row.due_at,
        row.acknowledged_at,
        row.closed_at,
        row.closed_by,
        close_reason,
        row.escalated_at,
    )
