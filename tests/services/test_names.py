"""Names of people behind actor ids: where they come from, and how long they are kept."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col

from lian.auth.actor import Actor, staff_actor_id, staff_ids
from lian.db.tables import Staff
from lian.services import context as keeping
from lian.services.context import Context, KnownNames
from lian.services.names import names_of, names_of_staff
from tests.cast import hire


async def renamed(context: Context, actor: Actor, name: str) -> None:
    async with context.transaction() as session:
        await session.execute(update(Staff).where(col(Staff.id).in_(staff_ids([actor.id]))).values(name=name))


async def test_names_of_our_people_are_kept_a_while(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    wang = await hire(context, "wang")
    asked = {wang.id, "", "system"}
    assert await names_of(context, asked) == {wang.id: wang.name}
    await renamed(context, wang, "Somebody else")
    assert await names_of(context, asked) == {wang.id: wang.name}
    monkeypatch.setattr(keeping, "NAMES_KEPT_SECONDS", 0.0)
    assert await names_of(context, asked) == {wang.id: "Somebody else"}


async def test_in_a_transaction_names_are_as_they_are(context: Context) -> None:
    wang = await hire(context, "wang")
    await names_of(context, {wang.id})
    await renamed(context, wang, "Somebody else")
    async with context.transaction() as session:
        assert await names_of_staff(session, [wang.id, "customer:1", ""]) == {wang.id: "Somebody else"}


async def test_somebody_new_is_asked_for_beside_those_who_are_known(context: Context) -> None:
    wang = await hire(context, "wang")
    await names_of(context, {wang.id})
    li, nobody = await hire(context, "li"), staff_actor_id(uuid4())
    assert await names_of(context, {wang.id, li.id, nobody}) == {wang.id: wang.name, li.id: li.name}


def test_only_accounts_of_ours_are_behind_ids_of_staff() -> None:
    account = UUID(int=7)
    assert staff_ids([staff_actor_id(account), f"customer:{UUID(int=8)}", "system", ""]) == [account]


def test_what_is_known_ends_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(keeping, "monotonic", lambda: now[0])
    known = KnownNames()
    known.among(())
    known.add({"staff:1": "A"})
    now[0] += keeping.NAMES_KEPT_SECONDS
    assert known.among(["staff:1", "staff:2"]) == {"staff:1": "A"}
    now[0] += 1
    assert known.among(["staff:1"]) == {}
