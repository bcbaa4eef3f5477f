"""outcome measures that the patient tells in chat: values without staff, activities without a value, and a switch for each episode."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("outcomes", schema=None) as batch_op:
        batch_op.alter_column("staff_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.alter_column("value", existing_type=sa.Integer(), nullable=True)
    op.add_column("episodes", sa.Column("measures_off_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("episodes", "measures_off_at")
    op.execute("delete from outcomes where staff_id is null or value is null")
    with op.batch_alter_table("outcomes", schema=None) as batch_op:
        batch_op.alter_column("value", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("staff_id", existing_type=sa.Uuid(), nullable=False)
