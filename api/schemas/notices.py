"""Notices that were sent to customers."""

from __future__ import annotations

from datetime import datetime

from api.wire import Out
from lian.services.notices import ReadableNotice


class NoticeOut(Out):
    """A notice; `sent_at` is null until it left."""

    recipient: str
    subject: str
    body: str
    created_at: datetime
    sent_at: datetime | None

    @classmethod
    def of(cls, notice: ReadableNotice) -> NoticeOut:
        """The notice on the wire."""
        return cls(
            recipient=notice.recipient,
            subject=notice.subject,
            body=notice.body,
            created_at=notice.created_at,
            sent_at=notice.sent_at,
        )


class NoticesOut(Out):
    """Notices, newest first."""

    items: list[NoticeOut]
