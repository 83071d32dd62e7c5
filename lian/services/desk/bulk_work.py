"""Working a bulk order through, task by task, so that killing a worker at any instant does nothing twice (TSK-1).

A task's change and the mark that it was made are one transaction, under the order's lock: the verbs join it instead of
opening their own. What only the procedure can do (asking for documents) is marked afterwards, under a command of its
own for every task: repeated, it is the same command. Whoever ordered it acts, with the rights they have at that moment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import BulkItem, BulkOrder
from lian.domain.bulk import BulkStatus, BulkVerb, ItemState
from lian.domain.errors import DomainError, NotAllowed, Unavailable
from lian.services.context import Context
from lian.services.desk.bulk_asking import Asked, answer_request, prepared_request
from lian.services.desk.bulk_reading import given_of
from lian.services.desk.bulk_undo import as_it_was, bring_back
from lian.services.desk.bulk_verbs import VERBS, require_verb
from lian.services.desk.tasks import active_staff_of

log = structlog.get_logger()

ITEMS_PER_CALL = 50
MOST_TRIES = 40
"""With pauses of up to a minute between them, half an hour."""
GIVEN_UP = "Something was away for half an hour when it was the turn of this task. Look at it before you try again."
ACCOUNT_CLOSED = "The account this was ordered with is closed."


class Worked(StrEnum):
    """How an order stands after some of its tasks were worked: `later` when what is left must wait a while."""

    ON = "on"
    LATER = "later"
    OVER = "over"


@dataclass(slots=True, kw_only=True)
class Joined(Context):
    """The installation as verbs see it that join a transaction: what one of them refuses is rolled back alone."""

    session: AsyncSession

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """The transaction that is open, up to a savepoint."""
        async with self.session.begin_nested():
            yield self.session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """The same: what is read here may have been changed in it."""
        yield self.session


def joined(context: Context, session: AsyncSession) -> Joined:
    """The same installation within this transaction."""
    own = {each.name: getattr(context, each.name) for each in fields(Context) if each.init}
    made = Joined(**own, session=session)
    made.announcer = context.announcer
    return made


async def work_on(context: Context, order_id: UUID, turn: int, *, beat: Callable[[], None]) -> Worked:
    """Do, or take back, some of an order's tasks. Those that were tried more than `turn` times are passed over.

    `beat` is called after each. Raises `Unavailable` when the database cannot be reached: then the same call is
    repeated.
    """
    for _ in range(ITEMS_PER_CALL):
        stands = await _next(context, order_id, turn)
        beat()
        if stands is not Worked.ON:
            return stands
    return Worked.ON


async def _next(context: Context, order_id: UUID, turn: int) -> Worked:
    """One task. Whatever goes wrong with it is noted, and is no reason not to go on with the others."""
    n = -1
    try:
        async with context.transaction() as session:
            order = await _locked(session, order_id)
            item = await _waiting(session, order, turn)
            if item is None:
                return await _end(context, session, order)
            n = item.n
            outside = await _do(context, session, order, item)
        if outside:
            await outside()
    except Exception as failed:  # noqa: BLE001  (the edge of a loop over tasks that have nothing to do with each other)
        await _note_trouble(context, order_id, n, failed)
    return Worked.ON


async def _locked(session: AsyncSession, order_id: UUID) -> BulkOrder:
    """Whoever stops the order waits for at most one task, and none is begun after they have."""
    query = select(BulkOrder).where(BulkOrder.id == order_id).with_for_update()
    return (await session.execute(query)).scalar_one()


LEFT = {BulkStatus.RUNNING.value: ItemState.WAITING.value, BulkStatus.UNDOING.value: ItemState.DONE.value}
"""Which tasks still have to be worked, by the order's status; of any other none."""
AFTERWARDS = {BulkStatus.RUNNING.value: BulkStatus.DONE.value, BulkStatus.UNDOING.value: BulkStatus.UNDONE.value}


async def _waiting(session: AsyncSession, order: BulkOrder, turn: int) -> BulkItem | None:
    state = LEFT.get(order.status, "")
    query = select(BulkItem).where(BulkItem.order_id == order.id, BulkItem.state == state, BulkItem.tries <= turn)
    return (await session.execute(query.order_by(col(BulkItem.n)).limit(1))).scalars().first()


