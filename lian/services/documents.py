"""Documents of a case: every byte passes through here, is checked, hashed and journaled (DOC-1, DOC-4)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID, uuid4, uuid5

import anyio.to_thread
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import may_read_document, own_people
from lian.db.journal import lock_chain
from lian.db.tables import Case, Document, Party, Payee, Payment
from lian.domain import journal as j
from lian.domain.claims.checklist import EVIDENCE, IN_WORDS, checklist
from lian.domain.claims.terms import Line, LossCause
from lian.domain.errors import Conflict, Invalid, NotFound, Unavailable
from lian.services.cases import find_case
from lian.services.context import Context
from lian.services.recording import put_on_record
from lian.storage.content import ReceivedFile, examine_office, receive, recognise, safe_filename
from lian.storage.object_store import StoredObject, missing, object_key

OTHER = "other"
STORE_ATTEMPTS = 3


def item_codes(case: Case) -> list[str]:
    """What a document of this case may be filed under."""
    if case.kind != "claim" or not case.line:  # a draft has no line yet
        return [OTHER]
    cause = LossCause(case.loss_cause)
    items = checklist(line=Line(case.line), loss_cause=cause, injured=case.injured, minors=case.minors)
    return [*(i.code for i in items), *IN_WORDS, EVIDENCE, OTHER]


async def add_document(
    context: Context,
    actor: Actor,
    number: str,
    *,
    item_code: str,
    filename: str,
    chunks: AsyncIterator[bytes],
    key: str = "",
) -> Document:
    """Receive a file: streamed, measured, recognised by content, stored, then listed. Nothing half-written is listed.

    A `key` makes repeats return the first document. Raises `TooLarge`, `ContentRefused`, `Invalid`, or `Unavailable`
    when the object store is away; then nothing is stored.
    """
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        _refuse_unless_may_add(actor, case, item_code)
        document_id = uuid5(case.id, f"{actor.id}:{key}") if key else uuid4()
        earlier = await session.get(Document, document_id)
    if earlier is not None:
        return earlier
    received = await receive(chunks, limit=context.settings.max_upload)
    with received:
        content = recognise(received.head, filename=filename)
        await anyio.to_thread.run_sync(examine_office, received.body, content)
        stored = await _store(context, case.id, received, content.mime)
    return await _list(context, actor, case, document_id, item_code, filename, content.mime, stored)


def _refuse_unless_may_add(actor: Actor, case: Case, item_code: str) -> None:
    if not actor.is_customer:
        actor.require("document:add")
    if item_code not in item_codes(case) or (actor.is_customer and item_code == EVIDENCE):
        raise Invalid("That is not a document this case asks for.", field="item")
    if case.status == "closed":
        raise Conflict("The case is closed; write us a message instead.")


async def _store(context: Context, case_id: UUID, received: ReceivedFile, mime: str) -> StoredObject:
    """Store under a fresh key; a short outage of the store is waited out, each attempt from the file's beginning."""
    for attempt in range(STORE_ATTEMPTS):
        key = object_key("cases", case_id, uuid4())
        received.body.seek(0)
        try:
            return await anyio.to_thread.run_sync(
                lambda k=key: context.store.put(  # type: ignore[misc]
                    k, received.body, size=received.size, content_type=mime, sha256=received.sha256
                )
            )
        except Unavailable:
            if attempt == STORE_ATTEMPTS - 1:
                raise
            await asyncio.sleep(0.5 * 2**attempt)
    raise AssertionError("unreachable")


