"""The questions that are open in a chat, and what each is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, exists, func, select, update

from bot_service.storage.columns import Utc
from bot_service.storage.database import Tx
from bot_service.storage.tables import entries, outbox, questions

CLOCKS_DIFFER = timedelta(minutes=1)
"""A provider's clock may be behind ours: what we asked so shortly after an answer was asked before it, unless something else that it
answers was open when it was written (default)."""
ABOUT_A_SESSION = ("session", "session_pain", "pain_24h")

WITHDRAWN = "withdrawn"
"""Why a question is closed whose buttons must not work any more: the patient has taken back what led to it."""


@dataclass(frozen=True)
class Question:
    """A question we asked. `day` and `slot` name the session it is about; `detail` what else an answer needs."""

    id: UUID
    episode_id: UUID
    outbox_id: UUID | None
    kind: str
    day: date | None
    slot: int | None
    detail: Mapping[str, Any]
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    closed_why: str | None
    asked_again: int


def open_question(tx: Tx, question: Question, clinic_id: UUID) -> None:
    """Open it; a younger question of the same kind about the same session takes the place of an older one."""
    same = {"of_episode": question.episode_id, "of_kind": question.kind, "of_day": question.day, "of_slot": question.slot}
    tx.run(_DISPLACE, {**same, "closed_at": question.opened_at, "closed_why": "asked_again"})
    tx.run(_INSERT, {**vars(question), "clinic_id": clinic_id, "detail": dict(question.detail)})


def list_open(tx: Tx, episode_id: UUID, now: datetime) -> list[Question]:
    """Open questions, the youngest first."""
    return [_question(row) for row in tx.all(_OPEN, {"of_episode": episode_id, "now": now})]


def list_open_when(tx: Tx, episode_id: UUID, said_at: datetime, late: timedelta = timedelta(0)) -> list[Question]:
    """The questions that were open when something was said, the youngest first, unless they have been answered since.

    One whose place another took only later counts as open; one that was asked later does not. One whose time was over counts for `late`.
    What was asked in the moment after it comes last, and not at all where something about a session was open before.
    """
    values = {"of_episode": episode_id, "now": said_at - late, "said": said_at, "seen": said_at + CLOCKS_DIFFER}
    found = [_question(row) for row in tx.all(_OPEN_WHEN, values)]
    before, after = ([each for each in found if (each.opened_at > said_at) is later] for later in (False, True))
    anew = {(each.kind, each.day, each.slot) for each in after}
    before = [each for each in before if each.closed_at is None or (each.kind, each.day, each.slot) not in anew]
    return before if any(each.kind in ABOUT_A_SESSION for each in before) else [*before, *after]


def find(tx: Tx, episode_id: UUID, question_id: UUID) -> Question | None:
    """A question of this episode, open or not; None for anybody else's."""
    row = tx.first(_BY_ID, {"question": question_id, "of_episode": episode_id})
    return None if row is None else _question(row)


def find_by_message(tx: Tx, episode_id: UUID, provider_id: str) -> Question | None:
    """The question that was asked in the message with that id in the chat, the one with the buttons where there are two."""
    query = select(questions).join_from(questions, outbox, questions.c.outbox_id == outbox.c.id)
    row = tx.first(
        query.where(questions.c.episode_id == episode_id, outbox.c.provider_id == provider_id)
        .order_by(questions.c.opened_at.desc())
        .limit(1)
    )
    return None if row is None else _question(row)


def find_latest(tx: Tx, episode_id: UUID, kind: str) -> Question | None:
    """The question of a kind that was asked last."""
    row = tx.first(_LATEST, {"of_episode": episode_id, "of_kind": kind})
    return None if row is None else _question(row)


def list_of_kinds(tx: Tx, episode_id: UUID, kinds: tuple[str, ...]) -> list[Question]:
    """Every question of these kinds that was asked, open or not."""
    return [_question(row) for row in tx.all(_OF_KINDS, {"of_episode": episode_id, "kinds": list(kinds)})]


def last_answered(tx: Tx, episode_id: UUID, kind: str) -> datetime | None:
    """When the latest question of a kind was asked that has its answer."""
    answered = (questions.c.kind == kind, questions.c.closed_why == "answered")
    return tx.scalar(select(func.max(questions.c.opened_at)).where(questions.c.episode_id == episode_id, *answered))  # type: ignore[no-any-return]  # the column type


def close(tx: Tx, question_id: UUID, now: datetime, why: str) -> bool:
    """Close an open question; False when it was closed already."""
    return tx.first(_CLOSE, {"question": question_id, "closed_at": now, "closed_why": why}) is not None


