"""Files between browsers and services: streamed in, streamed out, never whole in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote
from uuid import UUID

from fastapi import Request
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from lian.domain.errors import DomainError, Invalid
from lian.services.documents import add_document, open_document
from lian.services.uploads import INCOMPLETE, file_part
from web.deps import Visit
from web.presenters.cases import PREVIEWABLE

PATIENCE = 4
"""A refused upload is read on up to this many times the limit: browsers show no answer to a half-sent form."""
PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"


async def take_upload(request: Request, visit: Visit, number: str) -> None:
    """Receive the one file of a form and file it under the item it names."""
    stream = _stream(request)
    try:
        fields, filename, chunks = await file_part(stream, request.headers.get("content-type", ""))
        await add_document(
            visit.context,
            visit.actor,
            number,
            item_code=fields.get("item", ""),
            filename=filename,
            chunks=chunks,
            key=fields.get("key", ""),
        )
    except DomainError:
        await _read_on(stream, limit=visit.context.settings.max_upload * PATIENCE)
        raise


async def _stream(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise Invalid(INCOMPLETE) from None


async def _read_on(stream: AsyncIterator[bytes], *, limit: int) -> None:
    try:
        async for chunk in stream:
            limit -= len(chunk)
            if limit < 0:
                return
    except DomainError:
        return


async def send_document(visit: Visit, number: str, document_id: UUID, *, download: bool) -> Response:
    """A document's bytes, shown in the browser where that is safe, saved otherwise."""
    how = "download" if download else "preview"
    opened = await open_document(visit.context, visit.actor, number, document_id, how=how)
    document = opened.document
    shown = document.mime in PREVIEWABLE and not download
    name = quote(document.filename or "document", safe="")
    headers = {
        "Content-Disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{name}",
        "Content-Length": str(document.size),
        "Cache-Control": "private, no-store",
        "Content-Security-Policy": PREVIEW_POLICY,
    }
    mime = "text/plain; charset=utf-8" if document.mime == "text/plain" else document.mime
    body = iterate_in_threadpool(opened.body)
    return StreamingResponse(body, headers=headers, media_type=mime if shown else "application/octet-stream")
