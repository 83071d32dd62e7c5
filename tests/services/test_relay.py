"""What the relay is asked twice it does once (fault 13)."""

from __future__ import annotations

import pytest

from lian.domain import journal as j
from lian.domain.messages import CaseState
from lian.services.context import Context
from lian.services.recording import put_on_record
from lian.services.relay import start_case
from tests.cast import reported_claim
from tests.fakes.process import FakeProcess


@pytest.mark.req("CLM-15")
async def test_a_life_that_has_ended_is_not_started_again(context: Context, process: FakeProcess) -> None:
    """Its first action would be done twice, and its promises made twice."""
    case_id = (await reported_claim(context)).case_id
    events = (
        j.CaseClosed(outcome="denied"),
        j.CaseReopened(stage="aftercare", generation=2),
        j.CaseClosed(outcome="denied"),
    )
    async with context.transaction() as session:
        recorded = [j.Recorded(at=context.now(), actor="system", event=event) for event in events]
        await put_on_record(context, session, case_id=case_id, recorded=recorded)
    await start_case(context, {"case_id": str(case_id)})
    assert [m for m in process.told if isinstance(m, CaseState)] == []