def close_all(tx: Tx, episode_id: UUID, now: datetime, why: str, kinds: tuple[str, ...] | None = None) -> None:
    values = {"of_episode": episode_id, "closed_at": now, "closed_why": why}
    if kinds:
        tx.run(_CLOSE_KINDS, {**values, "kinds": list(kinds)})
    else:
        tx.run(_CLOSE_ALL, values)


def withdraw_all(tx: Tx, episode_id: UUID, now: datetime, kinds: tuple[str, ...]) -> None:
    """Take back all questions of those kinds, answered ones and old ones too: whatever is tapped under one does nothing any more."""
    tx.run(_WITHDRAW_KINDS, {"of_episode": episode_id, "kinds": list(kinds), "now": now, "closed_why": WITHDRAWN})


def withdraw(tx: Tx, outbox_id: UUID) -> None:
    """Take back the open questions of a message that surely never went out; those whose place they took are open again."""
    unanswered = ~exists().where(entries.c.question_id == questions.c.id)
    for row in tx.all(select(questions).where(questions.c.outbox_id == outbox_id, questions.c.closed_at.is_(None), unanswered)):
        tx.run(questions.delete().where(questions.c.id == row.id))
        displaced = (questions.c.closed_at == row.opened_at, questions.c.closed_why.in_(("asked_again", "replaced")))
        tx.run(update(questions).where(questions.c.episode_id == row.episode_id, *displaced).values(closed_at=None, closed_why=None))


def count_asked_again(tx: Tx, question_id: UUID) -> None:
    tx.run(_COUNT_AGAIN, {"question": question_id})


# Built once: putting a statement together costs several times what running it does.
_OPEN = (
    select(questions)
    .where(questions.c.episode_id == bindparam("of_episode"), questions.c.closed_at.is_(None), questions.c.expires_at > bindparam("now"))
    .order_by(questions.c.opened_at.desc(), questions.c.id)
)
_OPEN_WHEN = (
    select(questions)
    .where(
        questions.c.episode_id == bindparam("of_episode"),
        questions.c.opened_at <= bindparam("seen"),
        questions.c.expires_at > bindparam("now"),
        questions.c.closed_at.is_(None)
        | ((questions.c.closed_at > bindparam("said")) & questions.c.closed_why.in_(("replaced", "asked_again"))),
    )
    .order_by(questions.c.opened_at.desc(), questions.c.id)
)
_BY_ID = select(questions).where(questions.c.id == bindparam("question"), questions.c.episode_id == bindparam("of_episode"))
_LATEST = (
    select(questions)
    .where(questions.c.episode_id == bindparam("of_episode"), questions.c.kind == bindparam("of_kind"))
    .order_by(questions.c.opened_at.desc(), questions.c.closed_at.is_not(None), questions.c.id)
    .limit(1)
)
_OF_KINDS = select(questions).where(
    questions.c.episode_id == bindparam("of_episode"), questions.c.kind.in_(bindparam("kinds", expanding=True))
)
_INSERT = questions.insert()
_DISPLACE = update(questions).where(
    questions.c.episode_id == bindparam("of_episode"),
    questions.c.kind == bindparam("of_kind"),
    questions.c.day.is_not_distinct_from(bindparam("of_day")),
    questions.c.slot.is_not_distinct_from(bindparam("of_slot")),
    questions.c.closed_at.is_(None),
)
_CLOSE_ALL = update(questions).where(questions.c.episode_id == bindparam("of_episode"), questions.c.closed_at.is_(None))
_CLOSE_KINDS = _CLOSE_ALL.where(questions.c.kind.in_(bindparam("kinds", expanding=True)))
_WITHDRAW_KINDS = (
    update(questions)
    .where(questions.c.episode_id == bindparam("of_episode"), questions.c.kind.in_(bindparam("kinds", expanding=True)))
    .values(closed_at=func.coalesce(questions.c.closed_at, bindparam("now", type_=Utc)), closed_why=bindparam("closed_why"))
)
_COUNT_AGAIN = update(questions).where(questions.c.id == bindparam("question")).values(asked_again=questions.c.asked_again + 1)
_CLOSE = update(questions).where(questions.c.id == bindparam("question"), questions.c.closed_at.is_(None)).returning(questions.c.id)


def _question(row: Row[Any]) -> Question:
    return Question(
        row.id,
        row.episode_id,
        row.outbox_id,
        row.kind,
        row.day,
        row.slot,
        row.detail or {},
        row.opened_at,
        row.expires_at,
        row.closed_at,
        row.closed_why,
        row.asked_again,
    )
