"""replans: operations that put open cases under another pack or calendar, only ever added"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "replan_operations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("target", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("undecided", sa.Integer(), nullable=False),
        sa.CheckConstraint("what IN ('calendar', 'pack')", name="replan_what"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_replan_operations_at", "replan_operations", ["at"])
    _grant()


def _grant() -> None:
    """An operation is added and read, never changed or removed: the journals of cases name it."""
    config = op.get_context().config
    role = config.attributes["app_role"] if config else None
    if role is None:
        return
    op.execute(f'GRANT SELECT, INSERT ON replan_operations TO "{role}"')
    op.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON replan_operations FROM "{role}"')


def downgrade() -> None:
    op.drop_table("replan_operations")
