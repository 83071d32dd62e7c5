"""A task's form, made from its outcome: one field per question, rows prefilled with what the process proposes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lian.domain.claims.checklist import DOCUMENT_LABELS
from lian.domain.errors import DomainError, Invalid
from lian.domain.labels import Label
from lian.domain.money import parse_amount
from lian.domain.tasks import Json, Question, TaskKind, questions
from lian.services.letters import reason_label
from web.deps import Sent
from web.i18n import mark
from web.reader import Reader

CHOOSE = mark("Choose one.")
WEIGHTS = {
    "denies": mark("against paying"),
    "reduces": mark("reduces the amount"),
    "refers": mark("look closer"),
    "info": mark("for information"),
}


@dataclass(frozen=True, slots=True)
class Option:
    """One choice or tick box; `hint` says what is known of it."""

    value: str
    words: str
    chosen: bool
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One question as it is asked."""

    name: str
    widget: str
    words: str
    help: str = ""
    value: str = ""
    options: tuple[Option, ...] = ()
    error: str = ""
    unit: str = ""
    required: bool = True

    @property
    def id(self) -> str:
        """Of the control, for its label."""
        return "f-" + self.name.replace(".", "-")


@dataclass(frozen=True, slots=True)
class Finding:
    """What the rules found, in words."""

    words: str
    weight: str
    severity: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table question: what it is about, what is known, what is asked."""

    title: str
    facts: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One question with rows."""

    words: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class FormView:
    """The whole form. `problem` is a sentence for its head; `first` the id of the field it is about."""

    fields: tuple[Field, ...]
    sections: tuple[Section, ...]
    notes: str
    problem: str = ""
    first: str = ""


@dataclass(frozen=True, slots=True)
class FormContext:
    """What a form needs to know beside its task: names of coverages and people, and what has been received."""

    reader: Reader
    currency: str
    coverages: Mapping[str, Label]
    people: Mapping[str, str]
    received: Mapping[str, int]
    optional: frozenset[str] = frozenset({"policy"})


@dataclass(slots=True)
class Typed:
    """What somebody typed, and what is wrong with it by field name; nothing typed yet when `sent` is None."""

    sent: Sent | None = None
    errors: dict[str, str] = field(default_factory=dict)
    problem: str = ""


# --- asking -----------------------------------------------------------------------------------------------------------


def present_form(kind: TaskKind, ask: Json, around: FormContext, typed: Typed) -> FormView:
    """The form of a task as it is shown: empty, or with what was typed and what is wrong with it."""
    asked = questions(kind.outcome)
    fields = tuple(
        _field(name, question, around, typed, ask, ask) for name, question in asked.items() if question.widget != "rows"
    )
    sections = tuple(
        Section(around.reader.label(question.label), _rows(kind, name, ask, around, typed))
        for name, question in asked.items()
        if question.widget == "rows"
    )
    everything = [*fields, *(f for s in sections for row in s.rows for f in row.fields)]
    first = next((f.id for f in everything if f.error), "")
    notes = typed.sent.text("notes") if typed.sent else ""
    return FormView(fields, sections, notes, typed.problem, first)


def _rows(kind: TaskKind, name: str, ask: Json, around: FormContext, typed: Typed) -> tuple[Row, ...]:
    asked = questions(kind.rows[name])
    return tuple(
        Row(
            _title(proposed, around),
            _facts(proposed, around),
            tuple(finding_view(found, around.reader) for found in proposed.get("findings", ())),
            tuple(
                _field(f"{name}.{i}.{part}", question, around, typed, proposed, ask, part)
                for part, question in asked.items()
                if question.widget != "hidden"
            ),
        )
        for i, proposed in enumerate(ask["rows"][name])
    )


def _title(row: Json, around: FormContext) -> str:
    if "coverage_code" in row:
        label = around.coverages.get(row["coverage_code"])
        return around.reader.label(label) if label else str(row["coverage_code"])
    return around.people.get(str(row.get("party_id", "")), around.reader.say("Payee"))


def _facts(row: Json, around: FormContext) -> tuple[tuple[str, str], ...]:
    say = around.reader.say
    amounts = (
        (say("Claimed"), row.get("claimed_amount")),
        (say("Assessed"), row.get("assessed_amount") if "payable_amount" in row else None),
        (say("Deductible"), row.get("deductible_applied")),
        (say("The rules propose"), row.get("payable_amount")),
    )
    return tuple(
        (term, around.reader.money(Decimal(value), around.currency)) for term, value in amounts if value is not None
    )


