"""alerts: who was told of which promise, and what the watchdog looks for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "clock", "rung", "reached_at", "recipient", name="alert_once"),
    )
    op.create_index("alerts_untold", "alerts", ["recipient", "noted_at"], postgresql_where=sa.text("told_at IS NULL"))
    op.create_index("alerts_of_a_person", "alerts", ["recipient", "noted_at"])
    op.create_index("clocks_running", "clocks", ["due_at"], postgresql_where=sa.text("status = 'running'"))
    op.create_index("cases_open", "cases", ["id"], postgresql_where=sa.text("status = 'open'"))
    _grant()


def _grant() -> None:
    config = op.get_context().config
    role = config.attributes["app_role"] if config else None
    if role is not None:
        op.execute(f'GRANT SELECT, INSERT, UPDATE ON alerts TO "{role}"')


def downgrade() -> None:
    op.drop_index("cases_open", "cases")
    op.drop_index("clocks_running", "clocks")
    op.drop_table("alerts")
