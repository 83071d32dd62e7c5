"""`lian bench search`: how long it takes to find one of very many cases by a name, a number or the end of a phone.

A PostgreSQL of its own is started in a folder of its own, filled with made-up people, measured and removed.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from statistics import quantiles
from typing import Any
from uuid import UUID

from sqlalchemy import create_engine, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel

from lian.auth.actor import Actor
from lian.cli.bench_what_if import AS_OF, a_case, throw_away_database
from lian.db.crypto import KeyRing
from lian.db.tables import Case, CaseWords, Party
from lian.domain.parties import PartyRole
from lian.runtime import open_context
from lian.services.context import Context
from lian.services.search import search_cases
from lian.services.search_words import readings, words_of_case
from lian.settings import Settings

CASES = 100_000
TEXTS = 100
"""So many different texts of each way."""
ROUNDS = 5
"""Of so many rounds over all of them the quickest of each text counts: what it takes while nothing else runs."""
AT_ONCE = 1_000
READER = Actor(id="staff:bench", name="Benchmark", roles=("claims_adjuster_senior",), queues=("*",))
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余单解仇查欧"
OFTEN = tuple(72 / (n + 1) ** 0.7 for n in range(len(SURNAMES)))
"""The commonest more often than in life: thirteen of a hundred are called Wang."""
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉建国华玉红志春梅海波燕飞鹏晓雪峰琳子轩浩宇欣怡佳俊雨涵"
LATIN = (
    "Anna",
    "Ben",
    "Carlos",
    "Dmitri",
    "Elena",
    "Farid",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Kofi",
    "Lena",
    "Müller",
)


def measured(cases: int = CASES) -> dict[str, float]:
    """Milliseconds of each way to search, from a database made for it."""
    return asyncio.run(_measured(cases))


async def _measured(cases: int) -> dict[str, float]:
    async with throw_away_database() as settings, open_context(settings) as context:
        people = await asyncio.to_thread(fill, settings, context.ring, cases)
        figures = await measure_search(context, people)
        return figures | {"words_per_case": await _words_per_case(context), "cases": cases}


async def measure_search(context: Context, people: Sequence[Party]) -> dict[str, float]:
    """The middle and the 95th of a hundred texts of each way, and of a transaction that asks nothing: the floor."""
    found: dict[str, float] = {}
    for way, texts in _texts(people).items():
        found |= await _times(way, [_ask(context, typed) for typed in texts])
    return found | await _times("round_trip", [_nothing(context)] * TEXTS)


def _texts(people: Sequence[Party]) -> dict[str, list[str]]:
    chance = random.Random(5)  # noqa: S311 - made-up people, not secrets
    some = [p for p in chance.sample(people, len(people)) if p.name[0] in SURNAMES][:TEXTS]
    sounds = [readings(p.name)[0] for p in some]
    return {
        "name": [p.name for p in some],
        "initials": ["".join(s[0] for s in syllables) for syllables in sounds],
        "pinyin": ["".join(syllables) for syllables in sounds],
        "surname": [p.name[0] for p in some],
        "one_letter": [syllables[0][0] for syllables in sounds],
        "phone_4": [p.phone[-4:] for p in some],
        "phone_11": [p.phone for p in some],
        "number": [f"CLM-2026-{chance.randrange(1, len(people) // 2):06d}" for _ in some],
        "number_tail": [str(chance.randrange(100, 1000)) for _ in some],
        "nobody": [f"鑫{p.name}" for p in some],
    }


def _ask(context: Context, typed: str) -> Callable[[], Awaitable[Any]]:
    return lambda: search_cases(context, READER, typed)


def _nothing(context: Context) -> Callable[[], Awaitable[Any]]:
    async def ask() -> None:
        async with context.transaction() as session:
            await session.execute(text("SELECT 1"))

    return ask


async def _times(name: str, work: Sequence[Callable[[], Awaitable[Any]]]) -> dict[str, float]:
    rounds = [[await _milliseconds(one) for one in work] for _ in range(ROUNDS)]
    parts = quantiles(map(min, zip(*rounds, strict=True)), n=20)
    return {f"{name}_p50_ms": round(parts[9], 2), f"{name}_p95_ms": round(parts[18], 2)}


async def _milliseconds(one: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await one()
    return (time.perf_counter() - began) * 1000


async def _words_per_case(context: Context) -> float:
    async with context.transaction() as session:
        found = await session.execute(text("SELECT avg(cardinality(words)) FROM case_words"))
        return round(float(found.scalar_one()), 1)


# --- what is searched -------------------------------------------------------------------------------------------------


def fill(settings: Settings, ring: KeyRing, cases: int) -> list[Party]:
    """Claims of two people each, with the words that the service itself would give them."""
    people: list[Party] = []
    engine = create_engine(settings.database_owner_url.get_secret_value())
    with engine.begin() as connection:
        for batch in _batches(ring, cases):
            for model, rows in batch.items():
                connection.execute(insert(model), [row.model_dump() for row in rows])
            people += batch[Party]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE cases, case_parties, case_words"))
    engine.dispose()
    return people


def _batches(ring: KeyRing, cases: int) -> Iterator[dict[type[SQLModel], list[Any]]]:
    chance, template = random.Random(4), a_case()  # noqa: S311
    for first in range(1, cases + 1, AT_ONCE):
        batch: dict[type[SQLModel], list[Any]] = {Case: [], Party: [], CaseWords: []}
        for n in range(first, min(first + AT_ONCE, cases + 1)):
            case, parties = _case(template, n, chance), _people(chance)
            for party in parties:
                party.case_id = case.id
            batch[Case].append(case)
            batch[Party] += parties
            batch[CaseWords].append(CaseWords(case_id=case.id, words=words_of_case(ring, case, parties)))
        yield batch


def _case(template: Case, n: int, chance: random.Random) -> Case:
    changed = {
        "id": UUID(int=chance.getrandbits(128)),
        "number": f"CLM-2026-{n:06d}",
        "policy_number": f"P-{chance.randrange(10**9):09d}",
        "opened_at": AS_OF - timedelta(seconds=chance.randrange(5 * 365 * 86_400)),
    }
    return Case(**template.model_dump() | changed)


def _people(chance: random.Random) -> list[Party]:
    return [
        Party(
            id=UUID(int=chance.getrandbits(128)),
            case_id=UUID(int=0),
            person_id=UUID(int=chance.getrandbits(128)),
            role=role,
            name=_name(chance),
            phone=f"13{chance.randrange(10**9):09d}",
            email=f"{chance.randrange(10**9)}@example.com",
        )
        for role in (PartyRole.REPORTER.value, PartyRole.POLICYHOLDER.value)
    ]


def _name(chance: random.Random) -> str:
    if chance.random() < 0.05:
        return f"{chance.choice(LATIN)} {chance.choice(LATIN)}"
    given = "".join(chance.choice(GIVEN) for _ in range(chance.choice((1, 2, 2))))
    return chance.choices(SURNAMES, OFTEN)[0] + given
