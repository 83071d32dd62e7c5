"""What the customer is told of a case that was reopened (CLM-15)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlmodel import select

from lian.db.tables import Exposure
from lian.domain import journal as j
from lian.services.context import Context
from lian.services.intake import Registered
from lian.services.recording import put_on_record
from lian.services.tracking import track
from tests.cast import as_customer, reported_claim

pytestmark = pytest.mark.req("CLM-15")


async def reopened(context: Context) -> Registered:
    """A denied claim, handled again; its new decision is above its maker's limit."""
    registered = await reported_claim(context)
    async with context.transaction() as session:
        query = select(Exposure).where(Exposure.case_id == registered.case_id)
        exposure = (await session.execute(query)).scalars().one()
        now = context.now()
        events = [
            started("claim.total", now - timedelta(days=20), now - timedelta(days=1)),
            *decision(exposure, Decimal(0), needs_second=False),
            j.ClockCancelled(clock="claim.total"),
            j.CaseClosed(outcome="denied"),
            j.CaseReopened(stage="decision", generation=2),
            started("claim.total#2", now, now + timedelta(days=9)),
            *decision(exposure, Decimal(30_000), needs_second=True),
        ]
        recorded = [
            j.Recorded(at=now + timedelta(seconds=i), actor="staff:a", event=event) for i, event in enumerate(events)
        ]
        await put_on_record(context, session, case_id=registered.case_id, recorded=recorded)
    return registered


def started(clock: str, at: object, due_at: object) -> j.Event:
    return j.ClockStarted(clock=clock, started_at=at, policy={}, due_at=due_at, warn_at=None)  # type: ignore[arg-type]


def decision(exposure: Exposure, amount: Decimal, *, needs_second: bool) -> list[j.Event]:
    result = "accept" if amount else "deny"
    return [
        j.ExposureDecided(
            exposure_id=exposure.id,
            result=result,
            payable_amount=amount,
            deductible_applied=Decimal(0),
            findings=(),
        ),
        j.DecisionMade(
            decision_id=uuid4(),
            decided_by="staff:a",
            result=result,
            approved_amount=amount,
            needs_second=needs_second,
        ),
    ]


async def test_a_reopened_claim_is_promised_by_its_new_clock_and_not_late_by_its_old_one(context: Context) -> None:
    registered = await reopened(context)
    seen = await track(context, await as_customer(context, registered.number), registered.number)
    assert seen.promised_at is not None
    assert seen.promised_at > context.now()
    assert not seen.is_late


@pytest.mark.req("CLM-9")
async def test_a_decision_that_waits_for_a_second_person_is_not_shown_beside_an_old_one(context: Context) -> None:
    registered = await reopened(context)
    seen = await track(context, await as_customer(context, registered.number), registered.number)
    assert seen.exposures == ()
