"""The schema of the migrations is the one of the models; the application's role is kept from the journal."""

from __future__ import annotations

import alembic.command
from sqlalchemy import create_engine, text

from lian.db import migrate
from lian.db.journal import compare
from lian.services.context import Context
from lian.services.rewriting import rebuild_all
from lian.settings import Settings
from tests.cast import reported_claim


def test_migrations_and_models_agree(settings: Settings) -> None:
    assert migrate.differences(settings) == []


async def test_a_difference_would_be_seen(settings: Settings, context: Context) -> None:
    engine = create_engine(settings.database_owner_url.get_secret_value())
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE cases DROP COLUMN course"))
    engine.dispose()
    assert any("course" in difference for difference in migrate.differences(settings))


def test_migrating_again_changes_nothing(settings: Settings) -> None:
    assert migrate.upgrade(settings) is False
    assert migrate.differences(settings) == []


async def test_the_applications_role_cannot_change_tables(context: Context) -> None:
    async with context.transaction() as session:
        found = await session.execute(
            text("SELECT has_schema_privilege(current_user, 'public', 'CREATE'), current_user")
        )
        may_create, role = found.one()
    assert (may_create, role) == (False, "lian_app")


def test_a_database_of_the_first_release_is_brought_up_to_date_and_asks_for_its_rows_anew(settings: Settings) -> None:
    engine = create_engine(settings.database_owner_url.get_secret_value())
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        connection.execute(text("GRANT USAGE ON SCHEMA public TO lian_app"))
    with engine.begin() as connection:
        alembic.command.upgrade(migrate._config(connection, "lian_app"), "0001")
    engine.dispose()
    assert migrate.upgrade(settings) is True
    assert migrate.differences(settings) == []
    assert migrate.upgrade(settings) is False


async def test_rows_made_anew_hold_what_the_journal_knew_all_along(context: Context) -> None:
    await reported_claim(context)
    async with context.transaction() as session:
        await session.execute(text("UPDATE cases SET maturity = 'draft'"))
    async with context.transaction() as session:
        assert (await compare(session, context.ring)).damages != []
    assert await rebuild_all(context) == 1
    async with context.transaction() as session:
        assert (await compare(session, context.ring)).damages == []
