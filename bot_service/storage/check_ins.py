"""The 24-hour question as rows: what became of the earlier ones about a day, and whether one has gone out today."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select, update

from bot_service.storage import outbox as messages
from bot_service.storage.columns import Utc
from bot_service.storage.database import Tx
from bot_service.storage.outbox import AWAITED, NEVER_WENT_OUT, WENT_OUT, Message
from bot_service.storage.prepared import padded
from bot_service.storage.tables import outbox, questions

MERGED = "merged into "
"""How the reason of one begins that a prompt asks along with its exercises; the prompt's id follows."""


def list_of_day(tx: Tx, episode_id: UUID, day: date) -> list[Message]:
    """Every 24-hour question about that day's session that was ever put in line by itself, the first one first."""
    return [messages.message(row) for row in tx.all(_OF_DAY, {"episode_id": episode_id, "day": day})]


def stands(tx: Tx, check_in: Message) -> bool:
    """Whether it waits, or may have reached the patient, by itself or with the prompt that took it along."""
    if check_in.status != "cancelled" or not (check_in.reason or "").startswith(MERGED):
        return check_in.status not in NEVER_WENT_OUT
    carrier = messages.load(tx, UUID((check_in.reason or "").removeprefix(MERGED)))
    return carrier is not None and carrier.status not in NEVER_WENT_OUT


def count_asked(tx: Tx, episode_id: UUID, since: datetime, until: datetime) -> int:
    """How many 24-hour questions went out of our own accord, or may have, between two instants; asking again is not counted."""
    return int(tx.scalar(_ASKED, {"episode_id": episode_id, "since": since, "until": until}))


def is_one_coming(tx: Tx, episode_id: UUID, until: datetime) -> bool:
    """Whether exercises or a 24-hour question are on their way or fall due before an instant."""
    return bool(tx.scalar(_COMING, {"episode_id": episode_id, "until": until}))


def is_waiting(tx: Tx, episode_id: UUID, until: datetime) -> bool:
    """Whether a 24-hour question that goes by itself falls due before an instant."""
    return bool(tx.scalar(_WAITING, {"episode_id": episode_id, "until": until}))


def record_followed(tx: Tx, prompt_key: str) -> None:
    """The exercises of the prompt with that occurrence key, which asked something first, were shown after all."""
    row = tx.first(_AWAITED, {"key": prompt_key})
    if row is not None:
        tx.run(update(outbox).where(outbox.c.id == row.id).values(content={**row.content, AWAITED: "no"}))


def last_opted_in(tx: Tx, episode_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When both questions before the exercises, consent and usual pain, had their first answer; by episode. A later agreement or another
    usual pain makes no earlier day one of opting in."""
    found: dict[UUID, datetime] = {}
    for row in tx.all(_OPTED_IN, {"ids": padded([*episode_ids])}):
        found[row.episode_id] = max(row.at, found.get(row.episode_id, row.at))
    return found


# Built once: putting a statement together costs several times what running it does.
_OF_DAY = (
    select(*messages.COLUMNS)
    .where(outbox.c.episode_id == bindparam("episode_id"), outbox.c.kind == "check_in", outbox.c.day == bindparam("day"))
    .order_by(outbox.c.due_at, outbox.c.id)
)
_COMING = select(func.count()).where(
    outbox.c.episode_id == bindparam("episode_id"),
    outbox.c.kind.in_(("prompt", "check_in")),
    outbox.c.status.in_(("due", "claimed", "sending")),
    outbox.c.due_at < bindparam("until"),
)
_WAITING = select(func.count()).where(
    outbox.c.episode_id == bindparam("episode_id"),
    outbox.c.kind == "check_in",
    outbox.c.status.in_(("due", "claimed")),
    outbox.c.due_at < bindparam("until"),
)
_ASKED = (
    select(func.count())
    .select_from(questions.join(outbox, questions.c.outbox_id == outbox.c.id))
    .where(
        questions.c.episode_id == bindparam("episode_id"),
        questions.c.kind == "pain_24h",
        outbox.c.kind.in_(("prompt", "check_in")),
        outbox.c.status.in_(("sending", "in_doubt", *WENT_OUT)),
        outbox.c.sent_at >= bindparam("since"),
        outbox.c.sent_at < bindparam("until"),
    )
)
_AWAITED = select(outbox.c.id, outbox.c.content).where(
    outbox.c.occurrence_key == bindparam("key"), outbox.c.content[AWAITED].as_string() == "yes"
)
_OPTED_IN = (
    select(questions.c.episode_id, func.min(questions.c.closed_at, type_=Utc).label("at"))
    .where(
        questions.c.episode_id.in_(bindparam("ids", expanding=True)),
        questions.c.kind.in_(("consent", "baseline")),
        questions.c.closed_why == "answered",
    )
    .group_by(questions.c.episode_id, questions.c.kind)
)
