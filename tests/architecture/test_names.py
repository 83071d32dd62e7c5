"""Our generic top-level names stay inside our own environment."""

from __future__ import annotations

import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("activities", "api", "infra", "lian", "web", "workflows")


def test_no_dependency_installs_a_package_of_our_names() -> None:
    installed = packages_distributions()
    assert {name: installed[name] for name in OURS if set(installed.get(name, [])) - {"lian"}} == {}


def test_the_project_cannot_be_uploaded_by_mistake() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "Private :: Do Not Upload" in project["classifiers"]


def test_the_lock_names_no_index_and_pins_every_package_by_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--index" not in lock
    pinned = [block for block in lock.split("\n") if block and not block.startswith((" ", "#"))]
    assert all("==" in line and line.endswith("\\") for line in pinned)
    assert lock.count("--hash=sha256:") >= len(pinned)


def test_a_procedure_fits_a_screen() -> None:
    """The main path of a claim reads like the manual: short, and made of named steps."""
    source = (ROOT / "workflows" / "claim.py").read_text(encoding="utf-8")
    body = source.partition("async def procedure")[2].partition("\n    # ---")[0]
    assert len(body.splitlines()) <= 25
