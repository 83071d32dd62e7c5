"""Records histories for the replay gate: `python -m pytest tests/replay/record.py -p no:randomly`, before each release.

Not collected with the tests. The payloads are sealed with the tests' own key ring.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest

from lian.domain.claims.fnol import ClaimedLoss
from lian.domain.messages import case_workflow_id
from lian.services.tracking import withdraw
from lian.settings import Settings
from tests.cast import as_customer, hire, reported_claim
from tests.installation import installation
from tests.workflows.hands import Hands

FOLDER = Path(__file__).parent / "histories"


async def paid(hands: Hands) -> None:
    await hands.answer("initial_review", missing=["identity"])
    await hands.upload("identity")
    for kind in ("check_documents", "assess_loss", "adjudicate"):
        await hands.answer(kind)
    await hands.answer("authorise", agree=False)
    for kind in ("adjudicate", "authorise", "agree_settlement"):
        await hands.answer(kind)
    await hands.bank_answers(accepted=False, reason="AC04")
    await hands.answer("agree_settlement")
    await hands.bank_answers()


async def denied(hands: Hands) -> None:
    await hands.answer("initial_review")
    row = (await hands.open_task("assess_loss")).ask["rows"]["losses"][0]
    await hands.answer("assess_loss", losses=[{"exposure_id": row["exposure_id"], "assessed_amount": "0"}])
    await hands.answer("adjudicate")


async def withdrawn(hands: Hands) -> None:
    await hands.answer("initial_review", missing=["identity"])
    customer = await as_customer(hands.context, hands.number)
    await hands.until(lambda c: c.stage == "documents")
    await withdraw(hands.context, customer, hands.number, reason="x", command_id=uuid4().hex)


@pytest.mark.parametrize("story", [paid, denied, withdrawn])
async def test_record(settings: Settings, story: Callable[[Hands], Awaitable[None]]) -> None:
    async with installation(settings) as (context, client):
        losses = (ClaimedLoss(coverage_code="OD", claimed_amount=Decimal(30_000)),)
        registered = await reported_claim(context, losses=losses)
        hands = Hands(context, registered.number, await hire(context, "wang"), await hire(context, "li"))
        await story(hands)
        case = await hands.until(lambda c: c.status == "closed")
        handle = client.get_workflow_handle(case_workflow_id(case.id))
        await handle.result()
        history = await handle.fetch_history()
    assert len(history.events) > 10
    (FOLDER / f"claim-{story.__name__}-v1.json").write_text(history.to_json() + "\n", encoding="utf-8")
