"""What people do about a case's promises of their own accord: ask for more time, note what the case waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.tasks import ActionKind, Json, check_offered, question

WAITS = {
    "external_appraisal": Label("An expert opinion, test or valuation", "外部鉴定、检测或评估"),
    "examination": Label("A medical examination or inspection", "体检或生存调查"),
    "mediation": Label("Mediation", "调解"),
    "fraud_investigation": Label("An investigation by the authorities", "有关部门侦查"),
    "court": Label("A court", "法院审理"),
}
"""What a case may wait for outside the house, in the words of `milestones.PAUSE_REASONS` where a pack has one.

Which promises stand still for it, their policies say.
"""
DOCUMENTS = "documents"
"""The reason of a request to the claimant; every other one is a wait."""


@dataclass(frozen=True, slots=True)
class ExtensionRequest:
    """One promise is to take longer, for the reason in the notes."""

    clock: str = question(Label("Which promise?", "时效项目"), "choice")


@dataclass(frozen=True, slots=True)
class WaitStarted:
    """The case waits for somebody outside since a day that may lie in the past."""

    reason: str = question(Label("What does the case wait for?", "等待事项"), "choice", options=WAITS)
    since_on: str = question(
        Label("Since", "自"),
        "line",
        help=Label("Date, such as 2026-03-05; not in the future.", "日期，如 2026-03-05，不得晚于今天。"),
    )
    until_on: str = question(
        Label("At the latest until", "最迟至"),
        "line",
        help=Label("Then the promises run on by themselves.", "到期后时效自动恢复计算。"),
    )


@dataclass(frozen=True, slots=True)
class WaitEnded:
    """What the case waited for has come."""

    request_id: str = question(Label("Which wait is over?", "结束的等待事项"), "choice")


@dataclass(frozen=True, slots=True)
class MilestoneNote:
    """Something promises run from or to happened outside the procedure, now or at a moment that lies in the past."""

    milestone: str = question(Label("What has happened?", "发生事项"), "choice")
    at: str = question(
        Label("When", "发生时间"),
        "line",
        help=Label(
            "Empty for now, or a date with or without a time, such as 2026-03-05 14:30.",
            "留空表示现在；也可填写日期或日期时间，如 2026-03-05 14:30。",
        ),
        default="",
    )


def check_note(outcome: MilestoneNote, ask: Json) -> None:
    check_offered(outcome.milestone, ask, "milestone")
    read_moment(outcome.at, "at")


def check_extension(outcome: ExtensionRequest, ask: Json) -> None:
    check_offered(outcome.clock, ask, "clock")


def check_wait(outcome: WaitStarted, ask: Json) -> None:
    if outcome.reason not in WAITS:
        raise Invalid("That is not one of the choices.", field="reason")
    since, until = read_day(outcome.since_on, "since_on"), read_day(outcome.until_on, "until_on")
    if until <= since:
        raise Invalid("A wait ends after it began.", field="until_on")
    if (until - since).days > LONGEST_WAIT_DAYS:
        raise Invalid("A wait is looked at again after a year at the latest.", field="until_on")


def check_wait_ended(outcome: WaitEnded, ask: Json) -> None:
    check_offered(outcome.request_id, ask, "request_id")


def read_day(text: str, field: str) -> date:
    """A date as written in a form; `Invalid` for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid("Write the date as year-month-day, such as 2026-03-05.", field=field) from None


def read_moment(text: str, field: str) -> datetime | None:
    """A local time as written in a form, midday for a date alone; none for now, `Invalid` for anything else."""
    written = text.strip()
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(f"{written} 12:00" if len(written) == len("2026-03-05") else written)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is not None:
        raise Invalid("Write the time as year-month-day hours:minutes, such as 2026-03-05 14:30.", field=field)
    return moment


LONGEST_WAIT_DAYS = 366
EXTEND = ActionKind(
    id="extend_promise",
    label=Label("Ask for a longer time", "申请延期"),
    help=Label(
        "Where the rules allow it, and somebody else agrees before it falls due.", "须规则允许，并在到期前由他人批准。"
    ),
    permission="clock:ask",
    outcome=ExtensionRequest,
    check=check_extension,
    needs_notes=True,
)
START_WAIT = ActionKind(
    id="start_wait",
    label=Label("Wait for somebody outside", "登记外部等待事项"),
    help=Label("Promises that may, stand still from that day on.", "允许暂停的时效自该日起暂停计算。"),
    permission="clock:ask",
    outcome=WaitStarted,
    check=check_wait,
    needs_notes=True,
)
END_WAIT = ActionKind(
    id="end_wait",
    label=Label("End a wait", "结束外部等待"),
    help=Label("The promises run on from now.", "时效自现在起恢复计算。"),
    permission="clock:ask",
    outcome=WaitEnded,
    check=check_wait_ended,
)
NOTE = ActionKind(
    id="note_milestone",
    label=Label("Note what has happened", "登记时效事项"),
    help=Label(
        "A letter sent by other means, new facts, a suit: promises start, stop or begin afresh by it.",
        "如以其他方式发函、收到新的事实、诉讼等，相关时效据此开始、终止或重新计算。",
    ),
    permission="clock:ask",
    outcome=MilestoneNote,
    check=check_note,
    needs_notes=True,
)
BY_PROCEDURE = frozenset(
    {
        *("received", "acknowledged", "registered", "reviewed", "documents_requested", "documents_complete"),
        *("investigation_started", "decided", "accepted", "refused", "decision_told", "refusal_sent"),
        *("settlement_agreed", "advance_paid", "paid", "closed", "withdrawn"),
    }
)
"""Milestones the claim's procedure comes to by itself: nobody notes them."""
PROMISE_ACTIONS = (EXTEND, START_WAIT, END_WAIT, NOTE)
