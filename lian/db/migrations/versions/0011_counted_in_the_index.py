"""what is free and what falls due is counted in the index alone: it has all that the conditions ask for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

OPEN = sa.text("status = 'open'")
FREE = sa.text("status = 'open' AND holder = ''")
DUE = sa.text("coalesce(act_by_at, 'infinity'::timestamp with time zone)")


def upgrade() -> None:
    _again(of_due=["act_by_at", "kind"], of_free=["hold_until", "kind"])


def downgrade() -> None:
    _again(of_due=[], of_free=[])


def _again(*, of_due: list[str], of_free: list[str]) -> None:
    for name in ("tasks_due", "tasks_free"):
        op.drop_index(name, "tasks")
    op.create_index("tasks_due", "tasks", ["queue", DUE, "id"], postgresql_include=of_due, postgresql_where=OPEN)
    free = ["queue", "needs", "urgency", "id"]
    op.create_index("tasks_free", "tasks", free, postgresql_include=of_free, postgresql_where=FREE)
