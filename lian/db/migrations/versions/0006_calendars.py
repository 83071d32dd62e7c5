"""calendars: the revisions of their years, only ever added"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_years",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("revision > 0", name="calendar_revision_positive"),
        sa.PrimaryKeyConstraint("name", "year", "revision"),
    )
    _grant()


def _grant() -> None:
    """A revision is added and read, never changed or removed: it answers for deadlines that were promised by it."""
    config = op.get_context().config
    role = config.attributes["app_role"] if config else None
    if role is None:
        return
    op.execute(f'GRANT SELECT, INSERT ON calendar_years TO "{role}"')
    op.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON calendar_years FROM "{role}"')


def downgrade() -> None:
    op.drop_table("calendar_years")
