"""Naming payees: their name and account go on record, sealed; the process only learns an id and an amount (CLM-10).

Before money moves to anybody, two things are found out here and nowhere else: whether the sanctions list has the name,
and whether the account is another one than this person was known by. What a caller says about either is not heard.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import own_people
from lian.db.journal import lock_chain
from lian.db.tables import Party, Payee, Payment
from lian.domain import journal as j
from lian.domain.errors import Invalid, NotAllowed
from lian.domain.messages import CompleteTask
from lian.domain.parties import PartyRole
from lian.domain.status import PaymentStatus
from lian.domain.tasks import Json
from lian.services.context import Context
from lian.services.recording import put_on_record
from lian.storage.bank_files import is_name

ACCOUNT = re.compile(r"^[0-9A-Z]{6,34}$")
LONGEST_NAME = 140
OURS = ("payee_id", "is_changed", "sanctions")
"""Fields of a share that only this module sets."""
PERSONAL = ("name", "account", "bank")


@dataclass(frozen=True, slots=True)
class _Named:
    """One share with what was found out about it."""

    payee_id: UUID
    share: Json
    party: Party
    account_mark: str
    sanctions: str


async def name_payees(context: Context, actor: Actor, case_id: UUID, ask: Json, command: CompleteTask) -> CompleteTask:
    """Put each payee on record and return the command without names and accounts. Safe to repeat.

    What was corrected before a repeat is another payee: money never goes to an account that was typed before. Several
    shares may go to one party; a minor's may go to whoever represents them. Raises `Unavailable` while the sanctions
    list cannot be asked.
    """
    shares = [_checked(share) for share in command.outcome["payees"]]
    parties = await _parties(context, case_id)
    named = [await _look_at(context, parties, command, i, share) for i, share in enumerate(shares)]
    if actor.is_customer:
        _refuse_what_is_not_theirs(ask, named, own_people(actor, parties.values()))
    async with context.transaction() as session:
        await lock_chain(session, case_id)
        on_record = await _on_record(session, [n.payee_id for n in named])
        fresh = [n for n in named if n.payee_id not in on_record]
        changed = await _changed(session, fresh, named)
        events = [_event(n, UUID(ask["decision_id"]), is_changed=n.payee_id in changed) for n in fresh]
        if events:
            recorded = [j.Recorded(at=context.now(), actor=actor.id, event=e) for e in events]
            await put_on_record(context, session, case_id=case_id, recorded=recorded)
        stored = await _on_record(session, [n.payee_id for n in named])
    bare = [_without_personal(n.share, stored[n.payee_id]) for n in named]
    return replace(command, outcome=command.outcome | {"payees": bare})


def _refuse_what_is_not_theirs(ask: Json, named: Sequence[_Named], people: Collection[UUID]) -> None:
    """A customer takes what is offered to their own people; whatever concerns others is agreed with our staff."""
    offered = sorted((row["party_id"], Decimal(row["amount"])) for row in ask["rows"]["payees"])
    taken = sorted((n.share["party_id"], Decimal(n.share["amount"])) for n in named)
    if taken != offered or any(n.party.person_id not in people for n in named):
        raise NotAllowed("You can only accept what is offered to yourself; write to us about anything else.")


def _checked(share: Json) -> Json:
    account = str(share["account"]).replace(" ", "").upper()
    if not ACCOUNT.match(account):
        raise Invalid("An account number has 6 to 34 letters and digits.", field="account")
    if not is_name(share["name"]) or len(share["name"].strip()) > LONGEST_NAME:
        raise Invalid("The account holder's name is needed.", field="name")
    if not is_name(share["bank"]):
        raise Invalid("The name of the payee's bank is needed.", field="bank")
    given = {name: value for name, value in share.items() if name not in OURS}
    return given | {"account": account, "name": share["name"].strip()}


async def _parties(context: Context, case_id: UUID) -> dict[str, Party]:
    async with context.transaction() as session:
        query = select(Party).where(Party.case_id == case_id)
        return {str(party.id): party for party in (await session.execute(query)).scalars()}


async def _look_at(
    context: Context, parties: dict[str, Party], command: CompleteTask, place: int, share: Json
) -> _Named:
    party = _payable(parties, share["party_id"])
    mark = context.ring.fingerprint(json.dumps(share, sort_keys=True))
    is_listed = [await context.sanctions.check(name) for name in {share["name"], party.name} if name]
    return _Named(
        payee_id=uuid5(command.task_id, f"{command.command_id}:{place}:{mark}"),
        share=share,
        party=party,
        account_mark=context.ring.fingerprint(f"account:{share['account']}"),
        sanctions="hit" if any(is_listed) else "clear",
    )


def _payable(parties: dict[str, Party], party_id: str) -> Party:
    """Any party of the case; a representative only in place of a minor."""
    party = parties.get(party_id)
    if party is None:
        raise Invalid("A payee must be a party of the case.", field="party_id")
    if party.role == PartyRole.REPRESENTATIVE:
        minor = parties.get(str(party.represents))
        if minor is None or not minor.is_minor:
            raise Invalid("A representative is paid only in place of a minor.", field="party_id")
    return party


async def _on_record(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Payee]:
    return {p.id: p for p in (await session.execute(select(Payee).where(col(Payee.id).in_(ids)))).scalars()}


# --- changed accounts -------------------------------------------------------------------------------------------------


async def _changed(session: AsyncSession, fresh: Sequence[_Named], together: Sequence[_Named]) -> set[UUID]:
    """Which of these go to another account than the person is known by: named or paid before, on whatever case.

    The shares of one answer are no change to one another. An account the person was paid to, and that kept the money,
    is known; so is one that a second person and the customer have both confirmed.
    """
    people = {n.party.person_id for n in fresh}
    query = (
        select(Payee, Payment.status)
        .outerjoin(Payment, col(Payment.payee_id) == col(Payee.id))
        .where(col(Payee.person_id).in_(people), col(Payee.id).not_in([n.payee_id for n in together]))
    )
    earlier = [(payee, status) for payee, status in await session.execute(query)]
    return {n.payee_id for n in fresh if _is_change(n, [e for e in earlier if e[0].person_id == n.party.person_id])}


def _is_change(named: _Named, earlier: Sequence[tuple[Payee, str | None]]) -> bool:
    same = [_is_same_account(named, payee) for payee, _ in earlier]
    is_known = any(hit and _is_proven(payee, status) for hit, (payee, status) in zip(same, earlier, strict=True))
    return not is_known and not all(same)


def _is_same_account(named: _Named, payee: Payee) -> bool:
    """By the fingerprint; payees of old have none, and are known by their last digits."""
    if payee.account_mark:
        return payee.account_mark == named.account_mark
    return str(named.share["account"]).endswith(payee.account_tail)


def _is_proven(payee: Payee, status: str | None) -> bool:
    return status == PaymentStatus.CONFIRMED or (payee.verified == "yes" and payee.confirmed == "yes")


# --- what goes on record, and what the process learns -----------------------------------------------------------------


def _event(named: _Named, decision_id: UUID, *, is_changed: bool) -> j.PayeeNamed:
    return j.PayeeNamed(
        payee_id=named.payee_id,
        decision_id=decision_id,
        person_id=named.party.person_id,
        amount=Decimal(named.share["amount"]),
        account_mark=named.account_mark,
        is_changed=is_changed,
        sanctions=named.sanctions,
        name=named.share["name"],
        account=named.share["account"],
        bank=named.share["bank"],
    )


def _without_personal(share: Json, payee: Payee) -> Json:
    """The share as the process gets it. What was found out is what is on record, also when the command is repeated."""
    found = {
        "payee_id": str(payee.id),
        "is_changed": payee.is_changed,
        "sanctions": "clear" if payee.sanctions == "clear" else "hit",
    }
    return share | dict.fromkeys(PERSONAL, "") | found
