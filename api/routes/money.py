"""What a case costs, still costs, and brings back (CLM-15)."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import ActorDep, ContextDep, Number
from api.problems import problems
from api.schemas.money import MoneyOut
from api.strict_json import StrictRoute
from lian.services import reading_money

router = APIRouter(tags=["cases"], route_class=StrictRoute)


@router.get("/cases/{number}/money", summary="Read a case's money", responses=problems(401, 403, 404))
async def read_money(context: ContextDep, actor: ActorDep, number: Number) -> MoneyOut:
    """Reserves with their history, recoveries, and the ledger. For staff only."""
    return MoneyOut.of(await reading_money.money_of(context, actor, number))
