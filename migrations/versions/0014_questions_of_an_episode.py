"""an index for the questions of an episode, so that a reply does not read those of everybody."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_questions_episode", "questions", ["episode_id", "kind", "opened_at"])


def downgrade() -> None:
    op.drop_index("ix_questions_episode", "questions")
