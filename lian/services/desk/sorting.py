"""In which orders tasks may be listed: a fixed set, each with its index, and where a page ends (TSK-1, TSK-2).

A place is the value a task is sorted by, with its id: the next page is what comes after it, however many rows were
added or taken away before it meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, literal_column, tuple_
from sqlmodel import SQLModel

from lian.db.tables import Task
from lian.domain.errors import Invalid
from lian.domain.labels import Label

Place = tuple[Any, UUID]
TASKS = SQLModel.metadata.tables["tasks"]
NEVER: ColumnElement[Any] = literal_column("'infinity'::timestamp with time zone")
"""Where tasks without a deadline stand in the order of deadlines."""
LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Order:
    """One order: the column it goes by, which way, and how a value of that column is written in an address."""

    label: Label
    column: str
    read: Callable[[str], Any]
    is_down: bool = False
    """Largest first; of equal ones the larger id first."""


def _whole(text: str) -> int:
    value = int(text)
    if not (text.isdecimal() and value < LARGEST):
        raise ValueError(text)
    return value


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None or not 1900 < at.year < 2200:
        raise ValueError(text)
    return at


def _due(text: str) -> datetime | None:
    return _instant(text) if text else None


def _amount(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite() or abs(value) >= Decimal(10) ** 12 or value != round(value, 2):
        raise ValueError(text)
    return value


SORTS: Mapping[str, Order] = {
    "urgency": Order(Label("Most urgent first", "最紧急优先"), "urgency", _whole),
    "due": Order(Label("Due first", "最早到期优先"), "act_by_at", _due),
    "oldest": Order(Label("Oldest first", "最早创建优先"), "opened_at", _instant),
    "newest": Order(Label("Newest first", "最新创建优先"), "opened_at", _instant, is_down=True),
    "amount": Order(Label("Largest amount first", "金额最大优先"), "amount", _amount, is_down=True),
}


def order_named(sort: str) -> Order:
    """The order of this name. Raises `Invalid` for the field `sort`."""
    if sort not in SORTS:
        raise Invalid("Tasks cannot be sorted like this.", field="sort")
    return SORTS[sort]


def place_of(task: Task, sort: str) -> Place:
    """Where a task stands in this order: what the next page comes after."""
    return getattr(task, order_named(sort).column), task.id


def write_place(place: Place) -> str:
    """A place as the text of an address: the value, a blank and the id; a task without a deadline has no value."""
    value, task_id = place
    text = "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
    return f"{text} {task_id}"


def read_place(text: str, sort: str) -> Place:
    """The opposite of `write_place`. Raises `ValueError` for what was not written for this order."""
    value, _, task_id = text.partition(" ")
    try:
        return order_named(sort).read(value), UUID(task_id)
    except InvalidOperation:
        raise ValueError(text) from None


def sorted_by(sort: str) -> ColumnElement[Any]:
    """What tasks are sorted by in this order."""
    column: ColumnElement[Any] = TASKS.c[order_named(sort).column]
    return (func.coalesce(column, NEVER) if sort == "due" else column).label("sorted_by")


def in_order(sort: str, value: ColumnElement[Any], task_id: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    """How a query is sorted that has these columns."""
    return (value.desc(), task_id.desc()) if order_named(sort).is_down else (value, task_id)


def comes_after(sort: str, *, is_never: bool) -> ColumnElement[bool]:
    """The condition on `tasks`: what stands after the place that `after` and `after_id` are."""
    column = TASKS.c[order_named(sort).column]
    value = NEVER if is_never else bindparam("after", type_=column.type)
    given = tuple_(value, bindparam("after_id", type_=TASKS.c.id.type))
    row = tuple_(sorted_by(sort), TASKS.c.id)
    return row < given if order_named(sort).is_down else row > given
