"""Documents: uploaded and read as streams, never whole in memory (DOC-1)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from urllib.parse import quote
from uuid import UUID

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import iterate_in_threadpool

from api.deps import ActorDep, ContextDep, Number, OptionalKey
from api.problems import also, problems
from api.schemas.documents import DocumentOut, DocumentsOut
from api.strict_json import StrictRoute
from lian.db.tables import Document
from lian.domain.errors import Invalid
from lian.services import documents
from lian.services.uploads import file_part
from lian.storage.content import ALLOWED, safe_filename

router = APIRouter(tags=["documents"], route_class=StrictRoute)
FIELDS = "An upload has one field `item`, and after it one field `file`."
PREVIEWABLE = frozenset(content.mime for content in ALLOWED if content.previewable)
UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["item", "file"],
                    "properties": {
                        "item": {"type": "string", "description": "What it is filed under; comes before `file`."},
                        "file": {"type": "string", "format": "binary"},
                    },
                }
            }
        },
    }
}


class How(StrEnum):
    """What a document is opened for; on record either way."""

    PREVIEW = "preview"
    DOWNLOAD = "download"


@router.post(
    "/cases/{number}/documents",
    status_code=201,
    summary="Upload a document",
    openapi_extra=UPLOAD_BODY,
    responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
)
async def add_document(
    context: ContextDep, actor: ActorDep, number: Number, request: Request, key: OptionalKey = None
) -> DocumentOut:
    """Checked by its content, hashed, stored, then listed; nothing half-written is ever listed."""
    fields, filename, chunks = await file_part(request.stream(), request.headers.get("content-type", ""))
    if fields.keys() != {"item"}:
        raise Invalid(FIELDS, field="item")
    document = await documents.add_document(
        context, actor, number, item_code=fields["item"].strip(), filename=filename, chunks=chunks, key=key or ""
    )
    return DocumentOut.of(document)


@router.get("/cases/{number}/documents", summary="List a case's documents", responses=problems(401, 403, 404))
async def list_documents(context: ContextDep, actor: ActorDep, number: Number) -> DocumentsOut:
    """Those that you may see, oldest first."""
    found = await documents.list_documents(context, actor, number)
    return DocumentsOut(items=[DocumentOut.of(document) for document in found])


@router.get(
    "/cases/{number}/documents/{document_id}/content",
    summary="Read a document",
    response_class=StreamingResponse,
    responses=also(200, "The file's bytes.", content={"application/octet-stream": {}}) | problems(401, 403, 404, 422),
)
async def read_document(
    context: ContextDep, actor: ActorDep, number: Number, document_id: UUID, how: How = How.DOWNLOAD
) -> StreamingResponse:
    """Its bytes; who read it is on record before the first one leaves (SEC-3)."""
    opened = await documents.open_document(context, actor, number, document_id, how=how.value)
    return StreamingResponse(
        _closing(opened.body), media_type=opened.document.mime, headers=headers_of(opened.document, how)
    )


async def _closing(body: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The bytes; the store's connection is given back also when the reader goes away half-way."""
    try:
        async for chunk in iterate_in_threadpool(body):
            yield chunk
    finally:
        with anyio.CancelScope(shield=True):
            await run_sync(getattr(body, "close", lambda: None))


def headers_of(document: Document, how: How) -> dict[str, str]:
    """Shown only when any browser shows it safely, and even then without any right to run something."""
    shown = how is How.PREVIEW and document.mime in PREVIEWABLE
    name = safe_filename(document.filename)
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    disposition = "inline" if shown else "attachment"
    return {
        "Content-Disposition": f"{disposition}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Length": str(document.size),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
