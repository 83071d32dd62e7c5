"""whose overpayment: a recovery names the party who was paid too much"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recoveries", sa.Column("party_id", sa.Uuid(), nullable=True))
