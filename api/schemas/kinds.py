"""Kinds of cases, and opening one with its kind's form: all of it from the definitions (idea 5)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from api.schemas.claims import PersonIn
from api.schemas.forms import FormOut, form_of, schema_of
from api.wire import In, Out, Words
from lian.domain.case_kind import CaseKind, Intake
from lian.domain.case_kinds import KINDS
from lian.domain.parties import Channel
from lian.domain.sla import Unit
from lian.services.opening import intakes


class StageOut(Out):
    """One step of a kind: `label` for staff, the others for customers."""

    stage: str
    label: Words
    headline: Words
    next_step: Words


class KindQueueOut(Out):
    """A queue in which the kind's tasks wait."""

    queue: str
    label: Words


class PromiseOut(Out):
    """A clock of the kind."""

    clock: str
    label: Words
    amount: int
    unit: Unit
    is_told: bool = Field(description="Whether customers are told its due date.")


class OutcomeOut(Out):
    """How a case of the kind may end."""

    outcome: str
    label: Words


class IntakeOut(Out):
    """The form a case of the kind is opened with: send its answers to `POST /kinds/{kind}/cases`."""

    label: Words
    help: Words
    by_customer: bool = Field(description="Whether customers may open one on the web.")
    form: FormOut
    examples: list[dict[str, Any]]

    @classmethod
    def of(cls, intake: Intake) -> IntakeOut:
        """The form on the wire."""
        return cls(
            label=Words.of(intake.label),
            help=Words.of(intake.help),
            by_customer=intake.by_customer,
            form=form_of(intake, {}),
            examples=list(intake.examples),
        )


class KindOut(Out):
    """A kind of case."""

    kind: str
    label: Words
    prefix: str = Field(description="What its case numbers begin with.")
    stages: list[StageOut]
    queues: list[KindQueueOut]
    clocks: list[PromiseOut]
    outcomes: list[OutcomeOut]
    intake: IntakeOut | None = Field(
        description="Null: such cases begin in another way, as claims do at `POST /claims`."
    )

    @classmethod
    def of(cls, kind: CaseKind) -> KindOut:
        """The kind on the wire."""
        return cls(
            kind=kind.id,
            label=Words.of(kind.label),
            prefix=kind.prefix,
            stages=[
                StageOut(
                    stage=s.id,
                    label=Words.of(s.label),
                    headline=Words.of(s.headline),
                    next_step=Words.of(s.next_step),
                )
                for s in kind.stages
            ],
            queues=[KindQueueOut(queue=queue, label=Words.of(label)) for queue, label in kind.queues.items()],
            clocks=[
                PromiseOut(
                    clock=c.id, label=Words.of(c.label), amount=c.amount, unit=c.unit, is_told=c.id == kind.promise
                )
                for c in kind.clocks
            ],
            outcomes=[OutcomeOut(outcome=outcome, label=Words.of(label)) for outcome, label in kind.outcomes.items()],
            intake=IntakeOut.of(kind.intake) if kind.intake else None,
        )


class KindsOut(Out):
    """Every kind of case there is here."""

    items: list[KindOut]

    @classmethod
    def all(cls) -> KindsOut:
        """As the registry has them."""
        return cls(items=[KindOut.of(kind) for kind in KINDS.values()])


def inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """A JSON schema with its `$defs` put in place, so that it may stand anywhere."""
    if isinstance(schema, list):
        return [inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    named = definitions.get(str(schema.get("$ref", "")).removeprefix("#/$defs/"), {})
    plain = {key: value for key, value in (named | schema).items() if key not in {"$ref", "$defs"}}
    return {key: inlined(value, definitions) for key, value in plain.items()}


def answers_schema() -> dict[str, Any]:
    """What the answers to each kind's form look like."""
    found = []
    for kind, intake in intakes().values():
        schema = schema_of(intake)
        found.append(inlined(schema, schema.get("$defs", {})) | {"title": f"{kind.label.en} ({kind.id})"})
    return {"anyOf": found, "description": "As the kind's form asks (`GET /kinds`)."}


def examples() -> dict[str, Any]:
    """One filled-in form of each kind, for the API's pages."""
    reporter = {"name": "赵磊", "email": "zhao@example.com"}
    return {
        kind.id: {"summary": kind.label.en, "value": {"answers": intake.examples[0], "reporter": reporter}}
        for kind, intake in intakes().values()
    }


class CaseIn(In):
    """A case to open, and who reports it."""

    answers: Annotated[dict[str, Any], WithJsonSchema(answers_schema())]
    reporter: PersonIn
    channel: Channel = Channel.API
