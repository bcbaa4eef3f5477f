"""an index for whether a message of a patient is on its way, so that none overtakes it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TAKEN = sa.text("status in ('claimed','sending')")


def upgrade() -> None:
    op.create_index("ix_outbox_taken", "outbox", ["patient_id"], sqlite_where=_TAKEN, postgresql_where=_TAKEN)


def downgrade() -> None:
    op.drop_index("ix_outbox_taken", "outbox")
