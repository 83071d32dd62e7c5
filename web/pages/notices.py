"""The outbox: what customers were told, with their one-time codes; for demonstrations and for service staff."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from lian.services.notices import latest_notices
from web.deps import Staff

router = APIRouter()


@router.get("/notices")
async def outbox(visit: Staff) -> Response:
    """The newest notices."""
    notices = [
        {
            "recipient": n.recipient,
            "subject": n.subject,
            "body": n.body,
            "when": visit.reader.full_moment(n.created_at),
            "sent": visit.reader.full_moment(n.sent_at) if n.sent_at else "",
        }
        for n in await latest_notices(visit.context, visit.actor)
    ]
    return visit.page("notices.html", notices=notices)
