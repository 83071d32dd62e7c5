"""What people do with tasks beside taking and answering them, and what colleagues say of them (TSK-1, TSK-4)."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from api.deps import ActorDep, ContextDep
from api.problems import problems
from api.schemas.tasks import TaskDetailOut
from api.schemas.verbs import (
    AdvisersOut,
    AskedOfMeListOut,
    AskedOfMeOut,
    AskIn,
    CancelIn,
    CommentIn,
    GiveIn,
    HoldIn,
    MadeOut,
    OpinionIn,
    PassIn,
    PrioritiseIn,
    ReviewOut,
    TalkOut,
)
from api.seen import NOTHING_SEEN, Seen, shown
from api.strict_json import StrictRoute
from lian.services import desk
from lian.services.desk.asking import list_advisers
from lian.services.names import names_of

router = APIRouter(tags=["tasks"], route_class=StrictRoute)
REFUSALS = problems(401, 403, 404, 409, 422)

# --- hands ------------------------------------------------------------------------------------------------------------


@router.post("/tasks/{task_id}/unassign", summary="Take a task out of somebody's hands", responses=REFUSALS)
async def unassign_task(
    context: ContextDep, actor: ActorDep, task_id: UUID, seen: Seen = NOTHING_SEEN
) -> TaskDetailOut:
    """It goes back to its queue; for leads, within their team."""
    return await shown(context, actor, await desk.unassign_task(context, actor, task_id, version=seen.version))


@router.post("/tasks/{task_id}/delegate", summary="Have a colleague do your task", responses=REFUSALS)
async def delegate_task(context: ContextDep, actor: ActorDep, task_id: UUID, given: GiveIn) -> TaskDetailOut:
    """It stays your work, and they do it with their own rights and limit (TSK-4)."""
    found = await desk.delegate_task(context, actor, task_id, to=given.to, version=given.version)
    return await shown(context, actor, found)


@router.post("/tasks/{task_id}/return", summary="Return a delegated task", responses=REFUSALS)
async def return_task(context: ContextDep, actor: ActorDep, task_id: UUID, seen: Seen = NOTHING_SEEN) -> TaskDetailOut:
    """To whose work it is: by them, by who does it, or by a lead. 409: nobody delegated it."""
    return await shown(context, actor, await desk.give_back(context, actor, task_id, version=seen.version))


@router.post("/tasks/{task_id}/pass", summary="Pass a task on", responses=REFUSALS)
async def pass_task(context: ContextDep, actor: ActorDep, task_id: UUID, given: PassIn) -> TaskDetailOut:
    """Back to its queue, and for half a day not offered to you again."""
    found = await desk.pass_on(context, actor, task_id, reason=given.reason, words=given.note, version=given.version)
    return await shown(context, actor, found)


# --- order ------------------------------------------------------------------------------------------------------------


@router.post("/tasks/{task_id}/hold", summary="Put a task aside", responses=REFUSALS)
async def hold_task(context: ContextDep, actor: ActorDep, task_id: UUID, given: HoldIn) -> TaskDetailOut:
    """Until a moment. It stays whose it is, nobody draws it meanwhile, and no promise waits for it."""
    found = await desk.hold_task(
        context, actor, task_id, reason=given.reason, until=given.until, words=given.note, version=given.version
    )
    return await shown(context, actor, found)


@router.post("/tasks/{task_id}/wake", summary="No longer put a task aside", responses=REFUSALS)
async def wake_task(context: ContextDep, actor: ActorDep, task_id: UUID, seen: Seen = NOTHING_SEEN) -> TaskDetailOut:
    """One that is not put aside is left alone."""
    return await shown(context, actor, await desk.wake_task(context, actor, task_id, version=seen.version))


@router.post("/tasks/{task_id}/prioritise", summary="Put a task ahead of others", responses=REFUSALS)
async def prioritise_task(context: ContextDep, actor: ActorDep, task_id: UUID, given: PrioritiseIn) -> TaskDetailOut:
    """Or back among them; for leads (TSK-2)."""
    found = await desk.prioritise_task(
        context, actor, task_id, is_raised=given.is_raised, words=given.note, version=given.version
    )
    return await shown(context, actor, found)


@router.post("/tasks/{task_id}/cancel", summary="Take a question back", responses=REFUSALS)
async def cancel_task(context: ContextDep, actor: ActorDep, task_id: UUID, given: CancelIn) -> TaskDetailOut:
    """One that no procedure waits for; for leads. 403: the procedure waits for the answer."""
    found = await desk.cancel_task(context, actor, task_id, words=given.note, version=given.version)
    return await shown(context, actor, found)


# --- what colleagues say ----------------------------------------------------------------------------------------------


@router.get("/tasks/{task_id}/talk", summary="Read what colleagues say of a task", responses=problems(401, 403, 404))
async def talk(context: ContextDep, actor: ActorDep, task_id: UUID) -> TalkOut:
    """Remarks and opinions, oldest first; people outside read the remarks on their own."""
    said = await desk.talk_of(context, actor, task_id)
    people = {one.author for one in said.comments} | {p for one in said.reviews for p in (one.asked_by, one.reviewer)}
    return TalkOut.of(said, await names_of(context, people))


@router.post("/tasks/{task_id}/comments", status_code=201, summary="Write a remark", responses=REFUSALS)
async def comment(context: ContextDep, actor: ActorDep, task_id: UUID, given: CommentIn) -> MadeOut:
    """For colleagues; customers never read it."""
    return MadeOut(id=await desk.comment_on(context, actor, task_id, text=given.text))


@router.get("/tasks/{task_id}/advisers", summary="List whom you may ask", responses=problems(401, 403, 404))
async def advisers(context: ContextDep, actor: ActorDep, task_id: UUID) -> AdvisersOut:
    """Colleagues who see the case and have no interest in it."""
    return AdvisersOut.of(await list_advisers(context, actor, task_id))


@router.post("/tasks/{task_id}/reviews", status_code=201, summary="Ask what a colleague thinks", responses=REFUSALS)
async def ask_colleague(context: ContextDep, actor: ActorDep, task_id: UUID, given: AskIn) -> MadeOut:
    """Of a task you have. It decides nothing: a second approval is a task of its own."""
    made = await desk.ask_colleague(
        context, actor, task_id, to=given.to, question=given.question, version=given.version
    )
    return MadeOut(id=made)


@router.get("/reviews", summary="List what colleagues ask you", responses=problems(401))
async def asked_of_me(context: ContextDep, actor: ActorDep) -> AskedOfMeListOut:
    """What you have not answered yet, oldest first."""
    found = await desk.reviews_for(context, actor)
    names = await names_of(context, {p for review, _ in found for p in (review.asked_by, review.reviewer)})
    return AskedOfMeListOut(items=[AskedOfMeOut.on(review, case, names) for review, case in found])


@router.post("/reviews/{review_id}", summary="Say what you think", responses=REFUSALS)
async def give_opinion(context: ContextDep, actor: ActorDep, review_id: UUID, given: OpinionIn) -> ReviewOut:
    """Once, of a task you were asked about."""
    review = await desk.give_opinion(context, actor, review_id, opinion=given.opinion, answer=given.answer)
    return ReviewOut.of(review, await names_of(context, {review.asked_by, review.reviewer}))
