"""What customers are told, and when: data, sent by the relay, shown on the outbox page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import CONFIDENTIAL_WAITS
from lian.db.tables import Case, Decision, Notice, Party
from lian.domain import journal as j
from lian.domain.case_kinds import kind_of_number
from lian.domain.labels import Label
from lian.domain.parties import PartyRole
from lian.domain.promise_actions import DOCUMENTS
from lian.services.context import Context

SEND_NOTICE = "send_notice"
OPERATIONS = "operations"
"""Recipient of what operations must know; the board of promises shows it to them."""
NOTED = "noted"
"""How a wait for others is delivered: nothing is asked of the customer."""


@dataclass(frozen=True, slots=True)
class Words:
    """A notice in both languages, one after the other: letters and mails reach readers of either."""

    subject: str
    body: str


def words_for(event: j.Event, number: str, subject: str = "claim") -> Words | None:
    """What the customer is told of this event; none for what is not theirs to know.

    `subject` is what a second person's agreement was about, which their event does not say.
    """
    match event:
        case j.CaseSubmitted():
            headline = _received(number)
            return Words(
                f"{number}: {headline.zh} / {headline.en}",
                f"您的案件编号为 {number}，可凭案件编号和一次性验证码查询进度。\n"
                f"Your case number is {number}. Follow it with this number and a one-time code.",
            )
        case j.RequestDelivered() if event.channel != NOTED:
            return Words(
                f"{number}: 请补充材料 / We need documents from you",
                "请登录案件页面查看所需材料清单并上传。\nSign in to your case to see the complete list and to upload.",
            )
        case j.DecisionMade(needs_second=False):
            return _decided(number, event.subject)
        case j.DecisionAuthorised():
            return _decided(number, subject)
        case j.CaseReopened() if _is_theirs_to_know(event):
            return Words(
                f"{number}: 案件已重新处理 / Your case is open again",
                "我们已重新处理您的案件，可登录案件页面查看进度。\n"
                "We are working on your case again. Sign in to it to follow its progress.",
            )
        case j.MessageWritten(direction="out"):
            return Words(
                f"{number}: 您有新消息 / You have a message",
                "请登录案件页面查看。\nSign in to your case to read it.",
            )
    return _of_time(event, number) or _of_money(event, number)


def _of_time(event: j.Event, number: str) -> Words | None:
    match event:
        case j.LetterIssued(letter="extension"):
            return Words(
                f"{number}: 处理时间需要延长 / We need more time",
                "我们需要更多时间处理您的案件，新的期限及您的权利见案件页面的通知书。\n"
                "We need more time for your case. A letter on your case's page tells you until when, and your rights.",
            )
        case j.RequestOpened() if event.reason not in {DOCUMENTS, *CONFIDENTIAL_WAITS}:
            return Words(
                f"{number}: 正在等待有关方面的结果 / We are waiting for others",
                "您的案件正在等待有关方面的结果，您无需做任何事。等待事项及期限见案件页面。\n"
                "Your case waits for others; you need do nothing. Your case's page says for what and until when.",
            )
    return None


def _of_money(event: j.Event, number: str) -> Words | None:
    match event:
        case j.PaymentConfirmed():
            return Words(
                f"{number}: 赔款已支付 / Your payment was made",
                f"银行参考号 {event.bank_reference}，支付凭证可在案件页面下载。\n"
                f"Bank reference {event.bank_reference}. The voucher is on your case's page.",
            )
        case j.PaymentReturned():
            return Words(
                f"{number}: 赔款被退回 / The payment came back",
                "收款银行退回了赔款，我们将请您核对收款账户，案件页面可查看进度。\n"
                "The receiving bank sent the payment back. We will ask you for bank details; your case's page shows "
                "how it goes on.",
            )
    return None


def _received(number: str) -> Label:
    """The first thing a customer reads of their case, in its kind's words."""
    kind = kind_of_number(number)
    return kind.stages[0].headline if kind else Label("We have received your report", "我们已收到您的报案")


def _decided(number: str, subject: str) -> Words:
    if subject == "advance":
        return Words(
            f"{number}: 将先予支付部分赔款 / Part of your claim is paid in advance",
            "无争议部分将先予支付，其余部分仍在审核。\n"
            "What is beyond dispute is paid now; the rest of your claim is still being decided.",
        )
    return Words(
        f"{number}: 理赔决定已作出 / Your claim is decided",
        "请登录案件页面查看决定及理由。\nSign in to your case to read the decision and its reasons.",
    )


def _is_theirs_to_know(event: j.CaseReopened) -> bool:
    """What staff do on a closed case of their own accord may be about the customer, such as a suspicion."""
    return not event.action or bool(event.action.get("is_customer"))


async def tell_customer(context: Context, session: AsyncSession, case_id: UUID, item: j.Recorded) -> None:
    """Queue the notice that an event calls for, once."""
    if not _calls_for_notice(item.event):
        return
    case = await session.get_one(Case, case_id)
    words = words_for(item.event, case.number, await _subject_of(session, item.event))
    if words:
        key = f"{item.event.TYPE}:{case_id}:{_mark(item)}"
        recipient = await reach_customer(session, case_id)
        await queue_notice(context, session, key=key, case_id=case_id, recipient=recipient, words=words)


async def _subject_of(session: AsyncSession, event: j.Event) -> str:
    if isinstance(event, j.DecisionAuthorised):
        return (await session.get_one(Decision, event.decision_id)).subject
    return "claim"


def _calls_for_notice(event: j.Event) -> bool:
    return words_for(event, "") is not None


def _mark(item: j.Recorded) -> str:
    """What tells two notices of one kind apart."""
    for name in ("document_id", "payment_id", "request_id", "decision_id", "message_id"):
        if hasattr(item.event, name):
            return str(getattr(item.event, name))
    return item.at.isoformat()


async def reach_customer(session: AsyncSession, case_id: UUID) -> str:
    """The reporter's e-mail address, or else phone number."""
    query = select(Party).where(Party.case_id == case_id, Party.role == PartyRole.REPORTER.value)
    party = (await session.execute(query)).scalars().first()
    return (party.email or party.phone) if party else ""


async def queue_notice(
    context: Context, session: AsyncSession, *, key: str, case_id: UUID | None, recipient: str, words: Words
) -> None:
    """Store a notice, sealed; the relay sends it."""
    await session.execute(
        insert(Notice)
        .values(
            id=uuid4(),
            key=key,
            case_id=case_id,
            recipient=context.ring.seal_text(recipient),
            subject=words.subject,
            body_sealed=context.ring.seal_text(words.body),
            created_at=context.now(),
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )


@dataclass(frozen=True, slots=True)
class ReadableNotice:
    """A notice as the outbox page shows it."""

    recipient: str
    subject: str
    body: str
    created_at: datetime
    sent_at: datetime | None


async def latest_notices(context: Context, actor: Actor, *, limit: int = 100) -> list[ReadableNotice]:
    """The newest notices, readable. Needs `notice:read`: they hold one-time codes."""
    actor.require("notice:read")
    async with context.transaction() as session:
        rows = (await session.execute(select(Notice).order_by(col(Notice.created_at).desc()).limit(limit))).scalars()
        return [
            ReadableNotice(
                recipient=context.ring.open_text(n.recipient),
                subject=n.subject,
                body=context.ring.open_text(n.body_sealed),
                created_at=n.created_at,
                sent_at=n.sent_at,
            )
            for n in rows
        ]
