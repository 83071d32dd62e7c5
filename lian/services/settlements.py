"""Naming payees: their name and account go on record, sealed; the process only learns an id and an amount (CLM-10)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid5

from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.journal import lock_chain
from lian.db.tables import Party, Payee
from lian.domain import journal as j
from lian.domain.errors import Invalid
from lian.domain.messages import CompleteTask
from lian.domain.tasks import Json
from lian.services.context import Context
from lian.services.recording import put_on_record
from lian.storage.bank_files import is_name

ACCOUNT = re.compile(r"^[0-9A-Z]{6,34}$")
LONGEST_NAME = 140


async def name_payees(context: Context, actor: Actor, case_id: UUID, ask: Json, command: CompleteTask) -> CompleteTask:
    """Put each payee on record and return the command without names and accounts. Safe to repeat.

    What was corrected before a repeat is another payee: money never goes to an account that was typed before.
    """
    shares = [_checked(share) for share in command.outcome["payees"]]
    marks = [context.ring.fingerprint(json.dumps(share, sort_keys=True)) for share in shares]
    ids = [uuid5(command.task_id, f"{command.command_id}:{i}:{mark}") for i, mark in enumerate(marks)]
    async with context.transaction() as session:
        await lock_chain(session, case_id)
        query = select(Party).where(Party.case_id == case_id)
        people = {str(p.id): p.person_id for p in (await session.execute(query)).scalars()}
        known = set((await session.execute(select(Payee.id).where(col(Payee.id).in_(ids)))).scalars())
        events = [
            _named(payee_id, share, UUID(ask["decision_id"]), people)
            for payee_id, share in zip(ids, shares, strict=True)
            if payee_id not in known
        ]
        if events:
            recorded = [j.Recorded(at=context.now(), actor=actor.id, event=e) for e in events]
            await put_on_record(context, session, case_id=case_id, recorded=recorded)
    bare = [_without_personal(share, payee_id) for share, payee_id in zip(shares, ids, strict=True)]
    return replace(command, outcome={"payees": bare})


def _checked(share: Json) -> Json:
    account = str(share["account"]).replace(" ", "").upper()
    if not ACCOUNT.match(account):
        raise Invalid("An account number has 6 to 34 letters and digits.", field="account")
    if not is_name(share["name"]) or len(share["name"].strip()) > LONGEST_NAME:
        raise Invalid("The account holder's name is needed.", field="name")
    if not is_name(share["bank"]):
        raise Invalid("The name of the payee's bank is needed.", field="bank")
    return share | {"account": account, "name": share["name"].strip()}


def _named(payee_id: UUID, share: Json, decision_id: UUID, people: dict[str, UUID]) -> j.PayeeNamed:
    if share["party_id"] not in people:
        raise Invalid("A payee must be a party of the case.", field="party_id")
    return j.PayeeNamed(
        payee_id=payee_id,
        decision_id=decision_id,
        person_id=people[share["party_id"]],
        amount=Decimal(share["amount"]),
        name=share["name"],
        account=share["account"],
        bank=share["bank"],
    )


def _without_personal(share: Json, payee_id: UUID) -> Json:
    return share | {"name": "", "account": "", "bank": "", "payee_id": str(payee_id)}