async def _list(
    context: Context,
    actor: Actor,
    case: Case,
    document_id: UUID,
    item_code: str,
    filename: str,
    mime: str,
    stored: StoredObject,
) -> Document:
    event = j.DocumentReceived(
        document_id=document_id,
        item_code=item_code,
        source="customer" if actor.is_customer else "staff",
        mime=mime,
        size=stored.size,
        sha256=stored.sha256,
        bucket=stored.bucket,
        key=stored.key,
        version_id=stored.version_id,
        filename=safe_filename(filename),
    )
    try:
        async with context.transaction() as session:
            await lock_chain(session, case.id)
            listed = await session.get(Document, document_id)
            if listed is None:
                item = j.Recorded(at=context.now(), actor=actor.id, event=event)
                await put_on_record(context, session, case_id=case.id, recorded=[item])
                listed = await session.get_one(Document, document_id)
    except Exception:
        # The bytes are stored but not listed: take them back, as far as the store lets us.
        await _take_back(context, stored)
        raise
    if listed.key != stored.key:  # the same upload, sent twice at once: the other one was first
        await _take_back(context, stored)
    return listed


async def _take_back(context: Context, stored: StoredObject) -> None:
    with suppress(Unavailable):
        await anyio.to_thread.run_sync(context.store.delete, stored.key)


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """A document and its bytes, as they stream from the store."""

    document: Document
    body: Iterator[bytes]


async def open_document(context: Context, actor: Actor, number: str, document_id: UUID, *, how: str) -> OpenedDocument:
    """Open a document; who read it, when and how is on record before its first byte leaves (SEC-3)."""
    if not actor.is_customer:
        actor.require("document:read")
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        document = await session.get(Document, document_id)
        vouchers = await _own_vouchers(session, actor, case)
        if document is None or document.case_id != case.id or not may_read_document(actor, document, vouchers):
            raise NotFound("There is no such document on this case.")
    # Asked first: once the answer has begun, a missing file or an absent store could not be told any more.
    if await anyio.to_thread.run_sync(context.store.stat, document.key) is None:
        raise missing()
    async with context.transaction() as session:
        item = j.Recorded(at=context.now(), actor=actor.id, event=j.DocumentRead(document_id=document_id, how=how))
        await put_on_record(context, session, case_id=case.id, recorded=[item])
    return OpenedDocument(document, context.store.stream(document.key))


async def list_documents(context: Context, actor: Actor, number: str) -> list[Document]:
    """The case's documents that the actor may see, oldest first."""
    if not actor.is_customer:
        actor.require("document:read")
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        query = select(Document).where(Document.case_id == case.id)
        found = (await session.execute(query.order_by(col(Document.received_at), col(Document.id)))).scalars().all()
        vouchers = await _own_vouchers(session, actor, case)
    return [document for document in found if may_read_document(actor, document, vouchers)]


async def _own_vouchers(session: AsyncSession, actor: Actor, case: Case) -> frozenset[UUID | None]:
    """The vouchers of transfers to a customer themselves; of nobody else is that asked."""
    if not actor.is_customer:
        return frozenset()
    people = own_people(actor, (await session.execute(select(Party).where(Party.case_id == case.id))).scalars())
    query = select(Payment.voucher_document_id).join(Payee, col(Payee.id) == col(Payment.payee_id))
    query = query.where(Payment.case_id == case.id, col(Payee.person_id).in_(people))
    return frozenset((await session.execute(query)).scalars())


async def store_letter(context: Context, case: Case, pdf: bytes) -> StoredObject:
    """Store a letter's bytes under a fresh key."""
    key = object_key("cases", case.id, uuid4())
    return await anyio.to_thread.run_sync(lambda: context.store.put_bytes(key, pdf, content_type="application/pdf"))


def letter_received(
    document_id: UUID, letter: str, pdf: bytes, stored: StoredObject, filename: str, *, is_internal: bool = False
) -> j.DocumentReceived:
    """The event that lists a letter among the case's documents; an internal one is for staff alone."""
    return j.DocumentReceived(
        document_id=document_id,
        item_code=letter,
        source="internal" if is_internal else "letter",
        mime="application/pdf",
        size=len(pdf),
        sha256=hashlib.sha256(pdf).hexdigest(),
        bucket=stored.bucket,
        key=stored.key,
        version_id=stored.version_id,
        filename=filename,
    )
