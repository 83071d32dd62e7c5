"""A form, made from its outcome: one field per question, rows prefilled with what the process proposes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from lian.domain.claims.checklist import DOCUMENT_LABELS, OPTIONAL
from lian.domain.claims.duplicates import LIKENESS_REASONS
from lian.domain.errors import DomainError, Invalid
from lian.domain.labels import Label
from lian.domain.money import parse_amount
from lian.domain.tasks import Form, Json, Question, questions
from lian.services.letters import reason_label
from lian.services.outcomes import LONGEST_TEXT, LONGEST_WORDS
from web.deps import Sent
from web.i18n import mark
from web.reader import Reader

CHOOSE = mark("Choose one.")
FEW = 3
"""So many choices are shown at once; more are in a list."""
NOBODY = Label("None", "无")
FURTHER = {"payees": "party_id"}
"""Questions with blank rows for more than what is proposed, and the part that says whom a row is about."""
MORE = 2
WRITTEN = frozenset({"text", "line"})
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
    longest: int = LONGEST_TEXT

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
    address: str = ""
    """Where more is told of it."""
    is_further: bool = False
    """A blank row for one more; left empty it is none."""

    @property
    def is_begun(self) -> bool:
        """Whether anything was written in it."""
        return any(f.value or f.error for f in self.fields)


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

    @classmethod
    def plain(cls, reader: Reader) -> FormContext:
        """For a form that stands alone, such as an intake's."""
        return cls(reader, "", {}, {}, {})

    optional: frozenset[str] = OPTIONAL
    payable: Mapping[str, str] = field(default_factory=dict)
    """Parties who may be paid beside the proposed ones, by id; none when the settlement is not to be split here."""


@dataclass(slots=True)
class Typed:
    """What somebody typed, and what is wrong with it by field name; nothing typed yet when `sent` is None."""

    sent: Sent | None = None
    errors: dict[str, str] = field(default_factory=dict)
    problem: str = ""


# --- asking -----------------------------------------------------------------------------------------------------------


def present_form(kind: Form, ask: Json, around: FormContext, typed: Typed) -> FormView:
    """A form as it is shown: empty, or with what was typed and what is wrong with it."""
    asked = questions(kind.outcome)
    may_be_empty = _may_be_empty(kind.outcome)
    single = tuple(
        _field(name, question, around, typed, ask, ask, may_be_empty=name in may_be_empty)
        for name, question in asked.items()
        if question.widget not in {"rows", "hidden"}
    )
    sections = tuple(
        Section(around.reader.label(question.label), _rows(kind, name, ask, around, typed))
        for name, question in asked.items()
        if question.widget == "rows"
    )
    everything = [*single, *(f for s in sections for row in s.rows for f in row.fields)]
    first = next((f.id for f in everything if f.error), "")
    notes = typed.sent.text("notes") if typed.sent else ""
    return FormView(single, sections, notes, typed.problem, first)


def _may_be_empty(outcome: type[Any]) -> set[str]:
    """The questions that may be left out: those with a default."""
    return {f.name for f in fields(outcome) if f.default is not MISSING or f.default_factory is not MISSING}


def _rows(kind: Form, name: str, ask: Json, around: FormContext, typed: Typed) -> tuple[Row, ...]:
    asked = questions(kind.rows[name])
    proposed_rows = tuple(
        Row(
            _title(proposed, around),
            _facts(proposed, around),
            tuple(finding_view(found, around.reader) for found in proposed.get("findings", ())),
            tuple(
                _field(f"{name}.{i}.{part}", question, around, typed, proposed, ask, part)
                for part, question in asked.items()
                if question.widget != "hidden"
            ),
            f"/desk/cases/{quote(proposed['number'])}" if "number" in proposed else "",
        )
        for i, proposed in enumerate(ask["rows"][name])
    )
    return proposed_rows + _further_rows(kind, name, ask, around, typed)


