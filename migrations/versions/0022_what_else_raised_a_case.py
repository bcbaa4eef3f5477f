"""Evidence of a case may be one of our messages, such as one that was not answered, or the prescription from which time is counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_TABLES = {"outbox_id": "outbox", "prescription_id": "prescriptions"}
_ROWS = "select id, outbox_id, prescription_id from case_evidence where outbox_id is not null or prescription_id is not null"
_PUT_BACK = """
update case_evidence set
outbox_id = (select outbox_id from aside_evidence where aside_evidence.id = case_evidence.id),
prescription_id = (select prescription_id from aside_evidence where aside_evidence.id = case_evidence.id)
where id in (select id from aside_evidence)
"""


def upgrade() -> None:
    with op.batch_alter_table("case_evidence", schema=None) as batch_op:
        for column, table in _TABLES.items():
            batch_op.add_column(sa.Column(column, sa.Uuid(), nullable=True))
            batch_op.create_foreign_key(batch_op.f(f"fk_case_evidence_{column}"), table, [column], ["id"])
    if "aside_evidence" in sa.inspect(op.get_bind()).get_table_names():
        op.execute(_PUT_BACK)
        op.drop_table("aside_evidence")


def downgrade() -> None:
    """The rows stay, and what they name is put back when the database comes up again."""
    if op.get_bind().execute(sa.text(f"{_ROWS} limit 1")).first() is not None:
        op.execute(f"create table aside_evidence as {_ROWS}")
    with op.batch_alter_table("case_evidence", schema=None) as batch_op:
        for column in _TABLES:
            batch_op.drop_constraint(f"fk_case_evidence_{column}", type_="foreignkey")
            batch_op.drop_column(column)
