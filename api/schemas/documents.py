"""Documents of a case."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.wire import Out
from lian.db.tables import Document


class DocumentOut(Out):
    """A file of a case; its bytes are at `/cases/{number}/documents/{id}/content`."""

    id: UUID
    item: str = Field(description="What it is filed under.")
    source: str = Field(description="`customer`, `staff` or `letter`.")
    filename: str
    mime: str
    size: int = Field(description="Bytes.")
    sha256: str
    received_at: datetime
    received_by: str
    state: str = Field(description="`received`, `accepted` or `refused`.")
    refused_reason: str

    @classmethod
    def of(cls, document: Document) -> DocumentOut:
        """The document on the wire."""
        return cls(
            id=document.id,
            item=document.item_code,
            source=document.source,
            filename=document.filename,
            mime=document.mime,
            size=document.size,
            sha256=document.sha256,
            received_at=document.received_at,
            received_by=document.received_by,
            state=document.state,
            refused_reason=document.refused_reason,
        )


class DocumentsOut(Out):
    """All documents of a case that the reader may see, and what they may be filed under."""

    items: list[DocumentOut]
