"""Certificates of timeliness: how a case's promises were counted, signed for whoever wants to check it (CLM-12)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import ActorDep, ContextDep, Number
from api.problems import also, problems
from api.strict_json import StrictRoute
from lian.domain.labels import Language
from lian.services import certificates

router = APIRouter(tags=["cases"], route_class=StrictRoute)


class Form(StrEnum):
    """What is asked for."""

    JSON = "json"
    PDF = "pdf"


MIMES = {Form.JSON: "application/json", Form.PDF: "application/pdf"}
BOTH = {
    "application/json": {"schema": {"type": "object", "required": ["certificate", "sha256", "signature"]}},
    "application/pdf": {"schema": {"type": "string", "format": "binary"}},
}


@router.get(
    "/cases/{number}/certificate",
    summary="Certify a case's timeliness",
    response_class=Response,
    responses=also(200, "The signed certificate.", content=BOTH) | problems(401, 403, 404, 409, 422),
)
async def certify(
    context: ContextDep,
    actor: ActorDep,
    number: Number,
    form: Annotated[Form, Query(description="The PDF has the JSON attached.")] = Form.JSON,
    language: Annotated[Language, Query(description="Of the PDF.")] = "en",
) -> Response:
    """Signed, and on record. Asked again within the hour while nothing happened, it is the same one."""
    issued = await certificates.certify(context, actor, number)
    body = issued.text.encode() if form is Form.JSON else await certificates.certificate_pdf(issued, language)
    return Response(
        body,
        media_type=MIMES[form],
        headers={
            "Content-Disposition": f'attachment; filename="{issued.filename(form.value)}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
