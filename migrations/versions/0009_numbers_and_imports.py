"""a patient's telephone number, record number, chosen channel and goals, and files of patients that are being imported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("phone", "phone_hash", "record_number", "record_hash"):
        op.add_column("patients", sa.Column(name, sa.LargeBinary(32) if name.endswith("_hash") else sa.LargeBinary(), nullable=True))
    op.add_column("patients", sa.Column("channel", sa.String(20), nullable=True))
    op.create_index("ix_patients_phone", "patients", ["clinic_id", "phone_hash"])
    op.create_index("uq_patients_record", "patients", ["clinic_id", "record_hash"], unique=True)
    op.add_column("episodes", sa.Column("goals", sa.LargeBinary(), nullable=True))
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("content_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("physio_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_imports_clinic_id"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_imports_staff_id"),
        sa.ForeignKeyConstraint(["physio_id"], ["staff.id"], name="fk_imports_physio_id"),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
    )
    op.create_index("ix_imports_content", "imports", ["clinic_id", "content_hash"])


def downgrade() -> None:
    op.drop_table("imports")
    op.drop_column("episodes", "goals")
    op.drop_index("uq_patients_record", "patients")
    op.drop_index("ix_patients_phone", "patients")
    for name in ("channel", "record_hash", "record_number", "phone_hash", "phone"):
        op.drop_column("patients", name)
