"""Tables of routes for tests: rows in a few words."""

from __future__ import annotations

import json
from typing import Any

FACTS = (
    *("kind", "task", "queue", "stage", "line", "region", "claimed_amount", "complexity", "severity"),
    *("injured", "minors", "catastrophe", "in_catastrophe", "channel", "risk_level", "reopened"),
)
OUTPUTS = ("queue", "skills", "green", "raised")
KEEP_ALL = {"_id": "all_others", "queue": "'keep'"}


def jdm(*rules: dict[str, str], **content: Any) -> dict[str, Any]:
    """A table whose columns are named like the facts; a rule says `queue`, or `own_queue` for the fact."""
    columns = [{"id": name if name != "queue" else "own_queue", "name": name, "field": name} for name in FACTS]
    outputs = [{"id": name, "name": name, "field": name} for name in OUTPUTS]
    table = {"hitPolicy": "first", "inputs": columns, "outputs": outputs, "rules": list(rules)} | content
    place = {"position": {"x": 0, "y": 0}}
    return {
        "nodes": [
            {"id": "a", "type": "inputNode", "name": "a", **place},
            {"id": "b", "type": "decisionTableNode", "name": "b", "content": table, **place},
            {"id": "c", "type": "outputNode", "name": "c", **place},
        ],
        "edges": [
            {"id": "1", "type": "edge", "sourceId": "a", "targetId": "b"},
            {"id": "2", "type": "edge", "sourceId": "b", "targetId": "c"},
        ],
    }


def written(*rules: dict[str, str], **content: Any) -> str:
    """The same as a file."""
    return json.dumps(jdm(*rules, **content))
