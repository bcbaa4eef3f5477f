"""the place of an answer among those to the same patient that are due at the same moment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

PLACED = """
update outbox set place = (
    select count(*) from outbox as earlier
    where earlier.patient_id = outbox.patient_id and earlier.due_at = outbox.due_at and earlier.lane = outbox.lane
    and earlier.expires_at < outbox.expires_at
)
where lane = 'now' and status in ('due', 'claimed') and patient_id is not null
"""
"""The version before let each of them expire a little later than the one before."""


def upgrade() -> None:
    op.add_column("outbox", sa.Column("place", sa.Integer(), server_default="0", nullable=False))
    op.execute(PLACED)


def downgrade() -> None:
    op.drop_column("outbox", "place")
