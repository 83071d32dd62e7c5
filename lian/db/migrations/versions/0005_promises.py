"""promises: what a clock's deadline follows from, its ladder, and why it was broken"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NEW_COLUMNS = (
    ("clocks", "calendar"),
    ("clocks", "extended"),
    ("clocks", "consumed_seconds"),
    ("clocks", "rungs"),
    ("clocks", "late_cause"),
    ("clocks", "late_responsible"),
    ("document_requests", "reason"),
    ("tasks", "is_raised"),
)
"""Filled for the rows that are there; from now on the models say what a new row holds."""


def upgrade() -> None:
    op.add_column("clocks", sa.Column("calendar", sa.Text(), nullable=False, server_default=""))
    op.add_column("clocks", sa.Column("extended", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("clocks", sa.Column("rebased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("clocks", sa.Column("consumed_seconds", sa.Float(), nullable=False, server_default="0"))
    op.add_column(
        "clocks", sa.Column("rungs", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default="[]")
    )
    op.add_column("clocks", sa.Column("late_cause", sa.Text(), nullable=False, server_default=""))
    op.add_column("clocks", sa.Column("late_responsible", sa.Text(), nullable=False, server_default=""))
    op.add_column("document_requests", sa.Column("reason", sa.Text(), nullable=False, server_default="documents"))
    op.add_column("tasks", sa.Column("is_raised", sa.Boolean(), nullable=False, server_default=sa.false()))
    for table, column in NEW_COLUMNS:
        op.alter_column(table, column, server_default=None)


def downgrade() -> None:
    op.drop_column("clocks", "rebased_at")
    for table, column in NEW_COLUMNS:
        op.drop_column(table, column)
