"""Alembic's environment: runs on the connection `lian/db/migrate.py` hands over."""

from alembic import context
from sqlmodel import SQLModel

import lian.db.tables  # noqa: F401  (registers every table)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    compare_type=True,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
