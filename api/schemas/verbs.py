"""What people do with tasks, and what colleagues say of them (TSK-1). `version`: the task as the caller saw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from api.wire import Code, In, MomentIn, NameOrNothing, Out, Text, TextOrNothing
from lian.db.tables import Case, TaskComment, TaskReview
from lian.domain.desk import ConflictReason, HoldReason, Opinion, PassReason
from lian.services.desk import Talk
from lian.services.desk.asking import Adviser


class SeenIn(In):
    """The task as you saw it."""

    version: int | None = Field(
        default=None, strict=True, ge=0, description="Its `version`: 409 when the task has changed since."
    )


class AnswerIn(SeenIn):
    """The answer to a task; `outcome` as its form says."""

    outcome: dict[str, Any]
    notes: TextOrNothing = ""


class GiveIn(SeenIn):
    """Whom a task is given to."""

    to: Code = Field(description="User name of the account.")


class HoldIn(SeenIn):
    """Why and until when a task is put aside."""

    reason: HoldReason
    until: MomentIn = Field(description="Within the next 90 days.")
    note: TextOrNothing = Field(default="", description="Needed for `other`.")


class PassIn(SeenIn):
    """Why a task is passed on."""

    reason: PassReason
    note: TextOrNothing = Field(default="", description="Needed for `other`.")


class PrioritiseIn(SeenIn):
    """Whether a task goes ahead of others, and why."""

    is_raised: bool = Field(default=True, strict=True)
    note: Text


class CancelIn(SeenIn):
    """Why a question is taken back."""

    note: Text


class AskIn(SeenIn):
    """Whom to ask what they think, and what."""

    to: Code = Field(description="User name of the account.")
    question: Text


class AdviserOut(Out):
    """Somebody whom you may ask what they think."""

    username: str
    name: str


class AdvisersOut(Out):
    """People to ask, by name."""

    items: list[AdviserOut]

    @classmethod
    def of(cls, found: Sequence[Adviser]) -> AdvisersOut:
        """The people on the wire."""
        return cls(items=[AdviserOut(username=one.username, name=one.name) for one in found])


class CommentIn(In):
    """A remark for colleagues."""

    text: Text


class OpinionIn(In):
    """What you think; it decides nothing."""

    opinion: Opinion
    answer: TextOrNothing = Field(default="", description="Needed unless you agree.")


class ConflictIn(In):
    """Why a case is not for you, or for the account `of`."""

    reason: ConflictReason
    of: NameOrNothing = Field(default="", description="User name of a colleague; empty: you yourself.")


class MadeOut(Out):
    """What was just put on record."""

    id: UUID


class CommentOut(Out):
    """A remark."""

    id: UUID
    author: str
    author_name: str
    text: str
    written_at: datetime

    @classmethod
    def of(cls, comment: TaskComment, names: Mapping[str, str]) -> CommentOut:
        """The remark on the wire."""
        name = names.get(comment.author, "")
        return cls(
            id=comment.id, author=comment.author, author_name=name, text=comment.body, written_at=comment.written_at
        )


class ReviewOut(Out):
    """What a colleague was asked, and what they think."""

    id: UUID
    task_id: UUID
    asked_by: str
    asked_by_name: str
    reviewer: str
    reviewer_name: str
    question: str
    asked_at: datetime
    opinion: str = Field(description="Empty until they answer.")
    answer: str
    answered_at: datetime | None

    @classmethod
    def of(cls, review: TaskReview, names: Mapping[str, str]) -> ReviewOut:
        """The question and answer on the wire."""
        return cls(**about_review(review, names))


class AskedOfMeOut(ReviewOut):
    """A question to you that you have not answered."""

    case_number: str

    @classmethod
    def on(cls, review: TaskReview, case: Case, names: Mapping[str, str]) -> AskedOfMeOut:
        """The question on the wire, with its case."""
        return cls(**about_review(review, names), case_number=case.number)


class AskedOfMeListOut(Out):
    """Questions to you, oldest first."""

    items: list[AskedOfMeOut]


class TalkOut(Out):
    """Everything colleagues said of a task, oldest first."""

    comments: list[CommentOut]
    reviews: list[ReviewOut]

    @classmethod
    def of(cls, talk: Talk, names: Mapping[str, str]) -> TalkOut:
        """The talk on the wire."""
        return cls(
            comments=[CommentOut.of(each, names) for each in talk.comments],
            reviews=[ReviewOut.of(each, names) for each in talk.reviews],
        )


def about_review(review: TaskReview, names: Mapping[str, str]) -> dict[str, Any]:
    """What every shape of a question to a colleague has."""
    return {
        "id": review.id,
        "task_id": review.task_id,
        "asked_by": review.asked_by,
        "asked_by_name": names.get(review.asked_by, ""),
        "reviewer": review.reviewer,
        "reviewer_name": names.get(review.reviewer, ""),
        "question": review.question,
        "asked_at": review.asked_at,
        "opinion": review.opinion,
        "answer": review.answer,
        "answered_at": review.answered_at,
    }
