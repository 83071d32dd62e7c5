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
        issued = await letters.issue_letter(
            self._context,
            order.case_id,
            letter=order.letter,
            subject_id=order.subject_id,
            pauses=order.pauses,
            about=order.about,
        )
        return LetterIssued(issued_at=issued.at, paused=issued.paused)
