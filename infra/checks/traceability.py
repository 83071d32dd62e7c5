"""`docs/traceability.md`: which tests show which requirement, made from the tests' own `req` marks.

`python -m infra.checks.traceability` writes it; with `--check` it fails when the file is out of date or a requirement
that should be shown has no test.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "traceability.md"
REQUIREMENTS = ROOT / "docs" / "requirements.toml"


def marks(node: ast.AST) -> Iterator[str]:
    """Ids in `pytest.mark.req("...")` anywhere below a node."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "req":
            yield from (str(a.value) for a in call.args if isinstance(a, ast.Constant))


def shown_by(path: Path) -> Iterator[tuple[str, str]]:
    """(requirement, test) of one test file; a module's `pytestmark` holds for all its tests."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    everywhere = [i for n in tree.body if isinstance(n, ast.Assign) and _is_pytestmark(n) for i in marks(n.value)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            own = [i for decorator in node.decorator_list for i in marks(decorator)]
            for requirement in {*own, *everywhere}:
                yield requirement, f"{path.relative_to(ROOT).as_posix()}::{node.name}"


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets)


def table() -> tuple[str, list[str]]:
    """The page, and what is wrong: unknown ids, requirements without a test."""
    known: dict[str, dict[str, str]] = tomllib.loads(REQUIREMENTS.read_text(encoding="utf-8"))
    words = {**known["issue"], **known["partly"]}
    tests: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for requirement, test in shown_by(path):
            tests[requirement].append(test)
    wrong = [f"{i}: no test shows it" for i in known["issue"] if not tests[i]]
    wrong += [f"{i}: not a known requirement" for i in sorted(tests.keys() - words.keys())]
    lines = ["# Requirements and the tests that show them", "", "Made by `python -m infra.checks.traceability`.", ""]
    for requirement in sorted(words, key=_order):
        lines += [f"## {requirement}: {words[requirement]}", ""]
        lines += [f"- `{test}`" for test in sorted(tests[requirement])] or ["- none yet"]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n", wrong


def _order(requirement: str) -> tuple[str, int]:
    subject, _, number = requirement.partition("-")
    return subject, int(number)


def main() -> int:
    """Write the page, or check it."""
    page, wrong = table()
    if "--check" not in sys.argv:
        TABLE.write_text(page, encoding="utf-8")
    elif not TABLE.exists() or TABLE.read_text(encoding="utf-8") != page:
        wrong.append("docs/traceability.md is out of date: run `python -m infra.checks.traceability`")
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
