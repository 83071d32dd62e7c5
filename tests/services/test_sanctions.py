"""Whom nobody is to pay: a file of names, never passed over in silence (CLM-10)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lian.domain.errors import Unavailable
from lian.services.sanctions import FileSanctionsList, forms

pytestmark = pytest.mark.req("CLM-10")


def listed(folder: Path, text: str, name: str = "list.txt") -> FileSanctionsList:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return FileSanctionsList.at(str(path))


@pytest.mark.parametrize(
    ("on_list", "given"),
    [
        ("Ivan Petrov", "PETROV, Ivan"),
        ("Ivan Petrov", "  ivan\tpetrov "),
        ("José Núñez", "Jose Nunez"),
        ("O'Neill Trading Co.", "Co Trading O Neill"),
        ("Ｉｖａｎ Petrov", "Ivan Petrov"),
        ("张三", "张 三"),
        ("买买提·吾甫尔", "买买提吾甫尔"),
        ("张三", "张三 ZHANG SAN"),
        ("Zhang San", "张三 (San Zhang)"),
        ("𠮷田", "𠮷 田"),
    ],
)
async def test_one_name_in_two_spellings_is_found(tmp_path: Path, on_list: str, given: str) -> None:
    assert await listed(tmp_path, f"# remark\n\n{on_list}\n").check(given)


@pytest.mark.parametrize(
    ("on_list", "given"),
    [("Ivan Petrov", "Ivan"), ("张三", "张三丰"), ("张三", "三张"), ("Ivan Petrov", ""), ("Ivan Petrov", "· - .")],
)
async def test_another_name_is_not_found(tmp_path: Path, on_list: str, given: str) -> None:
    assert not await listed(tmp_path, on_list).check(given)


async def test_without_a_list_everybody_is_clear() -> None:
    assert not await FileSanctionsList.at("").check("Ivan Petrov")


async def test_a_table_is_read_by_its_columns(tmp_path: Path) -> None:
    table = listed(tmp_path, "id,name,aliases\n1,Ivan Petrov,Vanya P.; 伊万\n2,,\n", "list.csv")
    assert [await table.check(name) for name in ("Petrov Ivan", "vanya p", "伊万", "1")] == [True, True, True, False]


async def test_a_changed_list_counts_at_once(tmp_path: Path) -> None:
    names = listed(tmp_path, "Ivan Petrov\n")
    assert not await names.check("张三")
    names.path.write_text("张三\n", encoding="utf-8")
    os.utime(names.path, ns=(1, 1))
    assert await names.check("张三")
    assert not await names.check("Ivan Petrov")


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"\xff\xfe\x00bad"),
        lambda path: path.write_text("# nobody\n", encoding="utf-8"),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["missing", "not UTF-8", "without a name", "a folder"],
)
async def test_a_list_that_cannot_be_read_lets_nobody_pass(tmp_path: Path, damage: object) -> None:
    names = listed(tmp_path, "Ivan Petrov\n")
    assert not await names.check("张三")
    assert callable(damage)
    damage(names.path)
    for name in ("张三", "Ivan Petrov"):
        with pytest.raises(Unavailable, match="sanctions list cannot be read"):
            await names.check(name)


async def test_a_list_put_right_is_read_again(tmp_path: Path) -> None:
    names = FileSanctionsList.at(str(tmp_path / "list.txt"))
    with pytest.raises(Unavailable):
        await names.check("张三")
    names.path.write_text("张三\n", encoding="utf-8")
    assert await names.check("张三")


async def test_a_table_without_names_lets_nobody_pass(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await listed(tmp_path, "id,surname\n1,Petrov\n", "list.csv").check("张三")


def test_a_name_of_nothing_has_no_form() -> None:
    assert forms(" .-· ") == frozenset()
