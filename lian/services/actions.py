"""What people do on a case of their own accord, beside its tasks: one door for all of it (idea 5).

An action's definition gives form, schema and rights. A desk action is one transaction here; a process action is an
Update with a validator, or, on a closed case, the reason why the case lives again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from lian.auth.actor import Actor
from lian.db.journal import lock_chain
from lian.db.tables import Case
from lian.domain import journal as j
from lian.domain.case_kinds import kind_of
from lian.domain.errors import Conflict, Invalid, NotFound
from lian.domain.messages import Act, CommandResult
from lian.domain.tasks import ActionKind, Json, questions
from lian.services import case_actions, money_actions, process_actions, promise_actions
from lian.services.cases import earlier_result, find_case
from lian.services.context import Context
from lian.services.desk.tasks import refuse_barred
from lian.services.outcomes import dump_outcome, parse_outcome
from lian.services.recording import give_receipt, put_on_record

Ask = Callable[[Context, AsyncSession, Case], Awaitable[Json]]
DeskAction = Callable[[Context, AsyncSession, Actor, Case, Any], Awaitable[Sequence[j.Event]]]
Prepare = Callable[[Context, Actor, Case, Json, Act], Awaitable[Act]]
Preview = Callable[[Context, Case, Any], Awaitable[Json]]

ASKS: dict[str, Ask] = {**case_actions.ASKS, **money_actions.ASKS, **process_actions.ASKS, **promise_actions.ASKS}
"""What an action's form starts from; an action without one starts from nothing."""
DESK: dict[str, DeskAction] = {**case_actions.DESK, **money_actions.DESK}
"""How each desk action is done: the events it puts on record, under the case's chain lock."""
PREPARE: dict[str, Prepare] = {**process_actions.PREPARE}
"""What is looked up, or put on record, before the process is told."""
PREVIEWS: dict[str, Preview] = {**process_actions.PREVIEWS}
"""The effects of an action, before it is done."""

NO_ACTION = "This cannot be done on this case."
AFTERCARE = "aftercare"
"""The stage at which a closed case lives again for what somebody does on it."""


@dataclass(frozen=True, slots=True)
class ActionOnCase:
    """An action as its form is shown: definition, case, and what the form starts from."""

    kind: ActionKind
    case: Case
    ask: Json

    @property
    def has_choices(self) -> bool:
        """Whether everything that must be chosen offers something, such as a payment to reverse."""
        offered = self.ask.get("options", {})
        return all(offered.get(f.name, True) for f in fields(self.kind.outcome) if f.default is MISSING)


def _is_allowed(actor: Actor, kind: ActionKind, case: Case) -> bool:
    may = kind.by_customer if actor.is_customer else actor.may(kind.permission)
    return may and _fits(kind, case)


def _fits(kind: ActionKind, case: Case) -> bool:
    if case.status == "open":
        return not kind.stages or case.stage in kind.stages
    if case.status != "closed":
        return False
    return kind.when_closed if kind.on == "desk" else case.outcome in kind.revives


async def list_actions(context: Context, actor: Actor, number: str) -> list[ActionKind]:
    """What the actor may do on the case now."""
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
    return [kind for kind in kind_of(case.kind).actions if _is_allowed(actor, kind, case)]


async def list_offers(context: Context, actor: Actor, number: str) -> list[ActionOnCase]:
    """The same with what each form starts from; an action with nothing to choose from is left out."""
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        allowed = [kind for kind in kind_of(case.kind).actions if _is_allowed(actor, kind, case)]
        found = [await _found(context, session, actor, number, kind.id) for kind in allowed]
    return [offer for offer in found if offer.has_choices]


async def show_action(context: Context, actor: Actor, number: str, action: str) -> ActionOnCase:
    """One action with what its form starts from. Raises `NotFound` for one the actor cannot do here and now."""
    async with context.transaction() as session:
        return await _found(context, session, actor, number, action)


async def _found(context: Context, session: AsyncSession, actor: Actor, number: str, action: str) -> ActionOnCase:
    case = await find_case(session, actor, number)
    kind = kind_of(case.kind).action(action)
    if kind is None or (actor.is_customer and not kind.by_customer):
        raise NotFound(NO_ACTION)
    if not actor.is_customer:
        actor.require(kind.permission)
    if not _fits(kind, case):
        raise Conflict("This cannot be done on the case as it stands.")
    ask = ASKS.get(action)
    return ActionOnCase(kind, case, await ask(context, session, case) if ask else {})


