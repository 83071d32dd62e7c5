"""The tables that say where tasks belong: the one in force, those that were published, and publishing another (TSK-3).

A published table counts for tasks that are opened from then on; `rerouting.py` puts open ones where it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import RoutingTable
from lian.domain.errors import Conflict, Invalid
from lian.services.context import Context
from lian.services.route_reading import read_routes
from lian.services.route_tables import table_named, version_in_force
from lian.services.routes import RouteTable

HOUSE = "house-routes/"
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Routes:
    """The table in force, and all that were published, the latest first. `table` is none when it cannot be read."""

    version: str
    table: RouteTable | None
    published: Sequence[RoutingTable]


async def show_routes(context: Context, actor: Actor) -> Routes:
    """The table in force and the published versions. Needs `desk:route`."""
    actor.require("desk:route")
    async with context.transaction() as session:
        version = await version_in_force(session)
        query = select(RoutingTable).order_by(
            func.length(col(RoutingTable.version)).desc(), col(RoutingTable.version).desc()
        )
        published = (await session.execute(query)).scalars().all()
        return Routes(version, await table_named(context, session, version), published)


async def publish_routes(context: Context, actor: Actor, draft: str, *, why: str) -> str:
    """Publish a table for tasks that are opened from now on; returns its version. Open tasks stay where they are.

    Needs `desk:route`; raises `BadRoutes` for a table that is wrong, and `Conflict` for one that counts already.
    """
    actor.require("desk:route")
    reason = _reason(why)
    async with context.transaction() as session:
        # One at a time, so that the numbers follow each other.
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("routes"))))
        version = await version_in_force(session)
        in_force = await table_named(context, session, version)
        table = read_routes(draft, version=_following(version))
        if in_force is not None and table.body == in_force.body:
            raise Conflict("This table counts already.")
        session.add(
            RoutingTable(
                version=table.version,
                body=table.body,
                published_at=context.now(),
                published_by=actor.id,
                why=reason,
            )
        )
    return table.version


def _following(version: str) -> str:
    number = int(version.removeprefix(HOUSE)) if version.startswith(HOUSE) else 0
    return f"{HOUSE}{number + 1}"


def _reason(given: str) -> str:
    why = " ".join(given.split())
    if not why:
        raise Invalid("Say why, such as the decision it follows.", field="why")
    if len(why) > LONGEST_REASON or not why.isprintable():
        raise Invalid(f"The reason is one line of at most {LONGEST_REASON} characters.", field="why")
    return why