def _further_rows(kind: Form, name: str, ask: Json, around: FormContext, typed: Typed) -> tuple[Row, ...]:
    """Blank rows for payees beside the proposed ones, so that a settlement can be split."""
    if name not in FURTHER or not around.payable:
        return ()
    first, people = len(ask["rows"][name]), {"": NOBODY} | {i: Label(w, w) for i, w in around.payable.items()}
    asked = {
        part: replace(question, widget="choice", options=people) if part == FURTHER[name] else question
        for part, question in questions(kind.rows[name]).items()
    }
    return tuple(
        Row(
            around.reader.say("One more payee (if you like)"),
            (),
            (),
            tuple(
                replace(_field(f"{name}.{i}.{part}", q, around, typed, {}, ask, part), required=False)
                for part, q in asked.items()
            ),
            is_further=True,
        )
        for i in range(first, first + MORE)
    )


def _title(row: Json, around: FormContext) -> str:
    if "coverage_code" in row:
        label = around.coverages.get(row["coverage_code"])
        return around.reader.label(label) if label else str(row["coverage_code"])
    if "number" in row:
        return str(row["number"])
    return around.people.get(str(row.get("party_id", "")), around.reader.say("Payee"))


def _facts(row: Json, around: FormContext) -> tuple[tuple[str, str], ...]:
    say = around.reader.say
    if "reasons" in row:
        why = (around.reader.label(LIKENESS_REASONS[code]) for code in row["reasons"] if code in LIKENESS_REASONS)
        likeness = say("{score} of 100", score=row["score"])
        return ((say("Likeness"), likeness), (say("Because"), say(", ").join(why)))
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
    name: str,
    question: Question,
    around: FormContext,
    typed: Typed,
    proposed: Json,
    ask: Json,
    part: str = "",
    *,
    may_be_empty: bool = False,
) -> Field:
    reader = around.reader
    question = _offered(part or name, question, ask, may_be_empty=may_be_empty)
    is_left_open = may_be_empty and question.widget in WRITTEN
    words = reader.label(question.label)
    if is_left_open and not question.personal:
        words = reader.say("{question} (if you like)", question=words)
    value = typed.sent.text(name) if typed.sent else _proposal(part or name, question, proposed, around)
    return Field(
        name=name,
        widget=question.widget,
        words=words,
        help=reader.label(question.help) if question.help else "",
        value=value,
        options=_options(name, question, around, typed, ask, value),
        error=typed.errors.get(name, ""),
        unit=around.currency if question.widget == "amount" else "",
        required=question.widget != "codes" and "" not in question.options and not is_left_open,
        longest=LONGEST_WORDS if question.widget == "text" else LONGEST_TEXT,
    )


def _offered(name: str, question: Question, ask: Json, *, may_be_empty: bool) -> Question:
    """The question with what may be chosen in this case, where that depends on it."""
    choices = _choices(name, question, ask)
    if question.options or not choices:
        return question
    return replace(question, options={"": NOBODY, **choices} if may_be_empty else dict(choices))


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
        if question.options:
            return tuple(Option(code, reader.label(w), code in ticked) for code, w in question.options.items())
        return tuple(
            Option(code, reader.label(DOCUMENT_LABELS[code]), code in ticked, _hint(code, around))
            for code in ask["checklist"]
        )
    if question.widget == "yes_no":
        return tuple(
            Option(answer, reader.label(question.options[answer]) if question.options else words, value == answer)
            for answer, words in (("yes", reader.say("Yes")), ("no", reader.say("No")))
        )
    choices = _choices(name, question, ask)
    is_open = question.widget == "choice" and len(choices) > FEW and "" not in choices
    none_yet = (Option("", reader.say("Please choose"), chosen=True),) if is_open and not value else ()
    return none_yet + tuple(Option(code, reader.label(label), code == value) for code, label in choices.items())


def _choices(name: str, question: Question, ask: Json) -> Mapping[str, Label]:
    """The question's own options, or those that were found when it was asked."""
    offered = ask.get("options", {}).get(name.rpartition(".")[2], ())
    return question.options or {one["value"]: Label(one["en"], one["zh"]) for one in offered}


