"""Answers in words are documents like any other: listed, counted as received, readable by those who may (CLM-5)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from lian.auth.actor import Actor
from lian.db.journal import compare
from lian.db.tables import Document, DocumentRequest, OutboxMessage
from lian.domain import journal as j
from lian.domain.claims.checklist import DOCUMENT_LABELS, EVIDENCE, IN_WORDS, checklist
from lian.domain.claims.terms import Line, LossCause
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from lian.services.context import Context
from lian.services.documents import add_document, open_document
from lian.services.intake import Registered
from lian.services.statements import answer_in_words
from tests.api.conftest import as_process
from tests.cast import as_customer, hire, once, pdf, reported_claim

pytestmark = pytest.mark.req("CLM-5")
ITEMS = ("statement", "answers", "bank_account")


@pytest.fixture
async def claim(context: Context) -> Registered:
    """A claim that waits for words."""
    made = await reported_claim(context)
    now = context.now()
    request = j.RequestOpened(
        request_id=uuid4(), items=ITEMS, asked_at=now, answer_by=now + timedelta(days=30), is_repeat=False
    )
    await as_process(context, made.case_id, request)
    return made


async def request_of(context: Context, case_id: UUID) -> DocumentRequest:
    async with context.transaction() as session:
        query = select(DocumentRequest).where(DocumentRequest.case_id == case_id)
        return (await session.execute(query)).scalars().one()


async def count(context: Context, case_id: UUID) -> int:
    async with context.transaction() as session:
        return len((await session.execute(select(Document).where(Document.case_id == case_id))).scalars().all())


async def test_the_last_answer_in_words_closes_the_request(context: Context, claim: Registered) -> None:
    customer = await as_customer(context, claim.number)
    for item in ITEMS:
        assert not all((await request_of(context, claim.case_id)).items.values())
        await answer_in_words(context, customer, claim.number, item_code=item, text="早上八点，停在路边。")
    request = await request_of(context, claim.case_id)
    assert all(request.items.values())
    async with context.transaction() as session:
        keys = (await session.execute(select(OutboxMessage.key))).scalars().all()
        assert (await compare(session, context.ring)).damages == []
    assert f"answered:{request.id}" in keys


async def test_what_was_written_can_be_opened_and_is_no_markup(context: Context, claim: Registered) -> None:
    customer = await as_customer(context, claim.number)
    text = "#let x = 1\nreceived: from a car <script>alert(1)</script> 😀 \u202e" + "长" * 3000
    made = await answer_in_words(context, customer, claim.number, item_code="statement", text=text)
    assert (made.mime, made.source, made.item_code) == ("application/pdf", "customer", "statement")
    assert made.filename == "事故经过书面说明.pdf"
    opened = await open_document(context, customer, claim.number, made.id, how="preview")
    assert b"".join(opened.body).startswith(b"%PDF-")


async def test_sent_twice_it_is_one_document_for_each_item(context: Context, claim: Registered) -> None:
    customer = await as_customer(context, claim.number)
    made = {
        (await answer_in_words(context, customer, claim.number, item_code=item, text="一样", key="k")).id
        for item in ("statement", "answers", "statement")
    }
    assert len(made) == await count(context, claim.case_id) == 2


@pytest.mark.parametrize(
    ("item", "text", "field"),
    [("statement", "  \n ", "text"), ("statement", "x" * 4001, "text"), ("identity", "x", "item"), ("", "x", "item")],
)
async def test_nothing_is_stored_of_what_is_refused(
    context: Context, claim: Registered, item: str, text: str, field: str
) -> None:
    customer = await as_customer(context, claim.number)
    with pytest.raises(Invalid) as refused:
        await answer_in_words(context, customer, claim.number, item_code=item, text=text)
    assert refused.value.details["field"] == field
    assert await count(context, claim.case_id) == 0


async def test_only_on_ones_own_open_case_and_by_whoever_may_file(context: Context, claim: Registered) -> None:
    other = await as_customer(context, (await reported_claim(context)).number)
    with pytest.raises(NotFound):
        await answer_in_words(context, other, claim.number, item_code="statement", text="x")
    panellist: Actor = await hire(context, "tang")
    with pytest.raises(NotAllowed):
        await answer_in_words(context, panellist, claim.number, item_code="statement", text="x")
    await as_process(context, claim.case_id, j.CaseClosed(outcome="denied"))
    customer = await as_customer(context, claim.number)
    with pytest.raises(Conflict):
        await answer_in_words(context, customer, claim.number, item_code="statement", text="x")
    assert await count(context, claim.case_id) == 0


@pytest.mark.req("CLM-6")
async def test_evidence_is_filed_by_staff_only(context: Context, claim: Registered) -> None:
    customer, wang = await as_customer(context, claim.number), await hire(context, "wang")
    given = {"item_code": EVIDENCE, "filename": "a.pdf"}
    with pytest.raises(Invalid):
        await add_document(context, customer, claim.number, chunks=once(pdf()), **given)
    made = await add_document(context, wang, claim.number, chunks=once(pdf()), **given)
    assert (made.item_code, made.source) == ("evidence", "staff")


def test_no_checklist_asks_for_words_or_evidence_by_itself() -> None:
    for line in Line:
        for cause in LossCause:
            codes = {item.code for item in checklist(line=line, loss_cause=cause, injured=1, minors=1)}
            assert not codes & {*IN_WORDS, EVIDENCE}
    assert {*IN_WORDS, EVIDENCE} <= DOCUMENT_LABELS.keys()
