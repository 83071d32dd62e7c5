"""Lists of the desk under a name."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from api.wire import In, Out, Words
from lian.services.desk import Count
from lian.services.desk.views import View, ViewChange

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Address = Annotated[
    str,
    StringConstraints(max_length=1_000),
    Field(
        description="Filters, sort and columns as the query of an address.",
        examples=["queue=claims.review&late=1&columns=chip,task,case"],
    ),
]


class ViewOut(Out):
    """A list under a name. Those that are built in have a word as `id`; the others are kept by somebody."""

    id: str
    name: Words
    query: str
    is_built_in: bool
    is_mine: bool = Field(description="You keep it, and may change it.")
    is_shared: bool = Field(description="Your team sees it; `@me` in it is whoever reads it.")
    is_pinned: bool
    is_readable: bool = Field(description="False: it names something that is gone, such as a queue.")

    @classmethod
    def of(cls, view: View) -> ViewOut:
        """The view on the wire."""
        return cls(
            id=view.id,
            name=Words.of(view.name),
            query=view.query,
            is_built_in=view.is_built_in,
            is_mine=view.is_mine,
            is_shared=view.is_shared,
            is_pinned=view.is_pinned,
            is_readable=view.is_readable,
        )


class ViewsOut(Out):
    """Your lists: those of your role, what you pinned, your own, your team's."""

    items: list[ViewOut]


class ViewIn(In):
    """A list to keep."""

    name: Name
    query: Address
    is_shared: bool = False
    is_pinned: bool = False


class ViewChangeIn(In):
    """What is to be different; what is not given stays."""

    name: Name | None = None
    query: Address | None = None
    is_shared: bool | None = None
    is_pinned: bool | None = None

    def change(self) -> ViewChange:
        """The change as the desk takes it."""
        return ViewChange(name=self.name, query=self.query, is_shared=self.is_shared, is_pinned=self.is_pinned)


class ViewCountOut(Out):
    """How many tasks one of your lists has."""

    id: str
    count: int
    is_more: bool = Field(description="There are more than were counted.")

    @classmethod
    def of(cls, view_id: str, count: Count) -> ViewCountOut:
        """The count on the wire."""
        return cls(id=view_id, count=count.n, is_more=count.is_more)


class ViewCountsOut(Out):
    """How many tasks each of your lists has; those that name something that is gone are left out."""

    items: list[ViewCountOut]
