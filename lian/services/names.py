"""Names of people, for lists and letters: the journal and the desk know them by their actor ids alone."""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import staff_actor_id, staff_ids
from lian.db.tables import Staff
from lian.services.context import Context

_STAFF: LiteralString = "SELECT id, name FROM staff WHERE id = ANY(%(ids)s)"
_CUSTOMERS: LiteralString = "SELECT id, name FROM case_parties WHERE id = ANY(%(ids)s)"
_CUSTOMER = "customer:"


async def names_of(context: Context, actors: Collection[str]) -> dict[str, str]:
    """Display names of the staff and customers among these actor ids.

    Those of staff are kept a while: every list is full of them, and they hardly ever change.
    """
    names = context.known_names.among(actors)
    if staff := staff_ids(set(actors) - names.keys()):
        found = {staff_actor_id(one): name for one, name in await context.db.fetch(_STAFF, {"ids": staff})}
        context.known_names.add(found)
        names |= found
    if customers := [UUID(actor.removeprefix(_CUSTOMER)) for actor in actors if actor.startswith(_CUSTOMER)]:
        rows = await context.db.fetch(_CUSTOMERS, {"ids": customers})
        names |= {f"{_CUSTOMER}{one}": name for one, name in rows}
    return names


async def names_of_staff(session: AsyncSession, actors: Collection[str]) -> dict[str, str]:
    """Display names of the staff among these actor ids, as they are in this transaction."""
    query = select(col(Staff.id), col(Staff.name)).where(col(Staff.id).in_(staff_ids(actors)))
    return {staff_actor_id(one): name for one, name in (await session.execute(query)).all()}
