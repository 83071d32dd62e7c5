"""Answers to forms that no robot has learnt by name: made from the form's own questions (idea 5)."""

from __future__ import annotations

from random import Random
from typing import Any

Json = dict[str, Any]

WORDS = (
    "我们已经核实，结果如下：一切正常，您无需再做任何事。",
    "We have looked into it: everything is in order, and nothing more is needed from you.",
)
LINE = "ROBOT-1"


class Unfillable(LookupError):
    """A question asked in a way no robot knows."""


def filled(form: Json, ask: Json, random: Random) -> Json:
    """An answer to every question of a form as the API describes it; rows are those that were asked."""
    return {q["name"]: _value(q, ask, random) for q in form["questions"] if q["widget"] != "hidden"}


def _value(question: Json, ask: Json, random: Random) -> Any:
    options = [option["value"] for option in question["options"]]
    match question["widget"]:
        case "choice":
            return random.choice(options)
        case "yes_no":
            return True
        case "codes":
            return []
        case "text":
            return random.choice(WORDS)
        case "line" | "name" | "account":
            return LINE
        case "amount":
            return "0.00"
        case "rows":
            return [_row(question["rows"], row, random) for row in ask["rows"][question["name"]]]
    raise Unfillable(question["widget"])


def _row(questions: list[Json], row: Json, random: Random) -> Json:
    """What is proposed is kept; what is hidden must be."""
    return {q["name"]: row[q["name"]] if q["name"] in row else _value(q, row, random) for q in questions}
