"""Reserves and recoveries at the desk: what their forms start from, and the events they come to (CLM-15).

Everything here runs under the case's chain lock, and checks again there: since the form was shown, things moved on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.permissions import ROLE_LABELS
from lian.db.tables import Case, Exposure, Party, RecoveryClaim, RecoveryReceipt
from lian.domain import journal as j
from lian.domain.authority import levels_above
from lian.domain.claims.money_actions import (
    CloseRecovery,
    OpenRecovery,
    RecordReceipt,
    SetReserve,
    check_close_recovery,
    check_open_recovery,
    check_receipt,
    check_reserve,
    plain_reference,
)
from lian.domain.errors import Conflict, NotAllowed
from lian.domain.labels import Label
from lian.domain.ledger import OWED_BACK, RECOVERY_LABELS, Recovery
from lian.domain.tasks import Json
from lian.services.choices import Option, option
from lian.services.context import Context
from lian.services.returns import refuse_while_returning


def require_authority(actor: Actor, decision: str, case: Case, amount: Decimal) -> None:
    """Refuse what is above the actor's limit, and say who may (CLM-9)."""
    limit = actor.authority_for(decision, case.line)
    if amount <= limit:
        return
    able = levels_above(amount=amount, decision=decision, line=case.line)
    if not able:
        raise NotAllowed(f"Nobody has the authority for {amount}.")
    role = ROLE_LABELS[able[0].role].en
    raise NotAllowed(f"{amount} is above your authority of {limit}; it needs that of: {role}.", role=able[0].role)


# --- reserves ---------------------------------------------------------------------------------------------------------


async def _exposures(session: AsyncSession, case: Case) -> Sequence[Exposure]:
    query = select(Exposure).where(Exposure.case_id == case.id).order_by(col(Exposure.coverage_code), col(Exposure.id))
    return (await session.execute(query)).scalars().all()


async def _ask_reserve(context: Context, session: AsyncSession, case: Case) -> Json:
    exposures = await _exposures(session, case)
    people = (await session.execute(select(Party).where(Party.case_id == case.id))).scalars()
    names = {party.id: party.name for party in people}
    covers = {c["code"]: Label(**c["label"]) for c in (case.snapshot or {}).get("coverages", ())}

    def about(e: Exposure) -> Option:
        cover = covers.get(e.coverage_code, Label(e.coverage_code, e.coverage_code))
        return option(e.id, cover, names.get(e.claimant_party_id, ""))

    return {
        "options": {"exposure_id": [about(e) for e in exposures]},
        "now": {
            str(e.id): {"indemnity": str(e.reserve_amount), "expense": str(e.expense_reserve_amount)} for e in exposures
        },
    }


async def _set_reserve(
    context: Context, session: AsyncSession, actor: Actor, case: Case, outcome: SetReserve
) -> Sequence[j.Event]:
    """Raising is bounded by what the whole case is then reserved at: parts of it would add up to anything."""
    ask = await _ask_reserve(context, session, case)
    check_reserve(outcome, ask)
    before = Decimal(ask["now"][outcome.exposure_id][outcome.reserve_line])
    if outcome.amount > before:
        in_all = sum((Decimal(amount) for lines in ask["now"].values() for amount in lines.values()), Decimal(0))
        require_authority(actor, "reserve", case, in_all - before + outcome.amount)
    return [
        j.ReserveSet(
            exposure_id=UUID(outcome.exposure_id),
            reserve_line=outcome.reserve_line,
            amount=outcome.amount,
            reason=outcome.reason,
        )
    ]


# --- recoveries -------------------------------------------------------------------------------------------------------


async def _ask_recovery(context: Context, session: AsyncSession, case: Case) -> Json:
    query = select(RecoveryClaim).where(RecoveryClaim.case_id == case.id, RecoveryClaim.status == "open")
    found = (await session.execute(query.order_by(col(RecoveryClaim.opened_at), col(RecoveryClaim.id)))).scalars().all()
    zone = context.settings.zone
    return {
        "options": {"recovery_id": [_recovery_option(r) for r in found]},
        "left": {str(r.id): str(_left(r)) for r in found},
        "owed": [str(r.id) for r in found if r.recovery in OWED_BACK],
        "today": context.now().astimezone(zone).date().isoformat(),
        "earliest": (case.loss_at or case.opened_at).astimezone(zone).date().isoformat(),
    }


def _left(recovery: RecoveryClaim) -> Decimal:
    return recovery.expected_amount - recovery.received_amount


def _recovery_option(recovery: RecoveryClaim) -> Option:
    label = RECOVERY_LABELS[Recovery(recovery.recovery)]
    return option(recovery.id, label, recovery.counterparty, f"{max(_left(recovery), Decimal(0)):,.2f}")


async def _open_recovery(
    context: Context, session: AsyncSession, actor: Actor, case: Case, outcome: OpenRecovery
) -> Sequence[j.Event]:
    check_open_recovery(outcome, {})
    return [
        j.RecoveryOpened(
            recovery_id=uuid4(),
            recovery=outcome.recovery,
            expected_amount=outcome.expected_amount,
            currency=case.currency,
            counterparty=outcome.counterparty.strip(),
        )
    ]


async def _record_receipt(
    context: Context, session: AsyncSession, actor: Actor, case: Case, outcome: RecordReceipt
) -> Sequence[j.Event]:
    await refuse_while_returning(session, case.id)
    check_receipt(outcome, await _ask_recovery(context, session, case))
    recovery_id, reference = UUID(outcome.recovery_id), plain_reference(outcome.reference)
    booked = select(RecoveryReceipt.id).where(
        RecoveryReceipt.recovery_id == recovery_id, RecoveryReceipt.reference == reference
    )
    if (await session.execute(booked)).first():
        raise Conflict("A receipt with this bank reference is on record already.", field="reference")
    return [
        j.RecoveryReceived(
            recovery_id=recovery_id,
            receipt_id=uuid4(),
            amount=outcome.amount,
            received_on=outcome.received_on,
            reference=reference,
        )
    ]


async def _close_recovery(
    context: Context, session: AsyncSession, actor: Actor, case: Case, outcome: CloseRecovery
) -> Sequence[j.Event]:
    await refuse_while_returning(session, case.id)
    ask = await _ask_recovery(context, session, case)
    check_close_recovery(outcome, ask)
    left = Decimal(ask["left"][outcome.recovery_id])
    if outcome.recovery_id in ask["owed"] and left > 0:
        recovery = await session.get_one(RecoveryClaim, UUID(outcome.recovery_id))
        if recovery.opened_by == actor.id:
            raise NotAllowed("Who claimed this back cannot also give it up.")
        require_authority(actor, "write_off", case, left)
    return [j.RecoveryClosed(recovery_id=UUID(outcome.recovery_id), why=outcome.reason)]


Ask = Callable[[Context, AsyncSession, Case], Awaitable[Json]]
DeskAction = Callable[[Context, AsyncSession, Actor, Case, Any], Awaitable[Sequence[j.Event]]]

ASKS: dict[str, Ask] = {
    "close_recovery": _ask_recovery,
    "record_receipt": _ask_recovery,
    "set_reserve": _ask_reserve,
}
DESK: dict[str, DeskAction] = {
    "close_recovery": _close_recovery,
    "open_recovery": _open_recovery,
    "record_receipt": _record_receipt,
    "set_reserve": _set_reserve,
}