def finding_view(found: Mapping[str, Any], reader: Reader) -> Finding:
    """One finding of the rules with the clause it rests on."""
    words, clause, severity = reader.label(reason_label(found["code"])), found.get("clause", ""), found["severity"]
    return Finding(f"{words} ({clause})" if clause else words, reader.say(WEIGHTS[severity]), severity)


def _field(
    name: str, question: Question, around: FormContext, typed: Typed, proposed: Json, ask: Json, part: str = ""
) -> Field:
    reader = around.reader
    value = typed.sent.text(name) if typed.sent else _proposal(part or name, question, proposed, around)
    return Field(
        name=name,
        widget=question.widget,
        words=reader.label(question.label),
        help=reader.label(question.help) if question.help else "",
        value=value,
        options=_options(name, question, around, typed, ask, value),
        error=typed.errors.get(name, ""),
        unit=around.currency if question.widget == "amount" else "",
        required=question.widget != "codes" and "" not in question.options,
    )


def _proposal(part: str, question: Question, proposed: Json, around: FormContext) -> str:
    if question.widget == "name" and part == "name":
        return around.people.get(str(proposed.get("party_id", "")), "")
    return str(proposed.get(part, "") or "")


def _options(
    name: str, question: Question, around: FormContext, typed: Typed, ask: Json, value: str
) -> tuple[Option, ...]:
    reader = around.reader
    if question.widget == "codes":
        ticked = set(typed.sent.all(name)) if typed.sent else _missing(name, ask, around)
        return tuple(
            Option(code, reader.label(DOCUMENT_LABELS[code]), code in ticked, _hint(code, around))
            for code in ask["checklist"]
        )
    if question.widget == "yes_no":
        return (
            Option("yes", reader.say("Yes"), value == "yes"),
            Option("no", reader.say("No, send it back"), value == "no"),
        )
    return tuple(Option(code, reader.label(label), code == value) for code, label in question.options.items())


def _missing(name: str, ask: Json, around: FormContext) -> set[str]:
    """What to ask for: proposed is everything required that is not here yet; nothing is proposed for refusal."""
    if name != "missing":
        return set()
    return {code for code in ask["checklist"] if code not in around.received and code not in around.optional}


def _hint(code: str, around: FormContext) -> str:
    n = around.received.get(code, 0)
    if n:
        return around.reader.count("{n} file received", "{n} files received", n)
    return around.reader.say("optional, not received") if code in around.optional else around.reader.say("not received")


# --- reading ----------------------------------------------------------------------------------------------------------


def read_outcome(kind: TaskKind, ask: Json, sent: Sent, reader: Reader) -> tuple[Json, dict[str, str]]:
    """The answer as JSON, and what cannot be read, by field. Which rows there are comes from the task, not the form."""
    errors: dict[str, str] = {}
    outcome: Json = {}
    for name, question in questions(kind.outcome).items():
        if question.widget == "rows":
            parts = questions(kind.rows[name])
            outcome[name] = [
                {
                    part: _answer(f"{name}.{i}.{part}", q, sent, row.get(part), reader, errors)
                    for part, q in parts.items()
                }
                for i, row in enumerate(ask["rows"][name])
            ]
        else:
            outcome[name] = _answer(name, question, sent, ask.get(name), reader, errors)
    return outcome, errors


def _answer(name: str, question: Question, sent: Sent, known: Any, reader: Reader, errors: dict[str, str]) -> Any:
    if question.widget == "hidden":
        return known
    if question.widget == "codes":
        return list(sent.all(name))
    typed = sent.text(name)
    if question.widget == "amount":
        return _amount(name, typed, reader, errors)
    if question.widget == "yes_no":
        if typed not in {"yes", "no"}:
            errors[name] = reader.say(CHOOSE)
        return typed == "yes"
    if question.options and typed not in question.options:
        errors[name] = reader.say(CHOOSE)
    return typed


def _amount(name: str, typed: str, reader: Reader, errors: dict[str, str]) -> str:
    try:
        return str(parse_amount(typed.replace(",", "")))
    except Invalid as wrong:
        errors[name] = reader.refusal(wrong) if typed else reader.say("Enter an amount.")
        return "0"


def blame(kind: TaskKind, ask: Json, error: DomainError, reader: Reader) -> dict[str, str]:
    """The field a refusal is about. A rule names a question, not the row: with several rows the sentence must do."""
    part, words = error.details.get("field", "").rpartition(".")[2], reader.refusal(error)
    found = {part: words} if part in questions(kind.outcome) else {}
    for name, row in kind.rows.items():
        if part in questions(row) and len(ask["rows"][name]) == 1:
            found[f"{name}.0.{part}"] = words
    return found
