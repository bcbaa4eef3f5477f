"""Open cases as cards: what, why, by when, and the evidence that raised them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot_service.clinical.catalogue import MESSAGE, RED_FLAG, RULES, URGENCIES, rank
from bot_service.clinical.in_words import sentence
from bot_service.storage import cases
from bot_service.storage.cases import Case, Piece
from bot_service.storage.database import Tx
from bot_service.storage.episode_page import CaseEvent
from bot_service.web.attention import due_words, leading_rule, said
from bot_service.web.evidence import Evidence, Notes, joined
from bot_service.web.times import local_day, moment, moment_ago

IN_WORDS = {"now": "Look now", "same_day": "Same working day", "three_days": "Within 3 working days", "routine": "Routine"}
SHOWN = 5
"""Rows of evidence shown at once, the raising words and then the latest; the rest is folded away."""
_Row = tuple[tuple[datetime, int], Evidence]
DEFAULT = "default"
"""How a number without a source is marked."""
EVENTS = {
    "acknowledged": "Seen by",
    "hit_again": "Red-flag words again",
    "opened_again": "Opened again by",
    "noted": "Note by",
    "reopened": "Patient wrote again",
    "escalated": cases.FOR_THE_LEAD.removesuffix("."),
    "seen_yes": "Patient says: was seen",
    "seen_no": "Patient says: has not been seen yet",
    "talked_yes": "Patient says: could talk to somebody",
    "talked_no": "Patient says: has not talked to anybody yet",
}


@dataclass(frozen=True)
class RuleReason:
    """Why one rule spoke. `first` is its sentence before a value in it was corrected."""

    rule: str
    title: str
    sentence: str
    first: str
    why: str
    basis: str
    number: str
    suggestion: str


@dataclass(frozen=True)
class CaseCard:
    """One open case."""

    id: str
    red: bool
    title: str
    urgency: str
    sentence: str
    opened: str
    due: str
    overdue: bool
    acknowledged: bool
    words: str
    reasons: tuple[RuleReason, ...]
    evidence: tuple[Evidence, ...]
    earlier: tuple[Evidence, ...]
    events: tuple[str, ...]


@dataclass(frozen=True)
class ClosedCase:
    """One closed case in a line, with what happened to it and what raised it. `reopens`: no other one like it is open."""

    id: str
    red: bool
    reopens: bool
    title: str
    sentence: str
    closed: str
    reason: str
    words: str
    events: tuple[str, ...]
    evidence: tuple[Evidence, ...]


def case_cards(
    tx: Tx,
    found: Sequence[Case],
    events: Mapping[UUID, Sequence[CaseEvent]],
    notes: Notes,
    references: Mapping[str, str],
    now: datetime,
    zone: str,
) -> list[CaseCard]:
    """The cards: red flags, then what nobody looks after, by urgency and due time; `references` are the plan's sources by short names."""

    def pressing(case: Case) -> tuple[object, ...]:
        taken = case.status == "acknowledged"
        return case.case_key != RED_FLAG, taken, URGENCIES.index(case.urgency), case.due_at or now, rank(case.rule)

    ranked = sorted(found, key=pressing)
    return [_card(case, cases.list_evidence(tx, case.id), events.get(case.id, ()), notes, references, now, zone) for case in ranked]


def closed_case(tx: Tx, case: Case, open_keys: Collection[str], events: Sequence[CaseEvent], notes: Notes, zone: str) -> ClosedCase:
    """A closed case with all that it had while it was open; `open_keys` are the keys of the cases that are open."""
    by = "by itself" if case.closed_by == cases.SETTLED else f"by {case.closed_by}"
    closed = f"{moment(case.closed_at, zone)} {by}" if case.closed_at else ""
    return ClosedCase(
        id=str(case.id),
        red=case.case_key == RED_FLAG,
        reopens=case.case_key not in open_keys,
        title=title_of(case.rule),
        sentence=case.sentence,
        closed=closed,
        reason=case.close_reason or "",
        words=case.words or "",
        events=_events(events, zone),
        evidence=_evidence(cases.list_evidence(tx, case.id), notes),
    )


