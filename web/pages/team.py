"""The team: who has how much work, who is stuck, what ages in the queues, and moving work to others."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from lian.domain.errors import DomainError, Invalid
from lian.domain.queues import QUEUES
from lian.services.desk.load import TeamLoad, team_load
from lian.services.desk.moving import MOST_MOVED, apply
from lian.services.desk.rebalancing import Wanted, propose
from web.deps import Form, Sent, Staff, Visit
from web.presenters.team import ProposalView, ResultView, present_proposal, present_result, present_team

router = APIRouter()

HERE = "/desk/team"
USUAL = 5
"""So many tasks are proposed for moving, unless somebody says otherwise."""


@router.get(HERE)
async def team(visit: Staff, of: str = "") -> Response:
    """The load as of now; `of` is whose work is to be moved, already chosen in the form."""
    return await _page(visit, Sent({"of": [of]}))


@router.post(HERE + "/preview")
async def preview(visit: Staff, form: Form) -> Response:
    """What would be moved; nothing is changed."""
    try:
        found = await propose(visit.context, visit.actor, _wanted(form))
    except DomainError as refused:
        if refused.status != 422:
            raise
        problem = visit.reader.refusal(refused)
        return await _page(visit, form, status=422, problem=problem, field=refused.details.get("field", ""))
    return await _page(visit, form, proposal=present_proposal(found, visit.reader))


def _wanted(form: Sent) -> Wanted:
    n, to = form.text("n"), tuple(form.all("to"))
    if not (n.isascii() and n.isdigit() and len(n) < 4):
        raise Invalid(f"Move between 1 and {MOST_MOVED} tasks at once.", field="n")
    return Wanted(n=int(n), of=form.text("of"), to=to or None, queue=form.text("queue"))


@router.post(HERE + "/move")
async def move(visit: Staff, form: Form) -> Response:
    """Move what was shown, one by one; sent twice, it counts once."""
    results = await apply(visit.context, visit.actor, form.text("token"))
    return await _page(visit, Sent(), result=present_result(results, visit.reader))


async def _page(
    visit: Visit,
    form: Sent,
    *,
    status: int = 200,
    problem: str = "",
    field: str = "",
    proposal: ProposalView | None = None,
    result: ResultView | None = None,
) -> Response:
    load = await team_load(visit.context, visit.actor)
    return visit.page(
        "team.html",
        status=status,
        here=HERE,
        team=present_team(load, visit.reader),
        may_move=visit.actor.may("task:assign"),
        proposal=proposal,
        result=result,
        problem=problem,
        field=field,
        most=MOST_MOVED,
        **_form(visit, load, form),
    )


def _form(visit: Visit, load: TeamLoad, form: Sent) -> dict[str, Any]:
    """The form as it was sent, or as it begins."""
    of, to, reader = form.text("of"), form.all("to"), visit.reader
    having = [one for one in load.people if one.in_hand.open or one.username == of]
    takers = [one for one in load.people if one.is_active and not one.is_away and one.person.may("task:claim")]
    named = [(q, reader.label(label)) for q, label in QUEUES.items()]
    return {
        "givers": [(one.username, f"{one.person.name} ({one.in_hand.open})", one.username == of) for one in having],
        "takers": [(one.username, one.person.name, one.username in to) for one in takers],
        "queues": [(q, words, q == form.text("queue")) for q, words in named],
        "n": form.text("n") or str(USUAL),
    }
