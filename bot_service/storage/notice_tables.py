"""Tables of how flags reach people: what staff chose, who is away, and which flags wait to be told."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, ForeignKey, ForeignKeyConstraint, Index, Integer, LargeBinary, Table, UniqueConstraint, Uuid

from bot_service.storage.columns import Sealed
from bot_service.storage.schema import at, key_id, metadata, name, ref

notice_choices = Table(
    "notice_choices",
    metadata,
    Column("staff_id", Uuid, primary_key=True),
    Column("clinic_id", Uuid, nullable=False),
    name("ways", 10),
    Column("daily", Boolean, nullable=False),
    Column("weekly", Boolean, nullable=False),
    Column("at_night", Boolean, nullable=False),
    name("duty", 10, null=True),
    ref("chat_sender_id", "senders"),
    Column("chat_hash", LargeBinary(32)),
    Column("chat", Sealed),
    ForeignKeyConstraint(["clinic_id", "staff_id"], ["staff.clinic_id", "staff.id"]),
    UniqueConstraint("chat_sender_id", "chat_hash"),
)

leaves = Table(
    "leaves",
    metadata,
    key_id(),
    Column("clinic_id", Uuid, nullable=False),
    Column("staff_id", Uuid, nullable=False),
    Column("cover_id", Uuid, nullable=False),
    Column("from_day", Date, nullable=False),
    Column("until_day", Date, nullable=False),
    at("created_at", null=False),
    at("ended_at"),
    ForeignKeyConstraint(["clinic_id", "staff_id"], ["staff.clinic_id", "staff.id"]),
    ForeignKeyConstraint(["clinic_id", "cover_id"], ["staff.clinic_id", "staff.id"]),
    Index("ix_leaves_clinic", "clinic_id", "until_day"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("case_id", Uuid, ForeignKey("cases.id"), primary_key=True),
    at("raised_at", null=False),
    Column("hits", Integer, nullable=False),
    Column("told", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    at("at", null=False),
    Index("ix_alerts_at", "at"),
)
