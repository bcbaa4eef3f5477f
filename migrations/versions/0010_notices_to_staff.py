"""How staff want to be told, who covers for whom, which flags wait to be told, and when a clinic's next digest is due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice_choices",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("ways", sa.String(length=10), nullable=False),
        sa.Column("daily", sa.Boolean(), nullable=False),
        sa.Column("weekly", sa.Boolean(), nullable=False),
        sa.Column("at_night", sa.Boolean(), nullable=False),
        sa.Column("duty", sa.String(length=10), nullable=True),
        sa.Column("chat_sender_id", sa.Uuid(), nullable=True),
        sa.Column("chat_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("chat", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["chat_sender_id"], ["senders.id"], name=op.f("fk_notice_choices_chat_sender_id")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "staff_id"], ["staff.clinic_id", "staff.id"], name=op.f("fk_notice_choices_clinic_id_staff_id")
        ),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_notice_choices")),
        sa.UniqueConstraint("chat_sender_id", "chat_hash", name=op.f("uq_notice_choices_chat_sender_id_chat_hash")),
    )
    op.create_table(
        "leaves",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("cover_id", sa.Uuid(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id", "cover_id"], ["staff.clinic_id", "staff.id"], name=op.f("fk_leaves_clinic_id_cover_id")),
        sa.ForeignKeyConstraint(["clinic_id", "staff_id"], ["staff.clinic_id", "staff.id"], name=op.f("fk_leaves_clinic_id_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaves")),
    )
    op.create_index("ix_leaves_clinic", "leaves", ["clinic_id", "until_day"])
    op.create_table(
        "alerts",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_alerts_case_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_alerts")),
    )
    op.create_index("ix_alerts_at", "alerts", ["at"])
    op.add_column("clinics", sa.Column("next_digest_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_outbox_staff",
        "outbox",
        ["staff_id", "due_at"],
        sqlite_where=sa.text("staff_id is not null"),
        postgresql_where=sa.text("staff_id is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_staff", table_name="outbox")
    op.drop_column("clinics", "next_digest_at")
    for table in ("alerts", "leaves", "notice_choices"):
        op.drop_table(table)
