"""clinicians' private notes, outcome measures, and the day of the next appointment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _of_episode(table: str) -> list[sa.Constraint]:
    episode = sa.ForeignKeyConstraint(
        ["clinic_id", "episode_id"], ["episodes.clinic_id", "episodes.id"], name=op.f(f"fk_{table}_clinic_id_episode_id")
    )
    return [
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f(f"fk_{table}_clinic_id")),
        episode,
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f(f"fk_{table}_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *_of_episode("notes"),
    )
    op.create_index("ix_notes_episode", "notes", ["episode_id"])
    op.create_table(
        "outcomes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.String(length=20), nullable=False),
        sa.Column("activity", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        *_of_episode("outcomes"),
    )
    op.create_index("ix_outcomes_episode", "outcomes", ["episode_id"])
    op.add_column("episodes", sa.Column("next_appointment", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("episodes", "next_appointment")
    op.drop_index("ix_outcomes_episode", "outcomes")
    op.drop_table("outcomes")
    op.drop_index("ix_notes_episode", "notes")
    op.drop_table("notes")
