"""Where tasks belong (TSK-3)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from api.wire import In, Out, Text
from lian.db.tables import RoutingTable
from lian.services.desk.rerouting import Applied, Failure, Move, Preview
from lian.services.desk.routing import Routes
from lian.services.route_tables import Belongs
from lian.services.routes import RouteRow

# --- tables -----------------------------------------------------------------------------------------------------------


class RouteRowOut(Out):
    """One row: the first that fits counts."""

    rule: str
    note: str
    when: dict[str, str] = Field(description="Fact to condition; a row without any fits every task.")
    queue: str = Field(description="`keep`: the task stays in the queue that its kind names.")
    skills: list[str]
    green: bool
    raised: bool

    @classmethod
    def of(cls, row: RouteRow) -> RouteRowOut:
        """The row on the wire."""
        said = row.route
        return cls(
            rule=said.rule,
            note=row.note,
            when=dict(row.when),
            queue=said.queue,
            skills=list(said.skills),
            green=said.green,
            raised=said.raised,
        )


class RoutesVersionOut(Out):
    """A published version; none is ever changed."""

    version: str
    published_at: datetime
    published_by: str
    why: str

    @classmethod
    def of(cls, row: RoutingTable) -> RoutesVersionOut:
        """The version on the wire."""
        return cls(version=row.version, published_at=row.published_at, published_by=row.published_by, why=row.why)


class RoutesOut(Out):
    """The table in force, and all that were published, the latest first."""

    version: str
    rows: list[RouteRowOut] | None = Field(description="Null when what is stored cannot be read: publish another one.")
    table: dict[str, Any] | None = Field(description="The same in JDM: change it, and publish it as the next version.")
    published: list[RoutesVersionOut]

    @classmethod
    def of(cls, found: Routes) -> RoutesOut:
        """The tables on the wire."""
        table = found.table
        return cls(
            version=found.version,
            rows=[RouteRowOut.of(row) for row in table.rows] if table else None,
            table=table.body if table else None,
            published=[RoutesVersionOut.of(row) for row in found.published],
        )


class PublishRoutesIn(In):
    """The next version, in JDM, and why."""

    table: dict[str, Any]
    why: Text


class PublishedRoutesOut(Out):
    """The version that counts from now on."""

    version: str


# --- moving open tasks ------------------------------------------------------------------------------------------------


class PreviewRoutesIn(In):
    """A draft in JDM; without one the table in force."""

    table: dict[str, Any] | None = None


class BelongsOut(Out):
    """Where a task lies."""

    queue: str
    skills: list[str]
    green: bool
    raised: bool

    @classmethod
    def of(cls, place: Belongs) -> BelongsOut:
        """The place on the wire."""
        return cls(queue=place.queue, skills=list(place.skills), green=place.is_green, raised=place.is_raised)


class RouteMoveOut(Out):
    """What would become of one task."""

    task_id: UUID
    case_number: str
    kind: str
    rule: str = Field(description="The row that says so; empty: none fits.")
    before: BelongsOut
    after: BelongsOut
    loses_holder: bool = Field(description="Whoever has it lacks a licence that it then needs.")

    @classmethod
    def of(cls, move: Move) -> RouteMoveOut:
        """The task on the wire."""
        return cls(
            task_id=move.task_id,
            case_number=move.number,
            kind=move.kind,
            rule=move.after.rule,
            before=BelongsOut.of(move.before),
            after=BelongsOut.of(move.after),
            loses_holder=move.loses_holder,
        )


class FlowOut(Out):
    """How many tasks would go from one queue to another, or change where they lie."""

    before: str
    after: str
    tasks: int


class RouteFailureOut(Out):
    """A task that stays where it is, and why."""

    task_id: UUID
    case_number: str = Field(description="Empty for a case that is not yours to see.")
    why: str

    @classmethod
    def of(cls, failure: Failure) -> RouteFailureOut:
        """The task on the wire."""
        return cls(task_id=failure.task_id, case_number=failure.number, why=failure.why)


class PreviewRoutesOut(Out):
    """What applying the table would do to open tasks. All are counted; of those that you may see, some are listed."""

    version: str
    token: str = Field(description="Give it back with the order, within an hour; empty for a draft.")
    open_tasks: int
    changed: int
    losing_holder: int
    flows: list[FlowOut]
    items: list[RouteMoveOut]
    failed: int
    failures: list[RouteFailureOut]

    @classmethod
    def of(cls, preview: Preview) -> PreviewRoutesOut:
        """The preview on the wire."""
        return cls(
            version=preview.version,
            token=preview.token,
            open_tasks=preview.open_tasks,
            changed=preview.changed,
            losing_holder=preview.losing_holder,
            flows=_flows(preview.moves),
            items=[RouteMoveOut.of(move) for move in preview.listed],
            failed=preview.failed,
            failures=[RouteFailureOut.of(failure) for failure in preview.failures],
        )


def _flows(moves: Counter[tuple[str, str]]) -> list[FlowOut]:
    return [FlowOut(before=before, after=after, tasks=n) for (before, after), n in sorted(moves.items())]


class ApplyRoutesIn(In):
    """The order: what was previewed, and where to go on."""

    token: Annotated[str, StringConstraints(max_length=200)]
    cursor: Annotated[str, StringConstraints(max_length=300)] = ""


class AppliedRoutesOut(Out):
    """What this call did; there is more while `next` is given."""

    version: str
    moved: int
    released: int = Field(description="How many of them lost their holder.")
    failures: list[RouteFailureOut]
    next: str | None = Field(description="Give this as `cursor`, with the same token, to go on; null: all is done.")

    @classmethod
    def of(cls, done: Applied, following: str | None) -> AppliedRoutesOut:
        """The result on the wire."""
        return cls(
            version=done.version,
            moved=done.moved,
            released=done.released,
            failures=[RouteFailureOut.of(failure) for failure in done.failures],
            next=following,
        )
