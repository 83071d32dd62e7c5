"""What an inquiry asks of people: an answer in words, from whoever knows (INQ-1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lian.domain.labels import Label
from lian.domain.tasks import Json, TaskKind, need_words, question


class Final(StrEnum):
    """How an inquiry ends."""

    ANSWERED = "answered"
    DUPLICATE = "duplicate"


class Result(StrEnum):
    """How an inquiry is dealt with by whoever has it first."""

    ANSWERED = Final.ANSWERED.value
    DUPLICATE = Final.DUPLICATE.value
    NEEDS_SPECIALIST = "needs_specialist"


FINALS = {
    Final.ANSWERED.value: Label("Answered", "已答复"),
    Final.DUPLICATE.value: Label("Asked before, answered there", "重复咨询，已另行答复"),
}
RESULTS = FINALS | {Result.NEEDS_SPECIALIST.value: Label("A specialist must answer", "转专家答复")}

REPLY = Label("Reply to the customer", "给客户的答复")
REPLY_HELP = Label("The customer reads it word for word.", "客户将原文看到此内容。")


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer, or why there is none yet."""

    result: Result = question(Label("How is it dealt with?", "处理结果"), "choice", options=RESULTS)
    reply: str = question(
        REPLY,
        "text",
        personal=True,
        default="",
        help=Label(
            "The customer reads it word for word. Not needed when a specialist answers.",
            "客户将原文看到此内容；转专家答复时可不填。",
        ),
    )


@dataclass(frozen=True, slots=True)
class SpecialistReply:
    """A specialist's answer; nobody else is asked after it."""

    result: Final = question(Label("How is it dealt with?", "处理结果"), "choice", options=FINALS)
    reply: str = question(REPLY, "text", personal=True, default="", help=REPLY_HELP)


def check_reply(outcome: Reply | SpecialistReply, _: Json) -> None:
    """An inquiry that is dealt with was answered in words; also a duplicate, by saying where."""
    if outcome.result is not Result.NEEDS_SPECIALIST:
        need_words(outcome.reply, "reply")


ANSWER_INQUIRY = TaskKind(
    id="answer_inquiry",
    label=Label("Answer an inquiry", "答复咨询"),
    help=Label("Answer it, or pass it to somebody who can.", "答复客户，或转给能够答复的同事。"),
    queue="inquiries.answer",
    permission="task:inquire",
    outcome=Reply,
    check=check_reply,
    replies_with="reply",
)
ANSWER_AS_SPECIALIST = TaskKind(
    id="answer_as_specialist",
    label=Label("Answer as a specialist", "专家答复"),
    help=Label("A colleague could not answer this; you can.", "同事无法答复，请您答复客户。"),
    queue="inquiries.specialist",
    permission="task:inquire",
    outcome=SpecialistReply,
    check=check_reply,
    replies_with="reply",
)
TASKS = (ANSWER_INQUIRY, ANSWER_AS_SPECIALIST)
