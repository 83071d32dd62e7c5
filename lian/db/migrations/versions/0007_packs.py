"""packs: published versions of the policy packs, only ever added"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pack_versions",
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version > 0", name="pack_version_positive"),
        sa.PrimaryKeyConstraint("pack", "version"),
    )
    _grant()


def _grant() -> None:
    """A version is added and read, never changed or removed: the promises of cases quote it."""
    config = op.get_context().config
    role = config.attributes["app_role"] if config else None
    if role is None:
        return
    op.execute(f'GRANT SELECT, INSERT ON pack_versions TO "{role}"')
    op.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON pack_versions FROM "{role}"')


def downgrade() -> None:
    op.drop_table("pack_versions")
