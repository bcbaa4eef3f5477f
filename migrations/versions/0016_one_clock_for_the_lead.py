"""One clock tells the clinic lead of a flag, the alert's own; messages to staff that are sealed the old way are not sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TO_ESCALATE = sa.text("escalate_at is not null")
_CANCEL = """
update outbox set status = 'cancelled', reason = 'put together before an upgrade'
where kind in ('digest', 'weekly', 'staff_answer') and status in ('due', 'claimed', 'in_doubt')
"""


def upgrade() -> None:
    op.execute(_CANCEL)
    op.drop_index("ix_cases_escalate", "cases")
    op.drop_column("cases", "escalate_at")


def downgrade() -> None:
    op.add_column("cases", sa.Column("escalate_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_cases_escalate", "cases", ["escalate_at"], sqlite_where=_TO_ESCALATE, postgresql_where=_TO_ESCALATE)
