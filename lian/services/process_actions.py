"""What the claim's own actions start from, what is looked up before the process is told, and what they bring about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import Case, Clock, Decision, Exposure, Payee, Payment, Task
from lian.domain.case_kinds import NOT_WAITED_FOR, task_kind
from lian.domain.claims.actions import CorrectionAnswer
from lian.domain.claims.corrections import CORRECTABLE, EFFECTS, Situation, effects_of
from lian.domain.claims.facts import ClaimFacts
from lian.domain.claims.proposals import most_payable, proposed_amount
from lian.domain.claims.terms import PolicySnapshot
from lian.domain.errors import Conflict, Invalid, NotFound
from lian.domain.labels import Label
from lian.domain.messages import Act
from lian.domain.tasks import Json
from lian.services.choices import option
from lian.services.context import Context
from lian.services.letters import coverage_label
from lian.services.policies import require_snapshot
from lian.services.reading_clocks import clock_label
from lian.services.starting import claim_facts

SNAPSHOT = TypeAdapter(PolicySnapshot)
INSTANTS = frozenset({"loss_at", "received_at"})


async def ask_advance(context: Context, session: AsyncSession, case: Case) -> Json:
    """At most what the policy could owe, less what was paid."""
    facts = await claim_facts(context, session, case)
    return {"most": str(most_payable(facts) - facts.paid_amount), "currency": case.currency}


async def ask_reversal(context: Context, session: AsyncSession, case: Case) -> Json:
    """The payments that were made."""
    query = (
        select(Payment, Payee)
        .join(Payee, col(Payee.id) == col(Payment.payee_id))
        .where(Payment.case_id == case.id, Payment.status == "confirmed")
        .order_by(col(Payment.requested_at))
    )
    made = (await session.execute(query)).all()
    return {
        "options": {
            "payment_id": [
                option(p.id, Label(words, words))
                for p, payee in made
                for words in [f"{p.amount} {p.currency}, {payee.name} …{payee.account_tail}, {p.paid_on}"]
            ]
        }
    }


async def ask_correction(context: Context, session: AsyncSession, case: Case) -> Json:
    """The exposures, and every figure as it stands on record."""
    exposures = (await session.execute(select(Exposure).where(Exposure.case_id == case.id))).scalars().all()
    options = []
    for e in exposures:
        label = coverage_label(case, e.coverage_code)
        words = Label(f"{label.en}, {e.claimed_amount}", f"{label.zh}，{e.claimed_amount}")
        options.append(option(e.id, words))
    return {"options": {"exposure_id": options}, "currency": case.currency}


ASKS: dict[str, Callable[[Context, AsyncSession, Case], Awaitable[Json]]] = {
    "pay_advance": ask_advance,
    "reverse_payment": ask_reversal,
    "correct": ask_correction,
}


# --- looked up before the process is told -----------------------------------------------------------------------------


async def prepare_correction(context: Context, actor: Actor, case: Case, ask: Json, command: Act) -> Act:
    """The value on record now, the right one with its zone, and another policy's terms."""
    outcome = command.outcome | {"snapshot": {}}
    name = outcome["name"]
    if not CORRECTABLE[name].of_exposure:
        outcome["exposure_id"] = ""
    if name in INSTANTS:
        moment = _in_the_past(context, case, outcome["after"])
        _refuse_wrong_order(case, name, moment)
        outcome["after"] = moment.isoformat()
    async with context.transaction() as session:
        outcome["before"] = await _on_record(session, case, name, outcome["exposure_id"])
        if name == "policy_number":
            outcome["snapshot"] = await _other_terms(context, session, case, outcome["after"])
    if _is_same(name, outcome["before"], outcome["after"]):
        raise Invalid("That is what is on record already.", field="after")
    return replace(command, outcome=outcome)


def _is_same(name: str, before: str, after: str) -> bool:
    """Whether both texts say the same: 100 and 100.00, one instant in two zones."""
    read = CORRECTABLE[name].read
    try:
        return bool(read(before) == read(after))
    except (ValueError, Invalid):
        return before == after