async def _end(context: Context, session: AsyncSession, order: BulkOrder) -> Worked:
    """Nothing can be worked now: because all is done, somebody stopped it, or the rest must wait."""
    if order.status not in LEFT:
        return Worked.OVER
    left = select(BulkItem.n).where(BulkItem.order_id == order.id, BulkItem.state == LEFT[order.status]).limit(1)
    if (await session.execute(left)).first():
        return Worked.LATER
    order.status, order.ended_at = AFTERWARDS[order.status], context.now()
    return Worked.OVER


# --- one task ---------------------------------------------------------------------------------------------------------

Outside = Callable[[], Awaitable[None]]
"""What must be done outside of the transaction."""


async def _do(context: Context, session: AsyncSession, order: BulkOrder, item: BulkItem) -> Outside | None:
    """Change the task and mark it so, or mark why not. Returns what only the procedure can do."""
    is_undo = order.status == BulkStatus.UNDOING
    try:
        actor = await _acting(session, order, order.undone_by if is_undo else order.by)
        if not is_undo:
            return await _carry_out(context, session, order, actor, item)
        within, verb = joined(context, session), BulkVerb(order.verb)
        await bring_back(within, actor, item.task_id, item.before, version=item.version, verb=verb)
        item.state, item.words = ItemState.UNDONE.value, ""
    except Unavailable:
        raise
    except DomainError as refused:
        item.state, item.words = (ItemState.KEPT if is_undo else ItemState.REFUSED).value, refused.message
    return None


async def _acting(session: AsyncSession, order: BulkOrder, who: str) -> Actor:
    """Whoever ordered it, with the rights they have now."""
    person = await active_staff_of(session, who)
    if person is None:
        raise NotAllowed(ACCOUNT_CLOSED)
    require_verb(person, BulkVerb(order.verb))
    return person


async def _carry_out(
    context: Context, session: AsyncSession, order: BulkOrder, actor: Actor, item: BulkItem
) -> Outside | None:
    given, do = given_of(context, order), VERBS[BulkVerb(order.verb)].do
    if do is None:
        asked = await prepared_request(session, actor, order, item, given)
        return partial(_ask, context, actor, order.id, item.n, asked) if asked else None
    before = await as_it_was(session, item.task_id)
    found = await do(joined(context, session), actor, item.task_id, given, item.seen)
    is_changed = found.task.version != before["version"]
    item.state = (ItemState.DONE if is_changed else ItemState.SAME).value
    item.before, item.version, item.words, item.tries = before, found.task.version, "", 0
    return None


# --- what the procedure does ------------------------------------------------------------------------------------------


async def _ask(context: Context, actor: Actor, order_id: UUID, n: int, asked: Asked) -> None:
    """Ask for the documents, then mark it; whoever dies in between leaves a command that has taken effect."""
    try:
        await answer_request(context, actor, asked)
    except Unavailable:
        raise
    except DomainError as refused:
        await _mark(context, order_id, n, ItemState.REFUSED, refused.message)
    else:
        await _mark(context, order_id, n, ItemState.DONE, "")


async def _mark(context: Context, order_id: UUID, n: int, state: ItemState, words: str) -> None:
    async with context.transaction() as session:
        item = await session.get_one(BulkItem, (order_id, n), with_for_update=True)
        if item.state == ItemState.WAITING:
            item.state, item.words = state.value, words


async def _note_trouble(context: Context, order_id: UUID, n: int, failed: Exception) -> None:
    """Something was away, or is broken: this task waits for a later turn, and not for ever."""
    kinds = {"error": type(failed).__name__, "cause": type(failed.__cause__).__name__}
    log.warning("bulk_item_failed", order=str(order_id), n=n, **kinds)
    if n < 0:
        raise failed
    if not isinstance(failed, DomainError):
        log.error("bulk_item_broken", order=str(order_id), n=n, exc_info=failed)
    async with context.transaction() as session:
        item = await session.get_one(BulkItem, (order_id, n), with_for_update=True)
        item.tries += 1
        item.words = failed.message if isinstance(failed, Unavailable) else ""
        if item.tries > MOST_TRIES:
            is_undo = item.state == ItemState.DONE
            item.state, item.words = (ItemState.KEPT if is_undo else ItemState.REFUSED).value, GIVEN_UP
