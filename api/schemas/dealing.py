"""Who is given tasks by rules, and why (TSK-3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import In, Out, Words
from lian.domain.dealing import DEAL_REASONS, DEAL_RULES, DealReason, DealRule
from lian.services.desk.dealing import AT_ONCE, MOST_DEALT, Dealt, NotDealt, Round
from lian.services.desk.why_dealt import WhyDealt


class DealIn(In):
    """How many tasks at most."""

    limit: Annotated[int, Field(ge=1, le=MOST_DEALT)] = AT_ONCE


class DealtOut(Out):
    """A task and whom the rules gave it."""

    task_id: UUID
    case_number: str
    holder: str
    holder_name: str
    rule: DealRule
    label: Words

    @classmethod
    def of(cls, dealt: Dealt, names: Mapping[str, str]) -> DealtOut:
        """The task on the wire."""
        holder, rule = dealt.choice.chosen.who, dealt.choice.rule
        return cls(
            task_id=dealt.found.task.id,
            case_number=dealt.found.case.number,
            holder=holder,
            holder_name=names.get(holder, ""),
            rule=rule,
            label=Words.of(DEAL_RULES[rule]),
        )


class KeptFromOut(Out):
    """A reason, and how many people it keeps from the work."""

    reason: DealReason
    label: Words
    people: int


def _kept_from(reasons: Mapping[DealReason, int]) -> list[KeptFromOut]:
    return [KeptFromOut(reason=r, label=Words.of(DEAL_REASONS[r]), people=n) for r, n in reasons.items()]


class NotDealtOut(Out):
    """A task that nobody can be given now; no reason at all: it is work of no role that has the queue."""

    task_id: UUID
    case_number: str
    reasons: list[KeptFromOut]

    @classmethod
    def of(cls, left: NotDealt) -> NotDealtOut:
        """The task on the wire."""
        return cls(task_id=left.found.task.id, case_number=left.found.case.number, reasons=_kept_from(left.reasons))


class UnmetOut(Out):
    """What some free tasks need (kind, task, line, amount, skills), and why nobody can be given one of them now."""

    needs: str
    reasons: list[KeptFromOut]


class DealRoundOut(Out):
    """What one round did."""

    dealt: list[DealtOut]
    not_dealt: list[NotDealtOut]
    unmet: list[UnmetOut]
    busy: int = Field(description="Tasks whose cases others were writing to; repeat the call.")

    @classmethod
    def of(cls, done: Round, names: Mapping[str, str]) -> DealRoundOut:
        """The round on the wire."""
        return cls(
            dealt=[DealtOut.of(each, names) for each in done.dealt],
            not_dealt=[NotDealtOut.of(each) for each in done.not_dealt],
            unmet=[UnmetOut(needs=needs, reasons=_kept_from(reasons)) for needs, reasons in done.unmet.items()],
            busy=done.busy,
        )


class CandidateOut(Out):
    """Somebody as they stood when the rules chose, and why they were chosen or not."""

    actor: str
    name: str
    chosen: bool
    reason: DealReason
    label: Words
    in_hand: int
    capacity: int


class WhyDealtOut(Out):
    """The last choice that rules made of a task: the chosen one first."""

    dealt_at: datetime
    rule: DealRule
    label: Words
    candidates: list[CandidateOut]

    @classmethod
    def of(cls, why: WhyDealt, names: Mapping[str, str]) -> WhyDealtOut:
        """The choice on the wire."""
        candidates = [
            CandidateOut(
                actor=one.who,
                name=names.get(one.who, ""),
                chosen=one.is_chosen,
                reason=one.reason,
                label=Words.of(DEAL_REASONS[one.reason]),
                in_hand=one.in_hand,
                capacity=one.capacity,
            )
            for one in why.candidates
        ]
        return cls(dealt_at=why.dealt_at, rule=why.rule, label=Words.of(DEAL_RULES[why.rule]), candidates=candidates)
