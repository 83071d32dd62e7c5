"""Answering in words what was asked for beside papers: a statement, answers to our questions, a bank account (CLM-5).

What is typed becomes a document like any other, so that the request closes and the promises run on as by an upload.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio.to_thread

from lian.auth.actor import Actor
from lian.db.tables import Case, Document
from lian.domain.claims.checklist import DOCUMENT_LABELS, IN_WORDS
from lian.domain.errors import Invalid
from lian.notify.letters import StatementFacts, render_statement
from lian.services.cases import find_case
from lian.services.context import Context
from lian.services.documents import add_document
from lian.services.letters import LANGUAGE

TYPED = frozenset({*IN_WORDS, "bank_account"})
"""What may be typed instead of sent as a file."""
LONGEST_ANSWER = 4000


async def answer_in_words(
    context: Context, actor: Actor, number: str, *, item_code: str, text: str, key: str = ""
) -> Document:
    """File what somebody wrote as a document of the case; a `key` makes repeats return the first one.

    Raises `Invalid` for an empty or endless text and for what can only be a file, and whatever an upload may raise.
    """
    if item_code not in TYPED:
        raise Invalid("This is needed as a file.", field="item")
    if not 1 <= len(text.strip()) <= LONGEST_ANSWER:
        raise Invalid(f"Write between 1 and {LONGEST_ANSWER} characters.", field="text")
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
    pdf = await anyio.to_thread.run_sync(_render, _facts(context, actor, case, item_code, text.strip()))
    name = f"{DOCUMENT_LABELS[item_code].within(LANGUAGE)}.pdf"
    return await add_document(
        context, actor, number, item_code=item_code, filename=name, chunks=_once(pdf), key=key and f"{item_code}:{key}"
    )


def _facts(context: Context, actor: Actor, case: Case, item_code: str, text: str) -> StatementFacts:
    return StatementFacts(
        insurer_name=context.settings.insurer_name,
        case_number=case.number,
        policy_number=case.policy_number,
        title=DOCUMENT_LABELS[item_code],
        written_by=actor.name,
        written_at=context.now().astimezone(context.settings.zone),
        text=text,
    )


def _render(facts: StatementFacts) -> bytes:
    return render_statement(facts, language=LANGUAGE)


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
