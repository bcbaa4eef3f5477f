"""when a prescription was undone, before anything of it reached the patient."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("prescriptions") as table:
        table.add_column(sa.Column("undone_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    with op.batch_alter_table("prescriptions") as table:
        table.drop_column("undone_at")
