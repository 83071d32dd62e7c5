"""Assigning what was proposed, one task by one: each is refused when it has changed since (TSK-1).

A token says what was proposed. It holds no right: everything in it is checked again.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.tables import Task
from lian.domain.errors import Conflict, DomainError, Invalid
from lian.services.context import Context
from lian.services.desk.assigning import assign_task
from lian.services.desk.standing_in import is_begun
from lian.services.desk.tasks import colleague, find_task
from lian.services.substitutes import away_now

MOST_MOVED = 100
LARGEST = 2**63
LONGEST_TOKEN = 20_000
BAD_TOKEN = "This is not a proposal that we made."  # noqa: S105 - no secret


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one task; `refused` says why it was not assigned."""

    task_id: UUID
    to: str
    number: str = ""
    refused: DomainError | None = None


async def apply(context: Context, actor: Actor, token: str) -> list[Moved]:
    """Assign what was proposed, one by one, each as `assign_task` allows it; needs what proposing needs.

    A task that has changed since, or that its holder has begun, stays where it is and its result says why. Safe to
    repeat: what was moved stays moved. Raises `Invalid` for a token that is none of ours.
    """
    actor.require("desk:load")
    actor.require("task:assign")
    return [await _moved(context, actor, *each) for each in _read(token)]


async def _moved(context: Context, actor: Actor, task_id: UUID, version: int, to: str) -> Moved:
    number = ""
    try:
        async with context.transaction() as session:
            number = (await find_task(session, actor, task_id)).case.number
            await _refuse_changed(context, session, task_id, to)
        await assign_task(context, actor, task_id, to=to, version=version)
    except DomainError as refused:
        return Moved(task_id, to, number, refused)
    return Moved(task_id, to, number)


async def _refuse_changed(context: Context, session: AsyncSession, task_id: UUID, to: str) -> None:
    """What changes no version: a remark of its holder, and that somebody has gone away."""
    person = await colleague(session, to)
    begun = select(Task.id).where(Task.id == task_id, Task.holder != "", Task.holder != person.id, is_begun())
    if (await session.execute(begun)).first():
        raise Conflict("Whoever has this task has begun it since you looked.")
    if person.id in await away_now(session, context.now()):
        raise Conflict("They are away.")


def token_of(moves: Iterable[tuple[UUID, int, str]]) -> str:
    """Tasks, their versions and the accounts they go to, as text for a form; empty for none."""
    lines = "\n".join(f"{task_id} {version} {to}" for task_id, version, to in moves)
    return base64.urlsafe_b64encode(lines.encode()).decode()


def _read(token: str) -> list[tuple[UUID, int, str]]:
    try:
        lines = base64.b64decode(token[:LONGEST_TOKEN], altchars=b"-_", validate=True).decode().splitlines()
        moves = [(UUID(task), int(version), to) for task, version, to in (line.split(" ", 2) for line in lines)]
        if not all(to.isprintable() and 0 <= version < LARGEST for _, version, to in moves):
            raise ValueError(token)
    except (binascii.Error, ValueError):
        raise Invalid(BAD_TOKEN, field="token") from None
    if not 0 < len(moves) <= MOST_MOVED:
        raise Invalid(BAD_TOKEN, field="token")
    return moves
