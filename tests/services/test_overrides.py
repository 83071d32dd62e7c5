"""Break-glass is never silent: compliance is told at once, and the board lists it (CLM-9)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from lian.auth.actor import Actor
from lian.auth.permissions import ROLES
from lian.domain import journal as j
from lian.domain.claims.actions import OVERRIDE_REASONS
from lian.domain.errors import NotAllowed
from lian.services.context import Context
from lian.services.intake import Registered
from lian.services.notices import latest_notices
from lian.services.overrides import latest_overrides
from tests.api.conftest import as_process
from tests.cast import hire, reported_claim

pytestmark = pytest.mark.req("CLM-9")

WHY, WORDS = next(iter(OVERRIDE_REASONS.items()))


async def overridden(context: Context, gao: Actor) -> Registered:
    """A decision that waited for others, until the manager answered for it."""
    claim, decision_id = await reported_claim(context), uuid4()
    made = j.DecisionMade(
        decision_id=decision_id,
        decided_by="staff:x",
        result="accept",
        approved_amount=Decimal(60_000),
        needs_second=True,
    )
    event = j.AuthorityOverridden(decision_id=decision_id, overridden_by=gao.id, why=WHY)
    agreed = j.DecisionAuthorised(decision_id=decision_id, authorised_by=gao.id)
    await as_process(context, claim.case_id, made, event, agreed)
    return claim


async def test_compliance_is_told_who_let_what_stand_and_why_in_both_languages(context: Context) -> None:
    gao, qian = await hire(context, "gao"), await hire(context, "qian")
    claim = await overridden(context, gao)
    told = [n for n in await latest_notices(context, qian) if n.recipient == "compliance"]
    assert len(told) == 1
    assert told[0].subject.startswith(claim.number)
    for words in ("高远", "CNY 60,000.00", WORDS.zh, WORDS.en, "越权", "authority"):
        assert words in told[0].subject + told[0].body


async def test_the_board_lists_the_overrides_of_thirty_days(context: Context) -> None:
    gao, qian = await hire(context, "gao"), await hire(context, "qian")
    claim = await overridden(context, gao)
    (found,) = await latest_overrides(context, qian)
    assert (found.number, found.who, found.why, found.amount) == (claim.number, "高远", WORDS, Decimal(60_000))
    now = context.now
    context.now = lambda: now() + timedelta(days=31)
    assert await latest_overrides(context, qian) == []


@pytest.mark.req("SEC-1")
async def test_overrides_are_for_those_who_see_the_board(context: Context) -> None:
    with pytest.raises(NotAllowed):
        await latest_overrides(context, await hire(context, "wei"))


@pytest.mark.req("SEC-1")
def test_only_a_manager_breaks_the_glass() -> None:
    assert [role for role, granted in ROLES.items() if "authority:override" in granted] == ["claims_manager"]
