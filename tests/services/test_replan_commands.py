"""`lian sla what-if`, `lian calendars apply`, `lian packs publish` and `recompute`: looked at, confirmed, done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from sqlmodel import select

from lian.auth.actor import Actor
from lian.cli import running
from lian.db.tables import ReplanOperation
from lian.runtime import open_context
from lian.services.calendar_revisions import revise_year
from lian.services.calendar_years import DayOff, edited, sealed
from lian.services.calendars import shipped_years
from lian.services.context import Context
from lian.settings import Settings
from tests.command_line import as_installed, lian
from tests.promises import at
from tests.services.promised import house, promised

__all__ = ["as_installed"]

pytestmark = [pytest.mark.req("CLM-12"), pytest.mark.usefixtures("as_installed")]

T = TypeVar("T")
NOW = at("2026-03-16 10:00")
ZHOU = Actor(id="staff:zhou", name="周婷", roles=("operations",))


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An office in Shanghai under Chinese law, also for the commands."""
    monkeypatch.setenv("LIAN_DEMO", "1")
    monkeypatch.setattr(running, "open_context", on_that_day)
    monkeypatch.setenv("LIAN_JURISDICTION", "CN")
    monkeypatch.setenv("LIAN_OFFICE_CALENDAR", "CN")
    return settings.model_copy(update={"jurisdiction": "CN", "office_calendar": "CN"})


@asynccontextmanager
async def on_that_day(settings: Settings) -> AsyncIterator[Context]:
    """An installation on a Monday in March, so that these tests mean the same in any year."""
    async with open_context(settings) as context:
        context.now = lambda: NOW
        yield context


def within(settings: Settings, work: Callable[[Context], Awaitable[T]]) -> T:
    """Outside any loop, as the commands have their own."""

    async def all_of_it() -> T:
        async with on_that_day(settings) as context:
            return await work(context)

    return asyncio.run(all_of_it())


@pytest.fixture
def number(settings: Settings) -> str:
    """A claim received ten days ago."""

    async def receive(context: Context) -> str:
        return (await promised(context, NOW - timedelta(days=10))).number

    return within(settings, receive)


def draft(tmp_path: Path, *, total: int) -> str:
    file = tmp_path / "draft.yaml"
    file.write_text(house(total=total), encoding="utf-8")
    return str(file)


def operations(settings: Settings) -> list[ReplanOperation]:
    async def read(context: Context) -> list[ReplanOperation]:
        async with context.transaction() as session:
            return list((await session.execute(select(ReplanOperation))).scalars())

    return within(settings, read)


def test_a_draft_is_rehearsed_for_people_and_for_programs(number: str, tmp_path: Path) -> None:
    file = draft(tmp_path, total=1)
    shown = lian("sla", "what-if", "--policy", file)
    assert shown.exit_code == 0, shown.output
    assert number in shown.output
    assert "1 fall due at another time: 1 sooner, 0 later." in shown.output
    found = json.loads(lian("sla", "what-if", "--policy", file, "--json").output)
    assert (found["becomes"]["breached"], found["moves"][0]["case_number"]) == (1, number)
    assert len(found["load"]) == 60


def test_a_year_is_rehearsed_from_its_file(number: str, tmp_path: Path) -> None:
    file = tmp_path / "2026.json"
    file.write_text(json.dumps(sealed(shipped_years()["CN", 2026])), encoding="utf-8")
    found = json.loads(lian("sla", "what-if", "--calendar", str(file), "--json").output)
    assert (found["moved"], found["affected_cases"], found["cases"]) == (0, 0, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Name a draft"),
        (("--policy", "nowhere.yaml"), "cannot be read"),
        (("--calendar", "nowhere.json"), "cannot be read"),
    ],
)
def test_what_cannot_be_rehearsed_is_told_in_a_sentence(words: tuple[str, ...], said: str) -> None:
    refused = lian("sla", "what-if", *words)
    assert refused.exit_code == 1
    assert said in str(refused.exception)


def test_a_pack_is_published_and_then_recomputed(settings: Settings, number: str, tmp_path: Path) -> None:
    today = "2026-03-16"
    publish = ("packs", "publish", draft(tmp_path, total=12), "--from", today, "--why", "更快")
    refused = lian(*publish, given="n\n")
    assert (refused.exit_code, str(refused.exception)) == (1, "Nothing was changed.")
    published = lian(*publish, given="y\n")
    assert published.exit_code == 0, published.output
    assert "15 working days" in published.output
    assert "12 working days" in published.output
    assert "house-standard/2 counts for cases received" in published.output
    assert operations(settings) == []
    done = lian("packs", "recompute", "house-standard", "--why", "新标准", "--yes")
    assert done.exit_code == 0, done.output
    assert number in done.output
    (operation,) = operations(settings)
    assert (operation.version, operation.why, operation.by, operation.cases) == (
        "house-standard/2",
        "新标准",
        "system:console",
        1,
    )


def test_a_calendar_is_applied_once_it_was_looked_at(settings: Settings, number: str) -> None:
    apply = ("calendars", "apply", "CN", "--why", "通知")
    assert "already" in lian(*apply).output
    day = date(2026, 3, 18)

    async def announce(context: Context) -> None:
        body = edited(shipped_years()["CN", day.year], off=[DayOff(day, "Announced since")])
        await revise_year(context, ZHOU, body=body, reason="通知")

    within(settings, announce)
    refused = lian(*apply, given="n\n")
    assert (refused.exit_code, operations(settings)) == (1, [])
    done = lian(*apply, "--yes")
    assert done.exit_code == 0, done.output
    assert "1 open cases are told" in done.output
    assert [operation.name for operation in operations(settings)] == ["CN"]


def test_a_date_that_is_none_is_told(tmp_path: Path) -> None:
    refused = lian("packs", "publish", draft(tmp_path, total=9), "--from", "soon", "--why", "x", "--yes")
    assert "is no date" in str(refused.exception)
