"""Letters: made, stored and announced once, however often the activity runs."""

from __future__ import annotations

from temporalio import activity

from activities.messages import IssueLetter, LetterIssued
from lian.services import letters
from lian.services.context import Context


class LetterActivities:
    """Bound to one installation's context."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn
    async def issue_letter(self, order: IssueLetter) -> LetterIssued:
        """Issue one letter of a case; the key is (subject, letter)."""
        issued_at = await letters.issue_letter(self._context, order.case_id, order.letter, order.subject_id)
        return LetterIssued(issued_at=issued_at)
