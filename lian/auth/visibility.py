"""Which cases somebody may see: one rule inside every query, so that nobody can forget it (SEC-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, false, true
from sqlmodel import col

from lian.auth.actor import Actor
from lian.db.tables import Case

if TYPE_CHECKING:
    from typing import Any


def visible_cases(actor: Actor) -> ColumnElement[bool]:
    """The condition on `cases` for this actor: serves lists, search, counts and single pages alike."""
    if actor.is_customer:
        return col(Case.id) == actor.case_id
    return true() if actor.may("case:read") else false()


def visible(query: Any, actor: Actor) -> Any:
    """A query over `cases`, narrowed to what the actor may see."""
    return query.where(visible_cases(actor))
