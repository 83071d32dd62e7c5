"""What the tracker asks of the customer now, and what they may do of their own accord."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import Payee
from lian.domain.tasks import Json
from lian.services.actions import list_actions
from lian.services.context import Context
from lian.services.desk import TaskOnDesk, tasks_for_customer

SHOWN = frozenset({"rows", "approved_amount", "currency"})
"""What of a task's question is the customer's to see; everything else in it is ours."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A task the customer may answer, and the payee it is about, where there is one."""

    found: TaskOnDesk
    payee: Payee | None

    @property
    def ask(self) -> Json:
        """The question without our inside."""
        return {name: value for name, value in self.found.task.ask.items() if name in SHOWN}


async def asked_of_customer(context: Context, actor: Actor) -> Sequence[Asked]:
    """What waits for the customer on their one case, oldest first; nothing for anybody else."""
    if not actor.is_customer:
        return ()
    tasks = await tasks_for_customer(context, actor)
    ids = {UUID(t.task.ask["payee_id"]) for t in tasks if t.task.ask.get("payee_id")}
    async with context.transaction() as session:
        query = select(Payee).where(col(Payee.id).in_(ids), Payee.case_id == actor.case_id)
        payees = {str(payee.id): payee for payee in (await session.execute(query)).scalars()}
    return [Asked(each, payees.get(each.task.ask.get("payee_id", ""))) for each in tasks]


async def may_object(context: Context, actor: Actor, number: str) -> bool:
    """Whether the customer may object to a decision as the case stands."""
    return actor.is_customer and any(kind.id == "object" for kind in await list_actions(context, actor, number))
