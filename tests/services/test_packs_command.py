"""`lian packs`: what is shipped can be read with its sources, and a draft checked, without a running stack."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from infra.embedded.errors import StackError
from lian.services.context import Context
from lian.services.packs import publish
from tests.cast import hire
from tests.command_line import as_installed, lian
from tests.services.test_pack_drafts import DRAFT

__all__ = ["as_installed"]

pytestmark = pytest.mark.req("CLM-12")


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_the_packs_are_listed_with_how_many_figures_are_to_be_checked() -> None:
    listed = lian("packs", "list")
    assert listed.exit_code == 0
    for words in ("house-standard/1", "cn-complaints/1", "US-CA", "to be checked"):
        assert words in listed.stdout


def test_a_pack_is_shown_with_its_sources_and_marks() -> None:
    shown = lian("packs", "show", "us-ca")
    for words in ("10 CCR 2695.7(b)", "verified, 2026-11-21", "CHECK WITH COUNSEL", "documents_complete -> decided"):
        assert words in shown.stdout
    assert "银保监会令2020年第3号 18(1)" in lian("packs", "show", "cn-complaints", "--version", "1").stdout


def test_an_unknown_pack_or_version_is_refused_with_what_there_is() -> None:
    unknown = lian("packs", "show", "cn-clams")
    assert unknown.exit_code == 1
    assert "There is no pack cn-clams; there are cn-claims, " in str(unknown.exception)
    assert "There is no version 9 of sg; there is 1." in str(lian("packs", "show", "sg", "--version", "9").exception)


def test_a_sound_draft_passes(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(DRAFT, encoding="utf-8")
    checked = lian("packs", "validate", str(file))
    assert checked.exit_code == 0
    assert "acme/1 is sound." in checked.stdout


def test_a_wrong_draft_is_refused_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(DRAFT.replace("amount: 2", "amount: none"), encoding="utf-8")
    checked = lian("packs", "validate", str(file))
    assert checked.exit_code == 1
    assert isinstance(checked.exception, StackError)
    assert "acme.yaml: Clock acme.call_back, field amount: This must be a whole number." in str(checked.exception)


def test_a_calendar_must_be_shipped_or_promised(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(f"{DRAFT}    calendar: HK\n", encoding="utf-8")
    assert "there is no calendar HK" in str(lian("packs", "validate", str(file)).exception)
    assert lian("packs", "validate", str(file), "--calendar", "HK").exit_code == 0


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    assert lian("packs", "validate", str(file)).exit_code == 1


@pytest.mark.usefixtures("as_installed")
async def test_published_packs_are_shown_when_asked_for(context: Context) -> None:
    admin = await hire(context, "admin")
    await publish(context, admin, DRAFT, effective_from=date(2199, 1, 1), reason="A new service")
    listed = await asyncio.to_thread(lian, "packs", "list", "--published")
    assert "acme/1" in listed.stdout
    assert "acme/1" not in lian("packs", "list").stdout
