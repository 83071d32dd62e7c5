"""Which claims a report is compared with, from the database: by policy, claimant and contact (CLM-3)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from lian.db.tables import Case
from lian.domain import journal as j
from lian.domain.claims.duplicates import ASK_FROM, Likeness, LossFacts, compare
from lian.domain.claims.fnol import PersonGiven
from lian.domain.claims.import_rows import read_row
from lian.domain.claims.terms import LossCause
from lian.domain.errors import Conflict
from lian.domain.parties import Channel
from lian.services import duplicates
from lian.services.claim_import import open_claims
from lian.services.context import Context
from lian.services.intake import report_claim, save_draft
from lian.services.opening import Registered
from lian.services.policies import put_policy
from lian.services.recording import put_on_record
from tests.cast import OFFICE, POLICY, ZHAO, motor_policy, report
from tests.imports.builders import REAL_FILE, default_mapping

pytestmark = pytest.mark.req("CLM-3")

QIAN = PersonGiven(name="钱芳", phone="13800000002")


async def told(context: Context, number: str = POLICY, **changes: Any) -> Registered:
    """A claim on Zhao's policy, or on another."""
    await put_policy(context, OFFICE, motor_policy(number=number))
    given = report(**{"policy_number": number} | changes)
    return (await report_claim(context, OFFICE, given, channel=Channel.WEB, key=uuid4().hex))[0]


async def like(context: Context, registered: Registered) -> list[Likeness]:
    async with context.transaction() as session:
        return await duplicates.likenesses(session, context, await session.get_one(Case, registered.case_id))


async def record(context: Context, case_id: UUID, event: j.Event) -> None:
    async with context.transaction() as session:
        item = j.Recorded(at=context.now(), actor="system", event=event)
        await put_on_record(context, session, case_id=case_id, recorded=[item])


@pytest.fixture
def day(context: Context) -> datetime:
    """The day of the loss."""
    return context.now() - timedelta(days=10)


async def test_one_loss_told_by_phone_and_on_the_web_is_found_from_both_sides(context: Context, day: datetime) -> None:
    first, second = await told(context, loss_at=day), await told(context, loss_at=day + timedelta(hours=3))
    (found,) = await like(context, second)
    assert (found.case_id, found.number, found.score) == (first.case_id, first.number, 100)
    assert {"same_policy", "same_day", "same_claimant", "same_contact", "same_place"} <= set(found.reasons)
    assert [likeness.number for likeness in await like(context, first)] == [second.number]


async def test_another_policys_claim_is_found_by_its_contact_though_nobody_is_known_by_name(
    context: Context, day: datetime
) -> None:
    first = await told(context, loss_at=day)
    by_reporter = await told(context, "P-2002", loss_at=day, claimants=(QIAN,))
    (found,) = await like(context, by_reporter)
    assert found.number == first.number
    assert "same_contact" in found.reasons
    assert "same_policy" not in found.reasons


async def test_a_strangers_like_loss_on_the_same_day_is_not_found(context: Context, day: datetime) -> None:
    await told(context, loss_at=day)
    stranger = await told(context, "P-2002", loss_at=day, reporter=QIAN, place="北京市")
    assert await like(context, stranger) == []


async def test_losses_further_apart_than_three_days_are_not_compared(context: Context, day: datetime) -> None:
    await told(context, loss_at=day)
    assert await like(context, await told(context, loss_at=day + timedelta(days=3, minutes=1))) == []


async def test_drafts_and_claims_that_were_merged_away_are_left_out(context: Context, day: datetime) -> None:
    first = await told(context, loss_at=day)
    await record(context, first.case_id, j.CaseClosed(outcome=duplicates.MERGED))
    await save_draft(context, OFFICE, number="", policy_number=POLICY, draft={}, channel=Channel.PHONE)
    assert await like(context, await told(context, loss_at=day)) == []


async def test_at_most_ten_are_asked_about_the_likest_first(context: Context, day: datetime) -> None:
    for n in range(12):
        await told(context, loss_at=day + timedelta(days=1), loss_cause=LossCause.PARKED, place=f"地点{n}")
    same = await told(context, loss_at=day)
    found = await like(context, await told(context, loss_at=day))
    assert len(found) == 10
    assert found[0].number == same.number


async def test_of_two_reports_at_once_the_later_start_sees_the_other(context: Context, day: datetime) -> None:
    # A case's process starts after the case was committed: whoever asks last sees both.
    await put_policy(context, OFFICE, motor_policy())
    given = report(loss_at=day)
    both = await asyncio.gather(
        *(report_claim(context, OFFICE, given, channel=Channel.WEB, key=uuid4().hex) for _ in range(2))
    )
    seen = [await like(context, registered) for registered, _ in both]
    assert seen[1]
    assert {likeness.number for likeness in seen[0]} == {both[1][0].number}


async def test_a_claim_cannot_be_merged_into_one_that_was_merged_itself(context: Context, day: datetime) -> None:
    first, second = await told(context, loss_at=day), await told(context, loss_at=day)
    link = j.CaseLinked(other_case_id=second.case_id, other_number=second.number, relation="duplicate_of")
    async with context.transaction() as session:
        await duplicates.refuse_circle(session, first.case_id, second.case_id)
    await record(context, first.case_id, link)
    async with context.transaction() as session:
        with pytest.raises(Conflict):
            await duplicates.refuse_circle(session, second.case_id, first.case_id)


@pytest.mark.req("SEC-2")
async def test_what_is_compared_holds_nothing_personal(context: Context, day: datetime) -> None:
    registered = await told(context, loss_at=day)
    async with context.transaction() as session:
        case = await session.get_one(Case, registered.case_id)
        (facts,) = await duplicates._losses(session, context, [case])
    assert all(word not in repr(facts) for word in (ZHAO.name, ZHAO.phone, ZHAO.email, case.place))
    assert facts.contact_marks
    assert facts.place_mark


@pytest.mark.skipif(not REAL_FILE.exists(), reason=f"the real claims are not on this machine ({REAL_FILE})")
def test_of_588_real_claims_nobody_is_asked_about_any() -> None:
    mapping = default_mapping()
    file = open_claims(REAL_FILE, mapping)
    claims = [read_row(mapping, file.as_row(row)) for row in file]
    facts = [
        LossFacts(
            case_id=uuid4(),
            number="",
            line=claim.terms.line,
            policy_number=claim.report.policy_number,
            loss_cause=claim.report.loss_cause,
            loss_at=claim.report.loss_at,
            claimed_amount=claim.report.claimed_amount,
            claimant_people=frozenset({uuid4()}),
            contact_marks=frozenset(filter(None, (claim.report.reporter.phone, claim.report.reporter.email))),
            place_mark=claim.report.place,
            coverages=frozenset(x.coverage_code for x in claim.report.losses),
        )
        for claim in claims
    ]
    assert len(facts) == 588
    pairs = ((mine, other) for i, mine in enumerate(facts) for other in facts[:i])
    assert max(compare(mine, other).score for mine, other in pairs) < ASK_FROM
