"""Whom one may ask what they think of a task (TSK-1, TSK-5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import Staff
from lian.domain.errors import Invalid
from lian.services.accounts import actor_for
from lian.services.context import Context
from lian.services.desk.talking import refuse_as_reviewer
from lian.services.desk.tasks import TaskOnDesk, find_task


@dataclass(frozen=True, slots=True)
class Adviser:
    """Somebody who may be asked for an opinion."""

    username: str
    name: str


async def list_advisers(context: Context, actor: Actor, task_id: UUID) -> Sequence[Adviser]:
    """Active colleagues whom one may ask about a task, by name. Needs `task:ask_colleague`."""
    actor.require("task:ask_colleague")
    async with context.transaction() as session:
        found = await find_task(session, actor, task_id)
        staff = (await session.execute(select(Staff).where(col(Staff.active)).order_by(col(Staff.name)))).scalars()
        return [Adviser(one.username, one.name) for one in staff if _may_be_asked(actor, one, found)]


def _may_be_asked(actor: Actor, one: Staff, found: TaskOnDesk) -> bool:
    try:
        refuse_as_reviewer(actor, actor_for(one), found)
    except Invalid:
        return False
    return True
