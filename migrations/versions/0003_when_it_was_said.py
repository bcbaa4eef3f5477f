"""when a message was said, and when a red flag that nobody acknowledged goes to the lead."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WAITING = sa.text("status = 'received'")
_TO_ESCALATE = sa.text("escalate_at is not null")


def upgrade() -> None:
    op.add_column("inbox", sa.Column("said_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_inbox_chat", "inbox", ["sender_id", "address_hash"], sqlite_where=_WAITING, postgresql_where=_WAITING)
    op.add_column("cases", sa.Column("escalate_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("cases", sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_cases_escalate", "cases", ["escalate_at"], sqlite_where=_TO_ESCALATE, postgresql_where=_TO_ESCALATE)


def downgrade() -> None:
    op.drop_index("ix_cases_escalate", "cases")
    op.drop_column("cases", "escalated_at")
    op.drop_column("cases", "escalate_at")
    op.drop_index("ix_inbox_chat", "inbox")
    op.drop_column("inbox", "said_at")