def _in_the_past(context: Context, case: Case, text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    zone = ZoneInfo((case.snapshot or {}).get("zone", context.settings.office_zone))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    if moment > context.now():
        raise Invalid("That lies in the future.", field="after")
    return moment


def _refuse_wrong_order(case: Case, name: str, moment: datetime) -> None:
    """Nothing is reported before it happened."""
    assert case.loss_at is not None
    assert case.received_at is not None
    loss_at, received_at = (moment, case.received_at) if name == "loss_at" else (case.loss_at, moment)
    if loss_at > received_at:
        raise Invalid("A loss cannot lie after its report was received.", field="after")


async def _on_record(session: AsyncSession, case: Case, name: str, exposure_id: str) -> str:
    row: Case | Exposure = await session.get_one(Exposure, UUID(exposure_id)) if exposure_id else case
    value = getattr(row, name)
    return value.isoformat() if isinstance(value, datetime) else str(value if value is not None else Decimal(0))


async def _other_terms(context: Context, session: AsyncSession, case: Case, number: str) -> Json:
    """Raises `Invalid` when the other policy does not cover what is claimed, or counts in another currency."""
    snapshot = await _terms_of(context, number)
    codes = (await session.execute(select(Exposure.coverage_code).where(Exposure.case_id == case.id))).scalars()
    if any(snapshot.coverage(code) is None for code in codes):
        raise Invalid("That policy has no such coverage.", field="after")
    if snapshot.currency != case.currency:
        raise Conflict("That policy counts in another currency.")
    terms: Json = SNAPSHOT.dump_python(snapshot, mode="json")
    return terms


async def _terms_of(context: Context, number: str) -> PolicySnapshot:
    """Another policy's terms, taken now; of an unknown one the form says so where its number was typed."""
    try:
        return await require_snapshot(context, number.strip())
    except NotFound as unknown:
        raise NotFound(unknown.message, field="after") from None


PREPARE: dict[str, Callable[[Context, Actor, Case, Json, Act], Awaitable[Act]]] = {"correct": prepare_correction}


# --- previews ---------------------------------------------------------------------------------------------------------


async def preview_correction(context: Context, case: Case, outcome: CorrectionAnswer) -> Json:
    """What the correction would bring about: approval, tasks, promises, and what the rules would then propose."""
    value = _read(context, case, outcome.name, outcome.after)
    async with context.transaction() as session:
        situation = await _situation(session, case)
        facts = await claim_facts(context, session, case)
        snapshot = await _terms_of(context, outcome.after) if outcome.name == "policy_number" else None
    effects = effects_of(outcome.name, situation)
    found: Json = {"effects": [_told(EFFECTS[e.code], e.about) for e in effects]}
    if CORRECTABLE[outcome.name].changes_money:
        found |= _amounts(facts, case, outcome, snapshot or value)
    return found


def _told(what: Any, about: Any) -> Json:
    en, zh = (f"{about.en}: ", f"{about.zh}：") if about else ("", "")
    return {"en": en + what.en, "zh": zh + what.zh}


def _read(context: Context, case: Case, name: str, after: str) -> Any:
    """The right value as it would be put on record, refused for what it would be refused for then."""
    if name not in INSTANTS:
        return CORRECTABLE[name].read(after)
    moment = _in_the_past(context, case, after)
    _refuse_wrong_order(case, name, moment)
    return moment


def _amounts(facts: ClaimFacts, case: Case, outcome: CorrectionAnswer, value: Any) -> Json:
    """What the rules propose before and after; of another policy `value` is its terms."""
    before = proposed_amount(facts)
    if CORRECTABLE[outcome.name].of_exposure:
        exposure = next(e for e in facts.exposures if str(e.exposure_id) == outcome.exposure_id)
        setattr(exposure, outcome.name, value)
    elif isinstance(value, PolicySnapshot):
        facts.snapshot = value
    else:
        setattr(facts, outcome.name, value)
    return {
        "proposed_before": str(before),
        "proposed_after": str(proposed_amount(facts)),
        "paid_amount": str(facts.paid_amount),
        "currency": case.currency,
    }


async def _situation(session: AsyncSession, case: Case) -> Situation:
    decided = select(Decision.id).where(
        Decision.case_id == case.id, Decision.status == "final", Decision.subject == "claim"
    )
    waiting = Task.status == "open", col(Task.kind).not_in(NOT_WAITED_FOR)
    tasks = select(Task.kind).where(Task.case_id == case.id, *waiting)
    running = col(Clock.stopped_at).is_(None), Clock.status != "cancelled"
    clocks = select(Clock).where(Clock.case_id == case.id, *running).order_by(col(Clock.started_at), col(Clock.clock))
    # A later life's promises run from its reopening: no corrected receipt moves them.
    is_moving = case.status == "open" and case.generation == 1
    return Situation(
        is_closed=case.status == "closed",
        done=frozenset({"decision"} if (await session.execute(decided)).first() else ()),
        open_tasks=tuple(task_kind(case.kind, kind).label for kind in (await session.execute(tasks)).scalars()),
        running_clocks=tuple(clock_label(clock) for clock in (await session.execute(clocks)).scalars() if is_moving),
        paid_amount=case.paid_amount,
    )


PREVIEWS: dict[str, Callable[[Context, Case, Any], Awaitable[Json]]] = {"correct": preview_correction}
