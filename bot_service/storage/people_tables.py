"""Tables of who there is: clinics, staff, patients, their addresses, episodes of care and prescriptions."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from bot_service.storage.columns import Sealed
from bot_service.storage.schema import at, clinic, key_id, metadata, name, of_episode, of_patient, ref

installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("index_key", Sealed, nullable=False),
    Column("raw_key", Sealed, nullable=False),
    Column("audit_head", LargeBinary(32)),
    Column("clock_offset_s", Float, nullable=False, server_default="0"),
    Column("sample", Boolean, nullable=False, server_default=text("false")),
    at("created_at", null=False),
    CheckConstraint("id = 1", name="single"),
)

clinics = Table(
    "clinics",
    metadata,
    key_id(),
    name("slug", 60),
    name("name", 120),
    name("zone", 64),
    Column("settings", JSON, nullable=False),
    at("created_at", null=False),
    at("next_digest_at"),
    UniqueConstraint("slug"),
)

senders = Table(
    "senders",
    metadata,
    key_id(),
    clinic(),
    name("channel", 20),
    name("name", 80),
    name("status", 20),
    name("reason", 200, null=True),
    Column("rate_per_s", Float),
    name("poller", 40, null=True),
    at("poller_until"),
    Column("credentials", Sealed),
    UniqueConstraint("channel", "name"),
)

rates = Table(
    "rates",
    metadata,
    Column("sender_id", Uuid, ForeignKey("senders.id"), primary_key=True),
    Column("lane", String(20), primary_key=True),
    Column("tat", Float, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("refused", JSON(none_as_null=True)),
)

staff = Table(
    "staff",
    metadata,
    key_id(),
    clinic(),
    name("email", 254),
    name("name", 120),
    name("role", 20),
    name("status", 20),
    at("created_at", null=False),
    UniqueConstraint("email"),
    UniqueConstraint("clinic_id", "id"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    key_id(),
    ref("staff_id", "staff", null=False),
    name("kind", 10),
    Column("token_hash", LargeBinary(32), nullable=False),
    at("created_at", null=False),
    at("expires_at", null=False),
    at("last_seen_at"),
    at("ended_at"),
    UniqueConstraint("token_hash"),
)

plan_versions = Table(
    "plan_versions",
    metadata,
    Column("plan_id", String(48), primary_key=True),
    Column("version", String(20), primary_key=True),
    name("content_hash", 64),
    Column("content", JSON, nullable=False),
    at("first_seen_at", null=False),
)

patients = Table(
    "patients",
    metadata,
    key_id(),
    clinic(),
    name("ref", 20),
    Column("data_key", Sealed),
    Column("name", Sealed),
    name("zone", 64),
    name("language", 12),
    name("status", 20),
    at("status_at", null=False),
    Column("consent", Sealed),
    at("last_heard_at"),
    at("created_at", null=False),
    Column("phone", Sealed),
    Column("phone_hash", LargeBinary(32)),
    Column("record_number", Sealed),
    Column("record_hash", LargeBinary(32)),
    name("channel", 20, null=True),
    UniqueConstraint("clinic_id", "id"),
    UniqueConstraint("clinic_id", "ref"),
    Index("ix_patients_phone", "clinic_id", "phone_hash"),
    Index("uq_patients_record", "clinic_id", "record_hash", unique=True),
    Index("ix_patients_listed", "clinic_id", "id", "status", "status_at", "zone", "ref"),
)

name_tokens = Table(
    "name_tokens",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("patient_id", Uuid, primary_key=True),
    clinic(),
    ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
)

addresses = Table(
    "addresses",
    metadata,
    key_id(),
    *of_patient(),
    ref("sender_id", "senders", null=False),
    Column("address_hash", LargeBinary(32), nullable=False),
    Column("address", Sealed, nullable=False),
    name("status", 20),
    at("last_inbound_at"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("last_failure_day", Date),
    at("created_at", null=False),
    UniqueConstraint("sender_id", "address_hash"),
    Index("ix_addresses_patient", "patient_id"),
    Index(
        "ix_addresses_unreachable",
        "clinic_id",
        sqlite_where=text("status = 'unreachable'"),
        postgresql_where=text("status = 'unreachable'"),
    ),
)

invitations = Table(
    "invitations",
    metadata,
    key_id(),
    *of_patient(),
    Column("code_hash", LargeBinary(32), nullable=False),
    at("created_at", null=False),
    at("expires_at", null=False),
    at("used_at"),
    at("revoked_at"),
    UniqueConstraint("code_hash"),
    Index("ix_invitations_patient", "patient_id"),
)

episodes = Table(
    "episodes",
    metadata,
    key_id(),
    *of_patient(),
    ref("physio_id", "staff", null=False),
    name("plan_id", 48),
    name("status", 20),
    Column("start_date", Date, nullable=False),
    name("stage", 48),
    Column("stage_start", Date, nullable=False),
    Column("baseline", Integer),
    Column("prescription_id", Uuid),
    Column("evidence_version", Integer, nullable=False, server_default="0"),
    at("next_prompt_at"),
    Column("next_prompt_day", Date),
    Column("next_prompt_slot", Integer),
    name("next_prompt_zone", 64, null=True),
    Column("last_prompt_day", Date),
    Column("last_prompt_slot", Integer),
    at("last_prompt_at"),
    at("next_review_at"),
    at("ended_at"),
    Column("end_reason", Sealed),
    Column("goals", Sealed),
    Column("next_appointment", Date),
    at("measures_off_at"),
    UniqueConstraint("clinic_id", "id"),
    Index("ix_episodes_next_prompt_at", "next_prompt_at"),
    Index("ix_episodes_next_review_at", "next_review_at"),
    Index("ix_episodes_patient", "patient_id"),
    Index("ix_episodes_listed", "clinic_id", "patient_id", "id", "ended_at", "physio_id", "stage"),
    Index(
        "uq_episodes_patient_active",
        "patient_id",
        unique=True,
        sqlite_where=text("status = 'active'"),
        postgresql_where=text("status = 'active'"),
    ),
    CheckConstraint("baseline is null or baseline between 0 and 10", name="baseline"),
)

prescriptions = Table(
    "prescriptions",
    metadata,
    key_id(),
    *of_episode(),
    Column("number", Integer, nullable=False),
    name("stage", 48),
    Column("document", JSON, nullable=False),
    name("side", 5),
    ref("staff_id", "staff", null=False),
    Column("starts_on", Date, nullable=False),
    at("created_at", null=False),
    Column("reason", Sealed),
    at("undone_at"),
    UniqueConstraint("episode_id", "number"),
    Index("ix_prescriptions_side", "clinic_id", "side"),
)

holds = Table(
    "holds",
    metadata,
    key_id(),
    *of_episode(),
    name("kind", 20),
    Column("why", Sealed),
    name("placed_by", 80),
    Column("from_day", Date, nullable=False),
    Column("until_day", Date),
    at("created_at", null=False),
    at("released_at"),
    name("released_by", 80, null=True),
    Index("ix_holds_episode", "episode_id"),
)

imports = Table(
    "imports",
    metadata,
    key_id(),
    clinic(),
    ref("staff_id", "staff", null=False),
    Column("content", Sealed),
    Column("content_hash", LargeBinary(32), nullable=False),
    Column("fields", JSON, nullable=False),
    ref("physio_id", "staff"),
    name("status", 20),
    Column("rows_done", Integer, nullable=False),
    Column("counts", JSON, nullable=False),
    at("created_at", null=False),
    at("finished_at"),
    Index("ix_imports_content", "clinic_id", "content_hash"),
)

unsealed = Table(
    "unsealed",
    metadata,
    Column("place", String(40), primary_key=True),
    Column("row_id", Uuid, primary_key=True),
    *of_patient(),
    Column("words", String(200), nullable=False),
)
