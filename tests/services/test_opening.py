"""Opening a case of a kind that is only a definition (INQ-1, idea 5)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import SQLModel, func, select

from lian.db.journal import compare, history, verify
from lian.db.tables import Case, IdempotencyKey, JournalEntry, Notice, OutboxMessage, Party, Person
from lian.domain.claims.fnol import PersonGiven
from lian.domain.errors import Conflict, DomainError, Invalid, NotFound
from lian.domain.messages import CaseState
from lian.domain.parties import Channel
from lian.services.context import Context
from lian.services.notices import latest_notices
from lian.services.opening import Registered, open_case
from lian.services.policies import put_policy
from lian.services.relay import relay_once
from tests.cast import OFFICE, POLICY, ZHAO, motor_policy
from tests.fakes.process import FakeProcess

pytestmark = [pytest.mark.req("INQ-1")]

ANSWERS = {"topic": "claim", "text": "请问我的案子什么时候能处理完？", "policy_number": POLICY}


async def opened(context: Context, **changes: Any) -> tuple[Registered, bool]:
    """Zhao's question, but for the changes."""
    given: dict[str, Any] = {
        "kind": "inquiry",
        "answers": ANSWERS,
        "reporter": ZHAO,
        "channel": Channel.PHONE,
        "key": uuid4().hex,
    }
    given |= changes
    return await open_case(context, OFFICE, given.pop("kind"), **given)


async def count(context: Context, model: type[SQLModel]) -> int:
    async with context.transaction() as session:
        return (await session.execute(select(func.count()).select_from(model))).scalar_one()


async def test_a_question_is_acknowledged_with_number_and_promise(context: Context, process: FakeProcess) -> None:
    answer, is_new = await opened(context)
    assert is_new
    assert answer.number.startswith("INQ-")
    assert answer.promised_at is not None
    async with context.transaction() as session:
        case = await session.get_one(Case, answer.case_id)
        (party,) = (await session.execute(select(Party).where(Party.case_id == case.id))).scalars().all()
    assert (case.kind, case.status, case.stage) == ("inquiry", "open", "report")
    assert (case.details, case.policy_number, case.course) == ({"topic": "claim"}, POLICY, ANSWERS["text"])
    assert (party.role, party.name, party.phone) == ("reporter", ZHAO.name, ZHAO.phone)
    assert case.received_at is not None
    assert (answer.promised_at - case.received_at).total_seconds() == 24 * 3600
    notice = (await latest_notices(context, OFFICE))[0]
    assert "我们已收到您的咨询" in notice.subject
    assert "理赔" not in notice.subject + notice.body


async def test_the_process_starts_from_the_coded_answers_alone(context: Context, process: FakeProcess) -> None:
    await opened(context)
    while await relay_once(context):
        pass
    (state,) = (told for told in process.told if isinstance(told, CaseState))
    assert (state.kind, state.facts) == ("inquiry", {"topic": "claim"})
    assert list(state.plan.clocks) == ["inquiry.answer"]


async def test_words_and_people_are_sealed_and_the_chain_holds(context: Context) -> None:
    answer, _ = await opened(context)
    async with context.transaction() as session:
        bodies = (await session.execute(select(JournalEntry.body))).scalars().all()
        for secret in (ANSWERS["text"], ZHAO.name, ZHAO.phone):
            assert secret not in str(bodies)
        case = await session.get_one(Case, answer.case_id)
        told = [e.type for e in await history(session, context.ring, case)]
        assert told == ["case.drafted", "case.reported", "party.added", "case.submitted"]
        assert (await verify(session)).damages == []
        assert (await compare(session, context.ring)).damages == []


async def test_a_repeat_gets_the_first_answer_also_fifty_at_once(context: Context) -> None:
    key = uuid4().hex
    answers = await asyncio.gather(*(opened(context, key=key) for _ in range(20)))
    assert len({answer.number for answer, _ in answers}) == 1
    assert sum(is_new for _, is_new in answers) == 1
    assert await count(context, Case) == 1
    with pytest.raises(Conflict):
        await opened(context, key=key, answers=ANSWERS | {"topic": "policy"})


async def test_it_is_acknowledged_while_the_process_is_away(context: Context, process: FakeProcess) -> None:
    process.away = True
    answer, _ = await opened(context)
    assert answer.number
    assert await count(context, OutboxMessage) == 1


async def test_whoever_the_policy_knows_keeps_their_id(context: Context) -> None:
    await put_policy(context, OFFICE, motor_policy())
    known = await count(context, Person)
    await opened(context)
    assert await count(context, Person) == known
    await opened(context, answers=ANSWERS | {"policy_number": "nobody has this one"})
    assert await count(context, Person) == known + 1


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"kind": "canary"}, NotFound, None),
        ({"kind": "claim"}, NotFound, None),
        ({"answers": {}}, Invalid, "topic"),
        ({"answers": {"topic": "canary", "text": "x"}}, Invalid, "topic"),
        ({"answers": ANSWERS | {"canary": "x"}}, Invalid, None),
        ({"answers": ANSWERS | {"text": "  "}}, Invalid, "text"),
        ({"answers": ANSWERS | {"text": "canary" * 1000}}, Invalid, "text"),
        ({"answers": ANSWERS | {"text": ["canary"]}}, Invalid, "text"),
        ({"answers": ANSWERS | {"policy_number": "canary" * 20}}, Invalid, "policy_number"),
        ({"reporter": PersonGiven(name=" ", phone="1")}, Invalid, "name"),
        ({"reporter": PersonGiven(name="赵磊")}, Invalid, "reporter"),
        ({"reporter": PersonGiven(name="赵磊", phone="canary" * 20)}, Invalid, "phone"),
    ],
)
async def test_what_cannot_be_is_refused_with_nothing_stored_and_nothing_repeated(
    context: Context, changes: dict[str, Any], error: type[DomainError], field: str | None
) -> None:
    with pytest.raises(error) as refused:
        await opened(context, **changes)
    assert refused.value.details.get("field") == field
    assert "canary" not in refused.value.message
    for model in (Case, Person, Notice, OutboxMessage, IdempotencyKey):
        assert await count(context, model) == 0
