"""The case engine: what every procedure stands on.

A procedure is prose over `stage`, `task`, `clock`, `request` and `record`. What comes up meanwhile runs `beside` it,
and may send it back with `return_to`. The engine collects the events of one step and flushes them with ONE local
activity; answers to commands wait until they are on record. It keeps one timer for the nearest deadline, and rolls over
to a new history between two stages when the old one has grown long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.errors import refusal
from activities.journal import JournalActivities
from activities.letters import LetterActivities
from activities.messages import Batch, IssueLetter, LetterIssued, to_entry
from lian.domain import journal as j
from lian.domain.case_kinds import kind_of
from lian.domain.errors import Conflict, DomainError, NotAllowed, Unavailable
from lian.domain.messages import Act, CaseState, CloseRequest, CommandResult, CompleteTask, Withdraw
from lian.domain.promise_tasks import EXPLAIN_LATENESS
from lian.domain.tasks import ActionKind, Json, TaskKind
from lian.services.outcomes import dump_outcome, parse_outcome
from workflows import options
from workflows.clocks import ClockBook

SYSTEM = "system"
DOCUMENTS = "documents"
"""Why clocks wait while the claimant is asked for something."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said, answering a task or of their own accord, as the procedure sees it."""

    by: str
    authority: Decimal
    outcome: Any
    notes: str = ""
    is_customer: bool = False
    task_id: UUID | None = None


@dataclass(slots=True)
class OpenTask:
    """A question that waits for a person. The answer is none when it must be asked anew."""

    kind: TaskKind
    ask: Json
    ask_now: Callable[[], Json]
    excluded: frozenset[str]
    least_authority: Decimal
    answer: asyncio.Future[Answer | None]
    ends_why: str = ""
    """Why it is cancelled, once it is to end without a person's answer."""