async def preview(context: Context, actor: Actor, number: str, action: str, *, outcome: Json) -> Json:
    """What the action would bring about; nothing is stored."""
    async with context.transaction() as session:
        found = await _found(context, session, actor, number, action)
    typed = parse_outcome(found.kind, outcome)
    found.kind.check(typed, found.ask)
    effects = PREVIEWS.get(action)
    return await effects(context, found.case, typed) if effects else {}


async def act(
    context: Context, actor: Actor, number: str, action: str, *, outcome: Json, notes: str, command_id: str
) -> CommandResult:
    """Do it. A repeat returns the first result.

    Raises `Conflict` when the case does not allow it (any more), the procedure's refusals, and `Unavailable` while the
    process cannot be reached: then nothing was done, and the same call may be repeated.
    """
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        earlier = await earlier_result(session, case.id, command_id)
        if earlier is not None:
            return earlier
        await refuse_barred(session, actor, case)
        found = await _found(context, session, actor, number, action)
    typed = parse_outcome(found.kind, outcome)
    found.kind.check(typed, found.ask)
    if found.kind.needs_notes and not notes.strip():
        raise Invalid("Say why, in the notes.", field="notes")
    command = Act(
        command_id=command_id,
        action=action,
        actor=actor.id,
        authority=actor.authority_for(found.kind.decision, case.line),
        outcome=dump_outcome(typed),
        notes=notes.strip(),
        is_customer=actor.is_customer,
    )
    if found.kind.on == "desk":
        return await _at_the_desk(context, actor, number, command, typed)
    return await _in_the_process(context, actor, found, command)


async def _at_the_desk(context: Context, actor: Actor, number: str, command: Act, outcome: Any) -> CommandResult:
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        await lock_chain(session, case.id)
        await session.refresh(case)
        earlier = await earlier_result(session, case.id, command.command_id)
        if earlier is not None:
            return earlier
        found = await _found(context, session, actor, number, command.action)
        events = await DESK[command.action](context, session, actor, case, outcome)
        answer = without_personal(found.kind, command.outcome)
        taken = j.ActionTaken(action=command.action, outcome=answer, notes=command.notes)
        recorded = [j.Recorded(at=context.now(), actor=actor.id, event=e) for e in (taken, *events)]
        seq = await put_on_record(context, session, case_id=case.id, recorded=recorded)
        await give_receipt(context, session, case.id, command.command_id, seq)
    return CommandResult(command_id=command.command_id, seq=seq)


def without_personal(kind: ActionKind, outcome: Json) -> Json:
    """The answer as the journal may keep it in clear: its personal fields, also those in rows, are blank."""
    bare = _blanked(kind.outcome, outcome)
    for name, row in kind.rows.items():
        bare[name] = [_blanked(row, given) for given in outcome.get(name, ())]
    return bare


def _blanked(shape: type[Any], given: Json) -> Json:
    return given | {name: "" for name, asked in questions(shape).items() if asked.personal and name in given}


async def _in_the_process(context: Context, actor: Actor, found: ActionOnCase, command: Act) -> CommandResult:
    prepare = PREPARE.get(command.action)
    if prepare:
        command = await prepare(context, actor, found.case, found.ask, command)
    if found.case.status == "open":
        return await context.process.act(found.case.id, command)
    return await _live_again(context, actor, found, command)


async def _live_again(context: Context, actor: Actor, found: ActionOnCase, command: Act) -> CommandResult:
    """A closed case is handled again for what follows from the action; the relay starts its process."""
    async with context.transaction() as session:
        await lock_chain(session, found.case.id)
        case = await session.get_one(Case, found.case.id, populate_existing=True)
        earlier = await earlier_result(session, case.id, command.command_id)
        if earlier is not None:
            return earlier
        if case.status != "closed":
            raise Conflict("The case is open again; reload and try again.")
        event = j.CaseReopened(
            stage=AFTERCARE,
            generation=case.generation + 1,
            action=_without_notes(command),
            reason=command.notes,
        )
        item = j.Recorded(at=context.now(), actor=actor.id, event=event)
        seq = await put_on_record(context, session, case_id=case.id, recorded=[item])
        await give_receipt(context, session, case.id, command.command_id, seq)
    return CommandResult(command_id=command.command_id, seq=seq)


def _without_notes(command: Act) -> Json:
    """The action as the journal keeps it: the notes are its sealed `reason`."""
    bare = replace(command, notes="")
    return {
        "command_id": bare.command_id,
        "action": bare.action,
        "actor": bare.actor,
        "authority": str(bare.authority),
        "outcome": bare.outcome,
        "is_customer": bare.is_customer,
    }