def title_of(rule: str) -> str:
    """What a rule is called."""
    return RULES[rule].title if rule in RULES else rule


def basis_words(basis: str) -> str:
    """What a rule rests on; where that is nobody's finding, whose number it is."""
    return basis.replace(DEFAULT, f"our own {DEFAULT}")


def _card(
    case: Case,
    rows_of: Sequence[Piece],
    events: Sequence[CaseEvent],
    notes: Notes,
    references: Mapping[str, str],
    now: datetime,
    zone: str,
) -> CaseCard:
    today, heard = local_day(now, notes.zone), notes.heard
    evidence = _evidence(rows_of, notes)
    leading = leading_rule(case)
    return CaseCard(
        id=str(case.id),
        red=case.case_key == RED_FLAG,
        title=title_of(leading),
        urgency=IN_WORDS.get(case.urgency, case.urgency),
        sentence=said(case.reasons.get(leading, {}), today, heard) or case.sentence,
        opened=moment_ago(now, case.opened_at, zone),
        due=_due(case, now, zone),
        overdue=case.due_at is not None and case.due_at < now,
        acknowledged=case.status == "acknowledged",
        words=case.words or "",
        reasons=tuple(
            _reason(rule, detail, case, said(detail, today, heard), references)
            for rule, detail in sorted(case.reasons.items(), key=lambda item: rank(item[0]))
        ),
        evidence=evidence[:SHOWN],
        earlier=evidence[SHOWN:],
        events=_events(events, zone),
    )


def _due(case: Case, now: datetime, zone: str) -> str:
    """By when, of the oldest that nobody has seen; where a newer message has its own time, that too."""
    due = due_words(case.due_at, now, zone, at_once=case.urgency == "now")
    newest = case.reasons.get(MESSAGE, {}).get("newest_due") if case.rule == MESSAGE else None
    if newest is None or case.due_at is None or datetime.fromisoformat(newest) <= case.due_at:
        return due
    return f"{due}, the newest message {due_words(datetime.fromisoformat(newest), now, zone)}"


def _evidence(rows_of: Sequence[Piece], notes: Notes) -> tuple[Evidence, ...]:
    rows = [found for piece in rows_of if (found := notes.row(piece)) is not None]
    return joined(row for _, row in _in_order(rows, words_raised_it=bool(rows_of) and rows_of[0].inbox_id is not None))


def _in_order(rows: Sequence[_Row], *, words_raised_it: bool) -> list[_Row]:
    """The latest first; the words that raised the case stand before all others, whatever has been written since."""
    first = list(rows[:1]) if words_raised_it else []
    return [*first, *sorted(rows[len(first) :], key=lambda found: found[0], reverse=True)]


def _reason(rule: str, detail: Mapping[str, object], case: Case, words: str, references: Mapping[str, str]) -> RuleReason:
    text, basis = RULES.get(rule), str(detail.get("basis") or "")
    return RuleReason(
        rule=rule,
        title=title_of(rule),
        sentence=words or case.sentence,
        first=str(detail.get("sentence") or "") if detail.get("corrected") else "",
        why=text.why if text else "",
        basis=basis_words(text.basis) if text else "",
        number="; ".join(_source(name, references) for name in basis.split("; ")) if basis not in ("", DEFAULT) else "",
        suggestion=sentence(_RULE_ID.sub("", str(detail["suggestion"]))) if detail.get("suggestion") else "",
    )


_RULE_ID = re.compile(r"^E\d: | \(E\d\)")
"""What a suggestion names its rule with; the physio reads the words."""


def _source(name: str, references: Mapping[str, str]) -> str:
    """Where a number comes from, for its short name in the plan file."""
    return f"our own {DEFAULT}, no source" if name == DEFAULT else references.get(name, name).rstrip(".")


def _events(events: Sequence[CaseEvent], zone: str) -> tuple[str, ...]:
    return tuple(_event(event, zone) for event in events if event.what in EVENTS)


def _event(event: CaseEvent, zone: str) -> str:
    who = f" {event.who}" if event.what in ("acknowledged", "opened_again", "noted") else ""
    return f"{EVENTS[event.what]}{who}, {moment(event.at, zone)}" + (f": {event.note}" if event.note else "")
