"""The certificate of timeliness of a case, to save."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from lian.services.certificates import Certificate, certificate_pdf, certify
from web.deps import Staff

router = APIRouter()


@router.get("/desk/cases/{number}/certificate.pdf")
async def as_pdf(visit: Staff, number: str) -> Response:
    """For people, in the reader's language; issuing it is on record."""
    issued = await certify(visit.context, visit.actor, number)
    return _saved(issued, "pdf", await certificate_pdf(issued, visit.reader.language), "application/pdf")


@router.get("/desk/cases/{number}/certificate.json")
async def as_json(visit: Staff, number: str) -> Response:
    """For programs: what the PDF was made from, and what its signature is about."""
    issued = await certify(visit.context, visit.actor, number)
    return _saved(issued, "json", issued.text.encode(), "application/json")


def _saved(issued: Certificate, ending: str, body: bytes, mime: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{issued.filename(ending)}"',
        "Cache-Control": "private, no-store",
    }
    return Response(body, media_type=mime, headers=headers)
