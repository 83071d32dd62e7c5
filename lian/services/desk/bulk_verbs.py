"""The verbs of a bulk order: what each needs, what would become of a task, and how it is done (TSK-1).

They are done by the same functions as to a single task. What they would do is foretold with the same rules over rows
that were read at once: nothing is asked of the database, and nothing locked, for each of thousands of tasks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from lian.auth.actor import NOT_YOURS, Actor
from lian.db.tables import CaseBar, Staff
from lian.domain.bulk import ASKING, BULK_VERBS, BulkVerb, Json, missing_codes
from lian.domain.claims.checklist import DOCUMENT_LABELS, EVIDENCE
from lian.domain.desk import LONGEST_HOLD, HoldReason
from lian.domain.errors import Conflict, Invalid, NotAllowed
from lian.services.context import Context
from lian.services.desk.assigning import assign_task
from lian.services.desk.hands import hold_task, prioritise_task, release_task
from lian.services.desk.tasks import (
    TaskOnDesk,
    against,
    colleague,
    refuse_beyond_reach,
    refuse_closed,
    refuse_not_held,
    refuse_other_team,
    refuse_unsuited,
    said_in,
)
from lian.services.outcomes import parse_outcome
from lian.services.ports import Row
from lian.services.recording import name_of_staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What an order gives its verb; of these only what the verb needs. `why` are the words that go with it."""

    to: str = ""
    """User name of the colleague who gets the tasks."""
    reason: str = ""
    until: datetime | None = None
    is_raised: bool = True
    items: tuple[str, ...] = ()
    """Codes of documents; none: whatever each case lacks."""
    why: str = ""


GIVEN = TypeAdapter(Given)


@dataclass(slots=True)
class Sight:
    """Who looks at what an order would do, and the rows this follows from."""

    actor: Actor
    given: Given
    today: date
    staff: dict[UUID, Staff]
    person: Actor | None
    """Who would get the tasks."""
    barred: frozenset[UUID] = frozenset()
    """Cases that are not for the actor."""
    received: dict[UUID, set[str]] = field(default_factory=dict)
    """By case, the codes of the documents that have come in."""

    async def get(self, entity: type[Row], ident: Any, /) -> Row | None:
        """A row by its key, as a session has it: the rules look single ones up."""
        found: Any = None
        if entity is Staff:
            found = self.staff.get(ident)
        elif entity is CaseBar and ident[0] in self.barred:
            found = CaseBar(case_id=ident[0], actor=ident[1])
        return cast("Row | None", found)


