"""The minutes of a panel lie with the case, and the customer never sees them (CLM-8)."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.tables import Document, Notice
from lian.domain import journal as j
from lian.domain.errors import NotFound
from lian.services import cases, documents
from lian.services.context import Context
from lian.services.intake import Registered
from lian.services.letters import issue_letter
from lian.services.tracking import track
from tests.api.conftest import as_process
from tests.cast import as_customer, hire, reported_claim

pytestmark = pytest.mark.req("CLM-8")


async def panel(context: Context, claim: Registered, result: str = "carried") -> tuple[UUID, list[Actor]]:
    """A panel that has risen, and its members."""
    members = [await hire(context, name) for name in ("tang", "peng", "gao")]
    chen = await hire(context, "chen")
    panel_id, decision_id = uuid4(), uuid4()
    made = j.DecisionMade(
        decision_id=decision_id,
        decided_by=chen.id,
        result="accept",
        approved_amount=Decimal(6_000_000),
        needs_second=True,
    )
    convened = j.PanelConvened(
        panel_id=panel_id,
        decision_id=decision_id,
        decided_by=chen.id,
        seats=3,
        quorum=2,
        rule="unanimous",
        why="beyond_authority",
    )
    votes = [j.PanelVoted(panel_id=panel_id, voter=m.id, vote="agree", reason=f"{m.name}的理由") for m in members]
    concluded = j.PanelConcluded(panel_id=panel_id, result=result)
    await as_process(context, claim.case_id, made, convened, *votes, concluded)
    return panel_id, members


async def issued(context: Context, claim: Registered, panel_id: UUID) -> Document:
    await issue_letter(context, claim.case_id, letter="panel_minutes", subject_id=panel_id)
    async with context.transaction() as session:
        query = select(Document).where(Document.case_id == claim.case_id)
        return (await session.execute(query)).scalars().one()


async def test_minutes_are_issued_once_as_an_internal_document(context: Context) -> None:
    claim = await reported_claim(context)
    panel_id, members = await panel(context, claim)
    first = await issued(context, claim, panel_id)
    assert await issued(context, claim, panel_id) == first
    assert (first.source, first.letter, first.mime) == ("internal", "panel_minutes", "application/pdf")
    opened = await documents.open_document(context, members[0], claim.number, first.id, how="view")
    assert b"".join(opened.body).startswith(b"%PDF")


@pytest.mark.req("SEC-1")
async def test_the_customer_finds_them_nowhere(context: Context) -> None:
    claim = await reported_claim(context)
    minutes = await issued(context, claim, (await panel(context, claim))[0])
    zhao = await as_customer(context, claim.number)
    assert await documents.list_documents(context, zhao, claim.number) == []
    assert (await track(context, zhao, claim.number)).documents == ()
    with pytest.raises(NotFound):
        await documents.open_document(context, zhao, claim.number, minutes.id, how="view")


async def test_nobody_is_told_of_them(context: Context) -> None:
    claim = await reported_claim(context)
    panel_id, _ = await panel(context, claim)
    before = await notices(context)
    await issued(context, claim, panel_id)
    assert await notices(context) == before


async def notices(context: Context) -> list[str]:
    async with context.transaction() as session:
        return sorted((await session.execute(select(Notice.subject))).scalars())


async def test_a_panel_that_was_overridden_has_minutes_too(context: Context) -> None:
    claim = await reported_claim(context)
    panel_id, members = await panel(context, claim, result="overridden")
    minutes = await issued(context, claim, panel_id)
    seen = (await cases.case_file(context, members[0], claim.number)).documents
    assert [d.id for d in seen] == [minutes.id]
