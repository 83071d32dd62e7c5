"""What people have in hand, and how much they can have: counted once for whoever looks at it or hands out work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Text, any_, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from lian.auth.actor import Actor
from lian.auth.visibility import workable_tasks
from lian.db.tables import Staff, Task
from lian.domain.load import DUE_WITHIN
from lian.services.context import Context

IS_OPEN = col(Task.status) == literal_column("'open'")
"""Written out, because PostgreSQL finds a partial index by the words of its condition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InHand:
    """What one person has: beside what they put aside, and put aside. Overdue and due count what is not put aside."""

    open: int = 0
    put_aside: int = 0
    oldest_at: datetime | None = None
    overdue: int = 0
    overdue_since: datetime | None = None
    """Since when they have the overdue one that they have longest."""
    due: Mapping[int, int] = field(default_factory=dict)
    """How many fall due within so many hours, the overdue ones not among them."""


def sees_every_team(actor: Actor) -> bool:
    """Leads look after their own team; whoever hands out any team's work, or none, sees all of them."""
    return actor.may("task:assign_any") or not actor.may("task:assign")


def capacity_of(context: Context, staff: Staff) -> int:
    """How many tasks they may have in hand: their own number, or the house's."""
    return staff.capacity or context.settings.desk_most_in_hand


async def hands_of(session: AsyncSession, actor: Actor, ids: Sequence[str], now: datetime) -> dict[str, InHand]:
    """What each of these people has in hand, of what the actor may see; nothing for whoever has nothing.

    For whoever sees all cases (`case:read`): none is joined here.
    """
    at = col(Task.act_by_at)
    is_aside = func.coalesce(col(Task.hold_until) > now, False)
    ahead = [func.count().filter(~is_aside, at >= now, at < now + timedelta(hours=hours)) for hours in DUE_WITHIN]
    statement = (
        select(
            col(Task.holder),
            func.count().filter(~is_aside),
            func.count().filter(is_aside),
            func.min(col(Task.claimed_at)),
            func.count().filter(~is_aside, at < now),
            func.min(col(Task.claimed_at)).filter(~is_aside, at < now),
            *ahead,
        )
        .where(IS_OPEN, is_any(col(Task.holder), ids), workable_tasks(actor))
        .group_by(col(Task.holder))
    )
    return {
        holder: InHand(
            open=n,
            put_aside=aside,
            oldest_at=oldest_at,
            overdue=overdue,
            overdue_since=overdue_since,
            due=dict(zip(DUE_WITHIN, due, strict=True)),
        )
        for holder, n, aside, oldest_at, overdue, overdue_since, *due in await session.execute(statement)
    }


def is_any(column: Mapped[str], ids: Sequence[str]) -> ColumnElement[bool]:
    """As one value: a list of hundreds would be written out anew each time."""
    return column == any_(cast(list(ids), ARRAY(Text)))
