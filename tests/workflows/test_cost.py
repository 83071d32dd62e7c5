"""What a claim costs at Temporal, counted from its history (temporal.md: "Cost of a claim")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from lian.domain.claims.checklist import EVIDENCE, IN_WORDS
from lian.domain.claims.fnol import ClaimedLoss
from lian.domain.claims.terms import LossCause
from lian.domain.messages import case_workflow_id
from lian.services.documents import item_codes
from lian.settings import Settings
from tests.cast import hire, reported_claim
from tests.installation import installation
from tests.workflows.hands import Hands

MOST_ACTIONS = 20
MOST_EVENTS = 70


def actions(history: WorkflowHistory) -> int:
    """Billed actions: start, updates, signals, workflow tasks with local activities, activities, timers."""
    counted = Counter(EventType.Name(e.event_type).removeprefix("EVENT_TYPE_") for e in history.events)
    with_local = {
        e.marker_recorded_event_attributes.workflow_task_completed_event_id
        for e in history.events
        if e.event_type == EventType.EVENT_TYPE_MARKER_RECORDED
    }
    once = (
        "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
        "WORKFLOW_EXECUTION_SIGNALED",
        "ACTIVITY_TASK_SCHEDULED",
        "TIMER_STARTED",
    )
    return 1 + sum(counted[name] for name in once) + len(with_local)


async def test_a_claim_with_six_tasks_eight_documents_and_three_clocks_stays_cheap(
    settings: Settings, record_property: Callable[[str, object], None]
) -> None:
    async with installation(settings) as (context, client):
        losses = (ClaimedLoss(coverage_code="OD", claimed_amount=Decimal(30_000)),)
        registered = await reported_claim(context, losses=losses, loss_cause=LossCause.COLLISION, injured=1)
        hands = Hands(context, registered.number, await hire(context, "wang"), await hire(context, "li"))
        codes = [c for c in item_codes(await hands.case()) if c not in {*IN_WORDS, EVIDENCE}]
        await hands.upload(*codes[:3])
        await hands.answer("initial_review", missing=codes[3:-1])
        await hands.upload(*codes[3:], *["other"] * (8 - len(codes)))
        for kind in ("check_documents", "assess_loss", "adjudicate", "authorise", "agree_settlement"):
            await hands.answer(kind)
        await hands.bank_answers()
        case = await hands.until(lambda c: c.status == "closed")
        handle = client.get_workflow_handle(case_workflow_id(case.id))
        assert await handle.result() == "paid"
        history = await handle.fetch_history()
    record_property("actions", actions(history))
    record_property("events", len(history.events))
    assert actions(history) <= MOST_ACTIONS, actions(history)
    assert len(history.events) <= MOST_EVENTS, len(history.events)