Check = Callable[[Context, AsyncSession, Given], Awaitable[Given]]
Foretell = Callable[[Sight, TaskOnDesk], Awaitable[bool]]
Do = Callable[[Context, Actor, UUID, Given, int], Awaitable[TaskOnDesk]]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb. `check` keeps what it needs and raises `Invalid` where that is wrong.

    `foretell` says whether it would change the task, and raises the refusal it would meet. `do` does it; none for what
    only the procedure can do.
    """

    check: Check
    foretell: Foretell
    do: Do | None


def require_verb(actor: Actor, verb: BulkVerb) -> None:
    """Raise `NotAllowed` unless the actor may order this verb for many tasks at once."""
    actor.require("desk:bulk")
    if not any(actor.may(permission) for permission in BULK_VERBS[verb].any_of):
        raise NotAllowed(NOT_YOURS)


# --- giving to a colleague --------------------------------------------------------------------------------------------


async def _check_reassign(context: Context, session: AsyncSession, given: Given) -> Given:
    await colleague(session, given.to)
    return Given(to=given.to, why=given.why)


async def _foretell_reassign(sight: Sight, found: TaskOnDesk) -> bool:
    person = sight.person
    assert person is not None
    stands_against = against(person, found, sight.today)
    if stands_against:
        raise Invalid(stands_against)
    if found.task.holder == person.id:
        return False
    if found.task.holder:
        sight.actor.require("task:reassign")
    await refuse_beyond_reach(sight, sight.actor, found)
    await refuse_other_team(sight, sight.actor, person.id)
    return True


async def _reassign(context: Context, actor: Actor, task_id: UUID, given: Given, version: int) -> TaskOnDesk:
    return await assign_task(context, actor, task_id, to=given.to, how="bulk", version=version)


# --- giving back ------------------------------------------------------------------------------------------------------


async def _check_nothing(context: Context, session: AsyncSession, given: Given) -> Given:
    return Given(why=given.why)


async def _foretell_release(sight: Sight, found: TaskOnDesk) -> bool:
    if not found.task.holder:
        return False
    if found.task.holder == sight.actor.id:
        sight.actor.require("task:release")
    elif not sight.actor.may("task:unassign"):
        raise NotAllowed("Only its holder or a team lead can release this task.")
    else:
        await refuse_beyond_reach(sight, sight.actor, found)
    return True


async def _release(context: Context, actor: Actor, task_id: UUID, given: Given, version: int) -> TaskOnDesk:
    return await release_task(context, actor, task_id, version=version)


# --- putting aside ----------------------------------------------------------------------------------------------------


async def _check_hold(context: Context, session: AsyncSession, given: Given) -> Given:
    if given.reason not in set(HoldReason):
        raise Invalid("That is not one of the choices.", field="reason")
    said_in(given.why, is_needed=given.reason == HoldReason.OTHER)
    now = context.now()
    if given.until is None or not now < given.until <= now + LONGEST_HOLD:
        raise Invalid("A task is put aside until a moment within the next 90 days.", field="until")
    return Given(reason=given.reason, until=given.until, why=given.why)


async def _foretell_hold(sight: Sight, found: TaskOnDesk) -> bool:
    if found.task.holder != sight.actor.id:
        if not sight.actor.may("task:assign"):
            await refuse_not_held(sight, sight.actor, found)
        await refuse_beyond_reach(sight, sight.actor, found)
    return True


async def _hold(context: Context, actor: Actor, task_id: UUID, given: Given, version: int) -> TaskOnDesk:
    assert given.until is not None
    return await hold_task(
        context, actor, task_id, reason=given.reason, until=given.until, words=given.why, version=version
    )


# --- changing the order -----------------------------------------------------------------------------------------------


async def _check_prioritise(context: Context, session: AsyncSession, given: Given) -> Given:
    said_in(given.why, is_needed=True)
    return Given(is_raised=given.is_raised, why=given.why)


async def _foretell_prioritise(sight: Sight, found: TaskOnDesk) -> bool:
    await refuse_beyond_reach(sight, sight.actor, found)
    return found.task.is_raised != sight.given.is_raised


async def _prioritise(context: Context, actor: Actor, task_id: UUID, given: Given, version: int) -> TaskOnDesk:
    return await prioritise_task(context, actor, task_id, is_raised=given.is_raised, words=given.why, version=version)


# --- asking for documents ---------------------------------------------------------------------------------------------


async def _check_request(context: Context, session: AsyncSession, given: Given) -> Given:
    if not set(given.items) <= DOCUMENT_LABELS.keys() - {EVIDENCE}:
        raise Invalid("That is not one of the choices.", field="items")
    return Given(items=tuple(dict.fromkeys(given.items)), why=given.why)


async def _foretell_request(sight: Sight, found: TaskOnDesk) -> bool:
    if found.task.kind not in ASKING:
        raise Conflict("This step does not ask for documents.")
    if found.task.holder != sight.actor.id:
        name = await name_of_staff(sight, found.task.holder)
        raise Conflict(f"{name} has this task." if name else "Take this task on before you answer it.")
    refuse_unsuited(sight.actor, found, sight.today)
    request_in(found, sight.given, sight.received.get(found.case.id, set()))
    return True


def request_in(found: TaskOnDesk, given: Given, received: set[str]) -> Json:
    """The answer to this task that asks for the documents. Raises the refusal where it cannot be given."""
    codes = given.items or missing_codes(found.ask, received)
    if not codes:
        raise Conflict("Nothing is missing here: there is nothing to ask for.")
    outcome = ASKING[found.task.kind](found.ask, codes)
    found.kind.check(parse_outcome(found.kind, outcome), found.ask)
    return outcome


VERBS: dict[BulkVerb, Verb] = {
    BulkVerb.REASSIGN: Verb(_check_reassign, _foretell_reassign, _reassign),
    BulkVerb.RELEASE: Verb(_check_nothing, _foretell_release, _release),
    BulkVerb.HOLD: Verb(_check_hold, _foretell_hold, _hold),
    BulkVerb.PRIORITISE: Verb(_check_prioritise, _foretell_prioritise, _prioritise),
    BulkVerb.REQUEST_DOCUMENTS: Verb(_check_request, _foretell_request, None),
}


async def foretell(sight: Sight, verb: BulkVerb, found: TaskOnDesk) -> bool:
    """Whether the verb would change this task. Raises the refusal that it would meet."""
    refuse_closed(found)
    return await VERBS[verb].foretell(sight, found)
