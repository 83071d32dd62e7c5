"""Which texts the pages hold, and which of them the catalogue lacks or no longer needs; `python -m web.extraction`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_dir

from web.i18n import FOLDER, REFUSAL, catalogue

KEYWORDS = {"_": None, "say": None, "mark": None, "count": (1, 2), "n_": (1, 2)}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
SERVICES = ("auth", "domain", "services", "storage/content.py", "db/session.py", "storage/object_store.py")
FOR_OPERATORS = {"calendar_sources.py", "claim_import.py", "sla.py", "sla_check.py"}
"""Their sentences are for whoever runs a command, not for readers of pages."""
REFUSING = {
    *("Conflict", "Invalid", "NotAllowed", "NotFound", "NotSignedIn", "TooLarge", "TooMany", "Unavailable"),
    *("ContentRefused", "DatabaseUnavailable", "StoreUnavailable", "_refused"),
}
LIAN = FOLDER.parent / "lian"


def texts() -> set[str]:
    """Every text of the pages; of a pair the singular."""
    options = {"**": {"newstyle_gettext": "false"}, "templates/**.html": {"trim_blocks": "true", "silent": "false"}}
    found = extract_from_dir(FOLDER, METHODS, options, keywords=KEYWORDS)
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


def refusals() -> set[str]:
    """Every sentence with which a service refuses; what differs in it is a numbered hole."""
    return {
        sentence for path in _service_files() for sentence in _sentences(ast.parse(path.read_text(encoding="utf-8")))
    }


def service_strings() -> set[str]:
    """Every string of the services' source: sentences may be kept in a name and refused with later."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in _service_files()]
    return {text for tree in trees for node in ast.walk(tree) for text in [_sentence(node)] if text}


def _service_files() -> Iterator[Path]:
    for place in SERVICES:
        path = LIAN / place
        found = path.rglob("*.py") if path.is_dir() else [path]
        yield from (file for file in found if file.name not in FOR_OPERATORS)
    yield from [*(LIAN.parent / "workflows").glob("*.py"), FOLDER / "deps.py", *(FOLDER / "pages").glob("*.py")]


def _sentences(tree: ast.Module) -> Iterator[str]:
    named = {target.id: node.value for node in tree.body if isinstance(node, ast.Assign) for target in _targets(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in REFUSING and node.args:
            yield from filter(None, map(_sentence, _choices(node.args[0], named)))


def _targets(node: ast.Assign) -> list[ast.Name]:
    return [target for target in node.targets if isinstance(target, ast.Name)]


def _choices(node: ast.expr, named: dict[str, ast.expr]) -> list[ast.expr]:
    """What an argument may be: `a if b else c` is either, a name stands for what the module gave it."""
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    return [named.get(node.id, node)] if isinstance(node, ast.Name) else [node]


def _name(called: ast.expr) -> str:
    return called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""


def _sentence(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        holes = iter(range(len(node.values)))
        parts = (p.value if isinstance(p, ast.Constant) else f"{{{next(holes)}}}" for p in node.values)
        return "".join(str(part) for part in parts)
    return ""


def translated(context: str) -> set[str]:
    """What the catalogue has words for, in one context."""
    found = set()
    for message in catalogue():
        if message.id and (message.context or "") == context and message.string and all(message.string):
            found.add(message.id if isinstance(message.id, str) else message.id[0])
    return found


def missing() -> list[str]:
    """Texts and refusals without Chinese words."""
    return sorted(texts() - translated("")) + sorted(f"refusal: {r}" for r in refusals() - translated(REFUSAL))


def unused() -> list[str]:
    """Entries that nothing says any longer."""
    spoken = refusals() | service_strings()
    return sorted(translated("") - texts()) + sorted(f"refusal: {r}" for r in translated(REFUSAL) - spoken)


if __name__ == "__main__":
    sys.stdout.writelines(f"missing: {line}\n" for line in missing())
    sys.stdout.writelines(f"unused: {line}\n" for line in unused())
