"""What staff do to a case beside its tasks: withdraw a document request, reopen (CLM-5, CLM-15)."""

from __future__ import annotations

from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.journal import lock_chain
from lian.db.tables import Case, DocumentRequest
from lian.domain import journal as j
from lian.domain.case_kinds import kind_of
from lian.domain.errors import Conflict, Invalid
from lian.domain.promise_actions import DOCUMENTS
from lian.services.cases import find_case
from lian.services.context import Context
from lian.services.desk.tasks import refuse_barred
from lian.services.recording import CLOSE_REQUEST, enqueue, put_on_record


async def withdraw_request(context: Context, actor: Actor, number: str) -> None:
    """End the open document request without its answer; the clocks run on from now."""
    actor.require("request:withdraw")
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        await refuse_barred(session, actor, case)
        query = select(DocumentRequest).where(
            DocumentRequest.case_id == case.id, DocumentRequest.status == "open", DocumentRequest.reason == DOCUMENTS
        )
        request = (await session.execute(query)).scalars().first()
        if request is None:
            raise Conflict("There is no open document request on this case.")
        now = context.now()
        payload = {
            "case_id": str(case.id),
            "request_id": str(request.id),
            "how": "withdrawn",
            "closed_at": now.isoformat(),
            "by": actor.id,
        }
        await enqueue(session, topic=CLOSE_REQUEST, key=f"withdrawn:{request.id}", payload=payload, now=now)


async def reopen(context: Context, actor: Actor, number: str, *, stage: str, reason: str) -> Case:
    """Handle a closed case again from a stage; its clocks are new promises beside the old ones (CLM-15)."""
    actor.require("case:reopen")
    if not reason.strip():
        raise Invalid("Say why the case is reopened.", field="reason")
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        await refuse_barred(session, actor, case)
        if stage not in kind_of(case.kind).reopen_at:
            raise Invalid("A case of this kind is not reopened at this step.", field="stage")
        await lock_chain(session, case.id)
        await session.refresh(case)
        if case.status != "closed":
            raise Conflict("Only a closed case can be reopened.")
        if case.outcome == "merged":
            raise Conflict("This report was joined to another case; work goes on there.")
        event = j.CaseReopened(stage=stage, generation=case.generation + 1, reason=reason.strip())
        item = j.Recorded(at=context.now(), actor=actor.id, event=event)
        await put_on_record(context, session, case_id=case.id, recorded=[item])
        return case
