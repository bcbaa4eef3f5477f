"""Tables of private notes and of outcome measures.

A value without a member of staff is the patient's own, told in chat; an activity without a value was named and not rated yet.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, Table

from bot_service.storage.columns import Sealed
from bot_service.storage.schema import at, key_id, metadata, name, of_episode, ref

notes = Table(
    "notes",
    metadata,
    key_id(),
    *of_episode(),
    ref("staff_id", "staff", null=False),
    Column("words", Sealed, nullable=False),
    at("created_at", null=False),
    Index("ix_notes_episode", "episode_id"),
)

outcomes = Table(
    "outcomes",
    metadata,
    key_id(),
    *of_episode(),
    ref("staff_id", "staff"),
    name("measure", 20),
    Column("activity", Sealed),
    Column("value", Integer),
    Column("day", Date, nullable=False),
    at("created_at", null=False),
    at("withdrawn_at"),
    Index("ix_outcomes_episode", "episode_id"),
)
