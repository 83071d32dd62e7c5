"""Bringing the schema up to date, as the role that owns it, and proving that it equals the models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import alembic.command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, make_url, text
from sqlmodel import SQLModel

import lian.db.tables  # noqa: F401  (registers every table)
from lian.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = 724_000


def upgrade(settings: Settings) -> bool:
    """Run all missing migrations in one transaction; two at once wait for each other.

    True when a database that was in use was changed: its rows must be made anew from the journal, because rows may have
    gained columns that only the journal can fill.
    """
    url = settings.database_owner_url.get_secret_value() or settings.database_url.get_secret_value()
    app_role = make_url(settings.database_url.get_secret_value()).username
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": ONE_AT_A_TIME})
        before = MigrationContext.configure(connection).get_current_revision()
        alembic.command.upgrade(_config(connection, app_role), "head")
        after = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return before is not None and before != after


def _config(connection: Connection, app_role: str | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["app_role"] = app_role
    return config


def differences(settings: Settings) -> list[str]:
    """What differs between the database's schema and the models; empty when they are equal."""
    url = settings.database_owner_url.get_secret_value() or settings.database_url.get_secret_value()
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[Any] = compare_metadata(context, SQLModel.metadata)
    engine.dispose()
    return [str(difference) for difference in found]


def new_revision(connection: Connection, message: str, revision: str) -> None:
    """Write a migration from what the models have and the database lacks; for developers."""
    alembic.command.revision(_config(connection, None), message, autogenerate=True, rev_id=revision)
