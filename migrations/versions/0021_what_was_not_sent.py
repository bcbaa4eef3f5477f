"""An index of the exercise prompts that did not go out, so that a list of whom we did not send to reads nothing else of the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_UNSENT = sa.text("kind = 'prompt' and status in ('failed','expired','in_doubt')")


def upgrade() -> None:
    columns = ["clinic_id", "due_at", "patient_id"]
    op.create_index("ix_outbox_unsent", "outbox", columns, sqlite_where=_UNSENT, postgresql_where=_UNSENT)


def downgrade() -> None:
    op.drop_index("ix_outbox_unsent", "outbox")
