"""which patients in a row a provider refused for one reason, and since when a message that is tried again is late."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("rates", schema=None) as batch_op:
        batch_op.add_column(sa.Column("refused", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("outbox", sa.Column("late_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("outbox", "late_since")
    with op.batch_alter_table("rates", schema=None) as batch_op:
        batch_op.drop_column("refused")
