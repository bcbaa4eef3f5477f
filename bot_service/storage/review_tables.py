"""Tables of what a clinician looks at and decides: cases, proposals and the audit trail."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Date, Index, Integer, LargeBinary, String, Table, Uuid, text

from bot_service.storage.columns import Sealed
from bot_service.storage.schema import at, key_id, metadata, name, of_episode, ref

cases = Table(
    "cases",
    metadata,
    key_id(),
    *of_episode(),
    name("case_key", 30),
    name("rule", 10),
    name("urgency", 20),
    name("status", 20),
    Column("sentence", String(600), nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("words", Sealed),
    at("opened_at", null=False),
    at("due_at"),
    ref("owner_id", "staff"),
    at("acknowledged_at"),
    at("escalated_at"),
    at("closed_at"),
    name("closed_by", 80, null=True),
    Column("close_reason", Sealed),
    Index(
        "uq_cases_open",
        "episode_id",
        "case_key",
        unique=True,
        sqlite_where=text("closed_at is null"),
        postgresql_where=text("closed_at is null"),
    ),
    Index("ix_cases_episode", "episode_id"),
    Index("ix_cases_clinic_open", "clinic_id", sqlite_where=text("closed_at is null"), postgresql_where=text("closed_at is null")),
)

case_evidence = Table(
    "case_evidence",
    metadata,
    key_id(),
    ref("case_id", "cases", null=False),
    ref("entry_id", "entries"),
    ref("inbox_id", "inbox"),
    ref("outbox_id", "outbox"),
    ref("prescription_id", "prescriptions"),
    name("rule", 10),
    at("at", null=False),
    Index("ix_case_evidence_case", "case_id"),
)

case_events = Table(
    "case_events",
    metadata,
    key_id(),
    ref("case_id", "cases", null=False),
    name("what", 20),
    name("who", 80),
    at("at", null=False),
    Column("note", Sealed),
    Index("ix_case_events_case", "case_id"),
)

proposals = Table(
    "proposals",
    metadata,
    key_id(),
    *of_episode(),
    name("rule", 10),
    name("from_stage", 48),
    name("to_stage", 48, null=True),
    Column("detail", JSON, nullable=False),
    Column("evidence_version", Integer, nullable=False),
    name("status", 20),
    at("created_at", null=False),
    at("decided_at"),
    ref("decided_by", "staff"),
    Column("reason", Sealed),
    Column("hold_until", Date),
    Index("ix_proposals_episode", "episode_id"),
    Index(
        "uq_proposals_pending",
        "episode_id",
        "rule",
        unique=True,
        sqlite_where=text("status = 'pending'"),
        postgresql_where=text("status = 'pending'"),
    ),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    at("at", null=False),
    name("who", 80),
    name("what", 40),
    Column("clinic_id", Uuid),
    Column("subject_id", Uuid),
    Column("detail", JSON, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Index("ix_audit_subject", "subject_id"),
)
