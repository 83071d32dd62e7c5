"""How a clock was counted, told from its row and the case's plan (CLM-12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from lian.db.tables import Case, Clock
from lian.domain import journal as j
from lian.domain.day_by_day import Effect
from lian.domain.errors import NotAllowed, NotFound
from lian.domain.sla import ClockLedger, Pause, Rebase
from lian.services.context import Context
from lian.services.explaining import explain_clock, ledger_of
from tests.api.conftest import as_process, start_clock
from tests.cast import hire, reported_claim

pytestmark = pytest.mark.req("CLM-12")

MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # 10:00 in Beijing


async def claim_with_clock(context: Context, name: str = "claim.total") -> tuple[str, UUID]:
    registered = await reported_claim(context)
    context.now = lambda: MONDAY
    await start_clock(context, registered.case_id, name)
    return registered.number, registered.case_id


async def test_it_is_counted_by_the_cases_plan_and_agrees_with_the_row(context: Context) -> None:
    number, case_id = await claim_with_clock(context)
    told = await explain_clock(context, await hire(context, "wang"), number, "claim.total")
    async with context.transaction() as session:
        row, case = await session.get_one(Clock, (case_id, "claim.total")), await session.get_one(Case, case_id)
    assert told.explanation.due_at == row.due_at
    assert told.is_as_recorded
    assert told.explanation.calendar == case.plan["calendar"]["name"]
    assert (told.explanation.days, told.label.en, told.number) == (15, "Whole claim", number)


async def test_a_clock_of_a_second_life_is_found_by_its_name(context: Context) -> None:
    number, _ = await claim_with_clock(context, "claim.total#2")
    wang = await hire(context, "wang")
    assert (await explain_clock(context, wang, number, "claim.total#2")).row.clock == "claim.total#2"
    for name in ("claim.total", "claim.total#3", "", "x" * 400, "'; --"):
        with pytest.raises(NotFound):
            await explain_clock(context, wang, number, name)


async def test_a_request_is_called_by_what_was_asked_for(context: Context) -> None:
    number, case_id = await claim_with_clock(context)
    request = await pause(context, case_id, items={"identity": None, "repair_estimate": None})
    told = await explain_clock(context, await hire(context, "wang"), number, "claim.total")
    line = next(line for line in told.explanation.lines if line.effect is Effect.PAUSED)
    assert line.requests == (str(request),)
    assert "waits for documents (Identity document of the claimant, Repair estimate with photographs)." in line.why.en


async def test_that_a_suspicion_is_looked_into_is_for_readers_of_risk_alone(context: Context) -> None:
    number, case_id = await claim_with_clock(context)
    await pause(context, case_id, items={}, reason="fraud_investigation")
    for who, words in (("wang", "an investigation of suspected fraud"), ("sun", "waits for a request.")):
        told = await explain_clock(context, await hire(context, who), number, "claim.total")
        line = next(line for line in told.explanation.lines if line.effect is Effect.PAUSED)
        assert words in line.why.en


async def pause(context: Context, case_id: UUID, *, items: dict[str, None], reason: str = "documents") -> UUID:
    request = uuid4()
    await as_process(
        context,
        case_id,
        j.RequestOpened(
            request_id=request,
            asked_at=MONDAY,
            items=tuple(items),
            answer_by=MONDAY + timedelta(days=30),
            is_repeat=False,
            reason=reason,
        ),
        j.ClockPaused(clock="claim.total", request_id=request, paused_at=MONDAY + timedelta(hours=1)),
    )
    return request


async def test_a_deadline_on_record_that_is_another_is_pointed_out(context: Context) -> None:
    number, case_id = await claim_with_clock(context)
    async with context.transaction() as session:
        row = (await session.execute(select(Clock).where(Clock.case_id == case_id))).scalars().one()
        row.due_at = MONDAY
    told = await explain_clock(context, await hire(context, "wang"), number, "claim.total")
    assert (told.is_as_recorded, told.row.due_at) == (False, MONDAY)


async def test_customers_read_their_tracker_instead(context: Context) -> None:
    number, case_id = await claim_with_clock(context)
    zhao = replace(await hire(context, "wang"), roles=("customer",), case_id=case_id)
    with pytest.raises(NotAllowed):
        await explain_clock(context, zhao, number, "claim.total")


def test_a_ledger_is_read_from_a_row() -> None:
    row = Clock(
        case_id=uuid4(),
        clock="x",
        policy={},
        started_at=MONDAY,
        pauses=[{"request_id": "r", "from_at": "2026-03-03T01:00:00+00:00", "to_at": None}],
        extended=3,
        rebased_at=MONDAY,
        consumed_seconds=90.5,
    )
    assert ledger_of(row) == ClockLedger(
        started_at=MONDAY,
        pauses=(Pause("r", MONDAY + timedelta(hours=23), None),),
        extended=3,
        rebased=Rebase(MONDAY, timedelta(seconds=90.5)),
    )
