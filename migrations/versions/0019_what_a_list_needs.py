"""indexes that hold all that the caseload reads of every patient of a clinic, so that the rows are not read for it."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_patients_listed", "patients", ["clinic_id", "id", "status", "status_at", "zone", "ref"])
    op.create_index("ix_episodes_listed", "episodes", ["clinic_id", "patient_id", "id", "ended_at", "physio_id", "stage"])


def downgrade() -> None:
    op.drop_index("ix_episodes_listed", "episodes")
    op.drop_index("ix_patients_listed", "patients")