class Case:
    """Base of every procedure. State that must survive lives in `self.state`; the rest is rebuilt by replay."""

    def __init__(self, state: CaseState) -> None:
        self.state = state
        self.kind = kind_of(state.kind)
        self.clocks = ClockBook(state, self.kind, record=self.record, now=workflow.now, ask_why_late=self._ask_why_late)
        self._pending: list[j.Recorded] = []
        self._answered: dict[str, int] = {}
        self._flushed = state.seq
        self._tasks: dict[UUID, OpenTask] = {}
        self._closings: dict[UUID, CloseRequest] = {}
        self._request: tuple[UUID, datetime] | None = None
        self._withdrawal: Withdraw | None = None
        self._beside: list[asyncio.Future[None]] = []
        self._back_to = ""
        self._delivering = False
        self._committed = False
        self._has_advanced = False
        self._is_ending = False
        self._stage = "report"
        self._lock = asyncio.Lock()

    # --- what a procedure is written with -----------------------------------------------------------------------------

    def record(self, event: j.Event, *, by: str = SYSTEM) -> int:
        """Put a fact on record; it is written, with everything else of this step, in one transaction."""
        self._pending.append(j.Recorded(at=workflow.now(), actor=by, event=event))
        self.state.seq += 1
        return self.state.seq

    async def stage(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """One stage of the procedure: passed over when an earlier history already did it."""
        if name in self.state.done:
            return
        if self._begins_later(name):
            # Noted, so that a new history of a reopened life does not begin with it either.
            self.state.done.append(name)
            return
        if self._has_advanced:
            await self._roll_over_if_long()
        self.enter(name)
        await step()
        self.state.done.append(name)
        self._has_advanced = True

    def enter(self, stage: str) -> None:
        """The procedure moves on; pages and letters say so."""
        self._stage = stage
        self.record(j.StageEntered(stage=stage))

    async def task(
        self,
        kind: TaskKind,
        ask: Callable[[], Json],
        *,
        exclude: Collection[str] = (),
        least_authority: Decimal = Decimal(0),
    ) -> Answer:
        """Ask a person; returns when one who may has answered. `exclude` names those who must not (four eyes).

        When `ask` would give another question than the one that is open, `ask_anew` replaces it.
        """
        while True:
            answer = await self._asked_once(kind, ask, frozenset(exclude), least_authority)
            if answer is not None:
                return answer

    def ask_anew(self) -> None:
        """Whatever is open and would be asked differently now is asked again."""
        for task in self._tasks.values():
            if not task.answer.done() and task.ask_now() != task.ask:
                task.ends_why = "asked_anew"
                task.answer.set_result(None)

    def bar(self, actor: str, kind: TaskKind) -> None:
        """From now on this person must not do any open task of this kind (four eyes)."""
        for task_id, task in self._tasks.items():
            if task.kind is kind and not task.answer.done() and actor not in task.excluded:
                task.excluded |= {actor}
                self.record(j.TaskBarred(task_id=task_id, actor=actor))

    def open_task_of(self, *kinds: TaskKind) -> OpenTask | None:
        """The task of one of these kinds that waits for an answer."""
        return next((t for t in self._tasks.values() if t.kind in kinds and not t.answer.done()), None)

    def answer_instead(self, task: OpenTask, answer: Answer, why: str) -> None:
        """Somebody entitled to settles the question in another way; its task is no longer needed."""
        task.ends_why = why
        task.answer.set_result(answer)

    def beside(self, matter: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        """Something that goes on beside the procedure; the case does not end before it."""
        self._beside.append(asyncio.ensure_future(matter))
        return self._beside[-1]

    @property
    def has_matters(self) -> bool:
        """Whether anything still goes on beside the procedure."""
        return any(not matter.done() for matter in self._beside)

    def drop_matters(self) -> None:
        """Nothing of what goes on beside the procedure is needed any longer."""
        for matter in self._beside:
            matter.cancel()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that others bring about; not at all when it is so already, so that one step stays one."""
        if not condition():
            await workflow.wait_condition(condition)

    def return_to(self, stage: str) -> None:
        """The procedure goes back: this stage, and all after it, are done anew."""
        self._back_to = stage

    def reached(self, milestone: str, at: datetime | None = None) -> None:
        """The procedure has come to a milestone, now or at `at`: promises start and stop there as the plan says."""
        self.clocks.reach(milestone, at or workflow.now())

    def start_wait(self, reason: str, since: datetime, until: datetime, *, by: str) -> None:
        """The case waits for somebody outside, `until` at the latest; what may stand still does so from `since`."""
        request_id = workflow.uuid4()
        self.state.waits[request_id] = until
        opened = j.RequestOpened(
            request_id=request_id, items=(), asked_at=since, answer_by=until, is_repeat=False, reason=reason
        )
        self.record(opened, by=by)
        self.record(j.RequestDelivered(request_id=request_id, delivered_at=since, channel="noted"), by=by)
        self.clocks.pause_since(reason, request_id, since)

    def end_wait(self, request_id: UUID, how: str, at: datetime, *, by: str = SYSTEM) -> None:
        """What the case waited for has come, or it waits no longer: the promises run on."""
        del self.state.waits[request_id]
        self.clocks.resume(request_id, at)
        self.record(j.RequestClosed(request_id=request_id, how=how, closed_at=at), by=by)

    async def request(self, items: tuple[str, ...], within: timedelta) -> datetime:
        """One complete, named request to the claimant; pausable clocks stand still from its delivery to its end.

        Returns when it was answered, expired or was withdrawn (CLM-5, idea 3).
        """
        request_id, answer_by = workflow.uuid4(), workflow.now() + within
        is_repeat = self.state.requests_made > 0
        self.state.requests_made += 1
        asked_at = self.state.last_answer_at or workflow.now()
        self.record(
            j.RequestOpened(
                request_id=request_id, items=items, asked_at=asked_at, answer_by=answer_by, is_repeat=is_repeat
            )
        )
        try:
            closing = await self._answer_to(request_id, answer_by)
        except (asyncio.CancelledError, ActivityError) as ended:
            # A case withdrawn while the letter is under way ends the activity, too.
            if is_cancelled_exception(ended):
                self.record(j.RequestClosed(request_id=request_id, how="withdrawn", closed_at=workflow.now()))
            raise
        self.clocks.resume(request_id, closing.closed_at)
        self.record(j.RequestClosed(request_id=request_id, how=closing.how, closed_at=closing.closed_at), by=closing.by)
        return closing.closed_at

    async def letter(
        self, letter: str, subject_id: UUID, *, pauses: Sequence[str] = (), about: str = ""
    ) -> LetterIssued:
        """Make, store and announce a letter; returns when it was handed over."""
        await self._until_flushed()
        return await workflow.execute_activity_method(
            LetterActivities.issue_letter,
            IssueLetter(
                case_id=self.state.case_id, letter=letter, subject_id=subject_id, pauses=list(pauses), about=about
            ),
            task_queue=options.DOCUMENTS,
            start_to_close_timeout=options.LETTER_TIMEOUT,
            retry_policy=options.PATIENT_RETRY,
            summary=letter,
        )

    @property
    def is_reopened(self) -> bool:
        """Whether this is the first history of a later life of the case."""
        return bool(self.state.begin_at)

    @property
    def has_ended(self) -> bool:
        """Whether the end of this life is decided: nothing more is begun."""
        return self._is_ending

    def when_withdrawn(self) -> None:
        """What a kind puts on record when the customer no longer pursues the case; nothing, unless it says so."""

    def commit(self) -> None:
        """From here on the case can no longer be withdrawn: money has been promised."""
        self._committed = True

    def check_action(self, kind: ActionKind, answer: Answer) -> None:
        """Raise the domain's refusal when the case does not allow this action now; a kind says when."""
        raise Conflict("This cannot be done on the case as it stands.")

    def begin_action(self, kind: ActionKind, answer: Answer) -> None:
        """What follows from an action; a kind says what."""

    async def perform(self, procedure: Callable[[], Awaitable[str]]) -> str:
        """Run a procedure to its end, keeping journal and clocks meanwhile."""
        helpers = [asyncio.create_task(self._keep_journal()), asyncio.create_task(self._watch_clocks())]
        try:
            outcome = await self._until_the_end(procedure)
            for request_id in list(self.state.waits):
                self.end_wait(request_id, "closed", workflow.now())
            self.clocks.cancel_all()
            self.record(j.CaseClosed(outcome=outcome))
            await self._until_flushed()
            await workflow.wait_condition(workflow.all_handlers_finished)
            return outcome
        finally:
            for helper in helpers:
                helper.cancel()

    # --- commands -----------------------------------------------------------------------------------------------------

    @workflow.update
    async def complete_task(self, command: CompleteTask) -> CommandResult:
        """A person answers a task. Returns once the answer, and all that follows from it at once, is on record."""
        return await self.do_once(
            command.command_id, partial(self._open_task, command), partial(self._complete, command)
        )

    @complete_task.validator
    def _may_complete(self, command: CompleteTask) -> None:
        self.refuse_unless(command.command_id, partial(self._open_task, command))

    @workflow.update
    async def act(self, command: Act) -> CommandResult:
        """A person does something of their own accord. Returns once it, and what follows at once, is on record."""
        return await self.do_once(command.command_id, partial(self._check, command), partial(self._begin, command))

    @act.validator
    def _may_act(self, command: Act) -> None:
        self.refuse_unless(command.command_id, partial(self._check, command))

    @workflow.update
    async def withdraw(self, command: Withdraw) -> CommandResult:
        """The customer no longer pursues the case (CLM-15)."""
        return await self.do_once(command.command_id, self._check_withdrawal, partial(self._withdraw, command))

    @withdraw.validator
    def _may_withdraw(self, command: Withdraw) -> None:
        self.refuse_unless(command.command_id, self._check_withdrawal)

    @workflow.signal
    def close_request(self, message: CloseRequest) -> None:
        """The open request was answered by its last item, or withdrawn by us. The first word counts."""
        self._closings.setdefault(message.request_id, message)

    @workflow.query
    def open_tasks(self) -> list[UUID]:
        """Tasks that wait for a person."""
        return list(self._tasks)

    # --- how it works -------------------------------------------------------------------------------------------------

    async def _asked_once(
        self, kind: TaskKind, ask_now: Callable[[], Json], excluded: frozenset[str], least_authority: Decimal
    ) -> Answer | None:
        task_id, ask = workflow.uuid4(), ask_now()
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._tasks[task_id] = task = OpenTask(kind, ask, ask_now, excluded, least_authority, answer)
        self.record(
            j.TaskOpened(
                task_id=task_id,
                kind=kind.id,
                queue=kind.queue,
                stage=self._stage,
                ask=ask,
                excluded_actors=tuple(sorted(excluded)),
                least_authority=least_authority,
            )
        )
        try:
            return await answer
        except asyncio.CancelledError:
            task.ends_why = "case_ended" if self._withdrawal else "superseded"
            raise
        finally:
            if task.ends_why:
                self.record(j.TaskCancelled(task_id=task_id, why=task.ends_why))
            del self._tasks[task_id]

    def _ask_why_late(self, clock: str) -> None:
        """A promise is broken: somebody says why, and who answers for it (CLM-13). The case does not wait for that."""
        self.record(
            j.TaskOpened(
                task_id=workflow.uuid4(),
                kind=EXPLAIN_LATENESS.id,
                queue=EXPLAIN_LATENESS.queue,
                stage=self._stage,
                ask={"clock": clock},
                excluded_actors=(),
                least_authority=Decimal(0),
            )
        )

    def remember(self, command_id: str) -> None:
        """A repeat of this command is known from now on."""
        self.state.recent = [*self.state.recent, command_id][-options.RECENT_COMMANDS :]

    async def do_once(self, command_id: str, check: Callable[[], object], begin: Callable[[], int]) -> CommandResult:
        """One command at a time, each once; returns when it, and all that follows from it at once, is on record."""
        async with self._lock:
            # What the validator saw may have changed while others were served.
            self.refuse_unless(command_id, check)
            if command_id in self.state.recent:
                return CommandResult(command_id=command_id, seq=self.state.seq)
            result = self._answer(command_id, begin())
            # The journal is flushed only when the procedure stands still again, so what it does next joins in.
            await workflow.wait_condition(lambda: self._flushed >= result.seq)
        return result

    def refuse_unless(self, command_id: str, check: Callable[[], object]) -> None:
        """Raise the refusal of a command that is not known yet; nothing more is begun once the end is decided."""
        if command_id in self.state.recent:
            return
        try:
            if self._is_ending:
                raise Unavailable("The case is just being closed. Nothing was decided; try again in a few seconds.")
            check()
        except DomainError as refused:
            raise refusal(refused) from None

    def _check(self, command: Act) -> None:
        kind = self._action(command.action)
        self.check_action(kind, _said(kind, command))

    def _action(self, action: str) -> ActionKind:
        kind = self.kind.action(action)
        if kind is None or kind.on != "process":
            raise Conflict("This cannot be done on the case as it stands.")
        return kind

    def _begin(self, command: Act) -> int:
        kind = self._action(command.action)
        answer = _said(kind, command)
        event = j.ActionTaken(action=kind.id, outcome=dump_outcome(answer.outcome), notes=command.notes)
        seq = self.record(event, by=command.actor)
        self.begin_action(kind, answer)
        return seq

    def _begin_first_action(self) -> None:
        """What made a closed case live again was allowed then; it is looked at again, and a refusal is on record."""
        command, self.state.first_action = self.state.first_action, None
        if command is None:
            return
        try:
            self._check(command)
        except DomainError as refused:
            self.record(j.ActionRefused(action=command.action, why=refused.message), by=command.actor)
            return
        self._begin(command)

    def _open_task(self, command: CompleteTask) -> OpenTask:
        task = self._tasks.get(command.task_id)
        if task is None or task.answer.done():
            raise Conflict("This task is no longer open.")
        if command.actor in task.excluded:
            raise NotAllowed("You decided on this case before; another person must do this.")
        if command.authority < task.least_authority:
            raise NotAllowed("The amount is above your authority limit.")
        task.kind.check(parse_outcome(task.kind, command.outcome), task.ask)
        return task

    def _complete(self, command: CompleteTask) -> int:
        task = self._tasks[command.task_id]
        outcome = parse_outcome(task.kind, command.outcome)
        event = j.TaskCompleted(task_id=command.task_id, outcome=dump_outcome(outcome), notes=command.notes)
        seq = self.record(event, by=command.actor)
        self.state.last_answer_at = workflow.now()
        task.answer.set_result(
            Answer(command.actor, command.authority, outcome, command.notes, task_id=command.task_id)
        )
        return seq

    def _check_withdrawal(self) -> None:
        if self._committed:
            raise Conflict("The settlement is agreed; the claim can no longer be withdrawn.")

    def _withdraw(self, command: Withdraw) -> int:
        self._withdrawal, self._is_ending = command, True
        return self.record(j.CaseWithdrawn(reason=command.reason), by=command.actor)

    def _answer(self, command_id: str, seq: int) -> CommandResult:
        self._answered[command_id] = seq
        self.remember(command_id)
        return CommandResult(command_id=command_id, seq=seq)

    def _begins_later(self, name: str) -> bool:
        if self.state.begin_at == name:
            self.state.begin_at = ""
        return bool(self.state.begin_at)

    async def _answer_to(self, request_id: UUID, answer_by: datetime) -> CloseRequest:
        delivered_at = await self._deliver(request_id)
        self._request = (request_id, answer_by)
        try:
            await workflow.wait_condition(lambda: request_id in self._closings)
        finally:
            self._request = None
        closing = self._closings.pop(request_id)
        # An answer that overtook its own letter must not end the pause before it began.
        return replace(closing, closed_at=max(closing.closed_at, delivered_at))

    async def _deliver(self, request_id: UUID) -> datetime:
        """Send the request's notice; its delivery is on record together with the pauses it causes."""
        self._delivering = True
        try:
            notice = await self.letter("document_request", request_id, pauses=self.clocks.pausable(DOCUMENTS))
        finally:
            self._delivering = False
        self.clocks.pause(notice.paused, request_id, notice.issued_at)
        self.reached("documents_requested", notice.issued_at)
        return notice.issued_at

    async def _until_the_end(self, procedure: Callable[[], Awaitable[str]]) -> str:
        """The procedure, as often as something sends it back, and all that goes on beside it."""
        self._begin_first_action()
        while True:
            outcome = await self._outcome_of(asyncio.ensure_future(procedure()))
            if outcome:
                # From this very moment: what were begun now would be lost with this life of the case.
                self._is_ending = True
                return outcome
            if self._withdrawal is not None:
                self.drop_matters()
                await asyncio.gather(*self._beside, return_exceptions=True)
                self.when_withdrawn()
                self.reached("withdrawn")
                return "withdrawn"
            self._go_back()

    async def _outcome_of(self, running: asyncio.Future[str]) -> str:
        """How one run of the procedure ended; empty when it was stopped."""
        await workflow.wait_condition(lambda: running.done() or self._must_stop())
        if not running.done():
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return ""
        outcome = await running
        return outcome if self._withdrawal is not None or await self._all_is_quiet() else ""

    def _must_stop(self) -> bool:
        return self._withdrawal is not None or bool(self._back_to)

    async def _all_is_quiet(self) -> bool:
        """Wait for what goes on beside the procedure; false when it sends the procedure back."""
        while self.has_matters and not self._must_stop():  # one may begin another as it ends
            await workflow.wait_condition(lambda: not self.has_matters or self._must_stop())
        for matter in self._beside:
            if matter.done() and not matter.cancelled():
                matter.result()
        return not self._must_stop()

    def _go_back(self) -> None:
        if self._back_to in self.state.done:
            self.state.done = self.state.done[: self.state.done.index(self._back_to)]
        self._back_to = ""

    async def _keep_journal(self) -> None:
        while True:
            await workflow.wait_condition(lambda: bool(self._pending))
            batch, self._pending = self._pending, []
            commands, self._answered = self._answered, {}
            first = self._flushed + 1
            await workflow.execute_local_activity_method(
                JournalActivities.append_journal,
                Batch(
                    case_id=self.state.case_id,
                    first_seq=first,
                    entries=[to_entry(item) for item in batch],
                    commands=commands,
                ),
                start_to_close_timeout=options.JOURNAL_TIMEOUT,
                retry_policy=options.JOURNAL_RETRY,
            )
            self._flushed = first + len(batch) - 1

    async def _until_flushed(self) -> None:
        seq = self.state.seq
        await workflow.wait_condition(lambda: self._flushed >= seq)

    async def _watch_clocks(self) -> None:
        while True:
            if not await self._is_rearmed_before(self._next_wake()):
                self.look_at_deadlines()

    async def _is_rearmed_before(self, wake: datetime | None) -> bool:
        """Wait for `wake`. Only a nearer deadline re-arms the timer; a later one is found when the old timer fires."""
        timeout = max(wake - workflow.now(), timedelta(0)) if wake else None
        try:
            await workflow.wait_condition(lambda: self._is_sooner(wake), timeout=timeout, timeout_summary="deadline")
        except TimeoutError:
            return False
        return True

    def _is_sooner(self, than: datetime | None) -> bool:
        wake = self._next_wake()
        return wake is not None and (than is None or wake < than)

    def _next_wake(self) -> datetime | None:
        if self._delivering:
            # A clock may be paused by the delivery under way: judge it when that is known.
            return None
        answer_by = self._request[1] if self._request and self._request[0] not in self._closings else None
        return min((at for at in (self.clocks.next_at(), answer_by, *self.state.waits.values()) if at), default=None)

    def look_at_deadlines(self) -> None:
        """Say what has come due by now."""
        if self._delivering or self._is_ending:
            return
        now = workflow.now()
        for request_id, until in list(self.state.waits.items()):
            if now >= until:
                self.end_wait(request_id, "expired", until)
        if self._request and now >= self._request[1]:
            request_id, answer_by = self._request
            self.close_request(CloseRequest(request_id=request_id, how="expired", closed_at=answer_by))
        self.clocks.look(now)

    async def _roll_over_if_long(self) -> None:
        info = workflow.info()
        if self.has_matters or not (
            info.is_continue_as_new_suggested() or info.get_current_history_length() > options.EVENTS_BEFORE_ROLLOVER
        ):
            return
        # A clock may come due while the journal is written: a new history must not begin before that is on record.
        while not self._is_at_rest():
            await workflow.wait_condition(self._is_at_rest)
        # Meanwhile a matter may have begun, or the case been sent back: both live in this history only.
        if self.has_matters or self._must_stop():
            return
        workflow.continue_as_new(self.dump_state())

    def _is_at_rest(self) -> bool:
        return self._flushed >= self.state.seq and workflow.all_handlers_finished()

    def dump_state(self) -> CaseState:
        """The state a new history begins from; procedures add their own facts."""
        return self.state


def _said(kind: ActionKind, command: Act) -> Answer:
    outcome = parse_outcome(kind, command.outcome)
    return Answer(command.actor, command.authority, outcome, command.notes, command.is_customer)
