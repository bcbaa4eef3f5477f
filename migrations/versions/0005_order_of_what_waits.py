"""indexes that give the waiting updates in the order in which they are taken, however many came at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WAITING = sa.text("status = 'received'")


def upgrade() -> None:
    _replace({"ix_inbox_waiting": ["received_at", "id"], "ix_inbox_chat": ["sender_id", "address_hash", "received_at", "id"]})


def downgrade() -> None:
    _replace({"ix_inbox_waiting": ["sender_id", "received_at", "address_hash"], "ix_inbox_chat": ["sender_id", "address_hash"]})


def _replace(indexes: dict[str, list[str]]) -> None:
    for name, columns in indexes.items():
        op.drop_index(name, "inbox")
        op.create_index(name, "inbox", columns, sqlite_where=_WAITING, postgresql_where=_WAITING)
