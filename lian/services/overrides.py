"""Break-glass, seen from above: decisions that stand above the table of limits, and who answers for them (CLM-9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import visible_cases
from lian.db.tables import Case, Decision
from lian.domain.claims.actions import OVERRIDE_REASONS
from lian.domain.labels import Label
from lian.services.context import Context
from lian.services.recording import name_of_staff

LOOKED_BACK = timedelta(days=30)
MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One decision that somebody let stand, in the case's currency."""

    number: str
    who: str
    why: Label
    amount: Decimal
    currency: str
    at: datetime


async def latest_overrides(context: Context, actor: Actor) -> Sequence[Override]:
    """The overrides of the last 30 days, newest first. Needs `sla:read`."""
    actor.require("sla:read")
    since = func.coalesce(Decision.authorised_at, Decision.decided_at)
    statement = (
        select(Decision, Case)
        .join(Case, col(Case.id) == col(Decision.case_id))
        .where(Decision.overridden_why != "", since >= context.now() - LOOKED_BACK, visible_cases(actor))
        .order_by(since.desc(), col(Decision.id))
        .limit(MOST)
    )
    async with context.transaction() as session:
        found = [(decision, case) for decision, case in (await session.execute(statement))]
        return [
            Override(
                number=case.number,
                who=await name_of_staff(session, decision.authorised_by),
                why=reason_of(decision.overridden_why),
                amount=decision.approved_amount,
                currency=case.currency,
                at=decision.authorised_at or decision.decided_at,
            )
            for decision, case in found
        ]


def reason_of(code: str) -> Label:
    """The words of a reason; one that is no longer offered is shown as it was recorded."""
    return OVERRIDE_REASONS.get(code, Label(code, code))