def _missing(name: str, ask: Json, around: FormContext) -> set[str]:
    """What to ask for: proposed is everything required that is not here yet; nothing is proposed for refusal."""
    if name != "missing" or "checklist" not in ask:
        return set()
    return {code for code in ask["checklist"] if code not in around.received and code not in around.optional}


def _hint(code: str, around: FormContext) -> str:
    n = around.received.get(code, 0)
    if code == "answers" and not n:
        return around.reader.say("first write your questions to the customer as a message")
    if n:
        return around.reader.count("{n} file received", "{n} files received", n)
    return around.reader.say("optional, not received") if code in around.optional else around.reader.say("not received")


# --- reading ----------------------------------------------------------------------------------------------------------


def read_outcome(kind: Form, ask: Json, sent: Sent, reader: Reader) -> tuple[Json, dict[str, str]]:
    """The answer as JSON, and what cannot be read, by field. Which rows there are comes from the task, not the form."""
    errors: dict[str, str] = {}
    outcome: Json = {}
    may_be_empty = _may_be_empty(kind.outcome)
    for name, question in questions(kind.outcome).items():
        if question.widget == "rows":
            parts = questions(kind.rows[name])
            outcome[name] = [
                {
                    part: _answer(f"{name}.{i}.{part}", q, _choices(part, q, ask), sent, row.get(part), reader, errors)
                    for part, q in parts.items()
                }
                for i, row in enumerate(ask["rows"][name])
            ]
            outcome[name] += [
                _further(f"{name}.{i}", parts, sent, reader, errors) for i in further_filled(kind, name, ask, sent)
            ]
        else:
            choices = _choices(name, question, ask)
            outcome[name] = _answer(name, question, choices, sent, ask.get(name), reader, errors)
            if question.widget in WRITTEN and not outcome[name] and name not in may_be_empty:
                errors[name] = reader.say("Please fill this in.")
            if question.widget == "choice" and not outcome[name] and name in may_be_empty:
                errors.pop(name, None)
    return outcome, errors


def further_filled(kind: Form, name: str, ask: Json, sent: Sent) -> list[int]:
    """The places of the further rows in which something was written."""
    first, parts = len(ask["rows"][name]), questions(kind.rows[name])
    places = range(first, first + MORE) if name in FURTHER else ()
    return [i for i in places if any(sent.text(f"{name}.{i}.{part}") for part in parts)]


def _further(at: str, parts: Mapping[str, Question], sent: Sent, reader: Reader, errors: dict[str, str]) -> Json:
    """One further row; whom it is about was chosen on the form."""
    row: Json = {}
    for part, question in parts.items():
        is_whom = question.widget == "hidden"
        row[part] = (
            sent.text(f"{at}.{part}") if is_whom else _answer(f"{at}.{part}", question, {}, sent, "", reader, errors)
        )
        if is_whom and not row[part]:
            errors[f"{at}.{part}"] = reader.say(CHOOSE)
    return row


def _answer(
    name: str,
    question: Question,
    choices: Mapping[str, Label],
    sent: Sent,
    known: Any,
    reader: Reader,
    errors: dict[str, str],
) -> Any:
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
    if choices and typed not in choices:
        errors[name] = reader.say(CHOOSE)
    return typed


def _amount(name: str, typed: str, reader: Reader, errors: dict[str, str]) -> str:
    try:
        return str(parse_amount(typed.replace(",", "")))
    except Invalid as wrong:
        errors[name] = reader.refusal(wrong) if typed else reader.say("Enter an amount.")
        return "0"


def blame(kind: Form, ask: Json, error: DomainError, reader: Reader, sent: Sent | None = None) -> dict[str, str]:
    """The field a refusal is about. A rule names a question, not the row: with several rows the sentence must do."""
    part, words = error.details.get("field", "").rpartition(".")[2], reader.refusal(error)
    found = {part: words} if part in questions(kind.outcome) else {}
    for name, row in kind.rows.items():
        is_split = sent is not None and bool(further_filled(kind, name, ask, sent))
        if part in questions(row) and len(ask["rows"][name]) == 1 and not is_split:
            found[f"{name}.0.{part}"] = words
    return found
