"""What an older schema cannot hold is set aside on the way back, and put in its place when the database comes up again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SET_ASIDE = {
    "aside_outcomes": "select * from outcomes where staff_id is null or value is null",
    "aside_undone": "select id, undone_at from prescriptions where undone_at is not null",
    "aside_switches": "select id, measures_off_at from episodes where measures_off_at is not null",
}
"""Values that a patient told, activities without a value, undone prescriptions, and whom not to ask: 0015 and 0017 brought them."""
PUT_BACK = {
    "aside_outcomes": "insert into outcomes (id, clinic_id, episode_id, staff_id, measure, activity, value, day, created_at, withdrawn_at)"
    " select id, clinic_id, episode_id, staff_id, measure, activity, value, day, created_at, withdrawn_at from aside_outcomes"
    " where episode_id in (select id from episodes) and id not in (select id from outcomes)",
    "aside_undone": "update prescriptions set undone_at = (select undone_at from aside_undone where aside_undone.id = prescriptions.id)"
    " where id in (select id from aside_undone)",
    "aside_switches": "update episodes set measures_off_at = (select measures_off_at from aside_switches"
    " where aside_switches.id = episodes.id) where id in (select id from aside_switches)",
}
CANCEL = """
update outbox set status = 'cancelled', reason = 'put together before going back a version'
where kind in ('digest', 'weekly', 'staff_answer') and status in ('due', 'claimed', 'in_doubt')
"""
"""Messages to staff are sealed in a way that a version before 0016 would send as it stands."""


def upgrade() -> None:
    for table in set(SET_ASIDE) & set(sa.inspect(op.get_bind()).get_table_names()):
        op.execute(PUT_BACK[table])
        op.drop_table(table)


def downgrade() -> None:
    for table, rows in SET_ASIDE.items():
        if op.get_bind().execute(sa.text(f"{rows} limit 1")).first() is not None:
            op.execute(f"create table {table} as {rows}")
    op.execute(CANCEL)
