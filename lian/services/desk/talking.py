"""What colleagues say to each other about a task: remarks, a second opinion, and that a case is not for somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import sees_inside, workable_tasks
from lian.db.journal import lock_chain
from lian.db.tables import Case, CaseBar, Task, TaskComment, TaskReview
from lian.domain import journal as j
from lian.domain.desk import ConflictReason, Opinion
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.services.cases import find_case
from lian.services.context import Context
from lian.services.desk.tasks import (
    DECIDED_BEFORE,
    THEY_DECIDED,
    TaskOnDesk,
    colleague,
    find_task,
    locked,
    locked_open_or_not,
    note,
    refuse_barred,
    refuse_not_held,
    said_in,
)
from lian.services.recording import put_on_record


@dataclass(frozen=True, slots=True)
class Talk:
    """Everything that colleagues said of a task, oldest first."""

    comments: Sequence[TaskComment]
    reviews: Sequence[TaskReview]


async def talk_of(context: Context, actor: Actor, task_id: UUID) -> Talk:
    """What was said of a task. People outside read the remarks on theirs, and no opinions; customers nothing."""
    actor.require_sight()
    async with context.transaction() as session:
        await find_task(session, actor, task_id)
        comments = select(TaskComment).where(TaskComment.task_id == task_id).order_by(col(TaskComment.written_at))
        reviews = select(TaskReview).where(TaskReview.task_id == task_id).order_by(col(TaskReview.asked_at))
        said = (await session.execute(comments)).scalars().all()
        return Talk(said, (await session.execute(reviews)).scalars().all() if sees_inside(actor) else ())


async def comment_on(
    context: Context, actor: Actor, task_id: UUID, *, text: str, comment_id: UUID | None = None
) -> UUID:
    """Write a remark for colleagues; returns its id. Needs `task:comment`; anybody who sees the task may.

    With a `comment_id` of the caller's it is written once, however often it is sent.
    """
    actor.require("task:comment")
    words, comment_id = said_in(text, is_needed=True), comment_id or uuid4()
    async with context.transaction() as session:
        found = await locked_open_or_not(session, actor, task_id)
        written = await session.get(TaskComment, comment_id)
        if written is not None and (written.author, written.body) == (actor.id, words):
            return comment_id
        comment_id = uuid4() if written is not None else comment_id  # other words are another remark
        event = j.TaskCommented(task_id=task_id, comment_id=comment_id, text=words)
        await note(context, session, actor, found, event)
    return comment_id


# --- a second opinion -------------------------------------------------------------------------------------------------


async def ask_colleague(
    context: Context, actor: Actor, task_id: UUID, *, to: str, question: str, version: int | None = None
) -> UUID:
    """Ask a colleague what they think of a task one has; returns the review's id. Needs `task:ask_colleague`.

    It decides nothing: a second approval is always a task of the procedure. Nobody is asked for whom the case is not.
    """
    actor.require("task:ask_colleague")
    words, review_id = said_in(question, is_needed=True), uuid4()
    async with context.transaction() as session:
        found = await locked(session, actor, task_id, version)
        await refuse_not_held(session, actor, found)
        person = await colleague(session, to)
        refuse_as_reviewer(actor, person, found)
        event = j.ReviewAsked(task_id=task_id, review_id=review_id, reviewer=person.id, question=words)
        await note(context, session, actor, found, event)
    return review_id


def refuse_as_reviewer(actor: Actor, person: Actor, found: TaskOnDesk) -> None:
    """Raise `Invalid` for somebody who cannot be asked what they think of this task."""
    if person.id == actor.id:
        raise Invalid("Ask somebody else than yourself.", field="to")
    if not person.may("case:read"):
        raise Invalid("They do not see this case.", field="to")
    if found.kind.permission == "task:investigate_fraud" and not person.may("risk:read"):
        raise Invalid("They do not see this case.", field="to")
    if person.id in found.task.excluded:
        raise Invalid(THEY_DECIDED, field="to")


async def give_opinion(context: Context, actor: Actor, review_id: UUID, *, opinion: str, answer: str) -> TaskReview:
    """Say what one thinks, once. Needs `case:read`; raises `NotFound` for a review that was not asked of the actor."""
    actor.require("case:read")
    said = _opinion(opinion)
    words = said_in(answer, is_needed=said is not Opinion.AGREES)
    async with context.transaction() as session:
        review = await session.get(TaskReview, review_id)
        if review is None or review.reviewer != actor.id:
            raise NotFound("There is no such question to you.")
        found = await locked_open_or_not(session, actor, review.task_id)
        await _refuse_as_advisor(session, actor, found)
        await session.refresh(review)
        if review.answered_at is not None:
            raise Conflict("You have answered this already.")
        event = j.ReviewGiven(task_id=review.task_id, review_id=review_id, opinion=said, answer=words)
        await note(context, session, actor, found, event)
        return review


async def _refuse_as_advisor(session: AsyncSession, actor: Actor, found: TaskOnDesk) -> None:
    """Since they were asked, it may have come out that the task or the whole case is not for them (TSK-5)."""
    await refuse_barred(session, actor, found.case)
    if actor.id in found.task.excluded:
        raise NotAllowed(DECIDED_BEFORE)


def _opinion(given: str) -> Opinion:
    try:
        return Opinion(given)
    except ValueError:
        raise Invalid("That is not one of the choices.", field="opinion") from None


async def reviews_for(context: Context, actor: Actor) -> Sequence[tuple[TaskReview, Case]]:
    """What colleagues ask of this person and they have not answered yet, oldest first; of tasks they still may know.

    What has come out to be not for them since then is asked of them no longer (TSK-5).
    """
    barred = select(CaseBar.case_id).where(CaseBar.case_id == TaskReview.case_id, CaseBar.actor == actor.id)
    async with context.transaction() as session:
        query = (
            select(TaskReview, Case)
            .join(Case, col(Case.id) == col(TaskReview.case_id))
            .join(Task, col(Task.id) == col(TaskReview.task_id))
            .where(TaskReview.reviewer == actor.id, col(TaskReview.answered_at).is_(None), workable_tasks(actor))
            .where(~barred.exists(), ~col(Task.excluded).contains([actor.id]))
            .order_by(col(TaskReview.asked_at))
        )
        return [(review, case) for review, case in await session.execute(query)]


# --- conflicts of interest --------------------------------------------------------------------------------------------


async def declare_conflict(context: Context, actor: Actor, number: str, *, reason: str, of: str = "") -> None:
    """Say that a case is not for oneself, or with `case:bar` not for the account `of` (TSK-5).

    From then on none of its tasks is theirs, and none that they had stays with them. It cannot be taken back. Whoever
    sees the case may say so of themselves, people outside as well; customers have nothing to declare.
    """
    actor.require_sight()
    why = _conflict(reason)
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        person = await _whom(session, actor, case, of)
        await lock_chain(session, case.id)
        if await session.get(CaseBar, (case.id, person)):
            return
        item = j.Recorded(at=context.now(), actor=actor.id, event=j.CaseBarred(actor=person, reason=why))
        await put_on_record(context, session, case_id=case.id, recorded=[item])


async def _whom(session: AsyncSession, actor: Actor, case: Case, of: str) -> str:
    if not of:
        return actor.id
    person = await colleague(session, of, field="of")
    if person.id != actor.id:
        actor.require("case:bar")
        await refuse_barred(session, actor, case)
    return person.id


def _conflict(given: str) -> ConflictReason:
    try:
        return ConflictReason(given)
    except ValueError:
        raise Invalid("That is not one of the choices.", field="reason") from None
