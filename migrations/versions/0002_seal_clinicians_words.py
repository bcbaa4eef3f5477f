"""Seal what clinicians write: why a hold, why a case was closed, why an episode ended.

A migration has no keys, so the words move to `unsealed`; the service seals them when it next opens the database, before anything else.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PLACES = (("holds", "why"), ("cases", "close_reason"), ("episodes", "end_reason"))
LOST = "written in a newer version, which sealed it"
unsealed = sa.table("unsealed", *(sa.column(name) for name in ("place", "row_id", "clinic_id", "patient_id", "words")))


def upgrade() -> None:
    op.create_table(
        "unsealed",
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"], name=op.f("fk_unsealed_clinic_id_patient_id")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_unsealed_clinic_id")),
        sa.PrimaryKeyConstraint("place", "row_id", name=op.f("pk_unsealed")),
    )
    for table, column in PLACES:
        op.execute(unsealed.insert().from_select([each.name for each in unsealed.c], _plain_words(table, column)))
        # In place, not by a copy of the table: a copy would lose its checks.
        with op.batch_alter_table(table, recreate="never") as batch:
            batch.drop_column(column)
        with op.batch_alter_table(table, recreate="never") as batch:
            batch.add_column(sa.Column(column, sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """What is sealed cannot be opened here, and is replaced by a note; to keep it, restore a backup instead."""
    for table, column in PLACES:
        with op.batch_alter_table(table, recreate="never") as batch:
            batch.add_column(sa.Column("plain", sa.String(length=200), nullable=True))
        rows = sa.table(table, sa.column("id"), sa.column("plain"), sa.column(column))
        waiting = (
            sa.select(unsealed.c.words).where(unsealed.c.place == f"{table}.{column}", unsealed.c.row_id == rows.c.id).scalar_subquery()
        )
        note = sa.case((rows.c[column].is_not(None), LOST), else_="" if table == "holds" else None)
        op.execute(rows.update().values(plain=sa.func.coalesce(waiting, note)))
        with op.batch_alter_table(table, recreate="never") as batch:
            batch.drop_column(column)
        with op.batch_alter_table(table, recreate="never") as batch:
            batch.alter_column("plain", new_column_name=column)
    with op.batch_alter_table("holds") as batch:
        batch.alter_column("why", existing_type=sa.String(length=200), nullable=False)
    op.drop_table("unsealed")


def _plain_words(table: str, column: str) -> sa.Select[Any]:
    """What lies in that column, as rows of `unsealed`."""
    rows = sa.table(table, *(sa.column(name) for name in ("id", "episode_id", "clinic_id", "patient_id", column)))
    patient_id, source = rows.c.patient_id, sa.select(rows)
    if table != "episodes":
        owners = sa.table("episodes", sa.column("id"), sa.column("patient_id"))
        patient_id = owners.c.patient_id
        source = source.join(owners, owners.c.id == rows.c.episode_id)
    columns = (sa.literal(f"{table}.{column}"), rows.c.id, rows.c.clinic_id, patient_id, rows.c[column])
    return source.with_only_columns(*columns, maintain_column_froms=True).where(rows.c[column].is_not(None))
