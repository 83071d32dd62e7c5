"""For whom a case is not: beside its tasks, they do not decide how it goes on either (TSK-5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from lian.auth.actor import Actor
from lian.domain import journal as j
from lian.domain.errors import NotAllowed
from lian.services import desk, handling, tracking
from lian.services.context import Context
from tests.api.conftest import as_process
from tests.cast import hire, reported_claim

Deed = Callable[[Context, Actor, str], Awaitable[object]]
DEEDS: dict[str, Deed] = {
    "reopen": lambda context, actor, number: handling.reopen(
        context, actor, number, stage="adjudicate", reason="New papers"
    ),
    "withdraw": lambda context, actor, number: tracking.withdraw(
        context, actor, number, reason="", command_id=uuid4().hex
    ),
    "withdraw a request": handling.withdraw_request,
}


@pytest.mark.req("TSK-5")
@pytest.mark.parametrize("deed", DEEDS)
async def test_whoever_has_an_interest_in_a_case_does_not_steer_it(context: Context, deed: str) -> None:
    chen, claim = await hire(context, "chen"), await reported_claim(context)
    await desk.declare_conflict(context, chen, claim.number, reason="own_case")
    if deed == "reopen":
        await as_process(context, claim.case_id, j.CaseClosed(outcome="denied"))
    with pytest.raises(NotAllowed, match="conflict of interest"):
        await DEEDS[deed](context, chen, claim.number)
