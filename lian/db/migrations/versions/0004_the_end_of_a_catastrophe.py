"""the end of a catastrophe: who said so, and when"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("catastrophes", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("catastrophes", sa.Column("ended_by", sa.Text(), nullable=False, server_default=""))
    op.alter_column("catastrophes", "ended_by", server_default=None)
