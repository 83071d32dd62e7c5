"""The schema of the migrations is the one of the models; the application's role is kept from the journal."""

from __future__ import annotations

from sqlalchemy import text

from lian.db import migrate
from lian.services.context import Context
from lian.settings import Settings


def test_migrations_and_models_agree(settings: Settings) -> None:
    assert migrate.differences(settings) == []


async def test_a_difference_would_be_seen(settings: Settings, context: Context) -> None:
    from sqlalchemy import create_engine

    engine = create_engine(settings.database_owner_url.get_secret_value())
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE cases DROP COLUMN course"))
    engine.dispose()
    assert any("course" in difference for difference in migrate.differences(settings))


def test_migrating_again_changes_nothing(settings: Settings) -> None:
    migrate.upgrade(settings)
    assert migrate.differences(settings) == []


async def test_the_applications_role_cannot_change_tables(context: Context) -> None:
    async with context.transaction() as session:
        found = await session.execute(
            text("SELECT has_schema_privilege(current_user, 'public', 'CREATE'), current_user")
        )
        may_create, role = found.one()
    assert (may_create, role) == (False, "lian_app")
