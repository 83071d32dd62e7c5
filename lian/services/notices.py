"""What customers are told, and when: data, sent by the relay, shown on the outbox page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import Case, Notice, Party
from lian.domain import journal as j
from lian.domain.parties import PartyRole
from lian.services.context import Context

SEND_NOTICE = "send_notice"


@dataclass(frozen=True, slots=True)
class Words:
    """A notice in both languages, one after the other: letters and mails reach readers of either."""

    subject: str
    body: str


def words_for(event: j.Event, number: str) -> Words | None:
    """What the customer is told of this event; none for what is not theirs to know."""
    match event:
        case j.CaseSubmitted():
            return Words(
                f"{number}: 已收到您的报案 / We have received your claim",
                f"您的报案号为 {number}，可凭案件编号和一次性验证码查询进度。\n"
                f"Your case number is {number}. Follow it with this number and a one-time code.",
            )
        case j.RequestDelivered():
            return Words(
                f"{number}: 请补充材料 / We need documents from you",
                "请登录案件页面查看所需材料清单并上传。\nSign in to your case to see the complete list and to upload.",
            )
        case j.DecisionAuthorised() | j.DecisionMade(needs_second=False):
            return Words(
                f"{number}: 理赔决定已作出 / Your claim is decided",
                "请登录案件页面查看决定及理由。\nSign in to your case to read the decision and its reasons.",
            )
        case j.PaymentConfirmed():
            return Words(
                f"{number}: 赔款已支付 / Your payment was made",
                f"银行参考号 {event.bank_reference}，支付凭证可在案件页面下载。\n"
                f"Bank reference {event.bank_reference}. The voucher is on your case's page.",
            )
        case j.MessageWritten(direction="out"):
            return Words(
                f"{number}: 您有新消息 / You have a message",
                "请登录案件页面查看。\nSign in to your case to read it.",
            )
    return None


async def tell_customer(context: Context, session: AsyncSession, case_id: UUID, item: j.Recorded) -> None:
    """Queue the notice that an event calls for, once."""
    if not _calls_for_notice(item.event):
        return
    case = await session.get_one(Case, case_id)
    words = words_for(item.event, case.number)
    if words:
        key = f"{item.event.TYPE}:{case_id}:{_mark(item)}"
        recipient = await reach_customer(session, case_id)
        await queue_notice(context, session, key=key, case_id=case_id, recipient=recipient, words=words)


def _calls_for_notice(event: j.Event) -> bool:
    return words_for(event, "") is not None


def _mark(item: j.Recorded) -> str:
    """What tells two notices of one kind apart."""
    for name in ("payment_id", "request_id", "decision_id", "message_id"):
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
