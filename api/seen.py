"""Tasks as they are answered with: the names of whoever has to do with them, and nothing that is not for the asker."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body

from api.schemas.tasks import TaskDetailOut
from api.schemas.verbs import SeenIn
from lian.auth.actor import Actor
from lian.services.context import Context
from lian.services.desk import TaskOnDesk
from lian.services.names import names_of

Seen = Annotated[SeenIn, Body(description="May be left out.")]
NOTHING_SEEN = SeenIn()


async def names_around(context: Context, *found: TaskOnDesk) -> dict[str, str]:
    """The names of whoever has these tasks, and of those for whom they do them."""
    people = {person for each in found for person in (each.task.holder, each.task.on_behalf_of)}
    return await names_of(context, people)


async def shown(context: Context, actor: Actor, found: TaskOnDesk) -> TaskDetailOut:
    """One task, as the asker may see it."""
    whole = TaskDetailOut.shown(found, await names_around(context, found))
    return whole.for_customer() if actor.is_customer else whole.as_seen_by(actor)
