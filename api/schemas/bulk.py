"""Bulk orders on the wire: what is to be done to which tasks, how far it has come, and what became of each (TSK-1)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.wire import Code, In, MomentIn, Out, Page, TextOrNothing, Words
from lian.domain.bulk import (
    BULK_VERBS,
    MOST_TASKS,
    STATE_LABELS,
    STATUS_LABELS,
    BulkStatus,
    BulkVerb,
    ItemState,
)
from lian.services.desk.bulk import Wanted
from lian.services.desk.bulk_reading import ItemSeen, OrderSeen
from lian.services.desk.bulk_verbs import Given


class BulkGivenIn(In):
    """What the verb needs; of these only its own count."""

    to: TextOrNothing = Field(default="", description="`reassign`: user name of the colleague.")
    reason: TextOrNothing = Field(default="", description="`hold`: one of its reasons.")
    until: MomentIn | None = Field(default=None, description="`hold`: until when, within 90 days.")
    is_raised: bool = Field(default=True, description="`prioritise`: ahead of others, or back among them.")
    items: list[Code] = Field(
        default=[],
        max_length=50,
        description="`request_documents`: codes of documents; empty: whatever each case lacks.",
    )
    note: TextOrNothing = Field(default="", description="The words that go with it; `prioritise` needs them.")

    def given(self) -> Given:
        """The same for the service."""
        return Given(
            to=self.to,
            reason=self.reason,
            until=self.until,
            is_raised=self.is_raised,
            items=tuple(self.items),
            why=self.note,
        )


class BulkPreviewIn(In):
    """One verb, and the tasks: named, or those of a list (`filter`), or what another order did not do (`again`)."""

    verb: BulkVerb
    given: BulkGivenIn = BulkGivenIn()
    tasks: list[UUID] = Field(default=[], max_length=MOST_TASKS)
    filter: str | None = Field(
        default=None,
        max_length=1_000,
        description="The query of a list's address, such as `queue=claims.review&holder=@none`; empty: every task of "
        "your queues.",
    )
    again: UUID | None = Field(default=None, description="An order: its refused tasks are meant, and those it left.")

    def wanted(self) -> Wanted:
        """The same for the service."""
        return Wanted(
            verb=self.verb,
            given=self.given.given(),
            task_ids=self.tasks,
            filter=self.filter,
            again=self.again,
        )


class BulkOrderIn(In):
    """Have done what a preview showed."""

    token: UUID = Field(description="`id` of the preview.")


class BulkCountsOut(Out):
    """How many of the tasks are in each state."""

    waiting: int = Field(description="Of a preview: would be changed.")
    same: int = Field(description="Were so already.")
    done: int
    refused: int
    undone: int
    kept: int = Field(description="Were not taken back, because somebody touched them since.")

    @classmethod
    def of(cls, counts: dict[ItemState, int]) -> BulkCountsOut:
        """The counts on the wire."""
        return cls(**{state.value: n for state, n in counts.items()})


class BulkOut(Out):
    """A preview or an order, and how far it has come."""

    id: UUID = Field(description="Of a preview: the `token` of its order.")
    verb: BulkVerb
    label: Words
    effect: Words
    to: str
    to_name: str
    reason: str
    until: datetime | None
    is_raised: bool
    items: list[str]
    note: str
    status: BulkStatus
    status_label: Words
    at: datetime
    by: str
    by_name: str
    ended_at: datetime | None
    total: int
    handled: int
    counts: BulkCountsOut
    can_undo: bool = Field(description="Of a preview: whether it could be taken back afterwards.")

    @classmethod
    def of(cls, seen: OrderSeen) -> BulkOut:
        """The order on the wire."""
        order, words, given = seen.order, BULK_VERBS[seen.verb], seen.given
        is_preview = seen.status is BulkStatus.PREVIEWED
        return cls(
            id=order.id,
            verb=seen.verb,
            label=Words.of(words.label),
            effect=Words.of(words.effect),
            to=given.to,
            to_name=seen.names.get(given.to, ""),
            reason=given.reason,
            until=given.until,
            is_raised=given.is_raised,
            items=list(given.items),
            note=given.why,
            status=seen.status,
            status_label=Words.of(STATUS_LABELS[seen.status]),
            at=order.at,
            by=order.by,
            by_name=seen.names.get(order.by, ""),
            ended_at=order.ended_at,
            total=order.total,
            handled=0 if is_preview else seen.handled,
            counts=BulkCountsOut.of(seen.counts),
            can_undo=words.can_undo if is_preview else seen.can_undo,
        )


class BulkListOut(Page):
    """Orders, the newest first."""

    items: list[BulkOut]


class BulkItemOut(Out):
    """One task of an order. One that is not yours to see has no number and no kind."""

    n: int
    task_id: UUID
    case_number: str
    kind: str
    label: Words | None
    state: ItemState
    state_label: Words
    words: str = Field(description="Why it is refused or kept, or what it waits for; empty otherwise.")

    @classmethod
    def of(cls, seen: ItemSeen) -> BulkItemOut:
        """The task on the wire."""
        item, found = seen.item, seen.found
        state = ItemState(item.state)
        return cls(
            n=item.n,
            task_id=item.task_id,
            case_number=found.case.number if found else "",
            kind=found.task.kind if found else "",
            label=Words.of(found.kind.label) if found else None,
            state=state,
            state_label=Words.of(STATE_LABELS[state]),
            words=item.words,
        )


class BulkDetailOut(BulkOut):
    """An order with a page of its tasks."""

    tasks: list[BulkItemOut]
    next: str | None = Field(description="Give this as `cursor` to get the following page of tasks.")
