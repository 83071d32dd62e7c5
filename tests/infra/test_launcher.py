"""`python3 -m lian` makes its environment with nothing but the standard library, and explains itself when it cannot."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
LAUNCHER = CHECKOUT / "lian" / "__main__.py"
STUB = """\
import sys
def main():
    print("ran", *sys.argv[1:])
"""


def test_the_launcher_imports_nothing_but_the_standard_library() -> None:
    for path in (LAUNCHER, CHECKOUT / "lian" / "__init__.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        named = [node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)]
        assert {name.split(".")[0] for name in plain + named} <= sys.stdlib_module_names, path


def test_the_package_itself_imports_nothing() -> None:
    nodes = ast.walk(ast.parse((CHECKOUT / "lian" / "__init__.py").read_text(encoding="utf-8")))
    assert not [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def test_an_old_python_can_read_the_launcher() -> None:
    assert ast.parse(LAUNCHER.read_text(encoding="utf-8"), feature_version=(3, 6)).body


def test_an_old_python_gets_one_sentence() -> None:
    pretend = f"import sys, runpy; sys.version_info = (3, 9, 2); runpy.run_path({str(LAUNCHER)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Lian needs Python 3.11 or newer; this is Python 3.9 at ")
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone with the real launcher, an empty lock and a stub of the command."""
    (tmp_path / "lian" / "cli").mkdir(parents=True)
    shutil.copy(LAUNCHER, tmp_path / "lian")
    shutil.copy(CHECKOUT / "lian" / "__init__.py", tmp_path / "lian")
    (tmp_path / "lian" / "cli" / "__init__.py").write_text(STUB, encoding="utf-8")
    (tmp_path / "requirements.lock").write_text("# nothing\n", encoding="utf-8")
    return tmp_path


def launch(checkout: Path, *words: str, **extra: str) -> subprocess.Popen[str]:
    # The base Python, as a user has it: ours is an environment's.
    python = str(Path(sys.base_prefix) / "bin" / "python3")
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    return subprocess.Popen(
        [python, "-m", "lian", *words],
        cwd=checkout,
        env={**environment, "PATH": "/usr/bin:/bin", **extra},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(checkout: Path, *words: str, **extra: str) -> tuple[int, str, str]:
    process = launch(checkout, *words, **extra)
    said, complained = process.communicate(timeout=100)
    return process.returncode, said, complained


def test_two_launches_wait_and_a_changed_lock_prepares_again(checkout: Path) -> None:
    first = launch(checkout, "up", "--port", "8000")
    while not (checkout / ".venv").exists():
        assert first.poll() is None
        time.sleep(0.01)
    code, said, complained = run(checkout, "status")
    assert (code, said) == (0, "ran status\n")
    assert "Another launch is preparing the environment, waiting.\n" in complained
    assert first.communicate(timeout=60)[0] == "ran up --port 8000\n"
    assert run(checkout, "quick")[2] == ""
    (checkout / "requirements.lock").write_text("# changed\n", encoding="utf-8")
    assert "Preparing the environment" in run(checkout, "again")[2]
    assert run(checkout, "quick") == (0, "ran quick\n", "")


def test_an_interrupted_preparation_is_repaired(checkout: Path) -> None:
    first = launch(checkout, "one")
    while not (checkout / ".venv" / "lian.unfinished").exists():
        assert first.poll() is None
        time.sleep(0.01)
    first.kill()
    first.communicate()
    code, said, complained = run(checkout, "two")
    assert (code, said) == (0, "ran two\n"), complained
    assert not (checkout / ".venv" / "lian.unfinished").exists()


def test_no_package_index_gets_one_sentence(checkout: Path) -> None:
    nothing = "0" * 64
    (checkout / "requirements.lock").write_text(f"lian-absent==1.0 --hash=sha256:{nothing}\n", encoding="utf-8")
    code, said, complained = run(checkout, "up", PIP_NO_INDEX="1")
    assert (code, said) == (1, "")
    assert complained.splitlines()[-1].startswith("No package index could be reached, or it lacks a package:")


def test_a_failing_uv_falls_back_to_pip(checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    uv = tools / "uv"
    uv.write_text('#!/bin/sh\n[ "$1" = --version ]\n', encoding="utf-8")
    uv.chmod(0o755)
    assert run(checkout, "ok", PATH=f"{tools}:/usr/bin:/bin")[:2] == (0, "ran ok\n")
