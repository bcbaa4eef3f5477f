"""the treated side beside each prescription, and indexes for what a page of the caseload looks up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_UNREACHABLE = sa.text("status = 'unreachable'")
_FILL = {
    "sqlite": "update prescriptions set side = coalesce(json_extract(document, '$.exercises[0].treated_side'), 'both')",
    "postgresql": "update prescriptions set side = coalesce(document #>> '{exercises,0,treated_side}', 'both')",
}


def upgrade() -> None:
    op.add_column("prescriptions", sa.Column("side", sa.String(length=5), nullable=True))
    op.execute(_FILL[op.get_bind().dialect.name])
    with op.batch_alter_table("prescriptions", schema=None) as batch_op:
        batch_op.alter_column("side", existing_type=sa.String(length=5), nullable=False)
        batch_op.create_index("ix_prescriptions_side", ["clinic_id", "side"])
    op.create_index("ix_entries_day", "entries", ["episode_id", "day"])
    op.create_index("ix_addresses_unreachable", "addresses", ["clinic_id"], sqlite_where=_UNREACHABLE, postgresql_where=_UNREACHABLE)


def downgrade() -> None:
    op.drop_index("ix_addresses_unreachable", "addresses")
    op.drop_index("ix_entries_day", "entries")
    with op.batch_alter_table("prescriptions", schema=None) as batch_op:
        batch_op.drop_index("ix_prescriptions_side")
        batch_op.drop_column("side")
