"""links under which a provider fetches one picture, once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "media_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_media_links_clinic_id")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "episode_id"], ["episodes.clinic_id", "episodes.id"], name=op.f("fk_media_links_clinic_id_episode_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_links")),
    )


def downgrade() -> None:
    op.drop_table("media_links")
